import { createHash, type Hash } from 'node:crypto';
import { constants } from 'node:fs';
import { open, rename, unlink, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { messageOf, TallymanError } from '../../core/errors.js';
import { sameVersion, type SeenFile } from '../../core/file.js';
import type { Source } from '../../core/source.js';
import { hasCode } from '../../base/errno.js';
import { backoff } from '../../base/backoff.js';
import { wait } from '../../base/wait.js';
import { partWriter } from './part-writer.js';

/** Bytes read at a time when the part that is there is hashed again. */
const CHUNK = 1024 * 1024;
/**
 * Cuts in a row that brought not one byte before the source counts as unreachable. A cut after progress costs nothing
 * but a new start at the offset.
 */
const BARREN_CUTS = 2;

export interface LandOptions {
  /** Private folder; it must be there. */
  readonly dir: string;
  /** Final name in it, the same for the same version (LandingArea.nameOf). */
  readonly name: string;
  /** Name while it comes. A part that is there is gone on with. */
  readonly part: string;
  readonly signal: AbortSignal;
  /** Bytes that are there, after each piece. Must be cheap. */
  readonly onProgress?: (bytes: number) => void;
  /** Pause after the n-th cut, milliseconds; for tests. */
  readonly pauseMs?: (cut: number) => number;
}

export interface Landed {
  /** Absolute path of the copy. */
  readonly path: string;
  readonly sha256: string;
  /** Bytes that came over the line in this call; the rest was there. */
  readonly transferred: number;
  readonly seconds: number;
}

/**
 * Brings exactly this version to local disk, hashed on the way:
 *
 *     part (0600) -> what is there is hashed, the rest comes from its offset -> length = the size reported before ->
 *     the source tells the same version after
 *       -> fsync -> rename -> fsync of the folder
 *
 * Whatever stands under the final name is therefore whole. Throws FILE_CHANGED, FILE_VANISHED, FILE_UNREADABLE,
 * SOURCE_UNREACHABLE, DISK_FULL; the part stays for the next call, except after DISK_FULL and when another version
 * stands there.
 */
export async function land(source: Source, file: SeenFile, options: LandOptions): Promise<Landed> {
  const started = performance.now();
  const final = path.join(options.dir, options.name);
  const part = path.join(options.dir, options.part);
  const whole = await hashWhole(final, file.size);
  if (whole !== null) {
    // A process died between the rename and the ledger, or the copy was kept.
    options.onProgress?.(file.size);
    return { path: final, sha256: whole, transferred: 0, seconds: (performance.now() - started) / 1_000 };
  }
  const { sha256, transferred } = await fill(source, file, part, options);
  try {
    await rename(part, final);
    await syncFolder(options.dir);
  } catch (error) {
    throw diskError(error, final);
  }
  return { path: final, sha256, transferred, seconds: (performance.now() - started) / 1_000 };
}

/** The part, whole, proven and durable. */
async function fill(
  source: Source,
  file: SeenFile,
  part: string,
  options: LandOptions,
): Promise<{ readonly sha256: string; readonly transferred: number }> {
  const target = await openPart(part);
  try {
    const { hash, size: there } = await resume(target, file.size);
    const arriving: Arriving = { source, file, target, hash, bytes: there };
    await transfer(arriving, options);
    if (arriving.bytes !== file.size)
      throw new TallymanError(
        'FILE_UNREADABLE',
        `${file.path}: ${arriving.bytes} bytes came, the source says ${file.size}`,
      );
    await proveAfter(source, file);
    await target.sync();
    return { sha256: hash.digest('hex'), transferred: arriving.bytes - there };
  } catch (error) {
    const known = diskError(error, part);
    // Half a file fills the disk for nothing; half of another version is worth nothing.
    if (
      known instanceof TallymanError &&
      (known.code === 'DISK_FULL' || known.code === 'FILE_CHANGED' || known.code === 'FILE_VANISHED')
    )
      await unlink(part);
    throw known;
  } finally {
    await target.close();
  }
}

async function openPart(part: string): Promise<FileHandle> {
  try {
    return await open(part, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
  } catch (error) {
    throw diskError(error, part);
  }
}

/** Hashes the part that is there, so that the whole is one hash; more than the whole is no part of it. */
async function resume(target: FileHandle, size: number): Promise<{ readonly hash: Hash; readonly size: number }> {
  const there = (await target.stat()).size;
  if (there > size) await target.truncate(0);
  const hash = createHash('sha256');
  return { hash, size: there > size ? 0 : await hashInto(hash, target) };
}

async function hashInto(hash: Hash, target: FileHandle): Promise<number> {
  const buffer = Buffer.allocUnsafeSlow(CHUNK);
  for (let position = 0; ;) {
    const { bytesRead } = await target.read(buffer, 0, CHUNK, position);
    if (bytesRead === 0) return position;
    hash.update(buffer.subarray(0, bytesRead));
    position += bytesRead;
  }
}

/** One version on its way into its part. */
interface Arriving {
  readonly source: Source;
  readonly file: SeenFile;
  readonly target: FileHandle;
  readonly hash: Hash;
  /** Bytes that are there and hashed. */
  bytes: number;
}

/** A line that is cut is taken up again at the offset, as long as each cut brought something. */
async function transfer(arriving: Arriving, options: LandOptions): Promise<void> {
  const pauseMs = options.pauseMs ?? ((cut: number): number => backoff(cut, { baseMs: 500, maxMs: 5_000 }));
  for (let barren = 0; ;) {
    const before = arriving.bytes;
    try {
      await receive(arriving, options);
      return;
    } catch (error) {
      if (!(error instanceof TallymanError) || error.code !== 'SOURCE_UNREACHABLE' || options.signal.aborted)
        throw error;
      barren = arriving.bytes > before ? 0 : barren + 1;
      if (barren >= BARREN_CUTS) throw error;
      await wait(pauseMs(barren + 1), options.signal);
      options.signal.throwIfAborted();
    }
  }
}

async function receive(arriving: Arriving, options: LandOptions): Promise<void> {
  const { source, file, target, hash } = arriving;
  const writer = partWriter(target, arriving.bytes);
  try {
    for await (const chunk of source.open(file, arriving.bytes, options.signal)) {
      if (arriving.bytes + chunk.length > file.size)
        throw new TallymanError('FILE_CHANGED', `${file.path}: more bytes come than the ${file.size} that it had`);
      const full = writer.add(chunk);
      hash.update(chunk);
      arriving.bytes += chunk.length;
      options.onProgress?.(arriving.bytes);
      if (full !== null) await full;
    }
  } finally {
    // Also when the line is cut: hash and count are ahead of the file until this is through.
    await writer.end();
  }
}

/** The name still stands for this version now that all of it is here. */
async function proveAfter(source: Source, file: SeenFile): Promise<void> {
  const now = await source.stat(file.path);
  if (now === null) throw new TallymanError('FILE_VANISHED', `${file.path}: gone while it was landed`);
  if (!sameVersion(now, file)) throw new TallymanError('FILE_CHANGED', `${file.path}: changed while it was landed`);
}

/** Hash of a copy that is there whole; null = it is not. */
async function hashWhole(final: string, size: number): Promise<string | null> {
  let handle: FileHandle;
  try {
    handle = await open(final, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null;
    throw diskError(error, final);
  }
  try {
    const hash = createHash('sha256');
    const there = await hashInto(hash, handle);
    return there === size ? hash.digest('hex') : null;
  } finally {
    await handle.close();
  }
}

async function syncFolder(dir: string): Promise<void> {
  const handle = await open(dir, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Errors of the local disk are nobody's file's fault. */
function diskError(error: unknown, where: string): unknown {
  if (error instanceof TallymanError || !hasCode(error, ...DISK)) return error;
  return new TallymanError('DISK_FULL', `${where}: ${messageOf(error)}`, { cause: error });
}
const DISK = ['ENOSPC', 'EDQUOT', 'EIO', 'EROFS', 'EACCES', 'EPERM', 'EFBIG', 'ENOENT'];
