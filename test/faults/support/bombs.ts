import { createGzip, gzipSync } from 'node:zlib';
import { zipOf } from '../../decode/support.js';

const MIB = 2 ** 20;

/** A zstd frame of RLE blocks: 4 bytes stand for 128 KiB (RFC 8878, 3.1.1.2). */
export function zstdBomb(mib: number): Buffer {
  const blocks = mib * 8;
  const frame = [Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x38])];
  for (let i = 1; i <= blocks; i++) {
    const header = (131_072 << 3) | (1 << 1) | (i === blocks ? 1 : 0);
    frame.push(Buffer.from([header & 0xff, (header >> 8) & 0xff, header >> 16, 0x61]));
  }
  return Buffer.concat(frame);
}

/** `mib` MiB of one letter as gzip: 1,029 to 1. */
export async function gzipBomb(mib: number): Promise<Buffer> {
  const gzip = createGzip({ level: 9 });
  const parts: Buffer[] = [];
  gzip.on('data', (part: Buffer) => parts.push(part));
  const ended = new Promise<void>((resolve, reject) => gzip.once('end', resolve).once('error', reject));
  const piece = Buffer.alloc(MIB, 'a');
  for (let i = 0; i < mib; i++) if (!gzip.write(piece)) await new Promise((resolve) => gzip.once('drain', resolve));
  gzip.end();
  await ended;
  return Buffer.concat(parts);
}

export const zipBomb = (mib: number): Buffer => zipOf([{ name: 'a.csv', content: Buffer.alloc(mib * MIB, 'a') }]);

/** Says one byte, gives many: the sizes of the directory are a lie. */
export const lyingZip = (mib: number): Buffer =>
  zipOf([{ name: 'a.csv', content: Buffer.alloc(mib * MIB, 'a'), size: 1 }]);

/** Members one inside the other, each a bomb for the next. */
export const nestedGzip = (mib: number): Buffer => gzipSync(gzipSync(Buffer.alloc(mib * MIB, 'a')));

const zigzag = (value: bigint): Buffer => {
  let left = value >= 0n ? value * 2n : -value * 2n - 1n;
  const bytes: number[] = [];
  do {
    const low = Number(left & 0x7fn);
    left >>= 7n;
    bytes.push(left === 0n ? low : low | 0x80);
  } while (left !== 0n);
  return Buffer.from(bytes);
};
const text = (value: string): Buffer => Buffer.concat([zigzag(BigInt(Buffer.byteLength(value))), Buffer.from(value)]);

/** An Avro container whose first block says `records` records in `bytes` bytes; what follows is `body`. */
export function lyingAvro(records: bigint, bytes: bigint, body: Buffer): Buffer {
  const schema = '{"type":"record","name":"r","fields":[{"name":"id","type":"long"},{"name":"v","type":"string"}]}';
  const sync = Buffer.alloc(16, 7);
  return Buffer.concat([
    Buffer.from('Obj\x01'),
    zigzag(2n),
    text('avro.schema'),
    text(schema),
    text('avro.codec'),
    text('null'),
    zigzag(0n),
    sync,
    zigzag(records),
    zigzag(bytes),
    body,
    sync,
  ]);
}

/** A record of lyingAvro's schema. */
export const avroRecord = (id: bigint, v: string): Buffer => Buffer.concat([zigzag(id), text(v)]);

/** A string that says it is so long. */
export const avroLongString = (length: bigint): Buffer =>
  Buffer.concat([zigzag(1n), zigzag(length), Buffer.from('abc')]);

/** PAR1, rubbish, a footer length, PAR1. */
export function lyingParquet(footerBytes: number, body: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(footerBytes);
  return Buffer.concat([Buffer.from('PAR1'), body, length, Buffer.from('PAR1')]);
}
