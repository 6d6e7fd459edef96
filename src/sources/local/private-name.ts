import { createHash } from 'node:crypto';
import type { BigIntStats } from 'node:fs';
import { link, lstat, open, rename, unlink } from 'node:fs/promises';
import { messageOf, TallymanError } from '../../core/errors.js';
import type { SeenFile } from '../../core/file.js';
import { splitPath } from '../common/extensions.js';
import { isGone, kindRefused } from './look.js';
import type { LocalRoot } from './root.js';
import { namesBeside } from '../common/names-beside.js';
import { PRIVATE_PREFIX } from '../common/selection.js';
import { errnoOf, hasCode } from '../../base/errno.js';

/*
 * How an after action gets hold of exactly the version that was loaded (docs/spec/after.md#only-that-version). Between
 * a look and an `unlink` another file may take the name, so:
 *
 *     look -> rename to a private name in the same folder -> look at what came along -> act on the private name
 *
 * A rename takes whatever stands there in one step; when it was another file after all, it is put back. The private
 * name is made from the version, so that the same action, called again after a crash, finds what it left.
 */

/** The private name of a version, in the folder of its file. */
export function privatePath(file: SeenFile): string {
  const { mtime, inode } = parts(file.version);
  const digest = createHash('sha256')
    .update(`${file.path}\0${file.size}\0${String(mtime)}\0${String(inode)}`)
    .digest('hex');
  return splitPath(file.path).folder + PRIVATE_PREFIX + digest.slice(0, 24);
}

/** The same file by inode, size and mtime. Not by ctime: the rename itself changes that. */
export function isSameFile(stats: BigIntStats, file: SeenFile): boolean {
  const { mtime, inode } = parts(file.version);
  return stats.isFile() && stats.size === BigInt(file.size) && stats.mtimeNs === mtime && stats.ino === inode;
}

/** What a version token of version.ts holds and a rename leaves alone. */
function parts(version: string): { readonly mtime: bigint; readonly inode: bigint } {
  const token = /^(-?\d+)-(?:-?\d+)-(\d+)$/.exec(version);
  if (token === null)
    throw new TallymanError('FILE_CHANGED', `${JSON.stringify(version)} is no version of a local file`);
  return { mtime: BigInt(token[1]!), inode: BigInt(token[2]!) };
}

/**
 * Takes the version away from its name. Returns its private path; called again, too, as long as it is there. Throws
 * FILE_VANISHED, FILE_CHANGED, FILE_NOT_TAKEN, AFTER_ACTION_FAILED.
 */
export async function grab(root: LocalRoot, file: SeenFile): Promise<string> {
  const path = privatePath(file);
  const left = await root.lstat(path);
  if (left !== null && isSameFile(left, file)) {
    // A crash while it was given its name back: it has both, and keeps the private one.
    const twin = await root.lstat(file.path);
    if (twin !== null && isSameFile(twin, file)) await unlink(root.absolute(file.path));
    return path;
  }
  // A crash between the rename and the look at what came along: it was another file.
  if (left !== null) await putBack(root, path, file.path);
  const standing = await root.lstat(file.path);
  if (standing === null) throw new TallymanError('FILE_VANISHED', `${file.path}: gone`);
  if (!isSameFile(standing, file))
    throw new TallymanError('FILE_CHANGED', `${file.path}: another version stands there`);
  try {
    await rename(root.absolute(file.path), root.absolute(path));
  } catch (error) {
    if (isGone(error)) throw new TallymanError('FILE_VANISHED', `${file.path}: gone`, { cause: error });
    throw actionFailed(file.path, error);
  }
  const taken = await root.lstat(path);
  if (taken === null) throw new TallymanError('FILE_VANISHED', `${file.path}: gone`);
  if (isSameFile(taken, file)) return path;
  await putBack(root, path, file.path);
  throw new TallymanError('FILE_CHANGED', `${file.path}: another version came just now`);
}

/**
 * Gives a file that is not ours its name back, never over another: if a third one stands there by now, it comes to
 * stand beside it under a name of its own and is found as a new file. Nobody's bytes are thrown away.
 */
async function putBack(root: LocalRoot, path: string, to: string): Promise<void> {
  for (const target of namesBeside(to, path.slice(-8))) if (await renameNew(root, path, target)) return;
  throw new TallymanError(
    'AFTER_ACTION_FAILED',
    `${to}: its newer version stands as ${path} and cannot be given its name back, which is taken`,
  );
}

/**
 * Renames within a file system, never over anything: false when something stands under the new name. link + unlink,
 * because a plain rename overwrites. Where links are refused (files of other users under protected_hardlinks, FAT, some
 * network mounts) it is a look and a rename.
 */
export async function renameNew(root: LocalRoot, from: string, to: string): Promise<boolean> {
  const [source, target] = [root.absolute(from), root.absolute(to)];
  try {
    await link(source, target);
  } catch (error) {
    const code = errnoOf(error);
    if (code === 'EEXIST') return await finishLink(root, from, to);
    if (!['EPERM', 'EACCES', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EINVAL'].includes(code)) throw error;
    if (await stands(target)) return false;
    await rename(source, target);
    return true;
  }
  await unlink(source);
  return true;
}

/** A crash between link and unlink: both names are one file, and only the old one is left to be taken away. */
async function finishLink(root: LocalRoot, from: string, to: string): Promise<boolean> {
  const [old, now] = await Promise.all([
    lstat(root.absolute(from), { bigint: true }),
    lstat(root.absolute(to), { bigint: true }),
  ]);
  if (old.ino !== now.ino || old.dev !== now.dev || kindRefused(now) !== null) return false;
  await unlink(root.absolute(from));
  return true;
}

async function stands(path: Buffer): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (isGone(error)) return false;
    throw error;
  }
}

/** Makes names in a folder durable. */
export async function syncFolder(path: Buffer | string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } catch (error) {
    // Some network mounts cannot sync a folder; they have no more to offer.
    if (!hasCode(error, 'EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'EBADF')) throw error;
  } finally {
    await handle.close();
  }
}

export const actionFailed = (path: string, error: unknown): TallymanError =>
  error instanceof TallymanError
    ? error
    : new TallymanError('AFTER_ACTION_FAILED', `${path}: ${messageOf(error)}`, { cause: error });
