import fc from 'fast-check';
import type { Vector, VectorBatch, VectorType } from '../../src/core/batch.js';

/**
 * A value as tests write it: whole numbers (also of decimals, dates, times) as bigint, texts as string, bytes and uuids
 * as Buffer, [nanoseconds, Julian day], [months, days, microseconds].
 */
export type Value = boolean | bigint | number | string | Buffer | readonly bigint[] | null;

const WIDTH: Partial<Record<VectorType['kind'], number>> = {
  bool: 1,
  real: 4,
  double: 8,
  date: 4,
  time: 8,
  timestamp: 8,
  julian: 12,
  uuid: 16,
  interval: 16,
};
const widthOf = (type: VectorType): number => ('bytes' in type ? type.bytes : (WIDTH[type.kind] ?? 0));

const little = (value: bigint, bytes: number): Buffer =>
  Buffer.from(
    BigInt.asUintN(8 * bytes, value)
      .toString(16)
      .padStart(2 * bytes, '0'),
    'hex',
  ).reverse();

function bytesOf(type: VectorType, value: Value): Buffer {
  const width = widthOf(type);
  if (value === null) return Buffer.alloc(width, 0x5a);
  if (Buffer.isBuffer(value)) return value;
  if (typeof value === 'string') return Buffer.from(value);
  if (typeof value === 'boolean') return Buffer.from([value ? 1 : 0]);
  if (typeof value === 'number') {
    const buf = Buffer.alloc(width);
    if (width === 4) buf.writeFloatLE(value);
    else buf.writeDoubleLE(value);
    return buf;
  }
  if (typeof value === 'bigint')
    return little(type.kind === 'time' && type.unit === 'packed' ? (value << 24n) | 57_599n : value, width);
  return type.kind === 'julian'
    ? Buffer.concat([little(value[0]!, 8), little(value[1]!, 4)])
    : Buffer.concat([little(value[0]!, 4), little(value[1]!, 4), little(value[2]!, 8)]);
}

/** A vector of these values, in memory of its own so that its words are aligned. */
export function vectorOf(type: VectorType, values: readonly Value[], clean = true): Vector {
  const parts = values.map((value) => bytesOf(type, value));
  const textual = widthOf(type) === 0;
  const bytes = Buffer.from(
    new Uint8Array(
      Buffer.concat(textual ? parts.map((part, i) => (values[i] === null ? Buffer.alloc(0) : part)) : parts),
    ).buffer,
  );
  const validity = values.some((value) => value === null) ? new Uint8Array(Math.ceil(values.length / 8)) : null;
  if (validity !== null) values.forEach((value, i) => (validity[i >> 3]! |= value === null ? 0 : 1 << (i & 7)));
  let words = new Int32Array(bytes.buffer, 0, bytes.length >> 2);
  if (textual) {
    let at = 0;
    words = Int32Array.from([0, ...parts.map((part, i) => (at += values[i] === null ? 0 : part.length))]);
  }
  return { type, validity, bytes, words, children: [], clean };
}

/** One column, a row a value. */
export const batchOfVector = (vector: Vector, rows: number): VectorBatch => ({
  kind: 'vectors',
  rows,
  columns: [vector],
  names: ['c'],
  firstRow: 1,
  size: 0,
});

const abs = (value: bigint): bigint => (value < 0n ? -value : value);

/** A whole number with `scale` of its digits behind a point. */
export function decimalText(value: bigint, scale: number): string {
  const digits = abs(value)
    .toString()
    .padStart(scale + 1, '0');
  return `${value < 0n ? '-' : ''}${digits.slice(0, digits.length - scale)}${scale === 0 ? '' : `.${digits.slice(-scale)}`}`;
}

const two = (value: bigint): string => value.toString().padStart(2, '0');

/** HH:MM:SS and as many digits behind it as there are. */
function timeText(units: bigint, perSecond: bigint): string {
  const seconds = units / perSecond;
  const fraction = (units % perSecond)
    .toString()
    .padStart(perSecond.toString().length - 1, '0')
    .replace(/0+$/, '');
  return `${two(seconds / 3600n)}:${two((seconds / 60n) % 60n)}:${two(seconds % 60n)}${fraction === '' ? '' : `.${fraction}`}`;
}

/** Years that Date has and that have four digits. */
function dateText(day: bigint): string {
  return new Date(Number(day) * 86_400_000).toISOString().slice(0, 10);
}

const floor = (value: bigint, by: bigint): bigint => (value - (((value % by) + by) % by)) / by;

function timestampText(units: bigint, perSecond: bigint, utc: boolean): string {
  const day = floor(units, 86_400n * perSecond);
  return `${dateText(day)} ${timeText(units - day * 86_400n * perSecond, perSecond)}${utc ? 'Z' : ''}`;
}

