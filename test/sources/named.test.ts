import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { timeLetterProblem, timeLettersToGlob } from '../../src/base/time-letters.js';
import { namerOf, type Named } from '../../src/sources/common/named.js';
import { selectionOf } from '../../src/sources/common/selection.js';
import { plainSpec } from './local/local-harness.js';

interface Options {
  readonly ignoreCase?: boolean;
  readonly nameGroups?: string;
}

const named = (patterns: string | readonly string[], path: string, options: Options = {}): Named | null =>
  namerOf({
    ignoreCase: false,
    named: [patterns].flat().map((captures) => ({ glob: timeLettersToGlob(captures), captures })),
    ...options,
  })(path);
const momentOf = (patterns: string | readonly string[], path: string, options?: Options): string | null => {
  const found = named(patterns, path, options);
  return found === null ? null : `${found.date ?? '-'}${found.time === null ? '' : ` ${found.time}`}`;
};

describe('the date in a name', () => {
  test.each([
    ['orders_%Y%m%d*.csv{,.gz}', 'orders_20261120.csv', '2026-11-20'],
    ['orders_%Y%m%d*.csv{,.gz}', 'orders_20261120_2.csv.gz', '2026-11-20'],
    ['orders_%F.csv', 'orders_2026-11-20.csv', '2026-11-20'],
    ['orders_%y%j.csv', 'orders_26324.csv', '2026-11-20'],
    ['orders_%d%b%Y.csv', 'orders_20Nov2026.csv', '2026-11-20'],
    ['%B-%Y.csv', 'May-2026.csv', '2026-05-01'],
    ['orders_%B*.csv', 'orders_SEPTEMBER.csv', '-'],
    ['w%G%V.csv', 'w202647.csv', '2026-11-16'],
    ['o_%Y%m%dT%H%M%S.csv', 'o_20261120T063015.csv', '2026-11-20 06:30:15'],
    ['o_%Y%m%d_%I%p.csv', 'o_20261120_03pm.csv', '2026-11-20 15:00:00'],
    ['o_%Y%m%d_%H.csv', 'o_20261120_06.csv', '2026-11-20 06:00:00'],
    ['o_%s.csv', 'o_1795194000.csv', '2026-11-20 17:00:00'],
    ['{%Y-%m-%d,%d.%m.%Y}.csv', '20.11.2026.csv', '2026-11-20'],
    ['{%Y-%m-%d,%d.%m.%Y}.csv', '2026-11-20.csv', '2026-11-20'],
    ['+(a|b)_%Y@(-)%m-%d.csv', 'ab_2026-11-20.csv', '2026-11-20'],
    ['!(x)_%Y%m%d.csv', 'y_20261120.csv', '2026-11-20'],
    ['100%%_%Y%m%d.csv', '100%_20261120.csv', '2026-11-20'],
    ['[0-9][0-9]_%Y%m%d.csv', '12_20261120.csv', '2026-11-20'],
  ])('%j finds in %j: %s', (pattern, path, moment) => {
    expect(momentOf(pattern, path)).toBe(moment);
  });

  test('stands in the name, or in folders where the pattern has them', () => {
    expect(momentOf('o_%Y%m%d.csv', 'in/2025/o_20261120.csv')).toBe('2026-11-20');
    expect(momentOf('%Y/%m/%d/*.csv', '2026/11/20/o.csv')).toBe('2026-11-20');
    expect(momentOf('**/%Y/%m-*.csv', 'in/deep/2026/11-x.csv')).toBe('2026-11-01');
    expect(momentOf('%Y/%m/o_%d.csv', 'in/2026/11/o_20.csv')).toBeNull();
  });

  test('of a letter that stands twice the one nearest to the file counts', () => {
    expect(momentOf('%Y/%m/%d/o_%Y%m%d.csv', '2026/11/21/o_20261120.csv')).toBe('2026-11-20');
  });

  test('with several patterns, the first that finds a date', () => {
    const patterns = ['*_%H.csv', 'o_%Y%m%d_*.csv', 'o_%Y*.csv'];
    expect(momentOf(patterns, 'o_20261120_06.csv')).toBe('2026-11-20');
    expect(named(patterns, 'x_06.csv')).toEqual({ letters: { H: '06' }, date: null, time: null, groups: {} });
    expect(momentOf(patterns, 'o_2026.csv')).toBe('2026-01-01');
    expect(momentOf(patterns, 'other.csv')).toBeNull();
  });

  test('where several places would do, the leftmost that looks like a date', () => {
    expect(momentOf('*%Y*', 'a_2026_2027.csv')).toBe('2026-01-01');
    expect(momentOf('*%Y%m%d*', 'id9999_20261120.csv')).toBe('2026-11-20');
    expect(momentOf('*%Y%m%d*', 'x20269999_20261120_20261121.csv')).toBe('2026-11-20');
    expect(momentOf('*%m%d.csv', 'o_20261120.csv')).toBe('-');
  });

  test('digits that are no date are none', () => {
    expect(momentOf('o_%Y%m%d.csv', 'o_20261301.csv')).toBeNull();
    expect(momentOf('o_%Y%m%d.csv', 'o_20260229.csv')).toBe('-');
    expect(momentOf('o_%H.csv', 'o_24.csv')).toBeNull();
  });

  test('ignore_case', () => {
    expect(momentOf('Orders_%Y%m%d.csv', 'ORDERS_20261120.CSV')).toBeNull();
    expect(momentOf('Orders_%Y%m%d.csv', 'ORDERS_20261120.CSV', { ignoreCase: true })).toBe('2026-11-20');
  });

  test('a name with a newline is a name like any other', () => {
    expect(momentOf('*_%Y%m%d.csv', 'a\nb_20261120.csv')).toBe('2026-11-20');
  });

  test('the letters as they stand in the name', () => {
    expect(named('o_%y%b%d_%p.csv', 'o_26NOV20_PM.csv')?.letters).toEqual({ y: '26', b: 'NOV', d: '20', p: 'PM' });
  });

  test('a feed without letters and groups has no names', () => {
    expect(namerOf({ ignoreCase: false })('o_20261120.csv')).toBeNull();
  });
});

