import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { records, texts } from './helpers.js';

const DATA = path.resolve(import.meta.dirname, '../../../../shared/data/json');
const here = existsSync(DATA);
const note = here ? '' : ` (NOT RUN: ${DATA} is not there)`;

describe.runIf(here)(`files that no one here wrote${note}`, () => {
  test.each([
    ['movies.json', 3_201],
    ['cities-20k.json', 20_000],
    ['github-issues-nested.ndjson', 100],
  ])('%s: %i records, equal to JSON.parse', async (file, count) => {
    const bytes = readFileSync(path.join(DATA, file));
    const text = bytes.toString();
    const expected = file.endsWith('.json')
      ? (JSON.parse(text) as Record<string, unknown>[])
      : text
          .trimEnd()
          .split('\n')
          .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(expected).toHaveLength(count);
    expect((await texts(bytes)).map((one) => JSON.parse(String(one)) as unknown)).toEqual(expected);
    const keys = [...new Set(expected.flatMap((one) => Object.keys(one)))];
    const cells = await records(bytes, {}, { columns: keys.map((key) => `${key}=${key}`), chunks: [10_007] });
    const plain = (value: unknown): unknown =>
      value === null || typeof value === 'string' ? value : JSON.stringify(value);
    // Numbers and nested values keep their own text: compared as values.
    const spelled = (one: Record<string, unknown>, like: Record<string, unknown>): unknown =>
      Object.fromEntries(
        Object.entries(one).map(([key, cell]) => [
          key,
          typeof like[key] === 'string' || cell === null
            ? cell
            : plain(typeof cell === 'string' ? (JSON.parse(cell) as unknown) : cell),
        ]),
      );
    expect(cells.map((one, i) => spelled(one as Record<string, unknown>, expected[i]!))).toEqual(
      expected.map((one) => Object.fromEntries(Object.entries(one).map(([key, value]) => [key, plain(value)]))),
    );
  });

  test('paths reach into deep objects', async () => {
    const bytes = readFileSync(path.join(DATA, 'github-issues-nested.ndjson'));
    const lines = bytes
      .toString()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { actor: { login: string }; payload: { commits?: { sha: string }[] } });
    const got = await records(bytes, {}, { columns: ['login=actor.login', 'sha=payload.commits[0].sha'] });
    expect(got).toEqual(
      lines.map((one) => ({
        'actor.login': one.actor.login,
        ...(one.payload.commits?.[0] === undefined ? {} : { 'payload.commits[0].sha': one.payload.commits[0].sha }),
      })),
    );
  });
});
