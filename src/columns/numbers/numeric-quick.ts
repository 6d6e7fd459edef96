import type { CopyBuffer } from '../../core/codec.js';
import { putInt32 } from '../cell.js';

/** Stands for "no scale given"; far from every scale (-1000 to 1000). */
export const NO_SCALE = -1_000_000;

/** What a column holds. */
export interface Limits {
  /** Most digits before the point (precision - scale); may be negative: numeric(3,5) holds up to 0.00999. */
  readonly whole: number;
  /** Digits behind the point; NO_SCALE = as many as the literal has. */
  readonly scale: number;
  readonly round: boolean;
}

/**
 * Magnitudes of up to nine digits before the point and eight behind it, in groups: two runs of 32-bit arithmetic and no
 * module state.
 */
const QUICK_WHOLE = 9;
const QUICK_FRACTION = 8;
const POWERS = Int32Array.from({ length: QUICK_WHOLE + 1 }, (_, i) => 10 ** i);

/**
 * `[-] digits [. digits]` that fits the column as it stands: nearly every cell, in two thirds of the time. False =
 * another form, or nothing for this column: `encode` tells.
 */
export function encodeQuick(bytes: Buffer, start: number, end: number, out: CopyBuffer, limits: Limits): boolean {
  const negative = start < end && bytes[start] === 0x2d;
  let at = negative ? start + 1 : start;
  const from = at;
  let whole = 0;
  let digit = 0;
  while (at < end && (digit = bytes[at]! - 0x30) >= 0 && digit <= 9) {
    if (at - from === QUICK_WHOLE) return false;
    whole = whole * 10 + digit;
    at += 1;
  }
  let fraction = 0;
  let decimals = 0;
  if (at < end) {
    if (bytes[at] !== 0x2e || at === from) return false;
    at += 1;
    decimals = end - at;
    if (decimals > QUICK_FRACTION) return false;
    for (; at < end; at++) {
      digit = bytes[at]! - 0x30;
      if (digit < 0 || digit > 9) return false;
      fraction = fraction * 10 + digit;
    }
    fraction *= POWERS[QUICK_FRACTION - decimals]!;
  } else if (at === from) {
    return false;
  }
  let { scale } = limits;
  if (scale === NO_SCALE) scale = decimals;
  else if (decimals > scale) return false;
  if (limits.whole < QUICK_WHOLE && (limits.whole < 0 || whole >= POWERS[limits.whole]!)) return false;
  putGroups(whole, fraction, negative, scale, out);
  return true;
}

/** Writes length word, header and groups of whole + fraction / 10^8. */
function putGroups(whole: number, fraction: number, negative: boolean, scale: number, out: CopyBuffer): void {
  const buf = out.buf;
  const head = out.pos;
  let at = head + 12;
  let weight = -2;
  if (whole >= 10_000) {
    const upper = (whole / 10_000) | 0;
    const top = (upper / 10_000) | 0;
    weight = 1;
    if (top > 0) {
      weight = 2;
      at = putGroup(buf, at, top);
    }
    at = putGroup(buf, at, upper - top * 10_000);
    at = putGroup(buf, at, whole - upper * 10_000);
  } else if (whole > 0) {
    weight = 0;
    at = putGroup(buf, at, whole);
  }
  const first = (fraction / 10_000) | 0;
  if (weight >= 0 || first > 0) {
    weight = Math.max(weight, -1);
    at = putGroup(buf, at, first);
  }
  at = putGroup(buf, at, fraction - first * 10_000);
  while (at > head + 12 && buf[at - 1] === 0 && buf[at - 2] === 0) at -= 2;
  const count = (at - head - 12) >> 1;
  if (count === 0) weight = 0;
  putInt32(buf, head, at - head - 4);
  putInt32(buf, head + 4, (count << 16) | (weight & 0xffff));
  putInt32(buf, head + 8, (negative && count > 0 ? 0x40000000 : 0) | scale);
  out.pos = at;
}

function putGroup(buf: Buffer, at: number, group: number): number {
  buf[at] = group >> 8;
  buf[at + 1] = group;
  return at + 2;
}
