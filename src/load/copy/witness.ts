import type { ServerError } from '../../postgres/connect/errors.js';

/** Rows tried at most before it is taken for certain that none passes. */
const MOST_TRIED = 1000;

/**
 * Looks for a row that PostgreSQL takes while it refuses another: what only one row meets is that row's fault, what all
 * of them meet is not. `rows` are those of the chunk, `suspect` the one refused; `rehearse` copies one and takes it
 * back again. Returns the row that passed, or null. Looks near first and then farther and farther away, because rows
 * that fail for the same reason often stand together.
 */
export async function witness(
  rows: number,
  suspect: number,
  rehearse: (row: number) => Promise<ServerError | null>,
): Promise<number | null> {
  let tried = 0;
  const known = new Set([suspect]);
  for (const row of candidates(rows, suspect)) {
    if (row < 0 || row >= rows || known.has(row)) continue;
    if (++tried > MOST_TRIED) return null;
    known.add(row);
    if ((await rehearse(row)) === null) return row;
  }
  return null;
}

function* candidates(rows: number, suspect: number): Generator<number> {
  for (let step = 1; step < rows; step *= 2) {
    yield suspect + step;
    yield suspect - step;
  }
  yield rows - 1;
  for (let row = 0; row < rows; row++) yield row;
}
