import type { Vector, VectorType } from '../../core/batch.js';
import type { CopyBuffer } from '../../core/codec.js';
import { FIRST_DAY, LAST_DAY, SECONDS_A_DAY, UNIX_DAY } from '../time/calendar.js';
import { copyBytes, putInt32 } from '../cell.js';
import type { Column, CopyMode } from '../column.js';
import { growTo } from '../copy-buffer.js';
import { putMicroseconds } from '../numbers/int64.js';
import { numericLimits } from '../type-name.js';
import { isCleanText, VectorCell } from './vector-cells.js';
import { putNumeric, shortOf } from './vector-integers.js';
import { clock, readClock } from './vector-times.js';

/** Writes a value that is there. Returns what Column.encode returns, or NOT_TEXT. */
export type WriteValue = (vector: Vector, row: number, out: CopyBuffer) => number;

/** A text that is no UTF-8, or holds NUL. */
export const NOT_TEXT = 998;

/**
 * How values of a vector get into a column. Natural pairs (int to bigint, decimal to a numeric with room for it ...) go
 * from bytes to bytes; a value that does not fit, every other pair, and columns with rules go through the value's text
 * and the column's codec, so that they meet the same rules and the same words as text of a CSV. `slack`: room for the
 * rest of the row, kept behind what is written.
 */
export function writerOf(column: Column, type: VectorType, mode: CopyMode, slack: number): WriteValue {
  if (isTextual(column, type)) return textWriter(column, slack);
  const asText = valueWriter(column, slack);
  // No rules and no trim: then the column's function is the codec's own.
  return mode === 'binary' && column.encode === column.codec.encode
    ? (naturalWriter(column, type, asText, slack) ?? asText)
    : asText;
}

const isTextual = (column: Column, type: VectorType): boolean =>
  type.kind === 'text' || (type.kind === 'blob' && column.type.typname !== 'bytea');

function textWriter(column: Column, slack: number): WriteValue {
  const { encode, maxSize } = column;
  return (vector, row, out) => {
    const start = vector.words[row]!;
    const end = vector.words[row + 1]!;
    if (!vector.clean && !isCleanText(vector.bytes, start, end)) return NOT_TEXT;
    growTo(out, maxSize(end - start) + slack);
    return encode(vector.bytes, start, end, out);
  };
}

function valueWriter(column: Column, slack: number): WriteValue {
  const { encode, maxSize } = column;
  const cell = new VectorCell();
  return (vector, row, out) => {
    cell.read(vector, row, column);
    // Nested texts are JSON: NUL in them is an escape, bytes that are no UTF-8 are not.
    if (vector.children.length > 0 && !cell.isClean()) return NOT_TEXT;
    growTo(out, maxSize(cell.end) + slack);
    return encode(cell.bytes, cell.start, cell.end, out);
  };
}

function naturalWriter(column: Column, type: VectorType, asText: WriteValue, slack: number): WriteValue | null {
  const { typname, typmod } = column.type;
  switch (type.kind) {
    case 'int':
      return intWriter(typname, typmod, type, asText);
    case 'decimal':
      return typname === 'numeric' ? numericWriter(typmod, type.bytes, true, type.precision, type.scale) : null;
    case 'bool':
      return typname === 'bool' ? writeBool : null;
    case 'real':
      return typname === 'float4' ? writeReal : typname === 'float8' ? widenReal : null;
    case 'double':
      return typname === 'float8' ? writeDouble : null;
    case 'date':
      return typname === 'date' ? dateWriter(asText) : null;
    case 'time':
      return typname === 'time' && typmod < 0 ? timeWriter(asText) : null;
    case 'timestamp':
      if (typname !== (type.utc ? 'timestamptz' : 'timestamp') || typmod >= 0) return null;
      return type.unit === 'us' ? microsWriter(asText) : clockWriter(asText);
    case 'julian':
      return typname === 'timestamp' && typmod < 0 ? clockWriter(asText) : null;
    case 'uuid':
      return typname === 'uuid' ? writeUuid : null;
    case 'blob':
      return typname === 'bytea' ? blobWriter(slack) : null;
    default:
      return null;
  }
}

