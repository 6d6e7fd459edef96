import type { Problems } from '../problems/problem-list.js';
import type { ConfigNode, Path } from '../read/tree.js';

/**
 * Two names that differ by case only: not wrong, and hardly ever meant. `what` says what they name, `placeOf` where the
 * i-th of them stands.
 */
export function warnOfCase(
  what: string,
  names: readonly string[],
  node: ConfigNode,
  placeOf: (index: number) => Path,
  problems: Problems,
): void {
  const first = new Map<string, string>();
  names.forEach((name, i) => {
    const folded = name.toLowerCase();
    const other = first.get(folded);
    if (other === undefined) first.set(folded, name);
    else if (other !== name)
      problems.warn(
        node,
        placeOf(i),
        'CASE_ONLY',
        `${what} ${name} differs from ${other} by case only.`,
        'Is one meant?',
      );
  });
}
