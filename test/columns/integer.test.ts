import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { notA } from '../../src/columns/cell.js';
import { type TestDatabase, createDatabase } from '../support/postgres.js';
import { codecOf, encode, expectAsPostgres, expectOrderOfPostgres, refusal } from './support.js';

let db: TestDatabase;
beforeAll(async () => {
  db = await createDatabase();
});
afterAll(async () => {
  await db.drop();
});

const TYPES = [
  { name: 'smallint', send: 'int2send', bits: 16n },
  { name: 'integer', send: 'int4send', bits: 32n },
  { name: 'bigint', send: 'int8send', bits: 64n },
] as const;

describe.each(TYPES)('$name', ({ name, send, bits }) => {
  const top = 2n ** (bits - 1n);
  const nearLimits = [
    0n,
    1n,
    9n,
    10n,
    99_999n,
    2n ** 15n,
    2n ** 31n,
    2n ** 32n,
    10n ** 9n,
    10n ** 10n,
    10n ** 15n,
    2n ** 53n,
    10n ** 18n,
    2n ** 63n,
    10n ** 19n,
    10n ** 30n,
    top,
  ].flatMap((n) => [n - 2n, n - 1n, n, n + 1n, -n - 1n, -n, -n + 1n].map(String));

  test('is what PostgreSQL makes of the same literal, at the limits of every width and everywhere between', async () => {
    const random = fc.sample(fc.bigInt(-2n * top, 2n * top), { numRuns: 1000, seed: 1 }).map(String);
    const small = fc.sample(fc.bigInt(-1_000_000n, 1_000_000n), { numRuns: 300, seed: 2 }).map(String);
    const spellings = [
      '+5',
      '-0',
      '+0',
      '-00',
      '007',
      '0000000000000000000000000012',
      '-0000000000000000000000000012',
      '\t 12 \n',
      ' -3',
      '4 ',
      '\v5\f',
    ];
    const refused = [
      '+',
      '-',
      '--1',
      '+-1',
      '- 1',
      '1 2',
      '1-',
      'a',
      '1a',
      'NaN',
      '1,000',
      '\u0661',
      '1\u00a0',
      '٣',
      '1e3',
      '0x',
      '"1"',
      '9'.repeat(400),
    ];
    await expectAsPostgres({
      client: db.client,
      sqlType: name,
      send,
      codec: codecOf(name),
      cells: [...nearLimits, ...random, ...small, ...spellings, ...refused],
    });
  });

  test('orders as PostgreSQL does', async () => {
    const cells = [-top, -top + 1n, -256n, -255n, -129n, -128n, -1n, 0n, 1n, 127n, 128n, 255n, 256n, top - 1n].map(
      String,
    );
    await expectOrderOfPostgres(db.client, name, codecOf(name), [...cells, '+1', '-0', '001']);
  });

  test('surplus zeros behind the point are fine, other digits are not', async () => {
    const cells = ['12.00', '-7.0', '0.000', '12.', '.0', '-.0', '+1.0'];
    await expectAsPostgres({
      client: db.client,
      sqlType: name,
      send,
      codec: codecOf(name),
      cells,
      spelled: (cell) => cell.replace(/\..*/, '').replace(/^-?$/, '0'),
    });
    for (const cell of ['12.5', '.5', '0.0001', '-1.10'])
      expect(refusal(codecOf(name), cell)).toBe(`not a whole number: ${name} has no decimals`);
    for (const cell of ['.', '-.', '1.0.0', '1..0', '1.0e0', '1.x', '1. 0'])
      expect(refusal(codecOf(name), cell)).toBe(notA(name));
  });

  test('rounds half away from zero when asked, and overflow after rounding is refused', () => {
    const codec = codecOf(name, { round: true });
    const rounded = (cell: string) => {
      const outcome = encode(codec, cell, 'text');
      return typeof outcome === 'object' && 'value' in outcome ? outcome.value.toString() : outcome;
    };
    expect(['.5', '-.5', '0.4999', '1.5', '-1.5', '2.5', '9.5', '99.99', '-0.4', '.0'].map(rounded)).toEqual([
      '1',
      '-1',
      '0',
      '2',
      '-2',
      '3',
      '10',
      '100',
      '0',
      '0',
    ]);
    expect(rounded(`${top - 1n}.4`)).toBe(String(top - 1n));
    expect(rounded(`-${top}.4`)).toBe(String(-top));
    expect(rounded(`${top - 1n}.5`)).toEqual({ refused: `out of range for ${name}` });
    expect(rounded(`-${top}.5`)).toEqual({ refused: `out of range for ${name}` });
    expect(rounded('1.5x')).toEqual({ refused: notA(name) });
  });

  test('refuses what only newer PostgreSQL takes: other bases and underscores', () => {
    for (const cell of ['0x10', '0o17', '0b11', '1_000']) expect(refusal(codecOf(name), cell)).toBe(notA(name));
  });

  test('says when a number is too large', () => {
    expect(refusal(codecOf(name), String(top))).toBe(`out of range for ${name}`);
  });

  test('a blank cell is NULL', () => {
    for (const cell of ['', ' ', '\t \n'])
      expect([encode(codecOf(name), cell), encode(codecOf(name), cell, 'text')]).toEqual(['NULL', 'NULL']);
  });
});

