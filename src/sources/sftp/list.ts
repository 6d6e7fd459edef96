import { messageOf, TallymanError } from '../../core/errors.js';
import type { ListingPage, SeenFile, SkippedEntry } from '../../core/file.js';
import type { SftpAttrs, SftpChannel, SftpEntry } from './channel.js';
import { hasStatus, SftpStatus, STATUS } from './errors.js';
import { nameRefused, pathOf, type SftpRoot } from './root.js';
import type { Selection } from '../common/selection.js';

/** Files a page. */
const PAGE = 1_000;
/**
 * READDIR requests under way for one folder: a server gives about 100 names an answer, and each would cost a round
 * trip.
 */
const AHEAD = 8;
/** Folders below folders; past it something leads in circles. */
const DEPTH_MAX = 64;

interface Folder {
  /** Path below the root as text with its slash; empty = the root. */
  readonly prefix: string;
  /** The same as the server has it. */
  readonly remote: string;
  readonly depth: number;
  /** With `follow`: where the folders on the way really are, so that a link back up is not walked for ever. */
  readonly reals: readonly string[];
}

/**
 * The full listing, in pages of about 1,000 in the order in which the server gives them. Throws SOURCE_UNREACHABLE when
 * the root cannot be read: what ends without an error is whole.
 */
export async function* listFolder(
  root: SftpRoot,
  selection: Selection,
  signal: AbortSignal,
): AsyncGenerator<ListingPage, void, undefined> {
  signal.throwIfAborted();
  const channel = await root.connection.control();
  await root.prove(channel);
  const todo: Folder[] = [{ prefix: '', remote: '', depth: 0, reals: [] }];
  let files: SeenFile[] = [];
  let skipped: SkippedEntry[] = [];
  for (let folder = todo.pop(); folder !== undefined; folder = todo.pop()) {
    const handle = await openFolder(root, channel, folder);
    if (typeof handle === 'string') {
      if (handle !== '') skipped.push(unlisted(folder, handle));
      continue;
    }
    try {
      for await (const entries of readFolder(channel, handle)) {
        signal.throwIfAborted();
        for (const entry of entries) {
          const taken = await takeEntry(root, channel, selection, folder, entry);
          if (taken === null) continue;
          if ('reason' in taken) skipped.push(taken);
          else if ('remote' in taken) todo.push(taken);
          else files.push(taken);
        }
        if (files.length + skipped.length < PAGE) continue;
        yield { files, skipped };
        [files, skipped] = [[], []];
      }
    } catch (error) {
      // What the server says of this folder alone. What it has listed of it so far is there.
      if (!(error instanceof SftpStatus)) throw error instanceof TallymanError ? root.unreachable(error) : error;
      if (folder.prefix === '') throw root.unreachable(error);
      skipped.push(unlisted(folder, messageOf(error)));
    } finally {
      // A connection that is gone is reported by the next request.
      await channel.close(handle).catch(() => undefined);
    }
  }
  await root.prove(channel);
  if (files.length + skipped.length > 0) yield { files, skipped };
}

/**
 * A reason instead of the handle when the folder cannot be entered; an empty one when it is just gone. The root must be
 * entered.
 */
async function openFolder(root: SftpRoot, channel: SftpChannel, folder: Folder): Promise<Buffer | string> {
  try {
    return await channel.opendir(root.join(folder.remote));
  } catch (error) {
    if (folder.prefix === '' || !(error instanceof SftpStatus)) throw root.unreachable(error);
    // Some servers say "no such file" of what they do not let in.
    const isGone = hasStatus(error, STATUS.NO_SUCH_FILE) && !(await stands(channel, root.join(folder.remote)));
    return isGone ? '' : messageOf(error);
  }
}

const unlisted = (folder: Folder, why: string): SkippedEntry => ({
  path: folder.prefix.slice(0, -1),
  reason: `the folder cannot be listed: ${why}`,
  what: 'unlisted',
});

async function stands(channel: SftpChannel, remote: string): Promise<boolean> {
  try {
    return (await channel.lstat(remote)) !== null;
  } catch (error) {
    if (error instanceof TallymanError) throw error;
    return true;
  }
}

