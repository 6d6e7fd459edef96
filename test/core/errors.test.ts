import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { ERRORS, TallymanError } from '../../src/core/errors.js';

const page = readFileSync(path.resolve(import.meta.dirname, '../../docs/reference/errors.md'), 'utf8');
const ROWS = [...page.matchAll(/^\| `([A-Z_]+)` \| (.+) \| (.+) \| (\d+) \|$/gm)].map(
  ([, code = '', meaning = '', fix = '', exit = '']) => ({ code, meaning, fix, exit: Number(exit) }),
);
/** A table cell cannot hold a bare |. */
const cell = (text: string): string => text.replaceAll('|', '\\|');

describe('docs/reference/errors.md', () => {
  test('has every code of the table in core/errors.ts, and no other', () => {
    expect(ROWS.map((row) => row.code).sort()).toEqual(Object.keys(ERRORS).sort());
  });

  test.each(Object.entries(ERRORS))('says the same of %s', (code, { meaning, fix, exit }) => {
    expect(ROWS.find((row) => row.code === code)).toEqual({ code, meaning: cell(meaning), fix: cell(fix), exit });
  });
});

describe('errors', () => {
  test('carry code, message, what to do, blame and exit code', () => {
    const error = new TallymanError('TOO_FEW_ROWS', 'orders.csv: 3 rows, at least 10 are wanted');
    expect([error.reported(), error.blame, error.exit]).toEqual([
      { code: 'TOO_FEW_ROWS', message: 'orders.csv: 3 rows, at least 10 are wanted', fix: ERRORS.TOO_FEW_ROWS.fix },
      'file',
      1,
    ]);
  });

  test('that come from too few open files say how to get more', () => {
    const cause = Object.assign(new Error('EMFILE: too many open files'), { code: 'EMFILE' });
    expect(new TallymanError('DISK_FULL', 'work', { cause }).fix).toContain('ulimit -n');
    expect(new TallymanError('DISK_FULL', 'work', { cause: new Error('full') }).fix).toBe(ERRORS.DISK_FULL.fix);
  });

  test('every exit code is one of the specification', () => {
    const allowed = new Set([0, 1, 2, 3, 4, 5, 6, 11, 78, 130, 143]);
    expect(Object.entries(ERRORS).filter(([, row]) => !allowed.has(row.exit))).toEqual([]);
  });

  test('every error says what it means and what to do, in whole sentences', () => {
    expect(
      Object.entries(ERRORS).filter(([, row]) => !/^[A-Z`][^]*\.$/.test(row.meaning) || !/\S/.test(row.fix)),
    ).toEqual([]);
  });
});

describe('anything thrown', () => {
  test('one of ours stays what it is', () => {
    const error = new TallymanError('FILE_VANISHED', 'a.csv: gone');
    expect(TallymanError.of(error, 'DISK_FULL')).toBe(error);
  });

  test('another becomes a fault of the program, or what the place says, with itself as the cause', () => {
    const thrown = new RangeError('out of range');
    expect(TallymanError.of(thrown)).toMatchObject({ code: 'INTERNAL', message: 'out of range', cause: thrown });
    expect(TallymanError.of('text', 'SOURCE_UNREACHABLE')).toMatchObject({
      code: 'SOURCE_UNREACHABLE',
      message: 'text',
    });
  });
});
