import type { Sniffed } from '../../formats/csv/sniff.js';

/** Rows that say again what the first one says: the header of another file that was put behind. */
export const repeatsOf = (rows: readonly (readonly string[])[]): number => {
  const [first, ...others] = rows;
  if (first === undefined || first.length < 2) return 0;
  return others.filter((row) => sameCells(row, first)).length;
};

export const withoutRepeats = (rows: readonly string[][]): string[][] =>
  rows.filter((row, index) => index === 0 || !sameCells(row, rows[0]!));

const sameCells = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((cell, index) => cell === b[index]);

const TOTAL = /^["']?((?:grand |sub)?(?:total|totals|sum|summe|gesamt|totaal|totale))["']?:?\s*$/i;
/** Records at the end that may be sums. */
const MOST = 5;

/** Sums at the end of a whole sample, and nowhere else in it: the expression that meets them, and their number. */
export function footerOf(
  { scanned, delimiter }: Sniffed,
  head: Buffer,
  whole: boolean,
): { readonly footer: string; readonly count: number } | null {
  const { spans } = scanned;
  if (!whole || spans.length < 3) return null;
  const wordOf = (row: number): string | null => {
    const { start, end } = spans[row]!;
    const cell = head.toString('utf8', start, Math.min(end, start + 100)).split(delimiter)[0] ?? '';
    return TOTAL.exec(cell)?.[1] ?? null;
  };
  const words = new Set<string>();
  let row = spans.length - 1;
  for (let word = wordOf(row); word !== null && spans.length - row <= MOST; word = wordOf(--row)) words.add(word);
  const count = spans.length - 1 - row;
  if (count === 0 || count > MOST || row < 1) return null;
  for (let at = 0; at <= row; at++) if (wordOf(at) !== null) return null;
  return { footer: `^["']?(?:${[...words].join('|')})\\b`, count };
}
