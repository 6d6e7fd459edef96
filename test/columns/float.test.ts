import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type TestDatabase, createDatabase } from '../support/postgres.js';
import { codecOf, encode, expectAsPostgres, expectOrderOfPostgres, refusal } from './support.js';

let db: TestDatabase;
beforeAll(async () => {
  db = await createDatabase();
});
afterAll(async () => {
  await db.drop();
});

/** A double as the exact decimal that it is. */
function exact(value: number): string {
  let scaled = value;
  let halvings = 0;
  for (; !Number.isInteger(scaled); halvings++) scaled *= 2;
  return `${BigInt(scaled) * 5n ** BigInt(halvings)}e-${halvings}`;
}

/** Literals just below, at and just above a decimal, by digits far behind its last. */
const around = (decimal: string): string[] => {
  const [digits, exponent] = decimal.split('e') as [string, string];
  const deeper = `e${Number(exponent) - 40}`;
  const zeros = '0'.repeat(40);
  return [decimal, digits + `${zeros.slice(1)}1` + deeper, `${BigInt(digits + zeros) - 1n}${deeper}`];
};

const doubleFrom = (bits: bigint): number => {
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, bits);
  return view.getFloat64(0);
};
const singleFrom = (bits: number): number => {
  const view = new DataView(new ArrayBuffer(4));
  view.setUint32(0, bits);
  return view.getFloat32(0);
};

const WORDS = [
  'NaN',
  'nan',
  'NAN',
  'Infinity',
  '-Infinity',
  '+Infinity',
  'infinity',
  'inf',
  '-inf',
  '+INF',
  ' NaN ',
  'Inf',
];
const SPELLINGS = [
  '0',
  '-0',
  '+0',
  '0.0',
  '-0.0e5',
  '0e400',
  '0e-400',
  '1',
  '-1',
  '1.',
  '.5',
  '+.5e1',
  '1e5',
  '1E+5',
  '1e-5',
  '007.50',
  ' 2.5 ',
  '\t1\n',
  `${'0'.repeat(400)}1`,
  `1${'0'.repeat(30)}e-30`,
  `0.${'0'.repeat(300)}1`,
];
const REFUSED = [
  '.',
  '-',
  '+',
  'e',
  '1e',
  '1e+',
  '.e1',
  '--1',
  '1..2',
  '1,5',
  'nana',
  'infi',
  'infinit',
  'abc',
  '1f',
  '1d',
  '1 2',
  '- 1',
  '1e5.5',
  '1_000',
  '٣',
];

describe('double precision', () => {
  const check = (cells: readonly string[]) =>
    expectAsPostgres({
      client: db.client,
      sqlType: 'double precision',
      send: 'float8send',
      codec: codecOf('double precision'),
      cells,
    });

  test('is what PostgreSQL makes of the same literal', async () => {
    const edges = [
      '1.7976931348623157e308',
      '1.7976931348623158e308',
      '1.7976931348623159e308',
      '1e308',
      '1e309',
      '-1e309',
      '1e400',
      '2.2250738585072014e-308',
      '2.2250738585072011e-308',
      '5e-324',
      '4.9e-324',
      '2.5e-324',
      '2.4e-324',
      '1e-324',
      '1e-400',
      '-1e-400',
      '9007199254740993',
      '9007199254740992',
      '123456789012345',
      '1234567890123456',
      '12345678901234567',
      '0.1',
      '0.3',
      '1e22',
      '1e23',
      '8.5e22',
      '123456789012345e22',
      '123456789012345e-22',
      '123456789012345e23',
    ];
    const random = fc
      .sample(fc.tuple(fc.bigInt(0n, 10n ** 20n), fc.integer({ min: -340, max: 320 })), { numRuns: 1500, seed: 3 })
      .map(([n, e]) => `${n}e${e}`);
    const plain = fc
      .sample(fc.tuple(fc.integer(), fc.nat(999_999_999)), { numRuns: 700, seed: 4 })
      .map(([a, b]) => `${a}.${b}`);
    await check([...edges, ...WORDS, ...SPELLINGS, ...REFUSED, ...random, ...plain]);
  });

  test('is rounded correctly beside every half way', async () => {
    const bits = fc.sample(fc.bigInt(1n, 0x7fefffffffffffffn), { numRuns: 150, seed: 5 });
    const edges = [1n, 2n, 0xfffffffffffffn, 0x10000000000000n, 0x3ff0000000000000n, 0x433fffffffffffffn];
    const halves = [...edges, ...bits].flatMap((n) => {
      const value = doubleFrom(n);
      // half way to the next: the exact decimals of both, added and halved
      const [a, b] = [exact(value), exact(doubleFrom(n + 1n))].map((decimal) => decimal.split('e-')) as [
        string[],
        string[],
      ];
      const places = Math.max(Number(a[1]), Number(b[1])) + 1;
      const sum =
        (BigInt(a[0]!) * 10n ** BigInt(places - Number(a[1])) + BigInt(b[0]!) * 10n ** BigInt(places - Number(b[1]))) /
        2n;
      return around(`${sum}e-${places}`);
    });
    await check(halves);
  });

  test('every double comes back from its shortest text', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true }), (value) => {
        const outcome = encode(codecOf('double precision'), Object.is(value, -0) ? '-0' : String(value));
        return typeof outcome === 'object' && 'value' in outcome && Object.is(outcome.value.readDoubleBE(), value);
      }),
      { numRuns: 1000 },
    );
  });

  test('orders as PostgreSQL does: -0 is 0, NaN is itself and above all', async () => {
    await expectOrderOfPostgres(db.client, 'double precision', codecOf('double precision'), [
      '0',
      '-0',
      '1',
      '-1',
      '1e300',
      '-1e300',
      '5e-324',
      '-5e-324',
      'inf',
      '-inf',
      'nan',
      'NaN',
      '2',
      '1.0',
    ]);
  });
});

