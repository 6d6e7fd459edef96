import type { Scanned } from './sniff-scan.js';

/** What begins a comment, where there are any. */
export const COMMENT = '#';
const SIGN = 0x23;

/**
 * Whether lines that begin with `#` are comments: only those that are no records, before the header or at the end, and
 * only where no record of the table begins so (`#00ff00,green`). `scanned`: under a trial without comments, so that a
 * line within quotes is none of its records.
 */
export function hasComments(bytes: Buffer, whole: boolean, scanned: Scanned, width: number): boolean {
  const { spans, widths } = scanned;
  const marked = (row: number): boolean => bytes[spans[row]!.start] === SIGN;
  const text = (row: number): string => bytes.toString('latin1', spans[row]!.start, spans[row]!.end);
  let leading = 0;
  while (leading < spans.length && marked(leading)) leading++;
  if (leading === spans.length) return false;
  let trailing = 0;
  while (marked(spans.length - 1 - trailing)) trailing++;
  for (let row = leading; row < spans.length; row++) {
    if (!marked(row)) continue;
    // Prose, or nothing; `#ff0000` is a value that lost its neighbours.
    const prose = /\s|^#+$/.test(text(row));
    if (widths[row] === width || !prose || (leading === 0 && row < spans.length - trailing)) return false;
  }
  if (leading === 0) return whole && trailing > 0;
  return widths[leading - 1] !== width || !isHeader(bytes, scanned, leading - 1);
}

/** Of a line with `#` above the records, as wide as they are: does it name their columns (`#id,name`)? */
function isHeader(bytes: Buffer, { spans, widths, trial }: Scanned, row: number): boolean {
  const cells = (at: number): readonly string[] =>
    bytes.toString('latin1', spans[at]!.start, spans[at]!.end).split(trial.delimiter);
  const numbers = (at: number): readonly boolean[] =>
    cells(at).map((cell) => /^["']?[-+]?\d[\d.,:/ -]*["']?$/.test(cell));
  const next = numbers(row + 1);
  if (next.includes(true)) return true;
  const last = Math.min(spans.length, row + 50);
  // The record below names the columns, when numbers stand under its words.
  for (let at = row + 2; at < last; at++)
    if (numbers(at).some((number, column) => number && next[column] === false)) return false;
  const prose = Array.from({ length: row + 1 }, (_, at) => cells(at).join(trial.delimiter)).every((line) =>
    /^#+(?:\s|$)/.test(line),
  );
  return !(prose && row > 0 && widths[row] === 1);
}