type Int = Extract<VectorType, { kind: 'int' }>;

/** Decimal digits of the largest value. */
const intDigits = ({ bytes, signed }: Int): number =>
  bytes === 1 ? 3 : bytes === 2 ? 5 : bytes === 4 ? 10 : signed ? 19 : 20;

function intWriter(typname: string, typmod: number, type: Int, asText: WriteValue): WriteValue | null {
  if (typname === 'numeric') return numericWriter(typmod, type.bytes, type.signed, intDigits(type), 0);
  if (typname === 'int8')
    return type.bytes === 8
      ? type.signed
        ? writeInt64
        : (vector, row, out) => (vector.words[2 * row + 1]! < 0 ? asText : writeInt64)(vector, row, out)
      : widen(type);
  if (typname === 'float8' && type.bytes < 8) return toDouble(type);
  const size = typname === 'int4' ? 4 : typname === 'int2' ? 2 : 0;
  if (size === 0) return null;
  const least = size === 4 ? -2_147_483_648 : -32_768;
  const { bytes, signed } = type;
  if (bytes === 8) {
    return (vector, row, out) => {
      const low = vector.words[2 * row]!;
      if (
        vector.words[2 * row + 1] !== (signed ? low >> 31 : 0) ||
        low < least ||
        low >= -least ||
        (!signed && low < 0)
      )
        return asText(vector, row, out);
      return putShort(low, size, out);
    };
  }
  return (vector, row, out) => {
    const value = shortOf(vector, row, bytes, signed);
    return value < least || value >= -least ? asText(vector, row, out) : putShort(value, size, out);
  };
}

function putShort(value: number, size: number, out: CopyBuffer): number {
  const { buf } = out;
  let at = out.pos;
  putInt32(buf, at, size);
  at += 4;
  if (size === 4) {
    buf[at++] = value >>> 24;
    buf[at++] = value >>> 16;
  }
  buf[at] = value >>> 8;
  buf[at + 1] = value;
  out.pos = at + 2;
  return 0;
}

const writeInt64: WriteValue = (vector, row, out) => {
  putInt32(out.buf, out.pos, 8);
  putInt32(out.buf, out.pos + 4, vector.words[2 * row + 1]!);
  putInt32(out.buf, out.pos + 8, vector.words[2 * row]!);
  out.pos += 12;
  return 0;
};

const widen =
  ({ bytes, signed }: Int): WriteValue =>
  (vector, row, out) => {
    const value = shortOf(vector, row, bytes, signed);
    putInt32(out.buf, out.pos, 8);
    putInt32(out.buf, out.pos + 4, value < 0 ? -1 : 0);
    putInt32(out.buf, out.pos + 8, value);
    out.pos += 12;
    return 0;
  };

const toDouble =
  ({ bytes, signed }: Int): WriteValue =>
  (vector, row, out) => {
    putInt32(out.buf, out.pos, 8);
    out.buf.writeDoubleBE(shortOf(vector, row, bytes, signed), out.pos + 4);
    out.pos += 12;
    return 0;
  };

/** Only where every value of the file's type fits the column's: then nothing has to be looked at. */
function numericWriter(
  typmod: number,
  bytes: number,
  signed: boolean,
  precision: number,
  scale: number,
): WriteValue | null {
  const limits = numericLimits(typmod);
  if (limits !== null && (limits.scale < scale || limits.precision - limits.scale < precision - scale)) return null;
  const shown = limits?.scale ?? scale;
  return (vector, row, out) => {
    putNumeric(vector, row, bytes, signed, scale, shown, out);
    return 0;
  };
}

const writeBool: WriteValue = (vector, row, out) => {
  putInt32(out.buf, out.pos, 1);
  out.buf[out.pos + 4] = vector.bytes[row]!;
  out.pos += 5;
  return 0;
};

