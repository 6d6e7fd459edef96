import { createWriteStream } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import process from 'node:process';
import { hasCode } from '../../base/errno.js';
import { messageOf, TallymanError } from '../../core/errors.js';

/** Waits for the reader: 10,000,000 rows do not fit into memory. */
async function writeAll(stream: Writable, pieces: AsyncIterable<string>, signal: AbortSignal): Promise<void> {
  for await (const piece of pieces) {
    if (signal.aborted) throw new TallymanError('INTERRUPTED', 'the export was interrupted');
    if (stream.errored !== null) throw stream.errored;
    if (!stream.write(piece)) await once(stream, 'drain');
  }
}

/**
 * A private temporary name first: a full disk or Ctrl-C leaves no half report under the final name. A device or pipe is
 * written to as it is.
 */
export async function writeWhole(file: string, pieces: AsyncIterable<string>, signal: AbortSignal): Promise<void> {
  const direct = !((await stat(file).catch(() => null))?.isFile() ?? true);
  const target = direct ? file : `${file}.${process.pid}.tmp`;
  const stream = createWriteStream(target, { mode: 0o600, flags: direct ? 'w' : 'wx' });
  // An error between two waits stays in stream.errored, which is asked; without a listener it would end the process.
  stream.on('error', () => undefined);
  try {
    await once(stream, 'open');
    await writeAll(stream, pieces, signal);
    stream.end();
    if (!stream.closed) await once(stream, 'close');
    if (stream.errored !== null) throw stream.errored;
    if (!direct) await rename(target, file);
  } catch (error) {
    stream.destroy();
    if (!direct) await rm(target, { force: true });
    // The database that went away while it was read says so itself.
    if (error instanceof TallymanError) throw error;
    throw new TallymanError(isDiskFault(error) ? 'DISK_FULL' : 'USAGE', `cannot write ${file}: ${messageOf(error)}`, {
      cause: error,
      fix: 'Free space, or choose another place with -o.',
    });
  }
}

/** A disk that is full or broken; the rest (no such folder, no right to write) is what the user asked for. */
const isDiskFault = (error: unknown): boolean => hasCode(error, 'ENOSPC', 'EDQUOT', 'EIO', 'EFBIG');
