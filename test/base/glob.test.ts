import fc from 'fast-check';
import picomatch from 'picomatch';
import { describe, expect, test } from 'vitest';
import { globTestOf } from '../../src/base/expression/glob.js';

const PIECES =
  'a b A . * * _ - % ~ 1 .csv *.csv ? [0-9] [A-Za-z] [0-9][0-9]_ [ab] [^a] {a,b} {.gz,} ** / **/ **/ ! (a|b) +(a) $'.split(
    ' ',
  );
const globs = fc.array(fc.constantFrom(...PIECES), { minLength: 1, maxLength: 7 }).map((pieces) => pieces.join(''));
const names = fc.string({
  unit: fc.constantFrom(...'a b A B . _ - ~ 1 c s v é / = % ſ K .csv a/ '.split(' '), '\n'),
  maxLength: 10,
});

/** How feeds, `--match` and `members` ask picomatch. */
const WAYS = [
  { dot: true, posix: true, flags: 's' },
  { dot: true, posix: true, flags: 'is' },
  { dot: true },
  {},
] as const;

describe('globs', () => {
  test.each(WAYS)('meet what picomatch meets: %j', (options) => {
    fc.assert(
      fc.property(globs, fc.array(names, { minLength: 1, maxLength: 10 }), (glob, all) => {
        const made = picomatch.makeRe(glob, options);
        const ours = globTestOf(glob, made);
        // A name has no slash in it; a glob without one never sees a path.
        for (const name of all)
          if (glob.includes('/') || !name.includes('/'))
            expect(ours(name), `${glob} and ${JSON.stringify(name)}`).toBe(made.test(name));
      }),
      { numRuns: 700 },
    );
  });

  // 60 pairs; going back and trying again takes from minutes to ages for some of them.
  test('a hostile name costs no more than its length asks for', { timeout: 5_000 }, () => {
    const hostile = [
      '_'.repeat(250),
      'a'.repeat(4_000),
      'a/'.repeat(2_000),
      'ab'.repeat(500),
      '.'.repeat(250),
      '1_'.repeat(2_000),
    ];
    const patterns =
      '*_*_*_*_*.csv *a*a*a*a*a*b **/**/**/*.csv **/*_*_*_*.csv +(a|aa)+(a|aa).csv +(+(a|b)|ab)c !(*a*a*a)*.x *.*.*.*.*.csv {*a*,*a*a}*{*a*,*b*}*.gz [0-9]*_[0-9]*_[0-9]*_[0-9]*x'.split(
        ' ',
      );
    for (const glob of patterns) {
      const test = globTestOf(glob, picomatch.makeRe(glob, { dot: true, posix: true, flags: 's' }));
      for (const name of hostile) expect(typeof test(name)).toBe('boolean');
    }
  });
});
