import { constants } from 'node:fs';
import { open, unlink, type FileHandle } from 'node:fs/promises';
import { TallymanError } from '../../core/errors.js';
import type { SeenFile } from '../../core/file.js';
import { isGone } from './look.js';
import { openBelow, type OpenFile } from './open.js';
import { isSameFile } from './private-name.js';
import type { LocalRoot } from './root.js';

const CHUNK = 1024 * 1024;

/**
 * Copies exactly this version from `from` to the private path `to`, with its times and mode, and makes it durable. A
 * copy left by a crash is written anew. Throws FILE_CHANGED when another file stands there or it changes meanwhile.
 */
export async function copyVersion(root: LocalRoot, file: SeenFile, from: string, to: string): Promise<void> {
  const source = await openBelow(root, from);
  try {
    proveSame(source, file);
    await unlink(root.absolute(to)).catch(unlessGone);
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
    const target = await open(root.absolute(to), flags, Number(source.stats.mode & 0o777n));
    try {
      await copyBytes(source.handle, target);
      proveSame({ handle: source.handle, stats: await source.handle.stat({ bigint: true }) }, file);
      await target.utimes(timeOf(source.stats.atimeNs), timeOf(source.stats.mtimeNs));
      await target.sync();
    } catch (error) {
      await target.close();
      // Half a copy is worth nothing, and the disk may be full of it.
      await unlink(root.absolute(to)).catch(unlessGone);
      throw error;
    }
    await target.close();
  } finally {
    await source.handle.close();
  }
}

/** Seconds as a double keep microseconds. Before 1970 a Date: Node takes negative numbers for "now". */
const timeOf = (ns: bigint): number | Date => (ns < 0n ? new Date(Number(ns / 1_000_000n)) : Number(ns / 1_000n) / 1e6);

async function copyBytes(source: FileHandle, target: FileHandle): Promise<void> {
  const buffer = Buffer.allocUnsafeSlow(CHUNK);
  for (;;) {
    const { bytesRead } = await source.read(buffer, 0, CHUNK, null);
    if (bytesRead === 0) return;
    for (let at = 0; at < bytesRead;) at += (await target.write(buffer, at, bytesRead - at)).bytesWritten;
  }
}

/** True when both files hold the same bytes. */
export async function equalBytes(root: LocalRoot, a: string, b: string): Promise<boolean> {
  const one = await openBelow(root, a);
  try {
    const other = await openBelow(root, b);
    try {
      return one.stats.size === other.stats.size && (await equalHandles(one.handle, other.handle));
    } finally {
      await other.handle.close();
    }
  } finally {
    await one.handle.close();
  }
}

async function equalHandles(one: FileHandle, other: FileHandle): Promise<boolean> {
  const [a, b] = [Buffer.allocUnsafeSlow(CHUNK), Buffer.allocUnsafeSlow(CHUNK)];
  for (let position = 0; ;) {
    const { bytesRead } = await one.read(a, 0, CHUNK, position);
    if (bytesRead === 0) return true;
    for (let at = 0; at < bytesRead;) {
      const read = await other.read(b, at, bytesRead - at, position + at);
      if (read.bytesRead === 0) return false;
      at += read.bytesRead;
    }
    if (a.compare(b, 0, bytesRead, 0, bytesRead) !== 0) return false;
    position += bytesRead;
  }
}

function proveSame({ stats }: OpenFile, file: SeenFile): void {
  if (!isSameFile(stats, file)) throw new TallymanError('FILE_CHANGED', `${file.path}: another version stands there`);
}

function unlessGone(error: unknown): void {
  if (!isGone(error)) throw error;
}
