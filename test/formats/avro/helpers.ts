import avsc from 'avsc';
import { deflateRawSync } from 'node:zlib';
import type { ColumnSpec } from '../../../src/core/feed/columns.js';
import { avro } from '../../../src/formats/avro/index.js';
import type { RecordReader } from '../../../src/core/format.js';
import { inChunks, readAll, type ReadRow } from '../../contract/format-suite.js';

/** A long as a BigInt: avsc's own refuses what a double does not hold. */
export const bigLong = avsc.types.LongType.__with({
  fromBuffer: (buffer: Buffer) => buffer.readBigInt64LE(),
  toBuffer: (value: bigint) => {
    const buffer = Buffer.alloc(8);
    buffer.writeBigInt64LE(value);
    return buffer;
  },
  fromJSON: BigInt,
  toJSON: String,
  isValid: (value: unknown) => typeof value === 'bigint',
  compare: (a: bigint, b: bigint) => (a === b ? 0 : a < b ? -1 : 1),
});

/** avsc is the reference: it writes what is read here. */
export const typeOf = (schema: unknown): avsc.Type =>
  avsc.Type.forSchema(schema as avsc.Schema, {
    wrapUnions: true,
    typeHook: (one) =>
      one === 'long' || (typeof one === 'object' && 'type' in one && one.type === 'long') ? bigLong : undefined,
  });

export const zigzag = (value: number | bigint): Buffer => {
  let rest = BigInt.asUintN(64, (BigInt(value) << 1n) ^ (BigInt(value) >> 63n));
  const bytes: number[] = [];
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return Buffer.from([...bytes, Number(rest)]);
};

const text = (value: string | Buffer): Buffer => Buffer.concat([zigzag(Buffer.byteLength(value)), Buffer.from(value)]);
export const SYNC = Buffer.from('0123456789abcdef');

export const headerOf = (schema: unknown, codec?: string): Buffer => {
  const entries = [
    text('avro.schema'),
    text(typeof schema === 'string' ? schema : JSON.stringify(schema)),
    ...(codec === undefined ? [] : [text('avro.codec'), text(codec)]),
  ];
  return Buffer.concat([
    Buffer.from('Obj\x01', 'latin1'),
    zigzag(codec === undefined ? 1 : 2),
    ...entries,
    zigzag(0),
    SYNC,
  ]);
};

export const blockOf = (records: number | bigint, bytes: Buffer, sync = SYNC): Buffer =>
  Buffer.concat([zigzag(records), zigzag(bytes.length), bytes, sync]);

/** A container file, `perBlock` records a block. */
export function fileOf(
  schema: unknown,
  values: readonly unknown[],
  {
    perBlock = 2,
    codec,
    pack = (bytes) => bytes,
  }: { readonly perBlock?: number; readonly codec?: string; readonly pack?: (bytes: Buffer) => Buffer } = {},
): Buffer {
  const type = typeOf(schema);
  const blocks: Buffer[] = [];
  for (let at = 0; at < values.length; at += perBlock) {
    const some = values.slice(at, at + perBlock);
    blocks.push(blockOf(some.length, pack(Buffer.concat(some.map((value) => type.toBuffer(value))))));
  }
  return Buffer.concat([headerOf(schema, codec), ...blocks]);
}

export const deflated = { codec: 'deflate', pack: (bytes: Buffer) => deflateRawSync(bytes) };

export const record = (...fields: readonly (readonly [string, unknown])[]): unknown => ({
  type: 'record',
  name: 'R',
  fields: fields.map(([name, type]) => ({ name, type })),
});

export async function openAvro(
  bytes: Buffer,
  contract: readonly ColumnSpec[] | null = null,
  setting: { readonly chunks?: readonly number[]; readonly batchRows?: number; readonly maxRecord?: number } = {},
): Promise<RecordReader> {
  return await avro.open(
    {
      bytes: inChunks(bytes, setting.chunks),
      path: null,
      contract,
      ...(setting.batchRows === undefined ? {} : { batchRows: setting.batchRows }),
    },
    avro.options.parse(setting.maxRecord === undefined ? {} : { max_record: setting.maxRecord }),
  );
}

export const readAvro = async (...all: Parameters<typeof openAvro>): Promise<ReadRow[]> =>
  await readAll(await openAvro(...all));

/** Cells of the only column of the only row. */
export const cellOf = async (type: unknown, value: unknown): Promise<string | null | undefined> =>
  (await readAvro(fileOf(record(['v', type]), [{ v: value }])))[0]?.cells?.[0];

/** `CODE: message` of what reading the whole file throws. */
export async function problemOf(bytes: Buffer): Promise<string> {
  try {
    await readAvro(bytes);
  } catch (error) {
    if (error instanceof Error && 'code' in error) return `${String(error.code)}: ${error.message}`;
    throw error;
  }
  return 'no error';
}
