import type { Vector } from '../../core/batch.js';
import type { CopyBuffer } from '../../core/codec.js';
import { putInt32 } from '../cell.js';

/**
 * Whole numbers of up to 128 bits without BigInt: as 32-bit words for arithmetic, as groups of four decimal digits
 * (base 10000) for PostgreSQL's numeric and for text. What `load` finds stays in the module until the next call: an
 * object a cell would cost more than the cell.
 */

/**
 * Magnitude, low word first; one word more than 128 bits, for shifting. Doubles, because words above 2^31 are no small
 * integers to V8.
 */
const words = new Float64Array(5);
/** Groups of four digits, the lowest first: 38 digits and the shift need 11. */
const groups = new Int32Array(12);
let count = 0;
let negative = false;

const TWO_32 = 4_294_967_296;
const BASE = 10_000;
/** 10^0 to 10^3: a decimal is shifted until its fraction is whole groups. */
const SHIFTS = Int32Array.of(1, 10, 100, 1000);
/** Below it a shifted value is an exact double. */
const EXACT = 9_007_199_254_740;

/** Takes the value of an int or decimal vector apart. */
function load(vector: Vector, row: number, bytes: number, signed: boolean, shift: number): void {
  const { words: source } = vector;
  if (bytes === 8) {
    let low = source[2 * row]!;
    let high = source[2 * row + 1]!;
    negative = signed && high < 0;
    if (negative) {
      low = -low | 0;
      high = low === 0 ? -high | 0 : ~high;
    }
    const value = (high >>> 0) * TWO_32 + (low >>> 0);
    if (value < EXACT) small(value * SHIFTS[shift]!);
    else wide(low >>> 0, high >>> 0, 0, 0, shift);
    return;
  }
  if (bytes === 16) {
    loadWide(source, 4 * row, shift);
    return;
  }
  const value = shortOf(vector, row, bytes, signed);
  negative = value < 0;
  small((negative ? -value : value) * SHIFTS[shift]!);
}

/** A value of at most 4 bytes. */
export function shortOf(vector: Vector, row: number, bytes: number, signed: boolean): number {
  if (bytes === 4) return signed ? vector.words[row]! : vector.words[row]! >>> 0;
  if (bytes === 2) {
    const value = vector.bytes[2 * row]! | (vector.bytes[2 * row + 1]! << 8);
    return signed ? (value << 16) >> 16 : value;
  }
  const value = vector.bytes[row]!;
  return signed ? (value << 24) >> 24 : value;
}

function loadWide(source: Int32Array, at: number, shift: number): void {
  negative = source[at + 3]! < 0;
  let carry = 1;
  for (let i = 0; i < 4; i++) {
    let word = source[at + i]! >>> 0;
    if (negative) {
      word = (~word >>> 0) + carry;
      carry = word === TWO_32 ? 1 : 0;
      if (carry === 1) word = 0;
    }
    words[i] = word;
  }
  wide(words[0]!, words[1]!, words[2]!, words[3]!, shift);
}

/** Groups of a value below 2^53. */
function small(value: number): void {
  count = 0;
  let rest = value;
  while (rest >= 2_147_483_648) {
    const next = Math.floor(rest / BASE);
    groups[count++] = rest - next * BASE;
    rest = next;
  }
  let short = rest | 0;
  while (short > 0) {
    const next = (short / BASE) | 0;
    groups[count++] = short - next * BASE;
    short = next;
  }
}

/** Long division by 10000, word by word: rest * 2^32 + word stays below 2^46. */
function wide(w0: number, w1: number, w2: number, w3: number, shift: number): void {
  words[0] = w0;
  words[1] = w1;
  words[2] = w2;
  words[3] = w3;
  words[4] = 0;
  const factor = SHIFTS[shift]!;
  if (factor !== 1) {
    let carry = 0;
    for (let i = 0; i < 5; i++) {
      const product = words[i]! * factor + carry;
      carry = Math.floor(product / TWO_32);
      words[i] = product - carry * TWO_32;
    }
  }
  count = 0;
  for (let top = 4; top >= 0;) {
    if (words[top] === 0) {
      top--;
      continue;
    }
    let rest = 0;
    for (let i = top; i >= 0; i--) {
      const part = rest * TWO_32 + words[i]!;
      const quotient = Math.floor(part / BASE);
      words[i] = quotient;
      rest = part - quotient * BASE;
    }
    groups[count++] = rest;
  }
}

/** How many zeros make a fraction of `scale` digits whole groups. */
const shiftOf = (scale: number): number => (4 - (scale & 3)) & 3;

/**
 * Writes the value of an int or decimal vector as a numeric with its length word: the value has `scale` decimals, and
 * is shown with `shown`.
 */
export function putNumeric(
  vector: Vector,
  row: number,
  bytes: number,
  signed: boolean,
  scale: number,
  shown: number,
  out: CopyBuffer,
): void {
  const shift = shiftOf(scale);
  load(vector, row, bytes, signed, shift);
  const { buf } = out;
  let zeros = 0;
  while (zeros < count && groups[zeros] === 0) zeros++;
  const digits = count - zeros;
  const weight = digits === 0 ? 0 : count - 1 - ((scale + shift) >> 2);
  let at = out.pos;
  putInt32(buf, at, 8 + 2 * digits);
  buf[at + 4] = digits >> 8;
  buf[at + 5] = digits;
  buf[at + 6] = weight >> 8;
  buf[at + 7] = weight;
  buf[at + 8] = negative && digits > 0 ? 0x40 : 0;
  buf[at + 9] = 0;
  buf[at + 10] = shown >> 8;
  buf[at + 11] = shown;
  at += 12;
  for (let i = count - 1; i >= zeros; i--) {
    buf[at] = groups[i]! >> 8;
    buf[at + 1] = groups[i]!;
    at += 2;
  }
  out.pos = at;
}

/** Writes the value as text: a sign, digits, and behind a point `scale` decimals. At most 42 bytes and the scale. */
export function putDigits(
  vector: Vector,
  row: number,
  bytes: number,
  signed: boolean,
  scale: number,
  out: CopyBuffer,
): void {
  load(vector, row, bytes, signed, 0);
  const { buf } = out;
  let at = out.pos;
  if (negative) buf[at++] = 0x2d;
  const digits = count === 0 ? 1 : (count - 1) * 4 + lengthOf(groups[count - 1]!);
  // zeros in front, so that a digit stands before the point
  const total = Math.max(digits, scale + 1);
  for (let place = total - 1; place >= 0; place--) {
    if (place === scale - 1) buf[at++] = 0x2e;
    buf[at++] = 0x30 + (place < digits && count > 0 ? digitAt(place) : 0);
  }
  out.pos = at;
}

const lengthOf = (group: number): number => (group >= 1000 ? 4 : group >= 100 ? 3 : group >= 10 ? 2 : 1);
const digitAt = (place: number): number => ((groups[place >> 2]! / SHIFTS[place & 3]!) | 0) % 10;