describe('real', () => {
  const check = (cells: readonly string[]) =>
    expectAsPostgres({ client: db.client, sqlType: 'real', send: 'float4send', codec: codecOf('real'), cells });

  test('is what PostgreSQL makes of the same literal', async () => {
    const edges = [
      '3.4028235e38',
      '3.4028234663852886e38',
      '3.4028235677973366e38',
      '3.4028235677973365e38',
      '3.40282356779733661637539395458e38',
      '3.4028235677973366163753939545814e38',
      '3.5e38',
      '1e39',
      '1e400',
      '1e-45',
      '1.4e-45',
      '7.1e-46',
      '7.006492321624085e-46',
      '7.0064923216240853e-46',
      '7.0064923216240854e-46',
      '1e-46',
      '1e-400',
      '1.17549435e-38',
      '1.17549429e-38',
      '16777217',
      '16777216',
      '16777219',
      '0.1',
      '123456.789',
    ];
    const random = fc
      .sample(fc.tuple(fc.bigInt(0n, 10n ** 12n), fc.integer({ min: -60, max: 40 })), { numRuns: 1500, seed: 6 })
      .map(([n, e]) => `${n}e${e}`);
    await check([...edges, ...WORDS, ...SPELLINGS, ...REFUSED, ...random]);
  });

  test('is rounded once, from the decimal: half way and a hair beside it', async () => {
    const bits = [
      0,
      1,
      2,
      0x7fffff,
      0x800000,
      0x3f800000,
      0x3f800001,
      0x4b7fffff,
      0x7f7ffffe,
      ...fc.sample(fc.integer({ min: 1, max: 0x7f7ffffe }), { numRuns: 250, seed: 7 }),
    ];
    // the mean of two neighbouring singles is a double
    await check(bits.flatMap((n) => around(exact((singleFrom(n) + singleFrom(n + 1)) / 2))));
  });

  test('the last half way, to infinity, is refused from there on', () => {
    const limit = exact(2 ** 128 - 2 ** 103);
    const [at, above, below] = around(limit);
    expect([at, above, below].map((cell) => refusal(codecOf('real'), cell!))).toEqual([
      'out of range for real',
      'out of range for real',
      null,
    ]);
  });

  test('every single comes back from the text of its double', () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true }), (value) => {
        const outcome = encode(codecOf('real'), Object.is(value, -0) ? '-0' : String(value));
        return typeof outcome === 'object' && 'value' in outcome && Object.is(outcome.value.readFloatBE(), value);
      }),
      { numRuns: 1000 },
    );
  });

  test('orders as PostgreSQL does', async () => {
    await expectOrderOfPostgres(db.client, 'real', codecOf('real'), [
      '0',
      '-0',
      '1',
      '-1',
      '1e30',
      '-1e30',
      '1e-45',
      '-1e-45',
      'inf',
      '-inf',
      'nan',
      '2',
      '1.0',
    ]);
  });
});

describe.each(['real', 'double precision'])('%s', (name) => {
  test('hexadecimal floats and NaN with a payload are refused, though strtod takes them', () => {
    for (const cell of ['0x10', '0x1p3', 'nan(1)']) expect(refusal(codecOf(name), cell)).toBe(`not a ${name}`);
  });

  test('-nan, which C writes, is NaN', () => {
    expect(encode(codecOf(name), '-nan')).toEqual(encode(codecOf(name), 'NaN'));
  });

  test('says when a value is past the range, also towards zero', () => {
    for (const cell of ['1e999', '-1e999', '1e-999', '-1e-999'])
      expect(refusal(codecOf(name), cell)).toBe(`out of range for ${name}`);
  });

  test("reads the column's own decimal sign", () => {
    const codec = codecOf(name, { decimal: ',', thousands: ' ' });
    expect(encode(codec, '1 234,5')).toEqual(encode(codecOf(name), '1234.5'));
    expect(encode(codec, 'Infinity')).toEqual(encode(codecOf(name), 'Infinity'));
    expect(encode(codec, '1.5')).toEqual({ refused: `not a ${name}` });
  });

  test('a blank cell is NULL', () => {
    for (const cell of ['', ' '])
      expect([encode(codecOf(name), cell), encode(codecOf(name), cell, 'text')]).toEqual(['NULL', 'NULL']);
  });
});
