import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { companionOf, isCompanion, isShared } from '../../src/sources/common/companion.js';
import { IGNORE_DEFAULTS } from '../../src/config/resolve/ignore-defaults.js';
import { splitExtensions } from '../../src/sources/common/extensions.js';
import { namesBeside } from '../../src/sources/common/names-beside.js';
import { decodeName, encodeName } from '../../src/sources/common/path-name.js';
import { backoff } from '../../src/base/backoff.js';
import { selectionOf } from '../../src/sources/common/selection.js';
import { plainSpec } from './local/local-harness.js';

describe('extensions', () => {
  test.each([
    ['orders.csv', 'orders', '.csv'],
    ['orders.csv.gz', 'orders', '.csv.gz'],
    ['orders.csv.gz.gpg', 'orders', '.csv.gz.gpg'],
    ['my.company.orders.csv', 'my.company.orders', '.csv'],
    ['sales_2026.11.20.csv', 'sales_2026.11.20', '.csv'],
    ['sales_2026.11.20', 'sales_2026.11.20', ''],
    ['orders', 'orders', ''],
    ['.env', '.env', ''],
    ['.env.csv', '.env', '.csv'],
    ['orders.', 'orders.', ''],
    ['a b.c d', 'a b.c d', ''],
  ])('%j is %j and %j', (name, stem, extensions) => {
    expect(splitExtensions(name)).toEqual({ stem, extensions });
  });

  test('both parts are the whole name, and the stem is never empty', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), (name) => {
        const { stem, extensions } = splitExtensions(name);
        return stem + extensions === name && stem !== '';
      }),
    );
  });
});

describe('names beside a taken one', () => {
  const first = (path: string, count: number): string[] => [...namesBeside(path, '42')].slice(0, count);

  test('get the suffix before the extensions, then a number', () => {
    expect(first('done/a.csv.gz', 4)).toEqual([
      'done/a.csv.gz',
      'done/a-42.csv.gz',
      'done/a-42-2.csv.gz',
      'done/a-42-3.csv.gz',
    ]);
  });

  test('end after a while', () => {
    expect([...namesBeside('a', '42')].length).toBe(101);
  });

  test('are never longer than 255 bytes and stay whole characters', () => {
    fc.assert(
      fc.property(
        fc
          .uint8Array({ minLength: 1, maxLength: 255 })
          .map((array) => Buffer.from(array).map((byte) => (byte === 0x2f || byte === 0 ? 0x41 : byte))),
        (name) => {
          const [, beside] = first(encodeName(Buffer.from(name)), 2);
          return decodeName(beside!).length <= 255;
        },
      ),
    );
    expect(decodeName(first(`${'é'.repeat(125)}x.csv`, 2)[1]!).toString()).toBe(`${'é'.repeat(124)}-42.csv`);
  });
});

describe('companions', () => {
  test('stand beside their file: {name} is the file name, {stem} without extensions', () => {
    expect(companionOf({ kind: 'marker', template: '{name}.done' }, 'in/a.csv.gz')).toBe('in/a.csv.gz.done');
    expect(companionOf({ kind: 'manifest', template: '{stem}.manifest.json' }, 'in/a.csv.gz')).toBe(
      'in/a.manifest.json',
    );
    expect(companionOf({ kind: 'marker', template: '_SUCCESS' }, 'in/a.csv')).toBe('in/_SUCCESS');
    expect(companionOf({ kind: 'always' }, 'in/a.csv')).toBeNull();
  });

  test('a name with replacement signs is a name', () => {
    expect(companionOf({ kind: 'marker', template: '{name}.done' }, "$&$'.csv")).toBe("$&$'.csv.done");
  });

  test('are known by their name, wherever the hole stands', () => {
    expect(isCompanion({ kind: 'marker', template: '{name}.done' }, 'in/a.csv.done')).toBe(true);
    expect(isCompanion({ kind: 'marker', template: '{name}.done' }, '.done')).toBe(false);
    expect(isCompanion({ kind: 'marker', template: 'ready_{stem}' }, 'in/ready_a')).toBe(true);
    expect(isCompanion({ kind: 'marker', template: '_SUCCESS' }, 'in/_SUCCESS')).toBe(true);
    expect(isCompanion({ kind: 'marker', template: '_SUCCESS' }, 'in/not_SUCCESS')).toBe(false);
    expect(isCompanion({ kind: 'marker', template: 'a.b' }, 'axb')).toBe(false);
  });

  test('a template without anything fixed makes no file a companion', () => {
    expect(isCompanion({ kind: 'marker', template: '{stem}' }, 'a.csv')).toBe(false);
  });

  test('the companion of every file is one', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 1 }).filter((name) => !name.includes('/')),
        fc.constantFrom('{name}.done', '{stem}.ok', 'x_{name}', '_SUCCESS', '{stem}/{name}.m'),
        (name, template) => {
          const spec = { kind: 'marker', template } as const;
          return isCompanion(spec, companionOf(spec, `in/${name}`)!);
        },
      ),
    );
  });

  test('one that stands for a whole folder is shared', () => {
    expect(
      [{ kind: 'marker', template: '_SUCCESS' } as const, { kind: 'marker', template: '{stem}.ok' } as const].map(
        isShared,
      ),
    ).toEqual([true, false]);
  });
});

