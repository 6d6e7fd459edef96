import type { ServerError } from '../postgres/errors.js';

/** Rows `from` to `to` (exclusive) that were refused together, and PostgreSQL's word about it. */
interface Suspects {
  readonly from: number;
  readonly to: number;
  readonly error: ServerError | null;
}

/**
 * Finds the rows that PostgreSQL refuses. `attempt` copies a range of rows under a savepoint and gives the error when they are refused (then nothing
 * of them stays); `refuse` is told each row that is refused alone. All other rows are in afterwards.
 *
 * The row is named by "line N" of the error's CONTEXT, which is right for binary COPY too, and proven by trying it alone; errors without a line (AFTER
 * triggers, foreign keys) halve the range. Each good row is sent at most twice for each bad one before it is in.
 */
export async function isolate(
  rows: number,
  error: ServerError,
  attempt: (from: number, to: number) => Promise<ServerError | null>,
  refuse: (row: number, error: ServerError) => void | Promise<void>,
): Promise<void> {
  const waiting: Suspects[] = [{ from: 0, to: rows, error }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { from, to } = next;
    const refused = next.error ?? (await attempt(from, to));
    if (refused === null) continue;
    if (to - from === 1) {
      await refuse(from, refused);
      continue;
    }
    const line = lineOf(refused);
    const ranges = line !== null && line <= to - from ? around(from, to, from + line - 1) : halves(from, to);
    // Last in, first out: rows go in in their own order, so that of two that clash the first one wins.
    for (const [a, b] of ranges.toReversed()) waiting.push({ from: a, to: b, error: null });
  }
}

function around(from: number, to: number, suspect: number): readonly (readonly [number, number])[] {
  return ([[from, suspect], [suspect, suspect + 1], [suspect + 1, to]] as const).filter(([a, b]) => b > a);
}

function halves(from: number, to: number): readonly (readonly [number, number])[] {
  const middle = (from + to) >> 1;
  return [[from, middle], [middle, to]];
}

/**
 * "COPY orders, line 3, column amount" -> 3; null when the error came without. The word for line is in the server's language; table names may hold
 * anything, so the last match counts. Only a hint: what it names is tried.
 */
export function lineOf(error: Pick<ServerError, 'where'>): number | null {
  const found = [...(error.where ?? '').matchAll(/^.*?COPY.*, \p{L}+ (\d+)/gmu)].at(-1);
  const line = found?.[1] === undefined ? 0 : Number(found[1]);
  return line > 0 ? line : null;
}
