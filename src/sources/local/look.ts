import { errnoOf, hasCode } from '../../base/errno.js';
import type { BigIntStats } from 'node:fs';
import process from 'node:process';
import { messageOf, TallymanError } from '../../core/errors.js';
import type { SeenFile } from '../../core/file.js';
import { versionOf } from './version.js';

/** What a look at a local file says. */
export const seenFile = (path: string, stats: BigIntStats): SeenFile => ({
  path,
  size: Number(stats.size),
  mtimeUs: Number(stats.mtimeNs / 1_000n),
  version: versionOf(stats),
});

/**
 * Why an entry of this kind is not taken; null for a regular file. Works on what `lstat`, `fstat` and a directory entry
 * give.
 */
export function kindRefused(entry: Kind): string | null {
  if (entry.isFile()) return null;
  if (entry.isSymbolicLink()) return 'a symbolic link';
  if (entry.isDirectory()) return 'a folder';
  if (entry.isFIFO()) return 'a FIFO';
  if (entry.isSocket()) return 'a socket';
  if (entry.isCharacterDevice() || entry.isBlockDevice()) return 'a device';
  return 'not a regular file';
}

interface Kind {
  isFile(): boolean;
  isSymbolicLink(): boolean;
  isDirectory(): boolean;
  isFIFO(): boolean;
  isSocket(): boolean;
  isCharacterDevice(): boolean;
  isBlockDevice(): boolean;
}

/**
 * True when the mode bits say that we may read it. Costs no system call, which at 1,000,000 files matters; an access
 * list may say otherwise, so a "no" is worth asking the kernel, and a "yes" that was wrong shows as FILE_UNREADABLE
 * when the file is opened.
 */
export function looksReadable(stats: BigIntStats): boolean {
  // One system call a process: a microsecond for each of 1,000,000 files otherwise.
  const uid = (ourUid ??= process.geteuid?.() ?? 0);
  if (uid === 0) return true;
  if (stats.uid === BigInt(uid)) return (stats.mode & 0o400n) !== 0n;
  if (isOurGroup(stats.gid)) return (stats.mode & 0o040n) !== 0n;
  return (stats.mode & 0o004n) !== 0n;
}

let ourUid: number | null = null;
let groups: ReadonlySet<bigint> | null = null;
function isOurGroup(gid: bigint): boolean {
  groups ??= new Set([...(process.getgroups?.() ?? []), process.getegid?.() ?? 0].map(BigInt));
  return groups.has(gid);
}

/** Nothing stands under the name. ELOOP in the middle of a path is a circle of links: nothing either. */
export const isGone = (error: unknown): boolean => hasCode(error, 'ENOENT', 'ENOTDIR', 'ENAMETOOLONG');

/** What went wrong with one file, by whose fault it is: gone, no file, not readable; a dead mount is the source's. */
export function fileError(path: string, error: unknown): TallymanError {
  if (error instanceof TallymanError) return error;
  const code = errnoOf(error);
  const options = { cause: error };
  if (isGone(error)) return new TallymanError('FILE_VANISHED', `${path}: gone`, options);
  if (code === 'ELOOP') return new TallymanError('FILE_NOT_TAKEN', `${path}: a symbolic link`, options);
  if (code === 'ENXIO') return new TallymanError('FILE_NOT_TAKEN', `${path}: a socket or device`, options);
  if (['ESTALE', 'ETIMEDOUT', 'EHOSTDOWN', 'ENOTCONN', 'EMFILE', 'ENFILE'].includes(code))
    return new TallymanError('SOURCE_UNREACHABLE', `${path}: ${messageOf(error)}`, options);
  return new TallymanError('FILE_UNREADABLE', `${path}: ${messageOf(error)}`, options);
}
