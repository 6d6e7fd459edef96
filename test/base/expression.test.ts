import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { expressionOf, expressionProblem, writtenExpression } from '../../src/base/expression/expression.js';
import { ownEngine } from '../support/own-engine.js';

/** Pieces of expressions, put together without asking whether they are sensible. */
const CHARACTERS = [
  'a',
  'b',
  'A',
  '_',
  '0',
  'é',
  'ſ',
  'K',
  '.',
  '\\d',
  '\\w',
  '\\s',
  '\\D',
  '\\W',
  '[ab]',
  '[^a]',
  '[a-c0-9]',
  '[^\\s]',
  '\\.',
  '-',
];
const EDGES = ['^', '$', '\\b', '\\B'];
const COUNTS = ['*', '+', '?', '*?', '+?', '??', '{2}', '{0,2}', '{1,}', '{0,2}?', '{1,}?'];

interface Shape {
  readonly looks: boolean;
  readonly references: boolean;
}

const expressions = ({ looks, references }: Shape): fc.Arbitrary<string> => {
  const { whole } = fc.letrec<{ whole: string; sequence: string; piece: string; atom: string }>((tie) => ({
    whole: fc
      .array(tie('sequence'), { minLength: 1, maxLength: 3, depthIdentifier: 'n' })
      .map((parts) => parts.join('|')),
    sequence: fc.array(tie('piece'), { maxLength: 4, depthIdentifier: 'n' }).map((parts) => parts.join('')),
    piece: fc
      .tuple(tie('atom'), fc.option(fc.constantFrom(...COUNTS), { freq: 1 }))
      .map(([atom, count]) =>
        count === null ||
        EDGES.includes(atom) ||
        atom.startsWith('(?=') ||
        atom.startsWith('(?!') ||
        atom.startsWith('(?<=') ||
        atom.startsWith('(?<!')
          ? atom
          : atom + count,
      ),
    atom: fc.oneof(
      { maxDepth: 4, depthIdentifier: 'n' },
      fc.constantFrom(...CHARACTERS, ...EDGES, ...(references ? ['\\1', '\\2'] : [])),
      tie('whole').map((inner) => `(?:${inner})`),
      tie('whole').map((inner) => `(${inner})`),
      ...(looks ? ['?=', '?!', '?<=', '?<!'].map((kind) => tie('whole').map((inner) => `(${kind}${inner})`)) : []),
    ),
  }));
  return whole;
};

const texts = fc.string({
  unit: fc.constantFrom(
    'a',
    'b',
    'c',
    'A',
    'B',
    '_',
    '0',
    '1',
    ' ',
    '\n',
    '-',
    '.',
    'é',
    'É',
    'ſ',
    'K',
    'k',
    's',
    '😀',
    '\ud83d',
  ),
  maxLength: 9,
});
const flags = fc.constantFrom('', 'u', 'i', 's', 'is', 'iu', 'su', 'isu');

function nodes(source: string, flag: string, text: string): unknown {
  const match = new RegExp(source, flag).exec(text);
  return match === null
    ? null
    : { at: match.index, ...Object.fromEntries([...match].map((part, i) => [`${i}`, part])) };
}

const valid = (source: string, flag: string): boolean => {
  try {
    new RegExp(source, flag);
    return true;
  } catch {
    return false;
  }
};

