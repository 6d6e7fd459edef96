import { describe, expect, test } from 'vitest';
import { plainColumn } from '../../../src/columns/plain-column.js';
import { cellOf, fileOf, openAvro, readAvro, record, typeOf } from './helpers.js';

const long = (logicalType: string) => ({ type: 'long', logicalType });

describe('each type as text', () => {
  test.each<[string, unknown, unknown, string | null]>([
    ['null', 'null', null, null],
    ['boolean', 'boolean', true, 'true'],
    ['int', 'int', -2147483648, '-2147483648'],
    ['long beyond doubles', 'long', 9223372036854775807n, '9223372036854775807'],
    ['least long', 'long', -9223372036854775808n, '-9223372036854775808'],
    ['long at the edge of doubles', 'long', 9007199254740993n, '9007199254740993'],
    ['small longs', 'long', -64n, '-64'],
    ['float, the shortest digits that are it', 'float', 0.1, '0.1'],
    ['whole float, exactly', 'float', -46742608, '-46742608'],
    ['large float', 'float', 3.4028234663852886e38, '3.4028235e+38'],
    ['double', 'double', 0.1, '0.1'],
    ['minus zero', 'double', -0, '-0'],
    ['NaN', 'double', NaN, 'NaN'],
    ['infinity', 'float', -Infinity, '-Infinity'],
    ['string', 'string', 'a"b\\c\n\u0001é😀', 'a"b\\c\n\u0001é😀'],
    ['empty string', 'string', '', ''],
    ['bytes', 'bytes', Buffer.from([0, 255, 16]), '\\x00ff10'],
    ['no bytes', 'bytes', Buffer.alloc(0), '\\x'],
    ['fixed', { type: 'fixed', name: 'F', size: 2 }, Buffer.from([1, 2]), '\\x0102'],
    ['enum', { type: 'enum', name: 'E', symbols: ['A', 'B'] }, 'B', 'B'],
    ['date', { type: 'int', logicalType: 'date' }, 20777, '2026-11-20'],
    ['date before 1970', { type: 'int', logicalType: 'date' }, -1, '1969-12-31'],
    ['date far off, which no column takes', { type: 'int', logicalType: 'date' }, 2147483647, '2147483647'],
    ['time-millis', { type: 'int', logicalType: 'time-millis' }, 86_399_999, '23:59:59.999'],
    [
      'time-millis of 25 hours, which no column takes',
      { type: 'int', logicalType: 'time-millis' },
      90_000_000,
      '90000000',
    ],
    ['time-micros', long('time-micros'), 1n, '00:00:00.000001'],
    ['timestamp-millis', long('timestamp-millis'), 1795176930123n, '2026-11-20T12:15:30.123Z'],
    ['timestamp-micros before 1970', long('timestamp-micros'), -1n, '1969-12-31T23:59:59.999999Z'],
    ['timestamp-micros beyond doubles', long('timestamp-micros'), 253402300799999999n, '9999-12-31T23:59:59.999999Z'],
    ['timestamp-nanos', long('timestamp-nanos'), 1795176930123456789n, '2026-11-20T12:15:30.123456789Z'],
    ['timestamp-nanos before 1970', long('timestamp-nanos'), -9223372036854775808n, '1677-09-21T00:12:43.145224192Z'],
    ['local-timestamp-millis', long('local-timestamp-millis'), 0n, '1970-01-01T00:00:00.000'],
    ['local-timestamp-micros', long('local-timestamp-micros'), 0n, '1970-01-01T00:00:00.000000'],
    [
      'uuid',
      { type: 'string', logicalType: 'uuid' },
      '6ba7b810-9dad-11d1-80b4-00c04fd430c8',
      '6ba7b810-9dad-11d1-80b4-00c04fd430c8',
    ],
    [
      'uuid as bytes',
      { type: 'fixed', name: 'U', size: 16, logicalType: 'uuid' },
      Buffer.from('6ba7b8109dad11d180b400c04fd430c8', 'hex'),
      '6ba7b810-9dad-11d1-80b4-00c04fd430c8',
    ],
    [
      'duration',
      { type: 'fixed', name: 'D', size: 12, logicalType: 'duration' },
      Buffer.from('01000000020000000b080000', 'hex'),
      'P1M2DT2.059S',
    ],
    [
      'decimal of bytes',
      { type: 'bytes', logicalType: 'decimal', precision: 10, scale: 2 },
      Buffer.from([0x30, 0x39]),
      '123.45',
    ],
    [
      'negative decimal',
      { type: 'bytes', logicalType: 'decimal', precision: 10, scale: 3 },
      Buffer.from([0xff]),
      '-0.001',
    ],
    ['decimal of no bytes', { type: 'bytes', logicalType: 'decimal', precision: 10, scale: 3 }, Buffer.alloc(0), '0'],
    [
      'decimal of many digits',
      { type: 'fixed', name: 'X', size: 16, logicalType: 'decimal', precision: 38, scale: 0 },
      Buffer.from('7fffffffffffffffffffffffffffffff', 'hex'),
      '170141183460469231731687303715884105727',
    ],
    ['a logical type that does not fit is passed over', { type: 'int', logicalType: 'timestamp-millis' }, 5, '5'],
    ['array', { type: 'array', items: 'int' }, [1, 2], '[1,2]'],
    ['empty array', { type: 'array', items: 'int' }, [], '[]'],
    ['map', { type: 'map', values: 'string' }, { a: 'x', 'b"': 'y' }, '{"a":"x","b\\"":"y"}'],
    [
      'record',
      {
        type: 'record',
        name: 'S',
        fields: [
          { name: 'p', type: 'long' },
          { name: 'q', type: { type: 'array', items: 'double' } },
        ],
      },
      { p: 9007199254740993n, q: [0.5, 1e300] },
      '{"p":9007199254740993,"q":[0.5,1e+300]}',
    ],
    ['a nested date', { type: 'array', items: { type: 'int', logicalType: 'date' } }, [0], '["1970-01-01"]'],
    ['union that is null', ['null', 'int'], null, null],
    ['union that is not', ['int', 'null'], { int: 7 }, '7'],
    ['mixed union: number', ['int', 'string'], { int: 7 }, '7'],
    ['mixed union: string, as JSON', ['int', 'string'], { string: 'a' }, '"a"'],
    ['mixed union that is null', ['null', 'int', 'string'], null, null],
  ])('%s', async (_name, type, value, expected) => {
    expect(await cellOf(type, value)).toBe(expected);
  });

  test('avsc reads the same numbers (reference)', async () => {
    const schema = record(['a', 'float'], ['b', 'double'], ['c', 'int']);
    const values = Array.from({ length: 500 }, (_, i) => ({
      a: Math.fround(Math.sin(i) * 10 ** ((i % 70) - 35)),
      b: Math.cos(i) * 10 ** ((i % 600) - 300),
      c: (i * 2_654_435_761) | 0,
    }));
    const rows = await readAvro(fileOf(schema, values));
    const type = typeOf(schema);
    for (const [i, row] of rows.entries()) {
      const wanted = type.fromBuffer(type.toBuffer(values[i])) as { a: number; b: number; c: number };
      expect([Math.fround(Number(row.cells![0])), Number(row.cells![1]), Number(row.cells![2])]).toEqual([
        wanted.a,
        wanted.b,
        wanted.c,
      ]);
    }
  });
});

