import { createHash } from 'node:crypto';

/**
 * What a lock stands for:
 * - `load-key` one attempt: held by its backend to the end of its transaction, so that recovery can wait for that end
 * - `path`     feed and path: one load of a path at a time
 * - `target`   a staging table: snapshots, and tables with unique or exclusion constraints
 * - `ddl`      whoever changes tables or the control schema
 * - `load-ids` whoever takes load_ids past those of others
 */
export type LockKind = 'load-key' | 'path' | 'target' | 'ddl' | 'load-ids';

/**
 * The 64-bit key of an advisory lock as decimal text, for `pg_advisory_xact_lock($1::bigint)`. First 8 bytes of a
 * sha256: two different texts meet by chance once in 2^32 pairs of locks held together, and would only wait for each
 * other.
 */
export function advisoryKey(kind: LockKind, ...texts: readonly string[]): string {
  // Length before each text: ("ab", "c") and ("a", "bc") are two locks.
  const text = texts.map((t) => `${Buffer.byteLength(t)}:${t}`).join('');
  return createHash('sha256').update(`tallyman ${kind} ${text}`).digest().readBigInt64BE(0).toString();
}