describe('named groups', () => {
  const nameGroups = '(?<region>[a-z]+)_(?<seq>\\d+)(?:-(?<part>\\d+))?\\.csv$';

  test('are what the expression catches of the path', () => {
    expect(named([], 'in/eu_0017.csv', { nameGroups })?.groups).toEqual({ region: 'eu', seq: '0017' });
    expect(named([], 'in/eu_0017-2.csv', { nameGroups })?.groups).toEqual({ region: 'eu', seq: '0017', part: '2' });
    expect(named([], 'in/EU_0017.csv', { nameGroups, ignoreCase: true })?.groups['region']).toBe('EU');
    expect(named([], 'in/eu.csv', { nameGroups })).toBeNull();
  });

  test('stand beside the date', () => {
    expect(named('%Y%m%d/*', '20261120/eu_1.csv', { nameGroups })).toEqual({
      letters: { Y: '2026', m: '11', d: '20' },
      date: '2026-11-20',
      time: null,
      groups: { region: 'eu', seq: '1' },
    });
  });
});

/** Globs of all kinds with letters in them, and names that nearly meet them. */
const piece = fc.constantFrom(
  '%Y',
  '%m',
  '%d',
  '%H',
  '%j',
  '%p',
  '%b',
  'a',
  'B',
  '-',
  '_',
  '.',
  '*',
  '?',
  '[0-9]',
  '{x,}',
  '%%',
  '/',
  '**/',
  '!(z)',
  '+(q|%d)',
  '{%m,%d}',
  '{%d..%m}',
  '\\%Y',
  '\\*',
  '(',
  '[',
  ')',
  '}',
);
const text = fc.constantFrom(
  '2026',
  '11',
  '20',
  '06',
  '324',
  'AM',
  'Nov',
  'a',
  'B',
  '-',
  '_',
  '.',
  'x',
  '7',
  '%',
  '/',
  'q',
);

test('a pattern with letters never fails, and catches nothing of a path that is not of the feed', () => {
  const spec = fc.array(piece, { minLength: 1, maxLength: 6 }).map((pieces) => pieces.join(''));
  const name = fc.array(text, { minLength: 1, maxLength: 6 }).map((texts) => texts.join(''));
  fc.assert(
    fc.property(spec, name, (captures, path) => {
      if (timeLetterProblem(captures) !== null) return;
      const glob = timeLettersToGlob(captures);
      const caught = named(captures, path);
      if (caught !== null)
        expect(selectionOf({ ...plainSpec, recursive: true, patterns: [glob] }).takes(path)).toBe(true);
    }),
    { numRuns: 3_000 },
  );
});