describe('the row as JSON', () => {
  test('is what a refused row is kept as, digits and all', async () => {
    const schema = record(
      ['id', 'long'],
      ['d', { type: 'bytes', logicalType: 'decimal', precision: 5, scale: 1 }],
      ['t', { type: 'int', logicalType: 'date' }],
      ['s', ['null', 'string']],
      ['b', 'bytes'],
    );
    const [row] = await readAvro(
      fileOf(schema, [
        { id: 9007199254740993n, d: Buffer.from([10]), t: 0, s: { string: 'x\ty' }, b: Buffer.from('ab') },
      ]),
    );
    expect(row!.raw).toBe('{"id":9007199254740993,"d":1.0,"t":"1970-01-01","s":"x\\ty","b":"\\\\x6162"}');
    expect(row!.cells).toEqual(['9007199254740993', '1.0', '1970-01-01', 'x\ty', '\\x6162']);
  });

  test('a record past max_record as JSON costs itself, and keeps its beginning', async () => {
    const schema = record(['id', 'int'], ['s', 'string']);
    const rows = await readAvro(
      fileOf(schema, [
        { id: 1, s: 'a' },
        { id: 2, s: 'x'.repeat(3_000_000) },
        { id: 3, s: 'c' },
      ]),
      null,
      { maxRecord: 1000 },
    );
    expect(rows.map((row) => row.fault ?? row.cells)).toEqual([['1', 'a'], 'too-long', ['3', 'c']]);
    expect(rows[1]).toMatchObject({ rawLength: 3_000_015, message: 'longer than 1KB as JSON (format.max_record)' });
    expect(rows[1]!.raw).toHaveLength(65_536);
  });

  test('a string that is not UTF-8 leaves its batch unclean, so that its row is looked at', async () => {
    const file = fileOf(record(['s', 'bytes']), [{ s: Buffer.from([0x61, 0xff]) }]);
    const asString = Buffer.from(
      file.toString('latin1').replace('"bytes"', '"string"').replace('\x9c\x01', '\x9e\x01'),
      'latin1',
    );
    // The schema has grown by one character; its length stands before it.
    const reader = await openAvro(fixLength(asString));
    expect(await reader.next()).toMatchObject({ clean: false, rows: 1 });
  });
});

/** Writes the schema's length anew. */
function fixLength(file: Buffer): Buffer {
  const at = file.indexOf('avro.schema') + 'avro.schema'.length;
  const from = file.indexOf('{', at);
  const to = file.indexOf('}]}', at) + 3;
  const length = to - from;
  return Buffer.concat([
    file.subarray(0, at),
    length < 64 ? Buffer.of(length * 2) : Buffer.of(((length * 2) & 127) | 128, (length * 2) >> 7),
    file.subarray(from),
  ]);
}

