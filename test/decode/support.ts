import { crc32, deflateRawSync } from 'node:zlib';
import { TallymanError } from '../../src/core/errors.js';
import type { Bytes } from '../../src/core/format.js';
import type { DecodePlan, Decoded, DeliveredFile } from '../../src/decode/open.js';
import { openDecoded } from '../../src/decode/open.js';
import { Xxh64 } from '../../src/decode/xxh64.js';
import { DECODERS } from '../../src/registry.js';

/**
 * The bytes in chunks of a size. Each chunk is overwritten when the one after the next is asked for, as core/format.ts
 * allows: who keeps one longer reads garbage.
 */
export async function* chunks(bytes: Buffer, size = bytes.length): Bytes {
  const given: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += Math.max(1, size)) {
    if (given.length === 2) given.shift()!.fill(0xee);
    const chunk = Buffer.from(bytes.subarray(at, at + Math.max(1, size)));
    given.push(chunk);
    yield await Promise.resolve(chunk);
  }
}

/** All of a stream; each chunk is copied at once. */
export async function collect(bytes: Bytes): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const chunk of bytes) parts.push(Buffer.from(chunk));
  return Buffer.concat(parts);
}

/** `CODE: message` of the error, or what was no error. */
export async function problem(run: () => Promise<unknown>): Promise<string> {
  try {
    await run();
  } catch (error) {
    if (error instanceof TallymanError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'no error';
}

export const fileOf = (bytes: Buffer, name: string): DeliveredFile => ({
  name,
  size: bytes.length,
  read: (into, position) => Promise.resolve(position >= bytes.length ? 0 : bytes.copy(into, 0, position)),
});

export interface Setting extends Partial<DecodePlan> {
  readonly name?: string;
  readonly chunk?: number;
}

export async function open(bytes: Buffer, { name = 'a.csv', chunk, ...plan }: Setting = {}): Promise<Decoded> {
  const full = {
    decoders: DECODERS,
    compression: 'auto',
    maxExpansion: { ratio: 200, bytes: 100e9 },
    members: null,
    format: 'csv',
    encoding: 'utf-8',
    ...plan,
  };
  return await openDecoded(chunks(bytes, chunk ?? bytes.length), fileOf(bytes, name), full);
}

/** The decoded text of a file that is no archive, or of all members. */
export async function decode(bytes: Buffer, setting: Setting = {}): Promise<Buffer> {
  const decoded = await open(bytes, setting);
  if (decoded.kind === 'stream') return await collect(decoded.bytes);
  const parts: Buffer[] = [];
  for (const member of decoded.members) parts.push(await collect((await decoded.open(member)).bytes));
  return Buffer.concat(parts);
}

export interface ZipMember {
  readonly name: string;
  readonly content: string | Buffer;
  readonly stored?: boolean;
  readonly flags?: number;
  readonly method?: number;
  readonly mode?: number;
  /** Instead of the right ones. */
  readonly crc?: number;
  readonly size?: number;
}

/** A zip archive, byte by byte (APPNOTE.TXT 4.3), so that each field can be made wrong. */
export function zipOf(members: readonly ZipMember[]): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, content, stored = false, flags = 0x800, method, mode = 0o100644, crc, size } of members) {
    const plain = Buffer.from(content);
    const packed = stored ? plain : deflateRawSync(plain);
    const title = Buffer.from(name);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(flags, 2);
    common.writeUInt16LE(method ?? (stored ? 0 : 8), 4);
    common.writeUInt32LE(crc ?? crc32(plain), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(size ?? plain.length, 18);
    common.writeUInt16LE(title.length, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), common, title, packed]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE((mode << 16) >>> 0, 6);
    tail.writeUInt32LE(offset, 10);
    directory.push(Buffer.from('PK\x01\x02'), Buffer.of(20, 3), common, tail, title);
    parts.push(local);
    offset += local.length;
  }
  const entries = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(members.length, 8);
  end.writeUInt16LE(members.length, 10);
  end.writeUInt32LE(entries.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, entries, end]);
}

/** Frames of raw blocks with a checksum: what Node 20 cannot write. */
export function zstdOf(bytes: Buffer): Buffer {
  const hash = new Xxh64();
  hash.update(bytes);
  const parts: Buffer[] = [Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x04, 0x58])];
  for (let at = 0; at === 0 || at < bytes.length; at += 50_000) {
    const block = bytes.subarray(at, at + 50_000);
    const head = Buffer.alloc(3);
    head.writeUIntLE((block.length << 3) | (at + 50_000 >= bytes.length ? 1 : 0), 0, 3);
    parts.push(head, block);
  }
  const sum = Buffer.alloc(4);
  sum.writeUInt32LE(hash.low32());
  return Buffer.concat([...parts, sum]);
}
