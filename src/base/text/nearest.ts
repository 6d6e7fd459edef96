/** The name that was most likely meant; null when none is near. Case, `-` and `_` count for nothing. */
export function nearest(written: string, names: readonly string[]): string | null {
  const plain = fold(written);
  let best: string | null = null;
  // A third of the letters may be wrong, at least two: `pol` -> `poll`, `on_duplciate` -> `on_duplicate`, but `x` ->
  // nothing.
  let least = Math.min(plain.length - 1, Math.max(2, Math.floor(plain.length / 3))) + 1;
  for (const name of names) {
    const distance = editDistance(plain, fold(name));
    if (distance < least) [best, least] = [name, distance];
  }
  return best;
}

/** `Did you mean poll?`; empty when nothing is near. */
export function didYouMean(written: string, names: readonly string[]): string {
  const near = nearest(written, names);
  return near === null ? '' : `Did you mean ${near}?`;
}

/** The same, or the whole list: `Keys here: poll, settle.` */
export function suggestion(written: string, names: readonly string[], what: string): string {
  const near = didYouMean(written, names);
  return near !== '' || names.length === 0 ? near : `${what}: ${names.join(', ')}.`;
}

const fold = (name: string): string => name.toLowerCase().replace(/[-_\s]/g, '');

/** Insertions, deletions, substitutions and swaps of neighbours (optimal string alignment). */
export function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let cost = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) cost = Math.min(cost, before[j - 2]! + 1);
      row.push(cost);
    }
    [before, last] = [last, row];
  }
  return last[b.length]!;
}