describe('columns', () => {
  test('without a contract each field has its own type', async () => {
    const schema = record(
      ['a', 'int'],
      ['b', ['null', 'long']],
      ['c', 'float'],
      ['d', 'double'],
      ['e', 'bytes'],
      ['f', 'string'],
      ['g', 'boolean'],
      ['h', { type: 'bytes', logicalType: 'decimal', precision: 12, scale: 2 }],
      ['i', { type: 'int', logicalType: 'date' }],
      ['j', { type: 'long', logicalType: 'timestamp-micros' }],
      ['k', { type: 'long', logicalType: 'local-timestamp-millis' }],
      ['l', { type: 'long', logicalType: 'time-micros' }],
      ['m', { type: 'array', items: 'int' }],
      ['n', ['int', 'string']],
      ['o', { type: 'enum', name: 'E', symbols: ['A'] }],
      ['p', { type: 'string', logicalType: 'uuid' }],
      ['q', 'null'],
    );
    const { layout } = await openAvro(fileOf(schema, []));
    expect(Object.fromEntries(layout.fileColumns.map(({ name, type }) => [name, type]))).toEqual({
      a: 'integer',
      b: 'bigint',
      c: 'real',
      d: 'double precision',
      e: 'bytea',
      f: 'text',
      g: 'boolean',
      h: 'numeric(12,2)',
      i: 'date',
      j: 'timestamptz',
      k: 'timestamp',
      l: 'time',
      m: 'jsonb',
      n: 'jsonb',
      o: 'text',
      p: 'uuid',
      q: 'text',
    });
  });

  const inner = {
    type: 'record',
    name: 'In',
    fields: [
      { name: 'x', type: 'int' },
      { name: 'y', type: ['null', 'string'] },
    ],
  };
  const column = (name: string, from: string | number = name, type = 'text') => ({
    ...plainColumn(name, name, type),
    from: [from],
  });

  test('from: a.b reaches into a record, also one that may be null', async () => {
    const schema = record(['id', 'int'], ['after', ['null', inner]]);
    const values = [
      { id: 1, after: { In: { x: 5, y: { string: 'a"b' } } } },
      { id: 2, after: null },
      { id: 3, after: { In: { x: 6, y: null } } },
    ];
    const contract = [column('y', 'after.y'), column('id'), column('x', 'after.x')];
    const reader = await openAvro(fileOf(schema, values), contract);
    expect(reader.layout).toMatchObject({ cellOf: [2, 0, 3], unknown: [], missing: [], overlap: 2 });
    const rows = await readAvro(fileOf(schema, values), contract);
    expect(rows.map((row) => row.cells)).toEqual([
      ['1', '{"x":5,"y":"a\\"b"}', 'a"b', '5'],
      ['2', null, null, null],
      ['3', '{"x":6,"y":null}', null, '6'],
    ]);
  });

  test('a field that nobody takes is unknown, a path that leads nowhere is missing', async () => {
    const { layout } = await openAvro(fileOf(record(['id', 'int'], ['more', inner], ['z', 'int']), []), [
      column('id'),
      column('w', 'more.nope'),
    ]);
    expect(layout).toMatchObject({ unknown: [1, 2], missing: ['w'] });
  });

  test('a string of a mixed union is its JSON text in a jsonb column, itself in a text column', async () => {
    const file = fileOf(record(['v', ['int', 'string']]), [{ v: { string: 'a' } }]);
    expect((await readAvro(file, [column('v', 'v', 'jsonb')]))[0]!.cells).toEqual(['"a"']);
    expect((await readAvro(file, [column('v', 'v', 'text')]))[0]!.cells).toEqual(['a']);
  });

  test('a record may hold itself', async () => {
    const schema = {
      type: 'record',
      name: 'Node',
      fields: [
        { name: 'v', type: 'int' },
        { name: 'next', type: ['null', 'Node'] },
      ],
    };
    const rows = await readAvro(
      fileOf(schema, [{ v: 1, next: { Node: { v: 2, next: { Node: { v: 3, next: null } } } } }]),
    );
    expect(rows[0]!.cells).toEqual(['1', '{"v":2,"next":{"v":3,"next":null}}']);
  });

  test('names are found through namespaces', async () => {
    const schema = {
      type: 'record',
      name: 'a.b.R',
      fields: [
        { name: 'p', type: { type: 'enum', name: 'E', symbols: ['X'] } },
        { name: 'q', type: 'E' },
        { name: 'r', type: 'a.b.E' },
        { name: 's', type: { type: 'fixed', name: 'c.F', size: 1 } },
        { name: 't', type: 'c.F' },
      ],
    };
    const rows = await readAvro(fileOf(schema, [{ p: 'X', q: 'X', r: 'X', s: Buffer.of(1), t: Buffer.of(2) }]));
    expect(rows[0]!.cells).toEqual(['X', 'X', 'X', '\\x01', '\\x02']);
  });
});
