import { randomUUID } from 'node:crypto';
import { open, mkdir, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { messageOf, TallymanError } from '../../core/errors.js';
import type { Bytes } from '../../core/format.js';
import { hasCode } from '../../base/errno.js';

/** `spool-PID-...`: a file of a process that is no more can be recognized by its name. */
const NAME = /^spool-(\d+)-/;

/**
 * Puts bytes into a private file, for formats that read here and there: the file that is parsed then is the one that
 * was hashed on the way, whatever becomes of the original. Returns its path; who asked for it removes it. Throws
 * DISK_FULL, and what the bytes throw.
 */
export async function spool(bytes: Bytes, dir: string): Promise<string> {
  await sweepOnce(dir);
  const file = path.join(dir, `spool-${process.pid}-${randomUUID()}`);
  try {
    const handle = await writable(dir, () => open(file, 'wx', 0o600));
    try {
      for await (const chunk of bytes) await writable(dir, () => handle.writeFile(chunk));
    } finally {
      await handle.close();
    }
    return file;
  } catch (error) {
    await rm(file, { force: true });
    throw error;
  }
}

async function writable<T>(dir: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    throw new TallymanError('DISK_FULL', `${dir}: ${messageOf(error)}`, { cause: error });
  }
}

const swept = new Set<string>();

/** Files that processes left behind when they were killed go when the next one needs the folder. */
async function sweepOnce(dir: string): Promise<void> {
  if (swept.has(dir)) return;
  swept.add(dir);
  await mkdir(dir, { recursive: true, mode: 0o700 });
  for (const name of await readdir(dir)) {
    const owner = NAME.exec(name)?.[1];
    if (owner !== undefined && !isAlive(Number(owner))) await rm(path.join(dir, name), { force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !hasCode(error, 'ESRCH');
  }
}
