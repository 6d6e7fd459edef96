import { describe, expect, test } from 'vitest';
import { identityLayout, matchColumns } from '../../src/formats/match.js';
import { column } from './csv/helpers.js';

const file = (...names: string[]) => names.map((name) => ({ name, type: null }));

describe('contract and header', () => {
  test('meet by exact name, in any order; another order is drift', () => {
    expect(matchColumns([column('a'), column('b')], file('b', 'a'))).toMatchObject({
      cellOf: [1, 0],
      unknown: [],
      missing: [],
      drift: [{ kind: 'reordered', column: 'b' }],
    });
  });

  test('meet by the first alias that is there', () => {
    expect(matchColumns([column('a', ['X', 'Y', 'Z'])], file('Z', 'Y'))).toMatchObject({
      cellOf: [1],
      unknown: [0],
      drift: [],
    });
  });

  test('meet without regard to case and surrounding space, as drift', () => {
    expect(matchColumns([column('amount')], file(' Amount '))).toMatchObject({
      cellOf: [0],
      drift: [
        {
          kind: 'renamed',
          column: 'amount',
          message: 'header " Amount " was taken without regard to case and surrounding space',
        },
      ],
    });
  });

  test('prefer the exact name', () => {
    expect(matchColumns([column('a')], file('A', 'a'))).toMatchObject({ cellOf: [1], unknown: [0], drift: [] });
    expect(matchColumns([column('a', ['Amount', 'amt'])], file('amount', 'amt'))).toMatchObject({
      cellOf: [1],
      unknown: [0],
    });
  });

  test('do not meet when it is ambiguous', () => {
    expect(matchColumns([column('a')], file('A', ' a'))).toMatchObject({
      cellOf: [-1],
      unknown: [0, 1],
      missing: ['a'],
      drift: [],
    });
    expect(matchColumns([column('x', ['ID']), column('y', ['Id'])], file('id'))).toMatchObject({
      cellOf: [-1, -1],
      missing: ['x', 'y'],
    });
  });

  test('do not take inexactly what another column takes exactly', () => {
    expect(matchColumns([column('x', ['ID']), column('id')], file('id'))).toMatchObject({
      cellOf: [-1, 0],
      missing: ['x'],
    });
  });

  test('meet by position', () => {
    expect(matchColumns([column('x', [2]), column('y', [9])], file('a', 'b'))).toMatchObject({
      cellOf: [1, -1],
      unknown: [0],
      missing: ['y'],
      drift: [],
    });
  });

  test('may both take one column', () => {
    expect(matchColumns([column('x', ['a']), column('y', ['a'])], file('a'))).toMatchObject({
      cellOf: [0, 0],
      unknown: [],
      drift: [],
    });
  });

  test('tell what is unknown and missing', () => {
    expect(matchColumns([column('a'), column('b')], file('c', 'a', 'd'))).toMatchObject({
      cellOf: [1, -1],
      unknown: [0, 2],
      missing: ['b'],
    });
  });
});

describe('a file without header', () => {
  test('gives columns that say nothing the cell at their own place', () => {
    expect(matchColumns([column('a'), column('b')], file('column_1', 'column_2', 'column_3'), true)).toMatchObject({
      cellOf: [0, 1],
      unknown: [2],
      missing: [],
      drift: [],
    });
  });

  test('meets positions and column_N', () => {
    expect(
      matchColumns([column('a', [3]), column('b', ['column_1'])], file('column_1', 'column_2', 'column_3'), true),
    ).toMatchObject({ cellOf: [2, 0], unknown: [1], drift: [] });
  });

  test('has no other names', () => {
    expect(matchColumns([column('a', ['Amount'])], file('column_1'), true)).toMatchObject({
      cellOf: [-1],
      missing: ['a'],
    });
  });
});

test('without contract every column stands for itself', () => {
  expect(identityLayout(file('a', 'b'))).toMatchObject({ cellOf: [0, 1], unknown: [], missing: [], drift: [] });
});