const writeReal: WriteValue = (vector, row, out) => {
  putInt32(out.buf, out.pos, 4);
  putInt32(out.buf, out.pos + 4, vector.words[row]!);
  out.pos += 8;
  return 0;
};

/** The same number: every single is a double. */
const widenReal: WriteValue = (vector, row, out) => {
  putInt32(out.buf, out.pos, 8);
  out.buf.writeDoubleBE(vector.bytes.readFloatLE(4 * row), out.pos + 4);
  out.pos += 12;
  return 0;
};

const writeDouble: WriteValue = (vector, row, out) => writeInt64(vector, row, out);

const dateWriter =
  (asText: WriteValue): WriteValue =>
  (vector, row, out) => {
    const day = vector.words[row]! + UNIX_DAY;
    if (day < FIRST_DAY || day > LAST_DAY) return asText(vector, row, out);
    putInt32(out.buf, out.pos, 4);
    putInt32(out.buf, out.pos + 4, day);
    out.pos += 8;
    return 0;
  };

const timeWriter =
  (asText: WriteValue): WriteValue =>
  (vector, row, out) => {
    readClock(vector, row);
    const seconds = clock[0]!;
    const micros = clock[1]! / 1000;
    if (seconds < 0 || seconds >= SECONDS_A_DAY || !Number.isInteger(micros)) return asText(vector, row, out);
    putInt32(out.buf, out.pos, 8);
    putMicroseconds(out.buf, out.pos + 4, seconds, micros);
    out.pos += 12;
    return 0;
  };

/**
 * High words of 0001-01-01 and 9999-12-31 in microseconds since 1970: between them, and not at them, every value is in
 * range.
 */
const FIRST_HIGH = -14_467_071;
const LAST_HIGH = 58_999_820;
/** Microseconds from 1970 to 2000, as two words. */
const EPOCH_HIGH = 220_417;
const EPOCH_LOW = 0x3b37e000;
const TWO_32 = 4_294_967_296;

const microsWriter =
  (asText: WriteValue): WriteValue =>
  (vector, row, out) => {
    const high = vector.words[2 * row + 1]!;
    if (high <= FIRST_HIGH || high >= LAST_HIGH) return asText(vector, row, out);
    const low = (vector.words[2 * row]! >>> 0) - EPOCH_LOW;
    putInt32(out.buf, out.pos, 8);
    putInt32(out.buf, out.pos + 4, high - EPOCH_HIGH - (low < 0 ? 1 : 0));
    putInt32(out.buf, out.pos + 8, low < 0 ? low + TWO_32 : low);
    out.pos += 12;
    return 0;
  };

/** Nanoseconds and Julian days: digits past microseconds are the codec's business. */
const clockWriter =
  (asText: WriteValue): WriteValue =>
  (vector, row, out) => {
    readClock(vector, row);
    const seconds = clock[0]!;
    const micros = clock[1]! / 1000;
    if (seconds < FIRST_DAY * SECONDS_A_DAY || seconds >= (LAST_DAY + 1) * SECONDS_A_DAY || !Number.isInteger(micros))
      return asText(vector, row, out);
    putInt32(out.buf, out.pos, 8);
    putMicroseconds(out.buf, out.pos + 4, seconds, micros);
    out.pos += 12;
    return 0;
  };

const writeUuid: WriteValue = (vector, row, out) => {
  putInt32(out.buf, out.pos, 16);
  out.pos = copyBytes(vector.bytes, 16 * row, 16 * row + 16, out.buf, out.pos + 4);
  return 0;
};

const blobWriter =
  (slack: number): WriteValue =>
  (vector, row, out) => {
    const start = vector.words[row]!;
    const end = vector.words[row + 1]!;
    growTo(out, 4 + end - start + slack);
    putInt32(out.buf, out.pos, end - start);
    out.pos = copyBytes(vector.bytes, start, end, out.buf, out.pos + 4);
    return 0;
  };
