import { open, stat, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import type { Decoder, RandomAccess } from '../../core/decoder.js';
import { messageOf, TallymanError } from '../../core/errors.js';
import type { Bytes } from '../../core/format.js';
import { choose } from '../../decode/choose.js';
import { detect, DETECT_BYTES, type Kind } from '../../decode/detect.js';
import { hasCode } from '../../base/errno.js';

/** Some of a file's bytes, decompressed. */
export interface Sample {
  /** As it was named on the command line, absolute. */
  readonly path: string;
  /** Delivered bytes. */
  readonly size: number;
  /** A decoder's name, or none. */
  readonly compression: string;
  /** Of an archive: all members, and the one that was read. */
  readonly members: readonly string[];
  /** What the first bytes give away; null = perhaps text. */
  readonly kind: Kind | null;
  readonly head: Buffer;
  /** `head` is all there is. */
  readonly whole: boolean;
  /**
   * Parts of a large file from behind `head`, each from the middle of some record to the middle of another; the last
   * one ends with the file.
   */
  readonly parts: readonly Buffer[];
}

/** Places behind the head that are looked at: a type that changes late in the file is seen at one of them. */
const PARTS = 8;
const PART = 128 * 1024;
/** Bytes read at once. */
const CHUNK = 1024 * 1024;

/**
 * Reads the sample of one file. Throws NOT_FOUND, FILE_UNREADABLE, and what decoders throw for a bad file. `limit`:
 * bytes of the head.
 */
export async function takeSample(file: string, decoders: readonly Decoder[], limit: number): Promise<Sample> {
  const absolute = path.resolve(file);
  const handle = await openRegular(absolute);
  try {
    const { size } = await handle.stat();
    const access: RandomAccess = { size, read: (into, position) => readAt(handle, absolute, into, position) };
    const first = Buffer.alloc(Math.min(size, DETECT_BYTES));
    await access.read(first, 0);
    const decoder = choose(decoders, 'auto', first, absolute);
    const base = { path: absolute, size };
    if (decoder === null) {
      const head = Buffer.alloc(Math.min(size, limit));
      const length = await access.read(head, 0);
      const whole = length >= size;
      return {
        ...base,
        compression: 'none',
        members: [],
        kind: detect(head.subarray(0, DETECT_BYTES)),
        head: head.subarray(0, length),
        whole,
        parts: whole ? [] : await partsOf(access, length),
      };
    }
    if (decoder.members === undefined) {
      const { head, whole } = await collect(decoder.decode(chunks(access)), limit);
      return {
        ...base,
        compression: decoder.name,
        members: [],
        kind: detect(head.subarray(0, DETECT_BYTES)),
        head,
        whole,
        parts: [],
      };
    }
    const members = await decoder.members(access, visibleMember);
    const [member] = members;
    if (member === undefined)
      throw new TallymanError('FORMAT_MISMATCH', `${absolute}: the ${decoder.name} archive holds no file.`, {
        fix: 'Ask the supplier.',
      });
    const { head, whole } = await collect(member.open(), limit);
    return {
      ...base,
      compression: decoder.name,
      members: members.map(({ name }) => name),
      kind: detect(head.subarray(0, DETECT_BYTES)),
      head,
      whole,
      parts: [],
    };
  } catch (error) {
    if (error instanceof TallymanError && !error.message.includes(absolute))
      throw new TallymanError(error.code, `${absolute}: ${error.message}`, { fix: error.fix, cause: error });
    throw error;
  } finally {
    await handle.close();
  }
}

/**
 * All bytes of a compressed file that was sampled, of an archive those of its first member. Throws what decoders throw
 * for a bad file.
 */
export async function* unpacked(
  { path: file, compression }: Sample,
  decoders: readonly Decoder[],
): AsyncGenerator<Buffer> {
  const decoder = decoders.find((one) => one.name === compression);
  if (decoder === undefined) throw new TallymanError('INTERNAL', `there is no decoder ${compression}`);
  const handle = await openRegular(file);
  try {
    const { size } = await handle.stat();
    const access: RandomAccess = { size, read: (into, position) => readAt(handle, file, into, position) };
    if (decoder.members === undefined) {
      yield* decoder.decode(chunks(access));
      return;
    }
    const [member] = await decoder.members(access, visibleMember);
    if (member === undefined)
      throw new TallymanError('FORMAT_MISMATCH', `${file}: the archive holds no file any more.`);
    yield* member.open();
  } finally {
    await handle.close();
  }
}

/** As a load takes them where `members` is omitted. */
const visibleMember = (name: string): boolean =>
  !name.slice(name.lastIndexOf('/') + 1).startsWith('.') && !name.startsWith('__MACOSX/');

async function openRegular(file: string): Promise<FileHandle> {
  try {
    // Before open(), which waits on a FIFO for ever.
    const found = await stat(file);
    if (!found.isFile())
      throw new TallymanError(
        'FILE_UNREADABLE',
        `${file} is ${found.isDirectory() ? 'a folder' : 'no regular file'}.`,
        { fix: 'Name files; the shell fills in patterns: tallyman infer drop/*.csv' },
      );
    return await open(file, 'r');
  } catch (error) {
    if (error instanceof TallymanError) throw error;
    if (hasCode(error, 'ENOENT', 'ENOTDIR'))
      throw new TallymanError('FILE_UNREADABLE', `${file} is not there.`, { cause: error, fix: 'Check the path.' });
    throw new TallymanError('FILE_UNREADABLE', `${file}: ${messageOf(error)}`, { cause: error });
  }
}

async function readAt(handle: FileHandle, file: string, into: Buffer, position: number): Promise<number> {
  let done = 0;
  while (done < into.length) {
    const { bytesRead } = await handle.read(into, done, into.length - done, position + done).catch((error: unknown) => {
      throw new TallymanError('FILE_UNREADABLE', `${file}: ${messageOf(error)}`, { cause: error });
    });
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return done;
}

async function* chunks(file: RandomAccess): AsyncGenerator<Buffer> {
  for (let position = 0; position < file.size;) {
    const chunk = Buffer.allocUnsafe(Math.min(CHUNK, file.size - position));
    const read = await file.read(chunk, position);
    if (read === 0) return;
    position += read;
    yield chunk.subarray(0, read);
  }
}

/** The beginning of a stream; one more byte is asked for, to know whether it is all. */
async function collect(bytes: Bytes, limit: number): Promise<{ readonly head: Buffer; readonly whole: boolean }> {
  const taken: Buffer[] = [];
  let length = 0;
  for await (const chunk of bytes) {
    // Chunks are reused by who gives them.
    taken.push(Buffer.from(chunk));
    length += chunk.length;
    if (length > limit) break;
  }
  const all = Buffer.concat(taken, length);
  return { head: all.subarray(0, limit), whole: length <= limit };
}

/** Evenly spread over what is behind the head; the last one is the end of the file. */
async function partsOf(file: RandomAccess, from: number): Promise<Buffer[]> {
  const rest = file.size - from;
  const count = Math.min(PARTS, Math.ceil(rest / PART));
  const parts: Buffer[] = [];
  for (let i = 1; i <= count; i++) {
    const size = Math.min(PART, rest);
    // Even offsets, for UTF-16; a multiple of four for UTF-32.
    const at = i === count ? file.size - size : from + Math.floor(((rest - size) * i) / count / 4) * 4;
    const part = Buffer.alloc(size);
    parts.push(part.subarray(0, await file.read(part, at)));
  }
  return parts;
}

/** Throws FORMAT_MISMATCH for a kind of content that nobody here reads. */
export function refuseKind({ kind, path: file, compression }: Sample): void {
  if (kind === null) return;
  throw new TallymanError('FORMAT_MISMATCH', `${file} is ${kind.title}${insideOf(compression)}, which is not read.`, {
    fix: 'Ask the supplier for CSV, JSON or Parquet.',
  });
}

/** The same for content that is no text in the encoding that was found. `head`: its beginning as UTF-8. */
export function refuseBinary({ path: file, compression }: Sample, head: Buffer): void {
  if (!head.subarray(0, 4096).includes(0)) return;
  throw new TallymanError(
    'FORMAT_MISMATCH',
    `${file} holds binary data${insideOf(compression)} of a kind that is not known.`,
    { fix: 'Ask the supplier what it is.' },
  );
}

const insideOf = (compression: string): string => (compression === 'none' ? '' : ` inside ${compression}`);
