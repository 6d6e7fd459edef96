import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { crc32, deflateRawSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { unsnap } from '../../../src/formats/avro/snappy.js';
import { blockOf, fileOf, headerOf, problemOf, readAvro, record, typeOf } from './helpers.js';

/** A type, values of it as avsc takes them, and what they are as JSON. */
interface Kind {
  readonly schema: unknown;
  readonly value: fc.Arbitrary<unknown>;
  readonly json: (value: unknown) => unknown;
}

const same = (value: unknown): unknown => value;
let names = 0;
const leaves: readonly (() => Kind)[] = [
  () => ({ schema: 'null', value: fc.constant(null), json: same }),
  () => ({ schema: 'boolean', value: fc.boolean(), json: same }),
  () => ({ schema: 'int', value: fc.integer(), json: same }),
  () => ({
    schema: 'long',
    value: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    json: (value) => `long ${String(value)}`,
  }),
  () => ({ schema: 'double', value: fc.double({ noNaN: true, noDefaultInfinity: true }), json: same }),
  () => ({ schema: 'float', value: fc.float({ noNaN: true, noDefaultInfinity: true }), json: same }),
  () => ({ schema: 'string', value: fc.string({ unit: 'binary' }), json: same }),
  () => ({
    schema: 'bytes',
    value: fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    json: (value) => `\\x${(value as Buffer).toString('hex')}`,
  }),
  () => ({
    schema: { type: 'enum', name: `E${names++}`, symbols: ['A', 'B'] },
    value: fc.constantFrom('A', 'B'),
    json: same,
  }),
];

const kinds: fc.Arbitrary<Kind> = fc.letrec<{ kind: Kind }>((tie) => ({
  kind: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom(...leaves).map((make) => make()),
    tie('kind').map((of): Kind => ({
      schema: { type: 'array', items: of.schema },
      value: fc.array(of.value, { maxLength: 4 }),
      json: (value) => (value as unknown[]).map(of.json),
    })),
    tie('kind').map((of): Kind => ({
      schema: { type: 'map', values: of.schema },
      value: fc.dictionary(
        fc.string().filter((name) => name !== '__proto__'),
        of.value,
        { maxKeys: 3, noNullPrototype: true },
      ),
      json: (value) => Object.fromEntries(Object.entries(value as object).map(([name, one]) => [name, of.json(one)])),
    })),
    tie('kind')
      .filter(({ schema }) => !Array.isArray(schema) && schema !== 'null')
      .map((of): Kind => {
        const name = typeOf(of.schema).branchName!;
        return {
          schema: ['null', of.schema],
          value: fc.option(of.value.map((value) => ({ [name]: value }))),
          json: (value) => (value === null ? null : of.json((value as Record<string, unknown>)[name])),
        };
      }),
    fc.array(tie('kind'), { minLength: 1, maxLength: 3 }).map((fields): Kind => ({
      schema: {
        type: 'record',
        name: `R${names++}`,
        fields: fields.map(({ schema }, i) => ({ name: `f${i}`, type: schema })),
      },
      value: fc
        .tuple(...fields.map(({ value }) => value))
        .map((values) => Object.fromEntries(values.map((value, i) => [`f${i}`, value]))),
      json: (value) =>
        Object.fromEntries(fields.map(({ json }, i) => [`f${i}`, json((value as Record<string, unknown>)[`f${i}`])])),
    })),
  ),
})).kind;

/** Longs as text, so that none goes through a double. */
const parsed = (raw: string): unknown => JSON.parse(raw);

describe('what avsc writes', () => {
  test('is read as the same values, whatever the schema', async () => {
    await fc.assert(
      fc.asyncProperty(
        kinds.chain((kind) =>
          fc.record({ kind: fc.constant(kind), values: fc.array(kind.value, { minLength: 1, maxLength: 6 }) }),
        ),
        fc.integer({ min: 1, max: 4 }),
        fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 3 }),
        async ({ kind, values }, perBlock, chunks) => {
          // A schema may have one type twice under one name; longs stand in the JSON as numbers.
          const schema = record(['v', kind.schema]);
          const rows = await readAvro(
            fileOf(
              schema,
              values.map((v) => ({ v })),
              { perBlock },
            ),
            null,
            { chunks, batchRows: 2 },
          );
          const wanted = values.map((value) =>
            JSON.stringify({ v: kind.json(value) }).replace(/"long (-?\d+)"/g, '$1'),
          );
          expect(rows.map((row) => normal(row.raw))).toEqual(wanted.map(normal));
        },
      ),
      { numRuns: 500 },
    );
  });
});