test('rounding carries over nine digits', () => {
  const outcome = encode(codecOf('bigint', { round: true }), '12999999999.5', 'text');
  expect(outcome).toEqual({ value: Buffer.from('13000000000') });
});

test('bigint holds every 64-bit number', () => {
  const codec = codecOf('bigint');
  fc.assert(
    fc.property(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), (n) => {
      const outcome = encode(codec, String(n));
      return typeof outcome === 'object' && 'value' in outcome && outcome.value.readBigInt64BE() === n;
    }),
    { numRuns: 500 },
  );
});

describe('thousands and decimal', () => {
  const value = (cell: string, options: { thousands?: string; decimal?: string }) => {
    const outcome = encode(codecOf('integer', options), cell, 'text');
    return typeof outcome === 'object' && 'value' in outcome ? outcome.value.toString() : outcome;
  };
  const refused = { refused: 'not an integer' };

  test('groups of three are read, and digits without groups', () => {
    expect(
      ['1,234,567', '-12,345', '+1,234', '1234567', '999', '1,234.00', ' 1,234 '].map((cell) =>
        value(cell, { thousands: ',' }),
      ),
    ).toEqual(['1234567', '-12345', '1234', '1234567', '999', '1234', '1234']);
  });

  test('groups of another size are refused: 12,34 may be a decimal comma', () => {
    for (const cell of ['12,34', '1,2345', '1234,567', ',123', '1,,234', '1,234,', '1,23.00', '1,2,345'])
      expect(value(cell, { thousands: ',' })).toEqual(refused);
  });

  test('the separators may be several bytes long', () => {
    expect(value('1\u202f234\u202f567', { thousands: '\u202f' })).toBe('1234567');
    expect(value('1\u00a0234,00', { thousands: '\u00a0', decimal: ',' })).toBe('1234');
    expect(value("1'234", { thousands: "'" })).toBe('1234');
    expect(value('1 234', { thousands: ' ' })).toBe('1234');
  });

  test('a point is no decimal sign where the column has another', () => {
    expect(value('12,00', { decimal: ',' })).toBe('12');
    for (const cell of ['12.00', '1,0,0', '1.000,00']) expect(value(cell, { decimal: ',' })).toEqual(refused);
    expect(value('1.000,00', { decimal: ',', thousands: '.' })).toBe('1000');
  });

  test('a blank cell is NULL', () => {
    expect(value(' ', { thousands: ',' })).toBe('NULL');
  });
});
