import fc from 'fast-check';
import { deflateRawSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { avro } from '../../../src/formats/avro/index.js';
import { inChunks, readAll } from '../../contract/format-suite.js';
import { blockOf, deflated, fileOf, headerOf, problemOf, readAvro, record, SYNC, zigzag } from './helpers.js';

const schema = record(['id', 'long'], ['s', 'string']);
const good = fileOf(schema, [
  { id: 1n, s: 'a' },
  { id: 2n, s: 'b' },
  { id: 3n, s: 'c' },
]);
const long = fileOf(
  schema,
  Array.from({ length: 100 }, (_, i) => ({ id: BigInt(i), s: 'x'.repeat(i) })),
  { perBlock: 10, ...deflated },
);

describe('a file that is no Avro', () => {
  test.each([
    ['nothing', Buffer.alloc(0), 'EMPTY_NOT_ALLOWED'],
    ['text', Buffer.from('id,name\n1,a\n'), 'FORMAT_MISMATCH'],
    ['a message of a schema registry', Buffer.from([0, 0, 0, 0, 7, 2]), 'FORMAT_MISMATCH'],
    ['values that are no records', Buffer.concat([headerOf('"int"'), blockOf(1, zigzag(5))]), 'FORMAT_MISMATCH'],
    ['an unknown codec', Buffer.concat([headerOf(schema, 'lzma9'), blockOf(1, zigzag(5))]), 'FORMAT_MISMATCH'],
  ])('%s: %s', async (_name, bytes, code) => {
    expect(await problemOf(bytes)).toMatch(new RegExp(`^${code}: `));
  });
});

describe('a damaged file is FILE_CORRUPT', () => {
  test('cut off at any byte but the ends of blocks', async () => {
    const { length } = headerOf(schema);
    const ends = [length, length + 8 + SYNC.length];
    for (let end = 4; end < good.length; end++) {
      const told = await problemOf(good.subarray(0, end));
      if (ends.includes(end)) expect(told).toBe('no error');
      else expect(told).toMatch(/^FILE_CORRUPT: The Avro file is cut off: it ends at byte \d+\.$/);
    }
  });

  test.each<[string, Buffer]>([
    ['a wrong mark behind a block', Buffer.concat([headerOf(schema), blockOf(0, Buffer.alloc(0), Buffer.alloc(16))])],
    [
      'more records than the block holds',
      Buffer.concat([headerOf(schema), blockOf(3, Buffer.concat([zigzag(1), zigzag(0), zigzag(1), zigzag(0)]))]),
    ],
    [
      'fewer records than the block holds',
      Buffer.concat([headerOf(schema), blockOf(1, Buffer.concat([zigzag(1), zigzag(0), zigzag(1), zigzag(0)]))]),
    ],
    ['a count of 2 ** 50', Buffer.concat([headerOf(schema), blockOf(2 ** 50, zigzag(1))])],
    [
      'a count of 2 ** 50 records of no bytes',
      Buffer.concat([headerOf(record(['n', 'null'])), blockOf(2 ** 48, Buffer.alloc(0))]),
    ],
    ['a count below zero', Buffer.concat([headerOf(schema), blockOf(-1, zigzag(1))])],
    ['a block of a terabyte', Buffer.concat([headerOf(schema), zigzag(1), zigzag(2 ** 40), zigzag(1)])],
    [
      'a string of a gigabyte',
      Buffer.concat([headerOf(schema), blockOf(1, Buffer.concat([zigzag(1), zigzag(2 ** 30), Buffer.from('a')]))]),
    ],
    [
      'a string of a length below zero',
      Buffer.concat([headerOf(schema), blockOf(1, Buffer.concat([zigzag(1), zigzag(-5)]))]),
    ],
    ['a number of 11 bytes', Buffer.concat([headerOf(schema), blockOf(1, Buffer.alloc(11, 0x80))])],
    [
      'a number of 65 bits',
      Buffer.concat([headerOf(schema), blockOf(1, Buffer.concat([Buffer.alloc(9, 0xff), Buffer.of(2), zigzag(0)]))]),
    ],
    ['an int of 33 bits', Buffer.concat([headerOf(record(['i', 'int'])), blockOf(1, zigzag(2 ** 31))])],
    ['a boolean of 2', Buffer.concat([headerOf(record(['i', 'boolean'])), blockOf(1, Buffer.of(2))])],
    ['a branch that the union lacks', Buffer.concat([headerOf(record(['i', ['null', 'int']])), blockOf(1, zigzag(2))])],
    [
      'a symbol that the enum lacks',
      Buffer.concat([headerOf(record(['i', { type: 'enum', name: 'E', symbols: [] }])), blockOf(1, zigzag(0))]),
    ],
    [
      'a list of 2 ** 60 nulls',
      Buffer.concat([
        headerOf(record(['i', { type: 'array', items: 'null' }])),
        blockOf(1, Buffer.concat([zigzag(2n ** 60n), zigzag(0)])),
      ]),
    ],
    [
      'lists of a million nulls, again and again',
      Buffer.concat([
        headerOf(record(['i', { type: 'array', items: 'null' }])),
        blockOf(3, Buffer.concat(Array.from({ length: 3 }, () => [zigzag(600_000), zigzag(0)]).flat())),
      ]),
    ],
    [
      'a list of more items than bytes',
      Buffer.concat([
        headerOf(record(['i', { type: 'array', items: 'int' }])),
        blockOf(1, Buffer.concat([zigzag(1000), zigzag(0)])),
      ]),
    ],
    ['a deflated block that is none', Buffer.concat([headerOf(schema, 'deflate'), blockOf(1, Buffer.from('hello'))])],
    [
      'a deflated block that is cut off',
      Buffer.concat([headerOf(schema, 'deflate'), blockOf(1, deflateRawSync(Buffer.alloc(1000, 1)).subarray(0, 4))]),
    ],
    [
      'a deflated block of 100 MB',
      Buffer.concat([headerOf(schema, 'deflate'), blockOf(1, deflateRawSync(Buffer.alloc(100e6)))]),
    ],
    ['a snappy block that is none', Buffer.concat([headerOf(schema, 'snappy'), blockOf(1, Buffer.from('hello'))])],
    ['a header of a gigabyte', Buffer.concat([Buffer.from('Obj\x01', 'latin1'), zigzag(1), zigzag(2 ** 30)])],
    [
      'a header of entries without end',
      Buffer.concat([Buffer.from('Obj\x01', 'latin1'), zigzag(2 ** 40), Buffer.alloc(17 * 2 ** 20)]),
    ],
    ['no schema', Buffer.concat([Buffer.from('Obj\x01', 'latin1'), zigzag(0), SYNC])],
    ['a schema that is no JSON', headerOf('{"type":')],
    ['a schema of 100,000 brackets', headerOf('['.repeat(100_000) + ']'.repeat(100_000))],
    ['a schema deep as 1,000 lists', headerOf(`${'{"type":"array","items":'.repeat(1000)}"int"${'}'.repeat(1000)}`)],
    ['a type that nobody defines', headerOf(record(['a', 'Nope']))],
    [
      'a type defined twice',
      headerOf(record(['a', { type: 'fixed', name: 'F', size: 1 }], ['b', { type: 'fixed', name: 'F', size: 2 }])),
    ],
    ['a field twice', headerOf(record(['a', 'int'], ['a', 'int']))],
    ['a fixed of a gigabyte', headerOf(record(['a', { type: 'fixed', name: 'F', size: 2 ** 30 }]))],
    ['a record without fields', headerOf({ type: 'record', name: 'R' })],
    ['a field without type', headerOf({ type: 'record', name: 'R', fields: [{ name: 'a' }] })],
  ])('%s', async (_name, bytes) => {
    expect(await problemOf(bytes)).toMatch(/^FILE_CORRUPT: .{10,300}\.$/s);
  });

  test('values within values without end', async () => {
    const node = { type: 'record', name: 'N', fields: [{ name: 'n', type: ['null', 'N'] }] };
    expect(
      await problemOf(
        Buffer.concat([headerOf(node), blockOf(1, Buffer.concat([Buffer.alloc(100_000, 2), Buffer.of(0)]))]),
      ),
    ).toMatch(/nested deeper than 500 levels/);
  });

  test('blocks that expand past max_expansion', async () => {
    const bomb = Buffer.concat([
      headerOf(record(['s', 'bytes']), 'deflate'),
      ...Array.from({ length: 3 }, () => blockOf(1, deflateRawSync(Buffer.concat([zigzag(20e6), Buffer.alloc(20e6)])))),
    ]);
    const reading = async (): Promise<unknown> =>
      await readAll(
        await avro.open(
          { bytes: inChunks(bomb), path: null, contract: null, maxExpansion: { ratio: 200, bytes: 100e9 } },
          { max_record: 1000 },
        ),
      );
    await expect(reading()).rejects.toMatchObject({ code: 'EXPANSION_LIMIT' });
  });

  test('however its bytes are changed: rows or FILE_CORRUPT, never anything else', async () => {
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(good, long),
        fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 4 }),
        fc.nat(),
        async (file, changes, cut) => {
          const bytes = Buffer.from(file);
          for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
          const told = await problemOf(cut % 3 === 0 ? bytes.subarray(0, cut % bytes.length) : bytes);
          if (told !== 'no error') refused++;
          expect(told).toMatch(/^(no error$|(FILE_CORRUPT|FORMAT_MISMATCH|EMPTY_NOT_ALLOWED|EXPANSION_LIMIT): )/);
        },
      ),
      { numRuns: 1_500 },
    );
    expect(refused).toBeGreaterThan(300);
  });
});

describe('odd but right', () => {
  test('blocks without records, a header in several parts', async () => {
    const [whole] = [headerOf(schema, 'null')];
    const parts = Buffer.concat([
      whole,
      blockOf(0, Buffer.alloc(0)),
      good.subarray(headerOf(schema).length),
      blockOf(0, Buffer.alloc(0)),
    ]);
    expect(await readAvro(parts)).toHaveLength(3);
  });

  test('no block at all: no rows', async () => {
    expect(await readAvro(headerOf(schema))).toEqual([]);
  });

  test('lists in blocks that tell their bytes', async () => {
    const bytes = Buffer.concat([zigzag(-2), zigzag(2), zigzag(7), zigzag(8), zigzag(1), zigzag(9), zigzag(0)]);
    expect(
      (await readAvro(Buffer.concat([headerOf(record(['l', { type: 'array', items: 'int' }])), blockOf(1, bytes)])))[0]!
        .cells,
    ).toEqual(['[7,8,9]']);
  });

  test('records of no bytes', async () => {
    expect(await readAvro(Buffer.concat([headerOf(record(['n', 'null'])), blockOf(3, Buffer.alloc(0))]))).toHaveLength(
      3,
    );
  });
});