/** Numbers with a fraction or exponent by their value, whole ones by their digits. */
function normal(raw: string): unknown {
  return parsed(
    raw.replace(/("(?:[^"\\]|\\.)*")|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?/gs, (found, text?: string) => {
      if (text !== undefined) return text;
      return /[.e]/.test(found)
        ? `{"float":${JSON.stringify(String(Math.fround(Number(found))))}}`
        : `{"whole":"${found === '-0' ? '0' : found}"}`;
    }),
  );
}

describe('codecs of blocks', () => {
  const schema = record(['id', 'int'], ['s', 'string']);
  const values = Array.from({ length: 50 }, (_, i) => ({ id: i, s: `value ${i % 7} ${'abc'.repeat(i)}` }));
  const plain = fileOf(schema, values);
  const cells = async (file: Buffer): Promise<unknown> => (await readAvro(file)).map((row) => row.cells);

  test('deflate', async () => {
    expect(
      await cells(fileOf(schema, values, { codec: 'deflate', pack: (bytes) => deflateRawSync(bytes), perBlock: 20 })),
    ).toEqual(await cells(plain));
  });

  test('snappy, with its checksum', async () => {
    const pack = (bytes: Buffer): Buffer => {
      const sum = Buffer.alloc(4);
      sum.writeUInt32BE(crc32(bytes));
      return Buffer.concat([snap(bytes), sum]);
    };
    expect(await cells(fileOf(schema, values, { codec: 'snappy', pack, perBlock: 20 }))).toEqual(await cells(plain));
    await expect(
      cells(
        fileOf(schema, values, {
          codec: 'snappy',
          pack: (bytes) => Buffer.concat([snap(bytes), Buffer.alloc(4)]),
          perBlock: 20,
        }),
      ),
    ).rejects.toMatchObject({ code: 'FILE_CORRUPT' });
  });
});

test.each([
  ['bzip2', 'bzip2/two.bz2', 20_000],
  ['xz', 'xz/padded-streams.xz', 20_000],
  ['zstandard', 'compressed/default.zst', 67_245],
])('blocks packed by %s: one value as long as the fixture unpacks to', async (codec, name, size) => {
  const schema = record(['v', { type: 'fixed', name: 'F', size }]);
  const packed = readFileSync(path.resolve(import.meta.dirname, '../../../fixtures', name));
  const [row] = await readAvro(Buffer.concat([headerOf(schema, codec), blockOf(1, packed)]));
  expect(row?.cells?.[0]).toHaveLength(2 + 2 * size);
  expect(await problemOf(Buffer.concat([headerOf(schema, codec), blockOf(1, packed.subarray(0, -9))]))).toMatch(
    /^FILE_CORRUPT: The Avro file has a block that cannot be unpacked/,
  );
});

/** Snappy with copies wherever four bytes came before, in all three forms. */
function snap(bytes: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let left = bytes.length; ; left >>>= 7) {
    parts.push(Buffer.of(left > 127 ? (left & 127) | 128 : left));
    if (left < 128) break;
  }
  const seen = new Map<number, number>();
  let literal = 0;
  const flush = (to: number): void => {
    for (let from = literal; from < to; from += 60) {
      const part = bytes.subarray(from, Math.min(to, from + 60));
      parts.push(Buffer.of((part.length - 1) << 2), part);
    }
  };
  let at = 0;
  while (at + 4 <= bytes.length) {
    const word = bytes.readUInt32LE(at);
    const from = seen.get(word);
    seen.set(word, at);
    if (from === undefined) {
      at++;
      continue;
    }
    let length = 4;
    while (length < 64 && at + length < bytes.length && bytes[from + length] === bytes[at + length]) length++;
    flush(at);
    const offset = at - from;
    if (length <= 11 && offset < 2048)
      parts.push(Buffer.of(((offset >> 8) << 5) | ((length - 4) << 2) | 1, offset & 255));
    else if (offset < 65536) parts.push(Buffer.of(((length - 1) << 2) | 2, offset & 255, offset >> 8));
    else
      parts.push(
        Buffer.of(((length - 1) << 2) | 3, offset & 255, (offset >> 8) & 255, (offset >> 16) & 255, offset >>> 24),
      );
    at += length;
    literal = at;
  }
  flush(bytes.length);
  return Buffer.concat(parts);
}

describe('snappy', () => {
  test('gives back what was packed', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 80 }), fc.integer({ min: 1, max: 50 })), {
          maxLength: 20,
        }),
        (pieces) => {
          const bytes = Buffer.concat(
            pieces.flatMap(([piece, times]) => Array.from({ length: times }, () => Buffer.from(piece))),
          );
          expect(unsnap(snap(bytes), 1e6)?.equals(bytes)).toBe(true);
        },
      ),
    );
  });

  test('never gives more than it says, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        const out = unsnap(Buffer.from(bytes), 500);
        expect(out === null || out.length <= 500).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });
});