/**
 * Names of a folder, some requests ahead: at 100 ms to the server, 1,000,000 names one answer at a time would be a
 * quarter of an hour.
 */
async function* readFolder(
  channel: SftpChannel,
  handle: Buffer,
): AsyncGenerator<readonly SftpEntry[], void, undefined> {
  const ahead: Promise<readonly SftpEntry[] | null>[] = [];
  const ask = (): void => {
    const answer = channel.readdir(handle);
    // Reported when its turn comes; until then it must not count as unhandled.
    answer.catch(() => undefined);
    ahead.push(answer);
  };
  // The first answer tells a small folder, which needs no more.
  ask();
  try {
    for (let answer = ahead.shift(); answer !== undefined; answer = ahead.shift()) {
      const entries = await answer;
      if (entries === null) return;
      while (ahead.length < AHEAD) ask();
      yield entries;
    }
  } finally {
    await Promise.allSettled(ahead);
  }
}

/** null = nothing of this feed. */
async function takeEntry(
  root: SftpRoot,
  channel: SftpChannel,
  selection: Selection,
  folder: Folder,
  entry: SftpEntry,
): Promise<SeenFile | SkippedEntry | Folder | null> {
  const refused = nameRefused(entry.name);
  if (refused !== null) return { path: folder.prefix + entry.name, reason: refused };
  const path = pathOf(folder.prefix, entry.name);
  const remote = folder.remote === '' ? entry.name : `${folder.remote}/${entry.name}`;
  const isTaken = selection.takes(path);
  const isEntered = selection.enters(path);
  if (!isTaken && !isEntered) return null;
  const attrs = await fullAttrs(root, channel, remote, entry.attrs);
  if (attrs === null) return null;
  if (attrs.kind === 'folder')
    return isEntered
      ? await enter(root, channel, folder, { path, remote })
      : isTaken
        ? { path, reason: 'a folder', what: 'folder' }
        : null;
  if (!isTaken) return null;
  const file = root.file(path, attrs);
  return typeof file === 'string' ? { path, reason: file } : file;
}

/**
 * What a listing leaves out is asked for; with `follow` a link is what it leads to. null = gone, or a link to nothing.
 */
async function fullAttrs(
  root: SftpRoot,
  channel: SftpChannel,
  remote: string,
  listed: SftpAttrs,
): Promise<SftpAttrs | null> {
  try {
    if (listed.kind === 'link' && root.follow) return await channel.stat(root.join(remote));
    const isKnown =
      listed.kind === 'folder' ||
      listed.kind === 'link' ||
      listed.kind === 'other' ||
      (listed.kind === 'file' && listed.size !== null && listed.mtime !== null);
    if (isKnown) return listed;
    const alone = await channel.lstat(root.join(remote));
    return alone === null ? null : { ...alone, kind: alone.kind ?? listed.kind };
  } catch (error) {
    if (error instanceof TallymanError) throw error;
    // A link in a circle is FAILURE; so is much else. The entry counts as what the listing says.
    return listed;
  }
}

async function enter(
  root: SftpRoot,
  channel: SftpChannel,
  folder: Folder,
  at: { readonly path: string; readonly remote: string },
): Promise<Folder | SkippedEntry> {
  if (folder.depth >= DEPTH_MAX)
    return { path: at.path, reason: `more than ${DEPTH_MAX} folders deep`, what: 'unlisted' };
  const entered = { prefix: `${at.path}/`, remote: at.remote, depth: folder.depth + 1, reals: [] };
  if (!root.follow) return entered;
  try {
    const real = await channel.realpath(root.join(at.remote));
    return folder.reals.includes(real)
      ? { path: at.path, reason: 'a symbolic link that leads back to a folder above it', what: 'folder' }
      : { ...entered, reals: [...folder.reals, real] };
  } catch (error) {
    if (!(error instanceof SftpStatus)) throw root.unreachable(error);
    return unlisted(entered, messageOf(error));
  }
}