describe('the selection of a feed', () => {
  const enters = (exclude: string[], folders: string[]): string[] =>
    folders.filter((folder) =>
      selectionOf({ ...plainSpec, recursive: true, exclude, ignore: ['.*', 'old_*', 'tmp/x'] }).enters(folder),
    );

  test('a move target keeps all out below its first part with a date letter', () => {
    expect(enters(['done/%Y/%m'], ['done', 'done/2026', 'done/x', 'done2', 'in', 'in/done'])).toEqual([
      'done2',
      'in',
      'in/done',
    ]);
    expect(enters(['a/b/'], ['a', 'a/b', 'a/b/c', 'a/bc'])).toEqual(['a', 'a/bc']);
    expect(enters(['100%%'], ['100%', '100%%'])).toEqual(['100%%']);
  });

  test('a move target that begins with a date letter keeps folders of that form out', () => {
    expect(enters(['%Y/%m'], ['2026', '2026/11', 'x2026', '20261'])).toEqual(['x2026', '20261']);
    expect(enters(['done-%Y%m'], ['done-202611', 'done-x'])).toEqual(['done-x']);
  });

  test('ignored folders are not entered', () => {
    expect(enters([], ['.snapshot', 'old_2020', 'in', 'tmp/x', 'tmp'])).toEqual(['in', 'tmp']);
  });

  test('braces and classes in patterns mean what picomatch says', () => {
    const { takes } = selectionOf({ ...plainSpec, patterns: ['orders_[0-9][0-9]*.csv{,.gz}'] });
    expect(
      ['orders_12.csv', 'orders_12x.csv.gz', 'orders_1.csv', 'orders_12.csv.zip', 'in/orders_12.csv'].filter(takes),
    ).toEqual(['orders_12.csv', 'orders_12x.csv.gz', 'in/orders_12.csv']);
  });

  test('[!a] and [^a] are any character but a, as in a shell', () => {
    const met = (pattern: string, ...names: string[]): string[] =>
      names.filter(selectionOf({ ...plainSpec, patterns: [pattern] }).takes);
    expect(met('[!a]*.csv', 'a.csv', 'b.csv', '!.csv', 'A.csv')).toEqual(['b.csv', '!.csv', 'A.csv']);
    expect(met('[^a]*.csv', 'a.csv', 'b.csv')).toEqual(['b.csv']);
    expect(met('x[!0-9]y', 'x1y', 'xay', 'x/y')).toEqual(['xay']);
    expect(met('x[a!]y', 'xay', 'x!y', 'xby')).toEqual(['xay', 'x!y']);
  });

  test('! takes away from what stands before it, and what stands behind it may add again', () => {
    const taken = (patterns: string[], ignore: string[], names: string[]): string[] =>
      names.filter(selectionOf({ ...plainSpec, recursive: true, patterns, ignore }).takes);
    expect(taken(['*.csv', '!test_*'], [], ['a.csv', 'test_a.csv', 'test_a.txt', 'a.txt'])).toEqual(['a.csv']);
    expect(taken(['*.csv', '!test_*', 'test_keep.csv'], [], ['a.csv', 'test_a.csv', 'test_keep.csv'])).toEqual([
      'a.csv',
      'test_keep.csv',
    ]);
    expect(taken(['*', '!old/**'], [], ['a', 'old/a', 'older/a'])).toEqual(['a', 'older/a']);
    expect(taken(['*.csv'], ['*', '!keep.csv'], ['a.csv', 'keep.csv', 'in/keep.csv'])).toEqual([
      'keep.csv',
      'in/keep.csv',
    ]);
    expect(taken(['!(a|b).csv'], [], ['a.csv', 'b.csv', 'c.csv'])).toEqual(['c.csv']);
    expect(taken(['\\!a.csv'], [], ['a.csv', '!a.csv'])).toEqual(['!a.csv']);
  });

  test('the built-in ignores meet half-written files in any case; a feed may take some back', () => {
    const unfinished =
      'a.tmp A.TMP a.part a.partial a.filepart a.csv.writing a.inprogress a.crdownload a.CrDownload a~ ~$a.xlsx .a'.split(
        ' ',
      );
    const spec = { ...plainSpec, patterns: ['*'], ignore: [], ignoreAnyCase: IGNORE_DEFAULTS };
    expect([...unfinished, 'a.csv'].filter(selectionOf(spec).takes)).toEqual(['a.csv']);
    expect(unfinished.filter(selectionOf({ ...spec, ignore: ['!*.tmp', '!.a'] }).takes)).toEqual(['a.tmp', '.a']);
    expect(unfinished.filter(selectionOf({ ...spec, ignore: ['!*.tmp'], ignoreCase: true }).takes)).toEqual([
      'a.tmp',
      'A.TMP',
    ]);
  });

  test('a name with a newline is met by *', () => {
    expect(selectionOf(plainSpec).takes('a\nb.csv')).toBe(true);
  });

  test('the private names of after actions are never data', () => {
    expect(selectionOf({ ...plainSpec, patterns: ['*', '**/*'] }).takes('in/.tallyman-0123')).toBe(false);
  });
});

describe('backoff', () => {
  test('doubles up to its limit and takes off at most half by chance', () => {
    expect([1, 2, 3, 4, 5].map((attempt) => backoff(attempt, { baseMs: 100, maxMs: 1_000 }, () => 1))).toEqual([
      100, 200, 400, 800, 1_000,
    ]);
    expect([0, 1, 2].map((attempt) => backoff(attempt, { baseMs: 100, maxMs: 1_000 }, () => 0))).toEqual([50, 50, 100]);
  });

  test('stays between half and whole for every attempt', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1e9 }),
        fc.integer({ min: 0, max: 60_000 }),
        fc.integer({ min: 0, max: 600_000 }),
        (attempt, baseMs, maxMs) => {
          const pause = backoff(attempt, { baseMs, maxMs });
          const full = Math.min(maxMs, baseMs * 2 ** Math.min(attempt - 1, 30));
          return pause >= full / 2 && pause <= Math.ceil(full);
        },
      ),
    );
  });
});
