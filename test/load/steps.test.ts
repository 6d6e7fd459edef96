import { expect, test } from 'vitest';
import { STEPS } from '../../src/load/steps.js';

test('the steps of a load stand in an order in which each may rely on those before it', () => {
  expect(STEPS.map(({ name }) => name)).toEqual(['replace', 'copy', 'content', 'unique', 'judge', 'tally', 'receipt']);
});

test('a group has those that serve several files at once, in the same order', () => {
  expect(STEPS.filter(({ group }) => group !== null).map(({ name }) => name)).toEqual(['copy', 'tally', 'receipt']);
});
