import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { TallymanError } from '../../../src/core/errors.js';
import { readAll } from '../../contract/format-suite.js';
import { openText, type Setting } from './helpers.js';

/**
 * fixtures/json/CASE.input with CASE.expected.json beside it is a test. Expected: `columns` (the contract in the words
 * of helpers.ts; left out = none), `options`, and per row [line, cells] or [line, class of the fault]; or { error: CODE
 * }. null is NULL, a cell that is missing is not there.
 */
const FOLDER = path.resolve(import.meta.dirname, '../../../fixtures/json');
const common = { columns: z.array(z.string()).optional(), options: z.record(z.string(), z.unknown()).default({}) };
const expectation = z.union([
  z.strictObject({ ...common, error: z.string() }),
  z.strictObject({
    ...common,
    rows: z.array(z.tuple([z.number(), z.union([z.array(z.string().nullable()), z.string()])])),
  }),
]);

async function readCase(name: string, options: Record<string, unknown>, setting: Setting): Promise<unknown> {
  try {
    const rows = await readAll(await openText(readFileSync(path.join(FOLDER, `${name}.input`)), options, setting));
    return { rows: rows.map((row) => [row.line, row.fault ?? row.cells]) };
  } catch (error) {
    if (error instanceof TallymanError) return { error: error.code };
    throw error;
  }
}

describe('fixtures/json', () => {
  const cases = readdirSync(FOLDER)
    .filter((file) => file.endsWith('.input'))
    .map((file) => file.slice(0, -6));

  test.each(cases)('%s', async (name) => {
    const { columns, options, ...expected } = expectation.parse(
      JSON.parse(readFileSync(path.join(FOLDER, `${name}.expected.json`), 'utf8')),
    );
    const setting = columns === undefined ? {} : { columns };
    expect(await readCase(name, options, setting)).toEqual(expected);
    expect(await readCase(name, options, { ...setting, chunks: [1], window: 1, batchRows: 2 })).toEqual(expected);
  });

  test('every expectation has its file', () => {
    const missing = readdirSync(FOLDER).filter(
      (file) =>
        file.endsWith('.expected.json') && !existsSync(path.join(FOLDER, file.replace('.expected.json', '.input'))),
    );
    expect(missing).toEqual([]);
  });
});
