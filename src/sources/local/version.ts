import type { BigIntStats } from 'node:fs';

/**
 * The version token of a local file: mtime and ctime in nanoseconds and the inode. ctime because mtime and size can be
 * set back (`cp -p`, `touch -d`), the inode because a file renamed over another may carry the same times. Take it from
 * `lstat` or `fstat` with `{ bigint: true }`: doubles lose the nanoseconds.
 */
export const versionOf = (stats: BigIntStats): string =>
  `${String(stats.mtimeNs)}-${String(stats.ctimeNs)}-${String(stats.ino)}`;
