import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type TestDatabase, createDatabase } from '../support/postgres.js';
import { codecOf, encode, expectAsPostgres, expectOrderOfPostgres, oneOf, refusal } from './support.js';

let db: TestDatabase;
beforeAll(async () => {
  db = await createDatabase();
});
afterAll(async () => {
  await db.drop();
});

const digits = (max: number) => fc.string({ unit: oneOf('0123456789'), maxLength: max });
const manyZeros = fc.string({ unit: oneOf('00000019'), maxLength: 24 });

/** Literals of every shape: sign, zeros in front, point anywhere, exponent. */
const literal = fc
  .tuple(
    fc.constantFrom('', '-', '+'),
    fc.oneof(digits(12), digits(40), manyZeros),
    fc.option(fc.oneof(digits(12), digits(40), manyZeros)),
    fc.option(fc.integer({ min: -60, max: 60 }), { freq: 4 }),
  )
  .filter(([, whole, fraction]) => whole !== '' || (fraction ?? '') !== '')
  .map(
    ([sign, whole, fraction, exponent]) =>
      sign + whole + (fraction === null ? '' : `.${fraction}`) + (exponent === null ? '' : `e${exponent}`),
  );

const text = (typeName: string, cell: string, round = false) => {
  const outcome = encode(codecOf(typeName, { round }), cell, 'text');
  return typeof outcome === 'object' && 'value' in outcome ? outcome.value.toString() : outcome;
};

/** What PostgreSQL holds for each cell, by rounding in SQL; null = out of range. */
async function roundedByPostgres(sqlType: string, cells: readonly string[]): Promise<(Buffer | null)[]> {
  const { rows } = await db.client.query<{ value: Buffer | null }>(
    `select case when pg_input_is_valid(x, $2) then numeric_send(x::${sqlType}) end as value from unnest($1::text[]) with ordinality u(x, ord) order by ord`,
    [cells, sqlType],
  );
  return rows.map((row) => row.value);
}

describe('numeric', () => {
  test('is what PostgreSQL makes of the same literal, scale included', async () => {
    const edges = [
      '0',
      '-0',
      '0.0',
      '0.000000',
      '.5',
      '5.',
      '-.5',
      '1.10',
      '1.100',
      '00012',
      '0.0001',
      '0.00012',
      '0.00000001',
      '10000',
      '100000000',
      '9999',
      '99990000',
      '9999.9999',
      '99999',
      '0.9999',
      '0.99990',
      '0.00009999',
    ];
    const long = [
      '12345678901234567890123456789012345678',
      `0.${'1'.repeat(38)}`,
      '9'.repeat(1000),
      `${'9'.repeat(500)}.${'9'.repeat(500)}`,
      `1${'0'.repeat(999)}`,
      `0.${'0'.repeat(999)}1`,
      `${'0'.repeat(5000)}7`,
    ];
    const exponents = [
      '1e0',
      '1E5',
      '1e+5',
      '1e-5',
      '1.50e1',
      '1.50e-1',
      '15e3',
      '150e-3',
      '0e5',
      '0e-5',
      '0.00e1',
      '1e4',
      '1e3',
      '1e-4',
      '1e-3',
      '12345e-7',
      '1e131071',
      '9e131071',
      '1e-16383',
      '0e-16383',
      '0e200000',
      '123e-16380',
    ];
    const refused = [
      '',
      '.',
      '-',
      '+',
      '-.',
      'e',
      'e5',
      '.e5',
      '1e',
      '1e+',
      '1e5.0',
      '1e 5',
      '1.2.3',
      '1..2',
      '--1',
      '1-',
      '- 1',
      '1,5',
      '$1',
      '1%',
      '(1)',
      '1_',
      'abc',
      '١',
    ].filter((cell) => cell !== '');
    const past = [
      '1e131072',
      '1e-16384',
      '0e-16384',
      '1e2147483647',
      '1e-2147483648',
      '0e2147483647',
      '1e99999999999999999999',
      '0e-99999999999999999999',
      `1${'0'.repeat(131_072)}`,
      `0.${'0'.repeat(16_384)}`,
      '0e1073741823',
      '0e1073741824',
      '0e1073741822',
    ];
    const random = fc.sample(literal, { numRuns: 2500, seed: 11 });
    await expectAsPostgres({
      client: db.client,
      sqlType: 'numeric',
      send: 'numeric_send',
      codec: codecOf('numeric'),
      cells: [...edges, ...long, ...exponents, ...refused, ...past, ...random, ' 1.5 ', '\t-2\n'],
    });
  });

  test('orders as PostgreSQL does, and 1.0 is 1.00', async () => {
    const cells = [
      '0',
      '-0',
      '0.00',
      '1',
      '1.0',
      '1.00',
      '-1',
      '-1.0',
      '10000',
      '9999',
      '9999.9999',
      '10000.0001',
      '-10000',
      '-9999',
      '0.0001',
      '0.00011',
      '-0.0001',
      '1e20',
      '100000000000000000000.00',
      '-1e20',
      '1e-20',
      '12345678',
      '12345679',
      '1234567800000',
      '12345678.1',
    ];
    await expectOrderOfPostgres(db.client, 'numeric', codecOf('numeric'), cells);
  });

  test('NaN and Infinity are refused, though PostgreSQL takes them', () => {
    for (const cell of ['NaN', 'nan', 'Infinity', '-Infinity', 'inf', '+inf'])
      expect(refusal(codecOf('numeric'), cell)).toBe('not a numeric');
  });

  test('other bases and underscores are refused, though PostgreSQL takes them', () => {
    for (const cell of ['0x1F', '0o17', '0b11', '1_000', '1_000.5'])
      expect(refusal(codecOf('numeric'), cell)).toBe('not a numeric');
  });

  test('says what is too large and what has too many decimals', () => {
    expect(refusal(codecOf('numeric'), '1e131072')).toBe('out of range for numeric');
    expect(refusal(codecOf('numeric'), '1e-16384')).toBe('more than 16383 decimals');
  });

  test('a blank cell is NULL', () => {
    for (const cell of ['', ' ', '\t'])
      expect([encode(codecOf('numeric'), cell), encode(codecOf('numeric'), cell, 'text')]).toEqual(['NULL', 'NULL']);
  });

  test('the literal for text COPY does not grow with the exponent', () => {
    expect(['1e131071', '-1e-16383', '1.50', '1500', '0.00'].map((cell) => text('numeric', cell))).toEqual([
      '1000e131068',
      '-1e-16383',
      '150e-2',
      '1500',
      '0e-2',
    ]);
  });
});

