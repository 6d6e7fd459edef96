import { putInt32 } from '../cell.js';

const TWO_32 = 4_294_967_296;

/**
 * Writes seconds * 1,000,000 + micros as a big-endian int64. Year 9999 is 2.5e17 microseconds, past the 2^53 up to
 * which a double is exact, and a BigInt a cell would allocate: so the product is made of two halves, each exact.
 * |seconds| < 2^38, 0 <= micros < 10^6.
 */
export function putMicroseconds(buf: Buffer, at: number, seconds: number, micros: number): void {
  const upper = Math.floor(seconds / 65_536);
  // value = millions * 2^16 + rest; millions < 2^42, rest < 2^36
  const millions = upper * 1_000_000;
  const rest = (seconds - upper * 65_536) * 1_000_000 + micros;
  const high = Math.floor(millions / 65_536);
  const low = (millions - high * 65_536) * 65_536 + rest;
  putInt32(buf, at, high + Math.floor(low / TWO_32));
  putInt32(buf, at + 4, low >>> 0);
}

/** Order of big-endian signed integers of equal length. */
export function compareSigned(
  a: Buffer,
  aStart: number,
  aEnd: number,
  b: Buffer,
  bStart: number,
  bEnd: number,
): number {
  const signs = ((a[aStart]! << 24) >> 24) - ((b[bStart]! << 24) >> 24);
  return signs !== 0 ? signs : a.compare(b, bStart, bEnd, aStart, aEnd);
}
