import { Decompress } from 'fzstd';
import type { Decoder } from '../core/decoder.js';
import { TallymanError, messageOf } from '../core/errors.js';
import type { Bytes } from '../core/format.js';
import { ByteReader } from './byte-reader.js';
import { Xxh64 } from './xxh64.js';

/**
 * Largest window: memory that a frame asks for. 128 MiB is what the zstd command takes without --long=28 and more; a
 * header may ask for 2 GiB.
 */
const WINDOW = 128 * 2 ** 20;
/** Largest block (RFC 8878, 3.1.1.2.4). */
const BLOCK = 128 * 1024;
const RLE = 1;
const RESERVED = 3;

/**
 * zstd (RFC 8878): all frames, skippable ones passed over. fzstd decodes the blocks; frames are taken apart here,
 * because it proves neither checksum nor length, takes any window, and turns a whole input chunk into output in one go
 * (32,768 times its size). So memory is one window and one block.
 */
export const zstd: Decoder = {
  name: 'zstd',
  extensions: ['.zst', '.zstd', '.tzst'],
  matches: (head) => head.length >= 4 && (isFrame(head.readUInt32LE(0)) || isSkippable(head.readUInt32LE(0))),
  decode: (input: Bytes) => frames(input),
};

const isFrame = (magic: number): boolean => magic === 0xfd2fb528;
const isSkippable = (magic: number): boolean => magic >>> 4 === 0x184d2a5;

async function* frames(input: Bytes): AsyncGenerator<Buffer> {
  const reader = new ByteReader(input);
  try {
    for (let count = 0; ; count++) {
      const start = reader.position;
      const magic = await reader.take(4);
      if (magic.length === 0 && count > 0) return;
      if (magic.length < 4) throw count === 0 ? cut(reader) : corrupt('holds other bytes behind its end', start);
      const number = magic.readUInt32LE(0);
      if (isSkippable(number)) {
        const size = await exactly(reader, 4);
        const length = size.readUInt32LE(0);
        if ((await reader.skip(length)) < length) throw cut(reader);
      } else if (isFrame(number)) yield* frame(reader, Buffer.from(magic), start);
      else throw corrupt(count === 0 ? 'does not begin as one' : 'holds other bytes behind its end', start);
    }
  } finally {
    await reader.close();
  }
}

interface FrameHeader {
  readonly bytes: Buffer;
  readonly checksum: boolean;
  /** Decoded bytes; null = not said. */
  readonly size: bigint | null;
  readonly largestBlock: number;
}

async function* frame(reader: ByteReader, magic: Buffer, start: number): AsyncGenerator<Buffer> {
  const header = await readHeader(reader, magic, start);
  const hash = header.checksum ? new Xxh64() : null;
  let out: Uint8Array[] = [];
  const engine = new Decompress((bytes) => out.push(bytes));
  let length = 0n;
  push(engine, header.bytes, false, start);
  for (let last = false; !last;) {
    const at = reader.position;
    const head = Buffer.from(await exactly(reader, 3));
    const bits = head.readUIntLE(0, 3);
    const size = bits >>> 3;
    const type = (bits >>> 1) & 3;
    last = (bits & 1) === 1;
    if (type === RESERVED || size > header.largestBlock) throw corrupt('is damaged (no such block)', at);
    const body = await exactly(reader, type === RLE ? 1 : size);
    const block = Buffer.concat([head, body]);
    // fzstd counts a checksum's bytes without looking at them, and wants to be told the end.
    push(engine, last && header.checksum ? Buffer.concat([block, NO_CHECKSUM]) : block, last, at);
    for (const bytes of out) {
      if (bytes.length === 0) continue;
      length += BigInt(bytes.length);
      hash?.update(bytes);
      yield Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    out = [];
  }
  if (header.size !== null && length !== header.size)
    throw corrupt(`is damaged (a frame of ${header.size} bytes has ${length})`, start);
  if (hash !== null) {
    const at = reader.position;
    if ((await exactly(reader, 4)).readUInt32LE(0) !== hash.low32()) throw corrupt('is damaged (wrong checksum)', at);
  }
}

const NO_CHECKSUM = Buffer.alloc(4);

function push(engine: Decompress, bytes: Uint8Array, last: boolean, at: number): void {
  try {
    engine.push(bytes, last);
  } catch (error) {
    throw corrupt(`is damaged (${messageOf(error)})`, at, error);
  }
}

async function readHeader(reader: ByteReader, magic: Buffer, start: number): Promise<FrameHeader> {
  const descriptor = Buffer.from(await exactly(reader, 1));
  const flags = descriptor[0]!;
  const single = (flags & 0x20) !== 0;
  const dictionaryBytes = [0, 1, 2, 4][flags & 3]!;
  const sizeBytes = flags >>> 6 === 0 ? (single ? 1 : 0) : 1 << (flags >>> 6);
  const rest = Buffer.from(await exactly(reader, (single ? 0 : 1) + dictionaryBytes + sizeBytes));
  if ((flags & 8) !== 0) throw corrupt('is damaged (a reserved bit is set)', start);
  const dictionaryAt = single ? 0 : 1;
  if (dictionaryBytes > 0 && rest.readUIntLE(dictionaryAt, dictionaryBytes) !== 0)
    throw corrupt('was made with a dictionary, which is not here', start);
  const sizeAt = dictionaryAt + dictionaryBytes;
  const size =
    sizeBytes === 0
      ? null
      : sizeBytes === 8
        ? rest.readBigUInt64LE(sizeAt)
        : BigInt(rest.readUIntLE(sizeAt, sizeBytes) + (sizeBytes === 2 ? 256 : 0));
  const window = single ? Number(size) : windowOf(rest[0]!);
  if (window > WINDOW) {
    throw new TallymanError(
      'FILE_CORRUPT',
      `The zstd file ${at(start)} needs a window of ${window} bytes; at most ${WINDOW} are given.`,
      { fix: 'Compress it without --long, or with --long=27 at most.' },
    );
  }
  return {
    bytes: Buffer.concat([magic, descriptor, rest]),
    checksum: (flags & 4) !== 0,
    size,
    largestBlock: Math.min(BLOCK, window),
  };
}

/** RFC 8878, 3.1.1.1.2. */
function windowOf(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >>> 3));
  return base + (base / 8) * (descriptor & 7);
}

async function exactly(reader: ByteReader, count: number): Promise<Buffer> {
  const bytes = await reader.take(count);
  if (bytes.length < count) throw cut(reader);
  return bytes;
}

const at = (position: number): string => `at byte ${position}`;
const cut = (reader: ByteReader): TallymanError => corrupt('is cut off: it ends', reader.position);
const corrupt = (what: string, position: number, cause?: unknown): TallymanError =>
  new TallymanError('FILE_CORRUPT', `The zstd file ${what} ${at(position)}.`, { cause });
