import type { Scanned, Trial } from './sniff-scan.js';

/** A trial with the evidence that it gave. */
interface Tried {
  readonly scanned: Scanned;
  readonly width: number;
  readonly score: number;
}

/**
 * The same dialect with the keys under which records that have faults without them have none: blanks around quotes,
 * quotes that nobody escaped, escapes outside of quotes, `="00123"`. `attempt` tries a dialect with such keys.
 */
export async function looserQuoting<T extends Tried>(
  bytes: Buffer,
  found: T,
  attempt: (trial: Partial<Trial>) => Promise<T>,
): Promise<T> {
  let best = found;
  const { delimiter, quote } = found.scanned.trial;
  const withKeys = async (keys: Readonly<Record<string, unknown>>): Promise<T> =>
    await attempt({ ...best.scanned.trial, keys: { ...best.scanned.trial.keys, ...keys } });
  if (bytes.includes(`\\${delimiter}`)) {
    const escaped = await withKeys({ escape: '\\', escape_unquoted: true });
    if (escaped.score > best.score + 0.001 && escaped.scanned.faults <= best.scanned.faults) best = escaped;
  }
  if (quote !== null && best.scanned.faults > 0) {
    const blanks = await withKeys({ quote_blanks: true });
    if (saves(best, blanks)) best = blanks;
  }
  if (quote !== null && best.scanned.faults > 0) {
    const lenient = await withKeys({ quotes: 'lenient' });
    if (saves(best, lenient) && lenient.scanned.faults === 0) best = lenient;
  }
  return excelTexts(bytes, delimiter) > 0 ? await withKeys({ excel_text: true }) : best;
}

/** More records are whole, and none of those that were not falls apart instead. */
function saves(before: Tried, after: Tried): boolean {
  if (after.scanned.faults >= before.scanned.faults || after.score < before.score) return false;
  const begun = new Set(before.scanned.faultLines);
  const { lines, widths } = after.scanned;
  return !lines.some((line, row) => widths[row] !== after.width && (begun.has(line) || begun.has(line - 1)));
}

/** Cells with a quote at both ends. */
function quotedCells(bytes: Buffer, delimiter: string): number {
  if (!bytes.includes('"')) return 0;
  const between = delimiter.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
  const inner = /^"[^\r\n]*"$/;
  return bytes
    .toString('latin1')
    .split(new RegExp(`\r?\n|\r|${between}`))
    .filter((cell) => inner.test(cell)).length;
}

/** Cells that are written `="00123"`, so that Excel makes no number of them. */
export function excelTexts(bytes: Buffer, delimiter: string): number {
  if (!bytes.includes('="')) return 0;
  const between = delimiter.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
  const cell = new RegExp(`(?:^|${between})(?:="[^"\r\n]*"|"=""[^"\r\n]*""")(?=\r?$|${between})`, 'gm');
  return bytes.toString('latin1').match(cell)?.length ?? 0;
}

/** What the keys of a dialect do for the sample, for people. */
export function keyDoubts({ trial, unescaped }: Scanned, head: Buffer): readonly string[] {
  const { keys = {}, delimiter, quote } = trial;
  const doubts: string[] = [];
  if (keys['quotes'] === 'lenient')
    doubts.push(`quotes: ${unescaped} cell${unescaped === 1 ? '' : 's'} of the sample hold quotes that nobody escaped`);
  const kept = quote === null ? quotedCells(head, delimiter) : 0;
  if (kept > 0)
    doubts.push(
      `quote: ${kept} cell${kept === 1 ? '' : 's'} of the sample stand${kept === 1 ? 's' : ''} in quotes, which stay part of the values. ` +
        `If they are no part of them, take quote: '"' with quotes: lenient`,
    );
  if (keys['quote_blanks'] === true) doubts.push('quote_blanks: blanks stand between quotes and delimiters');
  if (keys['escape_unquoted'] === true)
    doubts.push('escape_unquoted: backslashes stand before delimiters outside of quotes');
  if (keys['excel_text'] === true)
    doubts.push(
      `excel_text: ${excelTexts(head, delimiter)} cells are written as ="..." to keep Excel from changing them`,
    );
  if (
    delimiter === '\t' &&
    quote === '"' &&
    keys['escape_unquoted'] !== true &&
    /\\(?:[nrtN\\]|\t)/.test(head.toString('latin1', 0, 65_536))
  )
    doubts.push(
      'preset: backslashes stand in cells. From PostgreSQL (COPY) or MySQL (OUTFILE)? Then preset: pgcopy or mysql',
    );
  return doubts;
}
