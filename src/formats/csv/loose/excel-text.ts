const EQUALS = 0x3d;

/**
 * Where the text stands in a cell `="00123"`, which keeps Excel from making a number of it; null = it is no such cell.
 * `doubled`: each of the two quotes may be written twice, because the cell stands in quotes itself.
 */
export function excelText(
  bytes: Buffer,
  start: number,
  stop: number,
  quote: number,
  doubled: boolean,
): { readonly start: number; readonly stop: number } | null {
  if (bytes[start] !== EQUALS) return null;
  const behind = (at: number): number =>
    at >= stop || bytes[at] !== quote ? -1 : doubled && at + 1 < stop && bytes[at + 1] === quote ? at + 2 : at + 1;
  const from = behind(start + 1);
  if (from === -1) return null;
  let to = from;
  while (to < stop && bytes[to] !== quote) to++;
  // More than a text between quotes: a formula.
  return behind(to) === stop ? { start: from, stop: to } : null;
}
