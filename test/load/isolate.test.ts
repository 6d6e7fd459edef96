import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isolate, lineOf } from '../../src/load/copy/isolate.js';
import type { ServerError } from '../../src/postgres/connect/errors.js';

interface Walk {
  readonly accepted: number[];
  readonly refused: number[];
  readonly attempts: number;
  /** Rows given to attempts, together. */
  readonly sent: number;
}

/** A table that refuses certain rows; `named`: its errors say the line. */
async function walk(rows: number, bad: ReadonlySet<number>, named: boolean): Promise<Walk> {
  const accepted: number[] = [];
  const refused: number[] = [];
  let attempts = 0;
  let sent = 0;
  const judge = (from: number, to: number): ServerError | null => {
    for (let row = from; row < to; row++) {
      if (bad.has(row))
        return Object.assign(new Error('no'), {
          code: '23514',
          where: named ? `COPY t, line ${row - from + 1}` : undefined,
        });
    }
    return null;
  };
  const attempt = (from: number, to: number): Promise<ServerError | null> => {
    attempts++;
    sent += to - from;
    const error = judge(from, to);
    if (error === null) for (let row = from; row < to; row++) accepted.push(row);
    return Promise.resolve(error);
  };
  const first = judge(0, rows);
  if (first === null) throw new Error('nothing to isolate');
  await isolate(rows, first, attempt, (row) => void refused.push(row));
  return { accepted, refused, attempts, sent };
}

describe('isolating the rows that PostgreSQL refuses', () => {
  test.each([true, false])(
    'finds exactly those, and takes all others in their order (line named: %s)',
    async (named) => {
      await fc.assert(
        fc.asyncProperty(
          fc.integer({ min: 1, max: 300 }),
          fc.array(fc.nat(299), { minLength: 1, maxLength: 40 }),
          async (rows, picks) => {
            const bad = new Set(picks.map((pick) => pick % rows));
            const found = await walk(rows, bad, named);
            expect(found.refused).toEqual([...bad].sort((a, b) => a - b));
            expect(found.accepted).toEqual(
              Array.from({ length: rows }, (_, row) => row).filter((row) => !bad.has(row)),
            );
          },
        ),
      );
    },
  );

  test('one bad row of many, with its line, costs a handful of COPYs', async () => {
    expect((await walk(100_000, new Set([70_000]), true)).attempts).toBeLessThanOrEqual(12);
  });

  test('every row bad costs about one COPY a row', async () => {
    const all = new Set(Array.from({ length: 5000 }, (_, row) => row));
    expect((await walk(5000, all, true)).attempts).toBeLessThan(5100);
    expect((await walk(5000, all, false)).attempts).toBeLessThan(5100);
  });

  test.each([true, false])(
    'what is sent stays a small multiple of the chunk, however many rows are bad (line named: %s)',
    async (named) => {
      for (const every of [1, 2, 3, 10, 100, 1000]) {
        const bad = new Set(Array.from({ length: Math.floor(20_000 / every) }, (_, i) => i * every));
        expect((await walk(20_000, bad, named)).sent).toBeLessThan(20_000 * 12);
      }
    },
  );

  test('a line that names the wrong row does no harm', async () => {
    const accepted: number[] = [];
    const refused: number[] = [];
    const lie: ServerError = Object.assign(new Error('no'), { code: '23514', where: 'COPY t, line 2' });
    await isolate(
      10,
      lie,
      (from, to) => {
        if (from <= 7 && 7 < to) return Promise.resolve(lie);
        for (let row = from; row < to; row++) accepted.push(row);
        return Promise.resolve(null);
      },
      (row) => void refused.push(row),
    );
    expect(refused).toEqual([7]);
    expect(accepted).toEqual([0, 1, 2, 3, 4, 5, 6, 8, 9]);
  });
});

describe('the line in the CONTEXT of an error', () => {
  test.each<[string, number | null]>([
    ['COPY orders, line 3, column amount: "x"', 3],
    ['COPY orders, line 12', 12],
    ['PL/pgSQL function f() line 7 at RAISE\nCOPY orders, line 4', 4],
    ['SQL statement "COPY x, line 99"\nCOPY orders, line 5', 5],
    ['COPY orders, Zeile 8, Spalte amount', 8],
    ['COPY a, line 2, line 9', 9],
    ['SQL function "f" statement 1', null],
    ['', null],
  ])('%j is %j', (where, line) => {
    expect(lineOf({ where })).toBe(line);
  });

  test('is none without CONTEXT', () => {
    expect(lineOf({})).toBeNull();
  });
});
