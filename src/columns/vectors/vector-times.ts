import type { Vector } from '../../core/batch.js';
import type { CopyBuffer } from '../../core/codec.js';
import { dateOf, FIRST_DAY, LAST_DAY, SECONDS_A_DAY, UNIX_DAY } from '../time/calendar.js';
import { putAscii } from '../cell.js';
import { putDate } from '../time/temporal-text.js';

/**
 * Dates and times of vectors, counted as calendar.ts does: days and seconds since 2000-01-01, and nanoseconds. Exact
 * for every int64; no BigInt a cell.
 */

/**
 * [seconds since 2000-01-01 00:00 or since midnight, nanoseconds] of the last `readClock`. In an array: a double in a
 * variable of the module would be a new object each time.
 */
export const clock = new Float64Array(2);

const BILLION = 1_000_000_000;
const TWO_16 = 65_536;
const TWO_32 = 4_294_967_296;
const UNIX_SECONDS = UNIX_DAY * SECONDS_A_DAY;
/** Julian day of 1970-01-01. */
const JULIAN_UNIX = 2_440_588;

/** Fills `clock` from a timestamp, julian or time vector. */
export function readClock(vector: Vector, row: number): void {
  const { type, words } = vector;
  if (type.kind === 'julian') {
    divide(words[3 * row]!, words[3 * row + 1]!, BILLION);
    const day = words[3 * row + 2]! - JULIAN_UNIX + UNIX_DAY;
    clock[0] = day * SECONDS_A_DAY + clock[0]!;
    return;
  }
  const low = words[2 * row]!;
  const high = words[2 * row + 1]!;
  if (type.kind === 'time' && type.unit === 'packed') {
    const micros = (high >>> 0) * 256 + (low >>> 24);
    clock[0] = Math.floor(micros / 1_000_000);
    clock[1] = (micros - clock[0] * 1_000_000) * 1000;
    return;
  }
  const nanos = (type.kind === 'time' || type.kind === 'timestamp') && type.unit === 'ns';
  divide(low, high, nanos ? BILLION : 1_000_000);
  if (!nanos) clock[1] = clock[1]! * 1000;
  if (type.kind === 'timestamp') clock[0] = clock[0]! + UNIX_SECONDS;
}

/**
 * Floor division of the int64 by at most 10^9: quotient to clock[0], rest to clock[1]. In steps of 32, 16 and 16 bits,
 * so that each is an exact double.
 */
function divide(low: number, high: number, by: number): void {
  const top = Math.floor(high / by);
  const middle = (high - top * by) * TWO_16 + (low >>> 16);
  const second = Math.floor(middle / by);
  const bottom = (middle - second * by) * TWO_16 + (low & 0xffff);
  const third = Math.floor(bottom / by);
  clock[0] = top * TWO_32 + second * TWO_16 + third;
  clock[1] = bottom - third * by;
}

/** `YYYY-MM-DD`; years outside 0001 to 9999 with their sign or all their digits, which every codec refuses. */
export function putDay(out: CopyBuffer, day: number): void {
  if (day >= FIRST_DAY && day <= LAST_DAY) {
    out.pos = putDate(out.buf, out.pos, day);
    return;
  }
  const date = dateOf(day);
  const year = Math.floor(date / 10_000);
  const rest = date - year * 10_000;
  const two = (value: number): string => String(value).padStart(2, '0');
  putAscii(
    out,
    `${year < 0 ? '-' : ''}${String(Math.abs(year)).padStart(4, '0')}-${two(Math.floor(rest / 100))}-${two(rest % 100)}`,
  );
}

/** The clock of `readClock` as a time of day: `HH:MM:SS[.fffffffff]`; hours past 23 as they are. */
export function putTimeOfDay(out: CopyBuffer, seconds: number, nanos: number): void {
  if (seconds < 0) {
    putAscii(out, `-${seconds} s`);
    return;
  }
  const { buf } = out;
  const hours = Math.floor(seconds / 3600);
  if (hours > 99) putAscii(out, String(hours));
  else putTwo(out, hours);
  buf[out.pos++] = 0x3a;
  const rest = seconds - hours * 3600;
  putTwo(out, (rest / 60) | 0);
  buf[out.pos++] = 0x3a;
  putTwo(out, rest % 60);
  if (nanos === 0) return;
  buf[out.pos] = 0x2e;
  let digits = nanos;
  let last = 9;
  while (digits % 10 === 0) {
    digits = digits / 10;
    last--;
  }
  for (let i = last; i > 0; i--) {
    const next = Math.floor(digits / 10);
    buf[out.pos + i] = 0x30 + digits - next * 10;
    digits = next;
  }
  out.pos += last + 1;
}

/** The clock of `readClock` as a timestamp, `Z` behind it for an instant. */
export function putTimestamp(out: CopyBuffer, seconds: number, nanos: number, utc: boolean): void {
  const day = Math.floor(seconds / SECONDS_A_DAY);
  putDay(out, day);
  out.buf[out.pos++] = 0x20;
  putTimeOfDay(out, seconds - day * SECONDS_A_DAY, nanos);
  if (utc) out.buf[out.pos++] = 0x5a;
}

function putTwo(out: CopyBuffer, value: number): void {
  out.buf[out.pos] = 0x30 + ((value / 10) | 0);
  out.buf[out.pos + 1] = 0x30 + (value % 10);
  out.pos += 2;
}
