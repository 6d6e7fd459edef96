import fc from 'fast-check';
import picomatch from 'picomatch';
import { describe, expect, test } from 'vitest';
import { someTextMeets } from '../../src/config/resolve/glob-meet.js';
import { parseGlob } from '../../src/config/resolve/globs.js';
import { placesOf, problemsOf, REGISTERED } from './support.js';

interface Side {
  readonly dir?: string;
  readonly pattern?: string;
  readonly more?: string;
  readonly after?: string;
}

const side = (name: string, { dir = '/drop', pattern = '*.csv', more = '', after = 'leave' }: Side): string =>
  `  ${name}: { source: { type: local, dir: ${JSON.stringify(dir)}, pattern: ${JSON.stringify(pattern)}${more === '' ? '' : `, ${more}`} }, format: { type: csv }, after: { loaded: ${after} } }\n`;
const overlap = (a: Side, b: Side): boolean => {
  const codes = problemsOf(
    `database: { embedded: true }\nfeeds:\n${side('a', { after: 'delete', ...a })}${side('b', b)}`,
  ).map((p) => p.code);
  expect(codes.filter((code) => code !== 'FEEDS_OVERLAP')).toEqual([]);
  return codes.length > 0;
};

describe('lists with ! in an overlap', () => {
  test.each<[string, boolean, string[], string, string[], string]>([
    ['what one takes away and the other takes', false, ['*.csv', '!test_*'], '', ['test_*.csv'], ''],
    ['what is added again', true, ['*.csv', '!test_*', 'test_a*'], '', ['test_*.csv'], ''],
    ['what the ignores give back', true, ['*'], 'ignore: "!*.tmp"', ['*.tmp'], 'ignore: "!*.tmp"'],
    ['what only one gives back', false, ['*'], '', ['*.tmp'], 'ignore: "!*.tmp"'],
  ])('%s: %s', (_, overlaps, one, more, other, otherMore) => {
    const sides: readonly [Side, Side] = [
      { more: `pattern: ${JSON.stringify(one)}${more === '' ? '' : `, ${more}`}` },
      { more: `pattern: ${JSON.stringify(other)}${otherMore === '' ? '' : `, ${otherMore}`}` },
    ];
    const text = (name: string, side: Side, after: string): string =>
      `  ${name}: { source: { type: local, dir: /drop, ${side.more ?? ''} }, format: { type: csv }, after: { loaded: ${after} } }\n`;
    const codes = problemsOf(
      `database: { embedded: true }\nfeeds:\n${text('a', sides[0], 'delete')}${text('b', sides[1], 'leave')}`,
    ).map(({ code }) => code);
    expect(codes).toEqual(overlaps ? ['FEEDS_OVERLAP'] : []);
  });
});

describe('one file in two feeds, with an after other than leave', () => {
  test.each<[string, Side, Side]>([
    ['the same folder and pattern', {}, {}],
    ['patterns that share a name', { pattern: 'orders_*.csv' }, { pattern: '*_2026.csv' }],
    ['a name and a wildcard', { pattern: 'a.csv' }, { pattern: '?.csv' }],
    ['date letters and a wildcard', { pattern: 'o_%Y.csv' }, { pattern: 'o_20*.csv' }],
    ['alternatives of which one meets', { pattern: '*.{csv,txt}' }, { pattern: 'a.{json,txt}' }],
    ['other case where one ignores case', { pattern: '*.CSV', more: 'ignore_case: true' }, { pattern: 'a.csv' }],
    ['a folder below a recursive one', { more: 'recursive: true' }, { dir: '/drop/orders' }],
    ['a recursive folder above', { dir: '/drop/orders' }, { more: 'recursive: true' }],
    [
      'a path pattern and a folder below',
      { pattern: 'orders/*.csv', more: 'recursive: true' },
      { dir: '/drop/orders' },
    ],
    [
      'a globstar that may be no folder',
      { pattern: 'x/**/a.csv', more: 'recursive: true' },
      { dir: '/drop/x', pattern: 'a.csv' },
    ],
    ['an extended glob, which could be anything', { pattern: '@(a|b).csv' }, { pattern: 'z.csv' }],
    ['an ignore that leaves some names', { more: 'ignore: "old_*"' }, { pattern: 'o*.csv' }],
  ])('%s: is an error', (_name, a, b) => {
    expect(overlap(a, b)).toBe(true);
  });

  test.each<[string, Side, Side]>([
    ['other folders', { dir: '/drop/a' }, { dir: '/drop/b' }],
    ['a folder whose name begins like the other', { more: 'recursive: true' }, { dir: '/drop2' }],
    ['a folder below one that is not recursive', {}, { dir: '/drop/orders' }],
    ['other endings', { pattern: '*.csv' }, { pattern: '*.txt' }],
    ['other beginnings', { pattern: 'orders_*' }, { pattern: 'items_*' }],
    ['other case', { pattern: '*.CSV' }, { pattern: '*.csv' }],
    ['date letters against letters', { pattern: 'o_%Y.csv' }, { pattern: 'o_last.csv' }],
    ['sets without a common character', { pattern: '[a-f]*.csv' }, { pattern: '[g-z]*.csv' }],
    ['a negated set', { pattern: '[^a]*' }, { pattern: 'a*' }],
    ['an ignore that takes the other pattern out', { more: 'ignore: "old_*"' }, { pattern: 'old_*.csv' }],
    ['a path pattern for another folder', { pattern: 'items/*.csv', more: 'recursive: true' }, { dir: '/drop/orders' }],
    [
      'a feed that watches where the other moves its files',
      { more: 'recursive: true', after: '{ move: "done/%Y" }' },
      { dir: '/drop/done', more: 'recursive: true' },
    ],
  ])('%s: is fine', (_name, a, b) => {
    expect(overlap(a, b)).toBe(false);
  });

  test('when both leave the file it is fine', () => {
    expect(overlap({ after: 'leave' }, {})).toBe(false);
  });

  test('the error stands at the after of the feed that takes the file away, whichever comes first', () => {
    const text = `database: { embedded: true }\nfeeds:\n${side('a', {})}${side('b', { after: 'delete' })}`;
    expect(placesOf(text)).toEqual([
      `4:${side('b', { after: 'delete' }).indexOf('delete') + 1} FEEDS_OVERLAP feeds.b.after.loaded`,
    ]);
  });

  test('feeds with mistakes of another kind are compared all the same', () => {
    const text = `database: { embedded: true }\nfeeds:\n${side('a', { after: 'delete' })}${side('b', {})}`.replace(
      'type: csv',
      'type: cvs',
    );
    expect(problemsOf(text).map((p) => p.code)).toEqual(['UNKNOWN_NAME', 'FEEDS_OVERLAP']);
  });
});

