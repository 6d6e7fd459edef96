import { lstat, type BigIntStats } from 'node:fs';
import { access, constants, opendir } from 'node:fs/promises';
import { messageOf, TallymanError } from '../../core/errors.js';
import type { ListingPage, SeenFile, SkippedEntry } from '../../core/file.js';
import { deadline } from '../../base/deadline.js';
import { isGone, kindRefused, looksReadable, seenFile } from './look.js';
import { STALLED_MS, type LocalRoot } from './root.js';
import { encodeName, joinBytes, pathRefused } from '../common/path-name.js';
import type { Selection } from '../common/selection.js';
import { errnoOf, hasCode } from '../../base/errno.js';

declare module 'node:fs/promises' {
  /** Node gives names as bytes on request; @types/node knows that of readdir only. */
  function opendir(
    path: Buffer | string,
    options: { readonly encoding: 'buffer'; readonly bufferSize: number },
  ): Promise<BufferDir>;
}
interface BufferDir {
  read(): Promise<BufferEntry | null>;
  close(): Promise<void>;
}
interface BufferEntry extends Readonly<Parameters<typeof kindRefused>[0]> {
  readonly name: Buffer;
}

/** Entries a page, and names that one call of the system gives. */
const PAGE = 1_000;
/**
 * `lstat` calls under way at once. Measured on 200,000 files, 2 cores: 8 = 139,000/s, 32 = 376,000/s, 256 = 325,000/s;
 * promises 258,000/s.
 */
const LSTATS = 32;

/** What a listing saw beside its pages. */
export interface ListingSize {
  readonly folders: number;
  /** Names in the fullest folder, those of other files too. */
  readonly largest: number;
  /** Which folder the root was; see rootIdOf. */
  readonly rootId: string;
}

interface Folder {
  /** Path below the root as bytes (empty = the root) and as text with its slash. */
  readonly relative: Buffer;
  readonly prefix: string;
}

/**
 * The full listing of a folder, in pages of about 1,000, files of a page in the order of their paths. Names that the
 * feed does not take cost no look; nothing is opened, so that a FIFO cannot hold it. Memory: one page, and the folders
 * still to be read.
 *
 * Throws SOURCE_UNREACHABLE when the root cannot be read, or was exchanged meanwhile: a listing that ends without an
 * error is whole.
 */
export async function* listFolder(
  root: LocalRoot,
  selection: Selection,
  signal: AbortSignal,
): AsyncGenerator<ListingPage, ListingSize, undefined> {
  const before = await root.look();
  const todo: Folder[] = [{ relative: Buffer.alloc(0), prefix: '' }];
  let folders = 0;
  let largest = 0;
  for (let folder = todo.pop(); folder !== undefined; folder = todo.pop()) {
    folders++;
    const dir = await openFolder(root, folder);
    if ('reason' in dir) {
      if (dir.reason !== '') yield { files: [], skipped: [unlisted(folder, dir.reason)] };
      continue;
    }
    try {
      let entries = 0;
      for (;;) {
        signal.throwIfAborted();
        const names = await readNames(root, folder, dir);
        if (!Array.isArray(names)) {
          yield { files: [], skipped: [names] };
          break;
        }
        if (names.length === 0) break;
        entries += names.length;
        largest = Math.max(largest, entries);
        const page = await inTime(root, lookAtPage(root, selection, folder, names, todo));
        if (page.files.length + page.skipped.length > 0) yield page;
      }
    } finally {
      await dir.close();
    }
  }
  const after = await root.look();
  if (rootIdOf(after.stats) !== rootIdOf(before.stats))
    throw root.unreachable(new Error('it was exchanged for another folder while it was listed'));
  return { folders, largest, rootId: rootIdOf(after.stats) };
}

/**
 * With the time of birth: a folder that is deleted and made again often gets the same inode (ext4). 0 where a file
 * system keeps none.
 */
export const rootIdOf = (stats: BigIntStats): string =>
  `${String(stats.dev)}:${String(stats.ino)}:${String(stats.birthtimeNs)}`;

/**
 * A reason instead of the folder when it cannot be entered; an empty one when it is just gone. The root must be
 * entered.
 */
async function openFolder(root: LocalRoot, folder: Folder): Promise<BufferDir | { readonly reason: string }> {
  const isRoot = folder.relative.length === 0;
  try {
    const dir = await inTime(
      root,
      opendir(isRoot ? root.dir : root.join(folder.relative), { encoding: 'buffer', bufferSize: PAGE }),
    );
    try {
      if (!isRoot) await root.provePlainFolder(folder.prefix.slice(0, -1));
      return dir;
    } catch (error) {
      await dir.close();
      throw error;
    }
  } catch (error) {
    if (isRoot || isOfSource(error)) throw root.unreachable(error);
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return { reason: '' };
    return { reason: whyNot(error) };
  }
}

