import { constants, type BigIntStats } from 'node:fs';
import { lstat, open, type FileHandle } from 'node:fs/promises';
import { TallymanError } from '../../core/errors.js';
import type { SeenFile } from '../../core/file.js';
import { deadline } from '../../base/deadline.js';
import { fileError, kindRefused } from './look.js';
import { STALLED_MS, type LocalRoot } from './root.js';
import { versionOf } from './version.js';

/** Bytes a read. */
const CHUNK = 256 * 1024;

export interface OpenFile {
  readonly handle: FileHandle;
  readonly stats: BigIntStats;
}

/**
 * Opens a regular file to read, and proves on the same descriptor that it is one. Never follows a link in the last
 * part, never blocks on a FIFO. Throws FILE_VANISHED, FILE_NOT_TAKEN, FILE_UNREADABLE. `name` is for messages.
 */
export async function openRegular(path: Buffer | string, name: string): Promise<OpenFile> {
  let handle: FileHandle;
  try {
    handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    throw fileError(name, error);
  }
  return await closedOnError(handle, async () => {
    const stats = await handle.stat({ bigint: true });
    const refused = kindRefused(stats);
    if (refused !== null) throw new TallymanError('FILE_NOT_TAKEN', `${name}: ${refused}`);
    return { handle, stats };
  });
}

/**
 * Opens a path below the root. The folders on the way may be swapped for links at any moment, so it is proven after the
 * fact: the path leads through no link, and what stands there is what was opened.
 */
export async function openBelow(root: LocalRoot, path: string): Promise<OpenFile> {
  const absolute = root.absolute(path);
  let opened: OpenFile;
  try {
    opened = await openRegular(absolute, path);
  } catch (error) {
    // A file that is gone because its root is gone is not the file's matter.
    if (error instanceof TallymanError && error.code === 'FILE_VANISHED') await root.look();
    throw error;
  }
  const { handle, stats } = opened;
  return await closedOnError(handle, async () => {
    if (!path.includes('/')) return opened;
    try {
      await root.provePlain(path);
      const standing = await lstat(absolute, { bigint: true });
      if (standing.ino !== stats.ino || standing.dev !== stats.dev)
        throw new TallymanError('FILE_CHANGED', `${path}: another file was put in its place`);
    } catch (error) {
      throw fileError(path, error);
    }
    return opened;
  });
}

/** The bytes of exactly this version from `offset` on; see Source.open. Every chunk is the receiver's to keep. */
export async function* readVersion(
  root: LocalRoot,
  file: SeenFile,
  offset: number,
  signal: AbortSignal,
): AsyncGenerator<Buffer, void, undefined> {
  const { handle, stats } = await openBelow(root, file.path);
  try {
    if (!isVersion(stats, file)) throw new TallymanError('FILE_CHANGED', `${file.path}: changed before it was read`);
    let position = offset;
    for (;;) {
      signal.throwIfAborted();
      const chunk = await readChunk(handle, position, file.path);
      if (chunk.length === 0) break;
      position += chunk.length;
      yield chunk;
    }
    if (position !== Math.max(offset, file.size) || !isVersion(await handle.stat({ bigint: true }), file)) {
      throw new TallymanError('FILE_CHANGED', `${file.path}: changed while it was read`);
    }
  } finally {
    await handle.close();
  }
}

/** Whole content of a small file; larger than `limit` bytes is FILE_UNREADABLE. */
export async function readWhole(root: LocalRoot, path: string, limit: number): Promise<Buffer> {
  const { handle } = await openBelow(root, path);
  try {
    const chunks: Buffer[] = [];
    let size = 0;
    for (;;) {
      const chunk = await readChunk(handle, size, path);
      if (chunk.length === 0) return Buffer.concat(chunks);
      size += chunk.length;
      if (size > limit)
        throw new TallymanError(
          'FILE_UNREADABLE',
          `${path}: larger than ${limit} bytes, which a marker or manifest is not`,
        );
      chunks.push(chunk);
    }
  } finally {
    await handle.close();
  }
}

const isVersion = (stats: BigIntStats, file: SeenFile): boolean =>
  stats.size === BigInt(file.size) && versionOf(stats) === file.version;

async function readChunk(handle: FileHandle, position: number, name: string): Promise<Buffer> {
  const buffer = Buffer.allocUnsafeSlow(CHUNK);
  try {
    const stalled = (): Error =>
      new TallymanError('SOURCE_UNREACHABLE', `${name}: no answer for ${STALLED_MS / 1000} s`);
    const { bytesRead } = await deadline(handle.read(buffer, 0, CHUNK, position), STALLED_MS, stalled);
    return buffer.subarray(0, bytesRead);
  } catch (error) {
    throw fileError(name, error);
  }
}

async function closedOnError<T>(handle: FileHandle, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    await handle.close();
    throw error;
  }
}
