import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { TallymanError } from '../../../src/core/errors.js';
import { readAll } from '../../contract/format-suite.js';
import { openText, type Setting } from './helpers.js';

/**
 * fixtures/csv/CASE.csv with CASE.expected.json beside it is a test; CASE.options.json holds format options. Expected:
 * columns, empty, and per row [line, cells] or [line, class of the fault]; or { error: CODE }. null is NULL.
 */
const FOLDER = path.resolve(import.meta.dirname, '../../../fixtures/csv');
const expectation = z.union([
  z.strictObject({ error: z.string() }),
  z.strictObject({
    columns: z.array(z.string()),
    empty: z.boolean().default(false),
    rows: z.array(z.tuple([z.number(), z.union([z.array(z.string().nullable()), z.string()])])),
  }),
]);

async function readCase(name: string, setting: Setting): Promise<unknown> {
  const optionsFile = path.join(FOLDER, `${name}.options.json`);
  const options = existsSync(optionsFile)
    ? z.record(z.string(), z.unknown()).parse(JSON.parse(readFileSync(optionsFile, 'utf8')))
    : {};
  try {
    const reader = await openText(readFileSync(path.join(FOLDER, `${name}.csv`)), options, setting);
    const rows = await readAll(reader);
    return {
      columns: reader.layout.fileColumns.map((c) => c.name),
      empty: reader.empty,
      rows: rows.map((row) => [row.line, row.fault ?? row.cells]),
    };
  } catch (error) {
    if (error instanceof TallymanError) return { error: error.code };
    throw error;
  }
}

describe('fixtures/csv', () => {
  const cases = readdirSync(FOLDER)
    .filter((file) => file.endsWith('.csv'))
    .map((file) => file.slice(0, -4));

  test.each(cases)('%s', async (name) => {
    const expected = expectation.parse(JSON.parse(readFileSync(path.join(FOLDER, `${name}.expected.json`), 'utf8')));
    expect(await readCase(name, {})).toEqual(expected);
    expect(await readCase(name, { chunks: [1], window: 1, batchRows: 2 })).toEqual(expected);
  });

  test('every expectation has its file', () => {
    const files = new Set(readdirSync(FOLDER));
    expect(
      [...files].filter(
        (file) => file.endsWith('.json') && !files.has(file.replace(/\.(expected|options)\.json$/, '.csv')),
      ),
    ).toEqual([]);
  });
});