describe('remote places', () => {
  const pair = (a: string, b: string): number =>
    problemsOf(
      `database: { embedded: true }\nconnections: { lake: { type: s3, region: r }, other: { type: s3, region: r } }\nfeeds:\n  a: { source: { type: s3, ${a} }, format: { type: csv }, after: { loaded: delete } }\n  b: { source: { type: s3, ${b} }, format: { type: csv } }\n`,
      { parts: REGISTERED },
    ).filter((p) => p.code === 'FEEDS_OVERLAP').length;

  test.each([
    ['connection: lake, bucket: b', 'connection: lake, bucket: b, prefix: in/', 1],
    ['connection: lake, bucket: b, prefix: "in/%Y/"', 'connection: lake, bucket: b, prefix: in/2026/, lookback: 9d', 1],
    ['connection: lake, bucket: b, prefix: in/', 'connection: lake, bucket: b, prefix: out/', 0],
    ['connection: lake, bucket: b, prefix: "in/%Y/"', 'connection: lake, bucket: b, prefix: in/last/', 0],
    ['connection: lake, bucket: b, pattern: "in/*.csv"', 'connection: lake, bucket: b, prefix: in/x/', 0],
    ['connection: lake, bucket: b', 'connection: lake, bucket: c', 0],
    ['connection: lake, bucket: b', 'connection: other, bucket: b', 0],
  ])('%s and %s: %i overlap', (a, b, count) => {
    expect(pair(a, b)).toBe(count);
  });
});

describe('globs side by side', () => {
  const part = fc.constantFrom(
    'a',
    'b',
    'A',
    '.',
    '?',
    '*',
    '[ab]',
    '[!a]',
    '[^a]',
    '[',
    ']',
    '{',
    '!',
    '+(a)',
    '{1..3}',
    '[[:alpha:]]',
    '[a-b]',
    '{a,bb}',
    '{,b}',
    '/',
    '**/',
    '**',
    '\\*',
    '0',
    '[0-9]',
  );
  const glob = fc.array(part, { minLength: 1, maxLength: 6 }).map((parts) => parts.join(''));
  const name = fc
    .array(fc.constantFrom('a', 'b', 'A', '.', '/', '0', '2', '*', '[', ']', '!', '{', 'é', '😀'), {
      minLength: 1,
      maxLength: 6,
    })
    .map((chars) => chars.join(''));

  test('what picomatch meets is met: no overlap is missed', () => {
    fc.assert(
      fc.property(glob, name, fc.boolean(), (pattern, text, ignoreCase) => {
        // A name in a folder has no empty part; patterns beginning with / are refused before.
        fc.pre(!/^\/|\/$|\/\//.test(text));
        const meets = picomatch.makeRe(pattern, { dot: true, flags: ignoreCase ? 'is' : 's' }).test(text);
        const literal = parseGlob(text.replace(/[*?[\]{}()!+@\\]/g, '\\$&'), false);
        return !meets || someTextMeets([parseGlob(pattern, ignoreCase), literal], []);
      }),
      { numRuns: 3_000 },
    );
  });

  test('without wildcards of folders the answer is exactly that of picomatch', () => {
    const flat = fc
      .array(fc.constantFrom('a', 'b', 'A', '?', '[ab]', '[^a]', '[a-b]', '{a,bb}', '{,b}', '0', '[0-9]', 'x*'), {
        minLength: 1,
        maxLength: 5,
      })
      .map((parts) => parts.join(''));
    const word = fc
      .array(fc.constantFrom('a', 'b', 'A', 'x', '0', 'é'), { minLength: 1, maxLength: 6 })
      .map((chars) => chars.join(''));
    fc.assert(
      fc.property(
        flat,
        word,
        (pattern, text) =>
          picomatch.makeRe(pattern, { dot: true }).test(text) ===
          someTextMeets([parseGlob(pattern, false), parseGlob(text, false)], []),
      ),
      { numRuns: 2_000 },
    );
  });

  test('patterns made to explode end, with "may meet"', () => {
    const wild = parseGlob(`${'{a,b}'.repeat(12)}*`, false);
    expect([wild.exact, someTextMeets([wild], [])]).toEqual([false, true]);
    expect(
      someTextMeets(
        [
          parseGlob(`${'*a'.repeat(14)}*`, false),
          parseGlob(`${'*b'.repeat(14)}*`, false),
          parseGlob(`${'*c'.repeat(14)}*`, false),
        ],
        [],
      ),
    ).toBe(true);
  });
});