/** No trait of one folder or file: leaving it out would be "no files". */
const isOfSource = (error: unknown): boolean =>
  (error instanceof TallymanError && error.blame === 'pause') ||
  hasCode(error, 'EMFILE', 'ENFILE', 'ENOMEM', 'ESTALE', 'ETIMEDOUT', 'EHOSTDOWN', 'ENOTCONN');

const whyNot = (error: unknown): string =>
  hasCode(error, 'ENAMETOOLONG') ? 'its path is longer than the system takes (ENAMETOOLONG)' : messageOf(error);

const unlisted = (folder: Folder, why: string): SkippedEntry => ({
  path: folder.prefix.slice(0, -1),
  reason: `the folder cannot be listed: ${why}`,
  what: 'unlisted',
});

/** The next names; or the folder itself, when it cannot be read to its end. */
async function readNames(root: LocalRoot, folder: Folder, dir: BufferDir): Promise<BufferEntry[] | SkippedEntry> {
  const names: BufferEntry[] = [];
  const read = async (): Promise<void> => {
    while (names.length < PAGE) {
      const entry = await dir.read();
      if (entry === null) return;
      names.push(entry);
    }
  };
  try {
    await inTime(root, read());
  } catch (error) {
    // A subfolder that was deleted while it was read has no more names; the root is looked at again at the end.
    if (isGone(error)) return names;
    if (folder.prefix === '' || isOfSource(error)) throw root.unreachable(error);
    return unlisted(folder, whyNot(error));
  }
  return names;
}

async function lookAtPage(
  root: LocalRoot,
  selection: Selection,
  folder: Folder,
  names: readonly BufferEntry[],
  todo: Folder[],
): Promise<ListingPage> {
  const base = root.join(
    folder.relative.length === 0 ? Buffer.alloc(0) : Buffer.concat([folder.relative, Buffer.from('/')]),
  );
  const skipped: SkippedEntry[] = [];
  const paths: string[] = [];
  const absolutes: Buffer[] = [];
  for (const entry of names) {
    const path = folder.prefix + encodeName(entry.name);
    if (entry.isDirectory() && selection.enters(path)) {
      todo.push({
        relative: folder.relative.length === 0 ? entry.name : joinBytes([folder.relative, entry.name]),
        prefix: `${path}/`,
      });
      continue;
    }
    if (!selection.takes(path)) continue;
    const refused = kindRefused(entry) ?? pathRefused(path);
    if (refused === null) {
      paths.push(path);
      absolutes.push(Buffer.concat([base, entry.name]));
    } else skipped.push({ path, reason: refused, ...(entry.isDirectory() ? { what: 'folder' } : {}) });
  }
  const files: SeenFile[] = [];
  const looks = await lstatAll(absolutes);
  for (let i = 0; i < looks.length; i++) {
    const look = looks[i]!;
    const path = paths[i]!;
    if (look instanceof Error) {
      if (hasCode(look, 'ENOENT', 'ENOTDIR')) continue;
      if (isOfSource(look)) throw root.unreachable(look);
      const reason = hasCode(look, 'EACCES') ? 'it may not be looked at (permission denied)' : whyNot(look);
      skipped.push({ path, reason });
      continue;
    }
    const refused = kindRefused(look) ?? (looksReadable(look) ? null : await unreadable(absolutes[i]!));
    if (refused === null) files.push(seenFile(path, look));
    else skipped.push({ path, reason: refused });
  }
  return { files: files.sort((a, b) => (a.path < b.path ? -1 : 1)), skipped };
}

/** `lstat` of many paths, LSTATS at a time. Callbacks: promises cost a third of the speed. */
async function lstatAll(paths: readonly Buffer[]): Promise<readonly (BigIntStats | Error)[]> {
  const looks = new Array<BigIntStats | Error>(paths.length);
  if (paths.length === 0) return looks;
  await new Promise<void>((resolve) => {
    let next = 0;
    let done = 0;
    const start = (): void => {
      const at = next++;
      if (at >= paths.length) return;
      lstat(paths[at]!, { bigint: true }, (error, stats) => {
        looks[at] = error ?? stats;
        if (++done === paths.length) resolve();
        else start();
      });
    };
    for (let i = 0; i < LSTATS; i++) start();
  });
  return looks;
}

/** The kernel's word when the mode bits say no: an access list may give the right all the same. */
export async function unreadable(absolute: Buffer): Promise<string | null> {
  try {
    await access(absolute, constants.R_OK);
    return null;
  } catch (error) {
    return `it may not be read (${errnoOf(error)})`;
  }
}

async function inTime<T>(root: LocalRoot, work: Promise<T>): Promise<T> {
  return await deadline(work, STALLED_MS, () => root.unreachable(new Error(`no answer for ${STALLED_MS / 1000} s`)));
}