/** The text of a value, made in another way than the program does. */
export function textOf(type: VectorType, value: Exclude<Value, null>): string {
  switch (type.kind) {
    case 'int':
      return String(value);
    case 'decimal':
      return decimalText(value as bigint, type.scale);
    case 'digits':
      return decimalText(
        BigInt.asIntN(8 * (value as Buffer).length, BigInt(`0x${(value as Buffer).toString('hex')}`)),
        type.scale,
      );
    case 'date':
      return dateText(value as bigint);
    case 'time':
      return timeText(value as bigint, type.unit === 'ns' ? 1_000_000_000n : 1_000_000n);
    case 'timestamp':
      return timestampText(value as bigint, type.unit === 'ns' ? 1_000_000_000n : 1_000_000n, type.utc);
    case 'julian':
      return timestampText(
        (value as readonly bigint[])[0]! + ((value as readonly bigint[])[1]! - 2_440_588n) * 86_400_000_000_000n,
        1_000_000_000n,
        false,
      );
    case 'uuid':
      return (value as Buffer).toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
    case 'blob':
      return `\\x${(value as Buffer).toString('hex')}`;
    case 'double':
    case 'real':
      return Object.is(value, -0) ? '-0' : String(value);
    default:
      return String(value);
  }
}

const near = (bits: bigint): fc.Arbitrary<bigint> => {
  const [min, max] = [-(1n << (bits - 1n)), (1n << (bits - 1n)) - 1n];
  return fc.oneof(fc.bigInt({ min, max }), fc.bigInt({ min: -100n, max: 100n }), fc.constantFrom(min, max, 0n, -1n));
};
const up = (bits: bigint): fc.Arbitrary<bigint> =>
  fc.oneof(
    fc.bigInt({ min: 0n, max: (1n << bits) - 1n }),
    fc.bigInt({ min: 0n, max: 200n }),
    fc.constantFrom(0n, (1n << bits) - 1n, 1n << (bits - 1n)),
  );
/** Up to so many digits, of any length. */
const digits = (count: number): fc.Arbitrary<bigint> =>
  fc
    .integer({ min: 0, max: count })
    .chain((n) => fc.bigInt({ min: -(10n ** BigInt(n)) + 1n, max: 10n ** BigInt(n) - 1n }));

const DAY_US = 86_400_000_000n;
/** 0001-01-01 to 9999-12-31, in days since 1970. */
const DAYS = { min: -719_162n, max: 2_932_896n };
const rounded = (unit: bigint, min: bigint, max: bigint): fc.Arbitrary<bigint> =>
  fc.tuple(fc.bigInt({ min, max }), fc.constantFrom(1n, unit, 1000n * unit, 1_000_000n * unit)).map(([value, step]) => {
    const low = value - (((value % step) + step) % step);
    return low < min ? value : low;
  });

/** Values of a type whose text textOf can tell. */
export function valuesOf(type: VectorType): fc.Arbitrary<Value> {
  const value = ((): fc.Arbitrary<Value> => {
    switch (type.kind) {
      case 'bool':
        return fc.boolean();
      case 'int':
        return (type.signed ? near : up)(BigInt(8 * type.bytes));
      case 'decimal':
        return digits(type.precision);
      case 'digits':
        return fc.uint8Array({ minLength: 1, maxLength: 40 }).map((bytes) => Buffer.from(bytes));
      case 'real':
        return fc.oneof(
          fc.float(),
          fc.integer({ min: -1000, max: 1000 }).map((n) => Math.fround(n / 10)),
        );
      case 'double':
        return fc.oneof(
          fc.double(),
          fc.integer({ min: -1000, max: 1000 }).map((n) => n / 10),
        );
      case 'date':
        return fc.bigInt(DAYS);
      case 'time':
        return rounded(1n, 0n, type.unit === 'ns' ? DAY_US * 1000n - 1n : DAY_US - 1n);
      case 'timestamp':
        return type.unit === 'ns'
          ? rounded(1000n, -9_223_372_036_854_775_808n, 9_223_372_036_854_775_807n)
          : rounded(1n, DAYS.min * DAY_US, (DAYS.max + 1n) * DAY_US - 1n);
      case 'julian':
        return fc.tuple(
          rounded(1000n, 0n, DAY_US * 1000n - 1n),
          fc.bigInt({ min: DAYS.min + 2_440_588n, max: DAYS.max + 2_440_588n }),
        );
      case 'uuid':
        return fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes));
      case 'blob':
        return fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes));
      case 'text':
        return fc.oneof(
          fc.string({ unit: 'binary', maxLength: 60 }).map((text) => text.replaceAll('\0', '')),
          fc.constantFrom(
            '',
            ' ',
            '12',
            '-1.50',
            '1e3',
            'true',
            '2024-02-29',
            '2024-02-29 12:34:56.789Z',
            '{"a": 1}',
            '\\x00ff',
            'b8f0a3a2-1c2d-4e5f-8a9b-0c1d2e3f4a5b',
          ),
        );
      default:
        return fc.constant(null);
    }
  })();
  return fc.oneof({ weight: 8, arbitrary: value }, { weight: 1, arbitrary: fc.constant(null) });
}