describe.each([
  'numeric(12,2)',
  'numeric(38,10)',
  'numeric(5)',
  'numeric(4,4)',
  'numeric(3,5)',
  'numeric(3,-2)',
  'numeric(1000,500)',
  'numeric(2,-1000)',
  'numeric(1000,1000)',
])('%s', (name) => {
  const [, precision, scale] = /\((\d+)(?:,(-?\d+))?/.exec(name)!.map(Number);
  const places = Number.isNaN(scale) ? 0 : scale!;
  const whole = precision! - places;
  /** Values around the largest one, and one unit of the scale. */
  const edges = [
    `9e${whole - 1}`,
    `1e${whole}`,
    `1e${whole - 1}`,
    `${'9'.repeat(precision!)}e${-places}`,
    `-${'9'.repeat(precision!)}e${-places}`,
    `${'9'.repeat(precision!)}5e${-places - 1}`,
    `1e${-places}`,
    `-1e${-places}`,
    `4e${-places - 1}`,
    `5e${-places - 1}`,
    `-5e${-places - 1}`,
    `0e${-places - 5}`,
    '0',
    '-0',
    '0.000000000',
    '1.00',
    '100',
    '1234.5000',
  ];
  const random = fc.sample(literal, { numRuns: 600, seed: 12 });

  test('with round, is what PostgreSQL makes of the same literal', async () => {
    await expectAsPostgres({
      client: db.client,
      sqlType: name,
      send: 'numeric_send',
      codec: codecOf(name, { round: true }),
      cells: [...edges, ...random],
    });
  });

  test('without round, takes exactly the literals that PostgreSQL would not change', async () => {
    const cells = [...edges, ...random];
    const [held, exact] = [await roundedByPostgres(name, cells), await roundedByPostgres('numeric', cells)];
    const codec = codecOf(name);
    const wrong = cells.filter((cell, i) => {
      const outcome = encode(codec, cell);
      const unchanged = held[i] !== null && sameValue(codec, held[i]!, exact[i]!);
      return typeof outcome === 'object' && 'value' in outcome
        ? !unchanged || !outcome.value.equals(held[i]!)
        : unchanged;
    });
    expect(wrong).toEqual([]);
  });
});

function sameValue(codec: ReturnType<typeof codecOf>, a: Buffer, b: Buffer): boolean {
  return codec.compare?.(a, 0, a.length, b, 0, b.length) === 0;
}

describe('numeric(12,2)', () => {
  test('surplus zeros are fine, other digits past the scale are refused', () => {
    expect(text('numeric(12,2)', '1.2300000')).toBe('12300e-4');
    expect(text('numeric(12,2)', '1.239')).toEqual({ refused: 'more than 2 decimals' });
    expect(text('numeric(12,2)', '1e-3')).toEqual({ refused: 'more than 2 decimals' });
  });

  test('overflow is refused, also when rounding makes it', () => {
    expect(text('numeric(12,2)', '10000000000')).toEqual({ refused: 'out of range for numeric(12,2)' });
    expect(text('numeric(12,2)', '9999999999.995', true)).toEqual({ refused: 'out of range for numeric(12,2)' });
  });

  test('rounds half away from zero when asked', () => {
    const rounded = (cell: string) => {
      const outcome = encode(codecOf('numeric(12,2)', { round: true }), cell);
      return typeof outcome === 'object' && 'value' in outcome ? outcome.value.toString('hex') : outcome;
    };
    const plain = (cell: string) => {
      const outcome = encode(codecOf('numeric(12,2)'), cell);
      return typeof outcome === 'object' && 'value' in outcome ? outcome.value.toString('hex') : outcome;
    };
    expect(['0.005', '-0.005', '0.0049', '1.995', '99.995', '-99.9949', '0.125'].map(rounded)).toEqual(
      ['0.01', '-0.01', '0', '2', '100', '-99.99', '0.13'].map(plain),
    );
  });

  test('numeric(3,-2) says that a multiple is wanted', () => {
    expect(text('numeric(3,-2)', '150')).toEqual({ refused: 'not a multiple of 1e2' });
  });

  test("is refused in a supplier's own notation until the column says it", () => {
    expect(text('numeric(12,2)', '1.234,50')).toEqual({ refused: 'not a numeric(12,2)' });
    const codec = codecOf('numeric(12,2)', { decimal: ',', thousands: '.' });
    expect(encode(codec, '1.234,50')).toEqual(encode(codecOf('numeric(12,2)'), '1234.50'));
    expect(encode(codec, '-1.234.567,8e1')).toEqual(encode(codecOf('numeric(12,2)'), '-12345678'));
    expect(encode(codec, '1.23')).toEqual({ refused: 'not a numeric(12,2)' });
  });
});
