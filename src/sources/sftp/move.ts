import { createHash } from 'node:crypto';
import { messageOf, TallymanError } from '../../core/errors.js';
import type { SeenFile } from '../../core/file.js';
import { splitPath } from '../common/extensions.js';
import { targetOf } from '../common/move-target.js';
import { namesBeside } from '../common/names-beside.js';
import type { SftpChannel } from './channel.js';
import { hasStatus, STATUS } from './errors.js';
import type { SftpRoot } from './root.js';
import { PRIVATE_PREFIX } from '../common/selection.js';

/*
 * How an after action gets hold of exactly the version that was loaded (docs/spec/after.md#only-that-version), as
 * local/private-name.ts does it:
 *
 *     look -> rename to a private name in the same folder -> look at what came along -> act on the private name
 *
 * SFTP tells size and mtime, no inode. The private name is made from the version, so that the same action, called again
 * after a crash, finds what it left.
 */

/** Deletes exactly this version. See Source.remove. */
export async function removeVersion(root: SftpRoot, file: SeenFile): Promise<void> {
  const channel = await root.connection.control();
  const taken = await grab(root, channel, file);
  try {
    await channel.unlink(root.remote(taken));
  } catch (error) {
    if (!hasStatus(error, STATUS.NO_SUCH_FILE)) throw actionFailed(file.path, error);
  }
}

/**
 * Moves exactly this version; see Source.move. What may fail for long (folders, rights) is done before the file is
 * taken from its name.
 */
export async function moveVersion(
  root: SftpRoot,
  file: SeenFile,
  to: string,
  suffix: string,
  as: string = file.path,
): Promise<string> {
  const target = targetOf(to, as);
  const channel = await root.connection.control();
  if (!(await standsSomewhere(root, channel, file))) {
    const moved = await standing(root, channel, target, suffix, file);
    if (moved !== null) return moved;
  }
  try {
    await makeFolders(root, channel, splitPath(target).folder.slice(0, -1));
    const taken = await grab(root, channel, file);
    for (const candidate of namesBeside(target, suffix))
      if (await renameNew(root, channel, taken, candidate)) return candidate;
  } catch (error) {
    throw actionFailed(`${file.path} -> ${target}`, error);
  }
  throw new TallymanError('AFTER_ACTION_FAILED', `${target} and all names beside it are taken`);
}

function privatePath(file: SeenFile): string {
  const digest = createHash('sha256')
    .update(`${file.path}\0${file.size}\0${String(file.mtimeUs)}`)
    .digest('hex');
  return splitPath(file.path).folder + PRIVATE_PREFIX + digest.slice(0, 24);
}

async function isThere(root: SftpRoot, channel: SftpChannel, path: string, file: SeenFile): Promise<boolean> {
  const attrs = await root.look(channel, path);
  return attrs !== null && root.isVersion(attrs, file);
}

/** Under its private name after a crash, or under its own. */
async function standsSomewhere(root: SftpRoot, channel: SftpChannel, file: SeenFile): Promise<boolean> {
  return (await isThere(root, channel, privatePath(file), file)) || (await isThere(root, channel, file.path, file));
}

/**
 * Takes the version away from its name; returns its private path. Throws FILE_VANISHED, FILE_CHANGED,
 * AFTER_ACTION_FAILED.
 */
async function grab(root: SftpRoot, channel: SftpChannel, file: SeenFile): Promise<string> {
  const path = privatePath(file);
  const left = await root.look(channel, path);
  if (left !== null && root.isVersion(left, file)) return path;
  // A crash between the rename and the look at what came along: it was another file.
  if (left !== null) await putBack(root, channel, path, file.path);
  const now = await root.look(channel, file.path);
  if (now === null) throw new TallymanError('FILE_VANISHED', `${file.path}: gone`);
  if (!root.isVersion(now, file)) throw new TallymanError('FILE_CHANGED', `${file.path}: another version stands there`);
  if (!(await renameNew(root, channel, file.path, path)))
    throw new TallymanError('AFTER_ACTION_FAILED', `${file.path}: its private name ${path} is taken`);
  const taken = await root.look(channel, path);
  if (taken === null) throw new TallymanError('FILE_VANISHED', `${file.path}: gone`);
  if (root.isVersion(taken, file)) return path;
  await putBack(root, channel, path, file.path);
  throw new TallymanError('FILE_CHANGED', `${file.path}: another version came just now`);
}

