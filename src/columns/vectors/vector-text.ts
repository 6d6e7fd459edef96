import type { Vector } from '../../core/batch.js';
import type { CopyBuffer } from '../../core/codec.js';
import { UNIX_DAY } from '../time/calendar.js';
import { copyBytes, putAscii } from '../cell.js';
import { growTo } from '../copy-buffer.js';
import { putDigits, shortOf } from './vector-integers.js';
import { clock, putDay, putTimeOfDay, putTimestamp, readClock } from './vector-times.js';

/** Most bytes of a value of fixed width as text: -(2^127) with a point, a timestamp far off the calendar. */
const SCALAR = 96;
const HEX = Buffer.from('0123456789abcdef');

/**
 * Writes a value that is there, and not nested, as text behind `out.pos`, and makes room for it. The text is canonical
 * and loses nothing: every digit, ISO dates and times, `true`, bytes in hexadecimal (`\x...`).
 */
export function putText(vector: Vector, row: number, out: CopyBuffer): void {
  const { type } = vector;
  switch (type.kind) {
    case 'text':
      putBytes(vector, row, out);
      return;
    case 'blob':
      putHex(vector, row, out);
      return;
    case 'digits':
      putLongDigits(vector, row, type.scale, out);
      return;
    default:
      growTo(out, SCALAR);
      putScalar(vector, row, out);
  }
}

/** Values of fixed width. There is room for SCALAR bytes. */
function putScalar(vector: Vector, row: number, out: CopyBuffer): void {
  const { type } = vector;
  switch (type.kind) {
    case 'bool':
      putAscii(out, vector.bytes[row] === 0 ? 'false' : 'true');
      return;
    case 'int':
      putDigits(vector, row, type.bytes, type.signed, 0, out);
      return;
    case 'decimal':
      putDigits(vector, row, type.bytes, true, type.scale, out);
      return;
    case 'real':
      putAscii(out, realText(vector.bytes.readFloatLE(4 * row)));
      return;
    case 'double':
      putAscii(out, doubleText(vector.bytes.readDoubleLE(8 * row)));
      return;
    case 'date':
      putDay(out, shortOf(vector, row, 4, true) + UNIX_DAY);
      return;
    case 'time':
      readClock(vector, row);
      putTimeOfDay(out, clock[0]!, clock[1]!);
      return;
    case 'timestamp':
    case 'julian':
      readClock(vector, row);
      putTimestamp(out, clock[0]!, clock[1]!, type.kind === 'timestamp' && type.utc);
      return;
    case 'uuid': {
      const hex = vector.bytes.toString('hex', 16 * row, 16 * row + 16);
      putAscii(
        out,
        `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`,
      );
      return;
    }
    case 'interval':
      putAscii(out, intervalText(vector, row));
      return;
    default:
  }
}

/** The bytes of a text or blob as they stand. */
export function putBytes(vector: Vector, row: number, out: CopyBuffer): void {
  const start = vector.words[row]!;
  const end = vector.words[row + 1]!;
  growTo(out, end - start);
  out.pos = copyBytes(vector.bytes, start, end, out.buf, out.pos);
}

/** PostgreSQL's hex form of bytea. */
function putHex(vector: Vector, row: number, out: CopyBuffer): void {
  const start = vector.words[row]!;
  const end = vector.words[row + 1]!;
  growTo(out, 2 + 2 * (end - start));
  const { buf } = out;
  let at = out.pos;
  buf[at++] = 0x5c;
  buf[at++] = 0x78;
  for (let i = start; i < end; i++) {
    const byte = vector.bytes[i]!;
    buf[at++] = HEX[byte >> 4]!;
    buf[at++] = HEX[byte & 15]!;
  }
  out.pos = at;
}

/** Decimals of more digits than 128 bits hold: rare, so a BigInt is fine. */
function putLongDigits(vector: Vector, row: number, scale: number, out: CopyBuffer): void {
  const hex = vector.bytes.toString('hex', vector.words[row], vector.words[row + 1]);
  const value = hex === '' ? 0n : BigInt.asIntN(4 * hex.length, BigInt(`0x${hex}`));
  const digits = (value < 0n ? -value : value).toString().padStart(scale + 1, '0');
  const text = `${value < 0n ? '-' : ''}${digits.slice(0, digits.length - scale)}${scale === 0 ? '' : `.${digits.slice(digits.length - scale)}`}`;
  growTo(out, text.length);
  putAscii(out, text);
}

/** The shortest text that reads back to the same double; the sign of -0 is kept. */
export const doubleText = (value: number): string => (Object.is(value, -0) ? '-0' : String(value));

/** The shortest text that reads back to the same single. */
export function realText(value: number): string {
  if (!Number.isFinite(value) || Number.isInteger(value)) return doubleText(value);
  for (let digits = 6; digits < 9; digits++) {
    const text = value.toPrecision(digits);
    if (Math.fround(Number(text)) === value) return String(Number(text));
  }
  return String(Number(value.toPrecision(9)));
}

/**
 * ISO 8601, which PostgreSQL's interval reads: months, days and seconds are kept apart, as they are no fixed number of
 * each other.
 */
function intervalText(vector: Vector, row: number): string {
  const [months, days] = [vector.words[4 * row]!, vector.words[4 * row + 1]!];
  const micros = vector.bytes.readBigInt64LE(16 * row + 8);
  const size = micros < 0n ? -micros : micros;
  const fraction = String(size % 1_000_000n)
    .padStart(6, '0')
    .replace(/0+$/, '');
  const seconds = `${micros < 0n ? '-' : ''}${size / 1_000_000n}${fraction === '' ? '' : `.${fraction}`}`;
  const date = `${months === 0 ? '' : `${months}M`}${days === 0 ? '' : `${days}D`}`;
  return `P${date}${micros === 0n && date !== '' ? '' : `T${seconds}S`}`;
}
