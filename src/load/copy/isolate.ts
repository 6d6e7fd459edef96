import type { ServerError } from '../../postgres/connect/errors.js';

/** How a stretch of rows grows after one that was accepted. */
const GROWTH = 4;

/**
 * Finds the rows that PostgreSQL refuses among `rows` rows that it refused together with `error`. `attempt` copies rows
 * `from` to `to` (exclusive) under a savepoint and returns the error when they are refused (then nothing of them
 * stays); `refuse` is told each row that is refused alone. All other rows are in afterwards, each tried in its order,
 * so that of two that clash the first one wins.
 *
 * It walks through the rows in stretches. The row is named by "line N" of the error's CONTEXT, which is right for
 * binary COPY too, and proven by trying it alone; errors without a line (AFTER triggers, foreign keys) halve the
 * stretch. Stretches grow where rows are good and shrink to the last distance between two bad ones, so that the bytes
 * sent stay a small multiple of the chunk however many rows are bad: with every row bad it is one COPY a row.
 */
export async function isolate(
  rows: number,
  error: ServerError,
  attempt: (from: number, to: number) => Promise<ServerError | null>,
  refuse: (row: number, error: ServerError) => void | Promise<void>,
): Promise<void> {
  let from = 0;
  let lastBad = 0;
  let stretch = shorter(error, rows);
  /** Row that an error named and that is tried alone next, once all before it are in. */
  let suspect = suspectOf(error, 0, rows);
  while (from < rows) {
    const to = from === suspect ? from + 1 : Math.min(from + stretch, rows);
    const refused = await attempt(from, to);
    if (refused === null) {
      stretch = (to - from) * GROWTH;
      from = to;
    } else if (to - from === 1) {
      await refuse(from, refused);
      stretch = Math.max(1, from - lastBad);
      lastBad = from;
      from = to;
    } else {
      stretch = shorter(refused, to - from);
      suspect = suspectOf(refused, from, to - from);
    }
  }
}

/** How much of a refused stretch to try next: the rows before the one that the error names, else half. */
function shorter(error: ServerError, length: number): number {
  const line = lineOf(error);
  if (line !== null && line <= length) return Math.max(1, line - 1);
  return Math.max(1, length >> 1);
}

function suspectOf(error: ServerError, from: number, length: number): number {
  const line = lineOf(error);
  return line !== null && line <= length ? from + line - 1 : -1;
}

/**
 * "COPY orders, line 3, column amount" -> 3; null when the error came without. The word for line is in the server's
 * language; table names may hold anything, so the last match counts. Only a hint: what it names is tried.
 */
export function lineOf(error: Pick<ServerError, 'where'>): number | null {
  const found = [...(error.where ?? '').matchAll(/^.*?COPY.*, \p{L}+ (\d+)/gmu)].at(-1);
  const line = found?.[1] === undefined ? 0 : Number(found[1]);
  return line > 0 ? line : null;
}
