import { classify, endsSession, guardedMessage, isRaised, publicMessage, type ServerError } from './errors.js';

/**
 * Whether an error that a COPY into the staging table ended with may be the fault of one row:
 *
 * - `row`     surely: the server was reading a cell, or weighed a row against what the table wants
 * - `perhaps` only trying tells: a trigger, or what it calls, failed in a way that has nothing to do with rows as such
 * - `never`   disk, memory, locks, a shutdown, bytes that are no COPY: what comes later meets the same
 */
export type RowFault = 'row' | 'perhaps' | 'never';

/**
 * Conditions of the server that come and go: 40 deadlocks, 53 disk and memory, 57 cancelled or shut down, 58 its files,
 * 55P03 a lock not had in time, 25 the transaction itself, XX001 and XX002 damaged pages. A row tried once more might
 * well get through, or fail for no fault of its own.
 */
const OF_THE_SERVER = /^(40|53|57|58|25|55P03|XX00[12])/;

export function rowFault(error: ServerError): RowFault {
  if (isRaised(error)) return 'row';
  const fault = classify(error);
  if (fault === 'row' || isOfAShard(error)) return 'row';
  if (fault === 'bug' || endsSession(error) || OF_THE_SERVER.test(error.code)) return 'never';
  return cellOf(error) === null ? 'perhaps' : 'row';
}

/**
 * A constraint that a shard of Citus enforces: its SQLSTATE, its name and CONTEXT are lost on the way to the
 * coordinator, DETAIL is not. "Failing row contains (9, 2, ...)": `_load_id` and `_row` stand first in a row.
 */
const isOfAShard = (error: ServerError): boolean =>
  error.code === 'XX000' && /^[^(]*\(\d+, \d+[,)]/u.test(error.detail ?? '');

/**
 * The column whose text the server was reading, as CONTEXT says: `COPY orders, line 3, column tags: "..."`. Types that
 * only PostgreSQL reads refuse a text under any SQLSTATE they like (tsvector 42601, regclass 42P01, geometry XX000).
 * The words are in the server's language. null = it was at work on something else.
 */
export function cellOf(error: Pick<ServerError, 'where'>): string | null {
  return /^COPY [^,]*, \p{L}+ \d+, \p{L}+ (.+?)(?:: .*)?$/mu.exec(error.where ?? '')?.[1] ?? null;
}

/**
 * What may stand in a log of an error that came while this row was written. Its words stay when none of them stands in
 * the row: a relation that a trigger did not find helps who has to mend it, a cell that the server quotes does not
 * belong there. `row`: the record as it stands in the file.
 */
export function publicRowMessage(error: ServerError, row: Buffer): string {
  if (rowFault(error) !== 'perhaps') return publicMessage(error);
  const text = row.toString('utf8').toLowerCase();
  const words = error.message.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  return words.some((word) => text.includes(word))
    ? guardedMessage(error)
    : `PostgreSQL: ${error.message} (SQLSTATE ${error.code})`;
}
