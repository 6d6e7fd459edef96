import { crc32, inflateRawSync } from 'node:zlib';
import { TallymanError, messageOf } from '../../core/errors.js';
import type { Decoder } from '../../core/decoder.js';
import { bzip2 } from '../../decode/bzip2/bzip2.js';
import { xz } from '../../decode/xz.js';
import { zstd } from '../../decode/zstd.js';
import { unsnap } from './snappy.js';

/** Largest block, packed or unpacked. Writers make blocks of 16 KiB to a few MiB; a block is in memory whole. */
export const LARGEST_BLOCK = 64 * 2 ** 20;

/** Unpacks one block; at most LARGEST_BLOCK bytes. Throws whatever: the caller reports it as a damaged block. */
export type BlockCodec = (block: Buffer) => Buffer | Promise<Buffer>;

const CODECS: ReadonlyMap<string, BlockCodec> = new Map<string, BlockCodec>([
  ['null', (block) => block],
  ['deflate', (block) => inflateRawSync(block, { maxOutputLength: LARGEST_BLOCK })],
  ['snappy', snappy],
  ['zstandard', (block) => through(zstd, block)],
  ['bzip2', (block) => through(bzip2, block)],
  ['xz', (block) => through(xz, block)],
]);

/** The codec that a file names. Throws FORMAT_MISMATCH. */
export function codecOf(name: string): BlockCodec {
  const codec = CODECS.get(name);
  if (codec !== undefined) return codec;
  throw new TallymanError(
    'FORMAT_MISMATCH',
    `The blocks of the Avro file are packed by ${JSON.stringify(name.slice(0, 100))}, which is not read.`,
    { fix: `Ask the supplier for one of ${[...CODECS.keys()].join(', ')}.` },
  );
}

/** Four bytes behind the packed ones are the CRC-32 of the unpacked ones. */
function snappy(block: Buffer): Buffer {
  const end = block.length - 4;
  const plain = end < 0 ? null : unsnap(block.subarray(0, end), LARGEST_BLOCK);
  if (plain === null) throw new Error('no snappy, or more than 64 MiB');
  if (crc32(plain) !== block.readUInt32BE(end)) throw new Error('wrong checksum');
  return plain;
}

async function through(decoder: Decoder, block: Buffer): Promise<Buffer> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of decoder.decode(once(block))) {
    length += part.length;
    if (length > LARGEST_BLOCK) throw new Error('more than 64 MiB');
    // A decoder may use its output again.
    parts.push(Buffer.from(part));
  }
  return Buffer.concat(parts, length);
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  yield await Promise.resolve(bytes);
}

/** What a codec threw, within a sentence. */
export const reasonOf = (error: unknown): string => messageOf(error).replace(/\.$/, '');
