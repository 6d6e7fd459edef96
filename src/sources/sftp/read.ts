import { TallymanError } from '../../core/errors.js';
import type { SeenFile } from '../../core/file.js';
import type { SftpAttrs, SftpChannel } from './channel.js';
import { fileError } from './errors.js';
import type { ReadAhead } from './read-ahead.js';
import type { SftpRoot } from './root.js';

/** The bytes of exactly this version from `offset` on; see Source.open. Every chunk is the receiver's to keep. */
export async function* readVersion(
  root: SftpRoot,
  file: SeenFile,
  offset: number,
  signal: AbortSignal,
): AsyncGenerator<Buffer, void, undefined> {
  const transfer = await root.connection.transfer(signal);
  const { channel } = transfer;
  const abort = (): void => {
    transfer.release();
  };
  signal.addEventListener('abort', abort, { once: true });
  try {
    await proveStanding(root, channel, file, 'before it was read');
    const handle = await openFile(root, channel, file.path);
    try {
      proveVersion(root, await channel.fstat(handle), file, 'before it was read');
      try {
        yield* readRange(channel, transfer.ahead, handle, offset, file);
        await proveEnd(root, channel, handle, Math.max(offset, file.size), file);
      } catch (error) {
        if (error instanceof EarlyEnd) await explainEarlyEnd(root, channel, handle, file, error);
        throw error;
      }
    } finally {
      // Closing the channel closes it anyway; a shared channel stays. An error here would hide the one that led here.
      await channel.close(handle).catch(() => undefined);
    }
    await proveStanding(root, channel, file, 'while it was read');
  } catch (error) {
    signal.throwIfAborted();
    throw fileError(file.path, error);
  } finally {
    signal.removeEventListener('abort', abort);
    transfer.release();
  }
}

/** Whole content of a small file; larger than `limit` bytes is FILE_UNREADABLE. */
export async function readWhole(root: SftpRoot, path: string, limit: number): Promise<Buffer> {
  const channel = await root.connection.control();
  const attrs = await root.look(channel, path);
  if (attrs === null) throw new TallymanError('FILE_VANISHED', `${path}: gone`);
  const file = root.file(path, attrs);
  if (typeof file === 'string') throw new TallymanError('FILE_NOT_TAKEN', `${path}: ${file}`);
  const handle = await openFile(root, channel, path);
  try {
    const chunks: Buffer[] = [];
    let size = 0;
    for (;;) {
      const chunk = await channel.read(handle, size, Math.min(channel.readSize, limit + 1));
      if (chunk.length === 0) return Buffer.concat(chunks);
      size += chunk.length;
      if (size > limit)
        throw new TallymanError(
          'FILE_UNREADABLE',
          `${path}: larger than ${limit} bytes, which a marker or manifest is not`,
        );
      chunks.push(chunk);
    }
  } catch (error) {
    throw fileError(path, error);
  } finally {
    await channel.close(handle).catch(() => undefined);
  }
}

async function openFile(root: SftpRoot, channel: SftpChannel, path: string): Promise<Buffer> {
  try {
    return await channel.open(root.remote(path));
  } catch (error) {
    throw fileError(path, error);
  }
}

/** Many reads are under way at once, given out in order. The end of the range is the size that the version has. */
async function* readRange(
  channel: SftpChannel,
  line: ReadAhead,
  handle: Buffer,
  offset: number,
  file: SeenFile,
): AsyncGenerator<Buffer, void, undefined> {
  const ahead: { readonly at: number; readonly length: number; readonly answer: Promise<readonly Buffer[]> }[] = [];
  let next = offset;
  let underWay = 0;
  const asked = async (at: number, length: number): Promise<readonly Buffer[]> => {
    const since = performance.now();
    const pieces = await channel.readPieces(handle, at, length);
    line.answered(length, performance.now() - since);
    return pieces;
  };
  const ask = (at: number, length: number): Promise<readonly Buffer[]> => {
    const answer = asked(at, length);
    // Reported when its turn comes; until then it must not count as unhandled.
    answer.catch(() => undefined);
    return answer;
  };
  try {
    for (;;) {
      while ((underWay < line.window || ahead.length === 0) && next < file.size) {
        const length = Math.min(line.readSize(channel.readSize), file.size - next);
        ahead.push({ at: next, length, answer: ask(next, length) });
        next += length;
        underWay += length;
      }
      const first = ahead.shift();
      if (first === undefined) return;
      for (let done = 0; done < first.length;) {
        const pieces = await (done === 0 ? first.answer : ask(first.at + done, first.length - done));
        // The end, too early: what it means is for proveEnd to find out.
        if (pieces.length === 0) throw new EarlyEnd(first.at + done);
        for (const piece of pieces) {
          done += piece.length;
          yield piece;
        }
      }
      underWay -= first.length;
    }
  } finally {
    await Promise.allSettled(ahead.map((one) => one.answer));
  }
}

/** The server gave no more bytes before the size that it reported. */
class EarlyEnd extends Error {
  override readonly name = 'EarlyEnd';
  readonly position: number;

  constructor(position: number) {
    super(`it ends after ${position} bytes`);
    this.position = position;
  }
}

/** Truncated, deleted, or a server that reports a wrong size. */
async function explainEarlyEnd(
  root: SftpRoot,
  channel: SftpChannel,
  handle: Buffer,
  file: SeenFile,
  end: EarlyEnd,
): Promise<never> {
  proveVersion(root, await channel.fstat(handle), file, 'while it was read');
  await proveStanding(root, channel, file, 'while it was read');
  throw new TallymanError(
    'FILE_UNREADABLE',
    `${file.path}: the server says ${file.size} bytes, and its bytes end after ${end.position}`,
    { fix: 'Ask the operator of the server: what it tells of the file is not what it gives.' },
  );
}

/** One byte past the end must not be there: the size that the server reported is the size that it has. */
async function proveEnd(
  root: SftpRoot,
  channel: SftpChannel,
  handle: Buffer,
  end: number,
  file: SeenFile,
): Promise<void> {
  const more = await channel.read(handle, end, 1);
  proveVersion(root, await channel.fstat(handle), file, 'while it was read');
  if (more.length > 0 && end === file.size)
    throw new TallymanError('FILE_UNREADABLE', `${file.path}: the server says ${file.size} bytes, and gives more`);
}

/**
 * What stands under the name is this version: an upload over it may have put another file there while the old one is
 * still open.
 */
async function proveStanding(root: SftpRoot, channel: SftpChannel, file: SeenFile, when: string): Promise<void> {
  const attrs = await root.look(channel, file.path);
  if (attrs === null) throw new TallymanError('FILE_VANISHED', `${file.path}: gone`);
  if (attrs.kind === 'link') throw new TallymanError('FILE_NOT_TAKEN', `${file.path}: a symbolic link`);
  proveVersion(root, attrs, file, when);
}

function proveVersion(root: SftpRoot, attrs: SftpAttrs, file: SeenFile, when: string): void {
  if (!root.isVersion(attrs, file))
    throw new TallymanError('FILE_CHANGED', `${file.path}: changed ${when} (${describe(attrs)})`);
}

const describe = (attrs: SftpAttrs): string =>
  `now ${String(attrs.size)} bytes of ${attrs.mtime === null ? 'unknown time' : new Date(attrs.mtime * 1_000).toISOString()}`;
