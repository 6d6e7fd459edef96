import { writtenExpression } from '../../base/expression/expression.js';
import type { Problems } from '../problems/problem-list.js';
import type { MapNode, Path } from '../read/tree.js';

/** An expression with more ways through a text than anybody can try: not wrong, but another one says the same. */
export function warnOfSlow(source: string, node: MapNode, at: Path, problems: Problems): void {
  const { cost, refersBack } = writtenExpression(source);
  if (!cost.explodes) return;
  problems.warn(
    node,
    at,
    'SLOW_EXPRESSION',
    `${source} has so many ways through a text that trying them all may take twice as long with each character.`,
    refersBack ? BOUNDED : RUN_OTHERWISE,
  );
}

const BOUNDED =
  'Where it takes too long the text is refused. Leave out the reference back to a group, or the repetition around it.';
const RUN_OTHERWISE =
  'It is run in another way, slower for ordinary texts. Let no repetition within another meet the same characters: ' +
  '^[A-Z]+(-[A-Z]+)*$ instead of ^([A-Z]+-?)+$.';
