import { expect, test } from 'vitest';
import { SameTrouble } from '../../src/flow/same-trouble.js';

test('a file is alone with its trouble until another one has the same, and again once a load got through', () => {
  const trouble = new SameTrouble();
  expect([trouble.isAlone(1, 'a'), trouble.isAlone(1, 'a'), trouble.isAlone(2, 'b')]).toEqual([true, true, true]);
  expect([trouble.isAlone(3, 'a'), trouble.isAlone(1, 'a')]).toEqual([false, false]);
  trouble.passed();
  expect([trouble.isAlone(1, 'a'), trouble.isAlone(3, 'a')]).toEqual([true, false]);
});