describe('an expression means what Node makes of it', () => {
  const same = (shape: Shape, runs: number): void => {
    fc.assert(
      fc.property(expressions(shape), flags, fc.array(texts, { minLength: 1, maxLength: 8 }), (source, flag, all) => {
        fc.pre(valid(source, flag));
        for (const text of all) {
          const own = ownEngine(source, flag, text);
          if (own !== 'too long')
            expect(own, `/${source}/${flag} on ${JSON.stringify(text)}`).toEqual(nodes(source, flag, text));
        }
      }),
      { numRuns: runs },
    );
  };
  test('characters, classes, counts, groups, alternatives', () => same({ looks: false, references: false }, 500));
  test('looks ahead and behind', () => same({ looks: true, references: false }, 500));
  test('references back to letters that are one only with the flag u', () => {
    for (const flag of ['i', 'iu'])
      for (const text of ['sſ', 'ſs', 'kK', 'ÅÅ', 'ßẞ', 'σς', 'Iı', 'İi', 'asſ'])
        for (const source of ['(.)\\1', '(?:a((?:[^a]|)|))\\1|'])
          expect(ownEngine(source, flag, text), `/${source}/${flag} on ${text}`).toEqual(nodes(source, flag, text));
  });
  test('references back do not end between the halves of a character, with the flag u', () => {
    for (const flag of ['', 'i', 'u', 'iu'])
      for (const text of ['B😀', '😀', 'a😀😀', '\ud83d😀', '😀\ude00'])
        for (const source of [
          '(a)|(()(?:\\1)|)\\B',
          '\\1()\\B',
          '(\\B)\\1',
          '(\\1)(?!.|a)|(?!)',
          '(\ud83d)\\1',
          '(?<=\\1(\ud83d|))\\B',
        ])
          expect(ownEngine(source, flag, text), `/${source}/${flag} on ${text}`).toEqual(nodes(source, flag, text));
  });
  test('references back', () => same({ looks: true, references: true }, 500));
});

describe('the time that an expression takes', () => {
  const long = (unit: string, end: string): string => unit.repeat(10_000 / unit.length) + end;
  const hostile = [long('a', '!'), long(' ', 'x'), long('A', '!'), long('1', 'x'), long('a-', '!'), long('a ', '')];
  const sources = [
    '^([A-Z]+-?)+$',
    '(a+)+$',
    '\\s+$',
    '^(a|a)*$',
    '^(\\w+\\s?)*$',
    '(.*)(.*)(.*)(.*)x$',
    '^(?:a?){30}a{30}b',
    '(x|xx)+y',
    '^(?=.*\\d)(?=.*[a-z])(a+)+$',
    '^(?!.*(a+)+!x)([^;]*;?)*$',
    '(?<=(a+)+)b',
    '^TRAILER(;?(?<rows>\\d+))+;$',
  ];

  // Without a bound it would take longer than anybody waits.
  test('grows with the text, whatever stands in it', { timeout: 20_000 }, () => {
    for (const source of sources) {
      const expression = writtenExpression(source);
      for (const text of hostile) {
        expression.test(text);
        expression.catch(text);
      }
    }
    expect(sources.map((source) => writtenExpression(source).test('!'))).toEqual(
      sources.map((source) => new RegExp(source).test('!')),
    );
  });

  test('what refers back to a group has a bound: it is told that it took too long', () => {
    const expression = writtenExpression('^(a+)+(b+)\\2+(c)\\1$');
    expect(expression.refersBack).toBe(true);
    expect(expression.test('a'.repeat(40) + 'bb')).toBe(null);
    expect(expression.catch('a'.repeat(40) + 'bb')).toBe(undefined);
    expect(writtenExpression('^(?<w>a+)-\\1$').catch('aa-aa')).toEqual({ w: 'aa' });
  });

  test.each([
    ['^[A-Z]{2}\\d{4}$', Infinity, false],
    ['^\\d+(\\.\\d+)?$', Infinity, false],
    ['^[a-z0-9]+(?:[._-][a-z0-9]+)*$', Infinity, false],
    ['^(?!TEST)[A-Z]+$', Infinity, false],
    ['^.{0,2000}$', Infinity, false],
    ['^([A-Z]+-?)+$', 0, true],
    ['(a|a)*b', 0, true],
    ['^(\\w+\\s?)*$', 0, true],
  ])("Node's own engine runs %s on texts of up to %s characters", (source, harmlessTo, explodes) => {
    expect(writtenExpression(source).cost).toEqual({ harmlessTo, explodes });
  });

  test('loops side by side stay with it while the text is short', () => {
    const { cost } = writtenExpression('^[^@]+@[^@]+\\.[a-z]+$');
    expect(cost.explodes).toBe(false);
    expect(cost.harmlessTo).toBeGreaterThan(60);
    expect(cost.harmlessTo).toBeLessThan(1_000);
  });
});

test('what is no expression is told', () => {
  expect(expressionProblem('(a')).toMatch(/^is no regular expression: .*Unterminated group/);
  expect(expressionProblem('a\\-b')).toBe(null);
  expect(expressionProblem('(?:a{1000}){1000}')).toMatch(/too large/);
  expect(expressionOf('a.b', 's').test('a\nb')).toBe(true);
});