/**
 * Gives a file that is not ours its name back, never over another; if a third one stands there by now, a name beside
 * it.
 */
async function putBack(root: SftpRoot, channel: SftpChannel, path: string, to: string): Promise<void> {
  for (const target of namesBeside(to, path.slice(-8))) if (await renameNew(root, channel, path, target)) return;
  throw new TallymanError(
    'AFTER_ACTION_FAILED',
    `${to}: its newer version stands as ${path} and cannot be given its name back, which is taken`,
  );
}

/**
 * Renames, never over anything: false when something stands under the new name. RENAME of version 3 refuses a name that
 * is taken, in one step (OpenSSH: link and unlink); the look before it is for servers that overwrite all the same.
 * Where RENAME itself is not possible (a file system without links, files of another owner under protected_hardlinks,
 * servers that only know the extension) it is posix-rename, after the look.
 */
async function renameNew(root: SftpRoot, channel: SftpChannel, from: string, to: string): Promise<boolean> {
  if ((await root.look(channel, to)) !== null) return false;
  try {
    await channel.rename(root.remote(from), root.remote(to));
    return true;
  } catch (error) {
    if (hasStatus(error, STATUS.NO_SUCH_FILE))
      throw new TallymanError('FILE_VANISHED', `${from}: gone`, { cause: error });
    if (!hasStatus(error, STATUS.FAILURE, STATUS.PERMISSION_DENIED, STATUS.UNSUPPORTED, STATUS.BAD_MESSAGE))
      throw actionFailed(from, error);
    // FAILURE says nothing: a name taken meanwhile is the usual reason.
    if ((await root.look(channel, to)) !== null) return false;
    return await posixRename(root, channel, from, to, error);
  }
}

async function posixRename(
  root: SftpRoot,
  channel: SftpChannel,
  from: string,
  to: string,
  refused: unknown,
): Promise<boolean> {
  try {
    await channel.posixRename(root.remote(from), root.remote(to));
    return true;
  } catch (error) {
    throw actionFailed(`${from} -> ${to}`, hasStatus(error, STATUS.UNSUPPORTED) ? refused : error);
  }
}

/** What an earlier try put there before the ledger knew. null = nothing. */
async function standing(
  root: SftpRoot,
  channel: SftpChannel,
  target: string,
  suffix: string,
  file: SeenFile,
): Promise<string | null> {
  for (const candidate of namesBeside(target, suffix)) {
    const attrs = await root.look(channel, candidate);
    if (attrs === null) return null;
    if (root.isVersion(attrs, file)) return candidate;
  }
  return null;
}

/** `mkdir -p` below the root, step by step. */
async function makeFolders(root: SftpRoot, channel: SftpChannel, folder: string): Promise<void> {
  const parts = folder.split('/');
  for (let depth = 1; depth <= parts.length; depth++) {
    const step = parts.slice(0, depth).join('/');
    const attrs = await root.look(channel, step);
    if (attrs === null) await makeFolder(root, channel, step);
    else if (attrs.kind !== 'folder' && attrs.kind !== null)
      throw new TallymanError('AFTER_ACTION_FAILED', `${step} is no folder on the server`);
  }
}

async function makeFolder(root: SftpRoot, channel: SftpChannel, folder: string): Promise<void> {
  try {
    await channel.mkdir(root.remote(folder));
  } catch (error) {
    // Somebody else was quicker: FAILURE is all that version 3 has to say of it.
    if ((await root.look(channel, folder))?.kind !== 'folder') throw error;
  }
}

const actionFailed = (path: string, error: unknown): TallymanError =>
  error instanceof TallymanError
    ? error
    : new TallymanError('AFTER_ACTION_FAILED', `${path}: ${messageOf(error)}`, {
        cause: error,
        fix: 'Give the login the right to write in the folder on the server. It is tried again without end; the load itself is not touched.',
      });
