import type { BigIntStats } from 'node:fs';
import { access, constants, mkdir, stat, unlink } from 'node:fs/promises';
import { TallymanError } from '../../core/errors.js';
import type { SeenFile } from '../../core/file.js';
import { splitPath } from '../common/extensions.js';
import { copyVersion, equalBytes } from './copy.js';
import { isGone } from './look.js';
import { actionFailed, grab, isSameFile, privatePath, renameNew, syncFolder } from './private-name.js';
import type { LocalRoot } from './root.js';
import { targetOf } from '../common/move-target.js';
import { namesBeside } from '../common/names-beside.js';
import { hasCode } from '../../base/errno.js';

/** Deletes exactly this version. See Source.remove. */
export async function removeVersion(root: LocalRoot, file: SeenFile): Promise<void> {
  const taken = await grab(root, file);
  try {
    await unlink(root.absolute(taken));
    await syncFolder(folderOf(root, file.path));
  } catch (error) {
    throw actionFailed(file.path, error);
  }
}

/**
 * Moves exactly this version; see Source.move. All that may fail for long (folders, rights, room on another file
 * system) is done before the file is taken from its name: each taking changes its ctime, and a file whose ctime has
 * changed is read again.
 */
export async function moveVersion(
  root: LocalRoot,
  file: SeenFile,
  to: string,
  suffix: string,
  as: string = file.path,
): Promise<string> {
  const target = targetOf(to, as);
  const from = await whereNow(root, file);
  if (from === null) {
    const here = await deviceOf(root, file);
    const moved = await standing(
      root,
      target,
      suffix,
      (stats) => isSameFile(stats, file) || (stats.dev !== here && isCopy(stats, file)),
    );
    if (moved !== null) return moved;
    // Says whether it is gone or another.
    await grab(root, file);
  }
  try {
    const folder = splitPath(target).folder.slice(0, -1);
    await makeFolders(root, folder);
    await access(root.absolute(folder), constants.W_OK | constants.X_OK);
    const landed = (await isAcross(root, file, folder))
      ? await moveAcross(root, file, from ?? file.path, target, suffix)
      : await moveWithin(root, file, target, suffix);
    await syncFolder(folderOf(root, landed));
    await syncFolder(folderOf(root, file.path));
    return landed;
  } catch (error) {
    throw actionFailed(`${file.path} -> ${target}`, error);
  }
}

/** Under its private name after a crash, or under its own; null = neither. */
async function whereNow(root: LocalRoot, file: SeenFile): Promise<string | null> {
  for (const place of [privatePath(file), file.path]) {
    const stats = await root.lstat(place);
    if (stats !== null && isSameFile(stats, file)) return place;
  }
  return null;
}

async function moveWithin(root: LocalRoot, file: SeenFile, target: string, suffix: string): Promise<string> {
  const taken = await grab(root, file);
  try {
    return await place(root, taken, target, suffix);
  } catch (error) {
    // A bind mount: one device, and yet the system does not rename across it.
    if (hasCode(error, 'EXDEV')) return await moveAcross(root, file, taken, target, suffix);
    throw error;
  }
}

/**
 * To another file system. Copy under a private name there, durable; then take the original, name the copy, and only
 * then let go of the original.
 */
export async function moveAcross(
  root: LocalRoot,
  file: SeenFile,
  from: string,
  target: string,
  suffix: string,
): Promise<string> {
  const copy = splitPath(target).folder + splitPath(privatePath(file)).name;
  await copyVersion(root, file, from, copy);
  const taken = await grab(root, file);
  // A crash after the copy got its name left both. Only equal bytes prove it: the original is let go of on the strength
  // of it.
  const earlier = await standing(root, target, suffix, (stats) => isCopy(stats, file));
  const landed =
    earlier !== null && (await equalBytes(root, copy, earlier)) ? earlier : await place(root, copy, target, suffix);
  await unlink(root.absolute(copy)).catch(unlessNamed);
  await syncFolder(folderOf(root, landed));
  await unlink(root.absolute(taken));
  return landed;
}

async function place(root: LocalRoot, from: string, target: string, suffix: string): Promise<string> {
  for (const candidate of namesBeside(target, suffix)) if (await renameNew(root, from, candidate)) return candidate;
  throw new TallymanError('AFTER_ACTION_FAILED', `${target} and all names beside it are taken`);
}

/** What an earlier try put there before it died, before the ledger knew. null = nothing. */
async function standing(
  root: LocalRoot,
  target: string,
  suffix: string,
  isIt: (stats: BigIntStats) => boolean,
): Promise<string | null> {
  for (const candidate of namesBeside(target, suffix)) {
    const stats = await root.lstat(candidate);
    if (stats === null) return null;
    if (isIt(stats)) return candidate;
  }
  return null;
}

/** A copy has another inode, and its mtime went through a double: microseconds are what is kept, give or take one. */
function isCopy(stats: BigIntStats, file: SeenFile): boolean {
  return (
    stats.isFile() &&
    stats.size === BigInt(file.size) &&
    file.mtimeUs !== null &&
    Math.abs(Number(stats.mtimeNs / 1_000n) - file.mtimeUs) <= 1
  );
}

/** `mkdir -p` below the root, step by step, through no symbolic link; new folders are made durable. */
async function makeFolders(root: LocalRoot, folder: string): Promise<void> {
  const parts = folder.split('/');
  for (let depth = 1; depth <= parts.length; depth++) {
    const step = parts.slice(0, depth).join('/');
    try {
      await mkdir(root.absolute(step));
      await syncFolder(folderOf(root, step));
    } catch (error) {
      if (!hasCode(error, 'EEXIST')) throw error;
    }
    await root.provePlainFolder(step);
  }
}

/** Where the file's folder is; null when that is gone, too. */
async function deviceOf(root: LocalRoot, file: SeenFile): Promise<bigint | null> {
  try {
    return (await stat(folderOf(root, file.path), { bigint: true })).dev;
  } catch (error) {
    if (isGone(error)) return null;
    throw actionFailed(file.path, error);
  }
}

async function isAcross(root: LocalRoot, file: SeenFile, folder: string): Promise<boolean> {
  const there = (await stat(root.absolute(folder), { bigint: true })).dev;
  return there !== (await deviceOf(root, file));
}

const folderOf = (root: LocalRoot, file: string): Buffer | string =>
  file.includes('/') ? root.absolute(splitPath(file).folder.slice(0, -1)) : root.dir;

/** The private copy has become the file: its private name is gone. */
function unlessNamed(error: unknown): void {
  if (!hasCode(error, 'ENOENT')) throw error;
}
