import { dropBlanks, skipBlanks } from '../cell.js';
import { parts, scanDecimal } from './decimal-scan.js';
import { numberReader, plainNumber } from './number-text.js';
import type { WrittenNumber } from './number-style.js';

/** Digits that a double holds exactly, whatever they are. */
const EXACT_DIGITS = 15;
/** 15 digits more are still below 2^53 = 9.007e15. */
const SPILL = 8e15;
/**
 * Digits of one number, and places that an exponent may move its point. Nobody means a larger one, and sums of such
 * would take for ever.
 */
const LONGEST = 1_000;

/**
 * The exact sum of decimal numbers. Nothing is rounded: numbers of up to 15 digits are added as whole doubles below
 * 2^53, one sum for each number of decimals, which goes over to a BigInt before it could lose a digit; longer ones are
 * added as BigInt. No allocation for numbers of the first kind.
 */
export class ExactSum {
  /** null = numbers are plain. */
  readonly #read: ReturnType<typeof numberReader>;
  /** By number of decimals, 0 to 15. */
  readonly #small = new Float64Array(EXACT_DIGITS + 1);
  /** By number of decimals. */
  readonly #large = new Map<number, bigint>();

  /** `written`: the column whose cells they are; null = plain numbers. */
  constructor(written: WrittenNumber | null = null) {
    this.#read = written === null ? null : numberReader(written);
  }

  /** Adds the number in bytes[start..end), blanks around it allowed. False = it is none, and nothing was added. */
  add(bytes: Buffer, start: number, end: number): boolean {
    if (this.#read === null) return this.#addPlain(bytes, start, end);
    const length = this.#read(bytes, start, end);
    return length >= 0 && this.#addPlain(plainNumber(), 0, length);
  }

  addText(text: string): boolean {
    const bytes = Buffer.from(text);
    return this.add(bytes, 0, bytes.length);
  }

  /** Adds a whole number below 10^15 times 10^-scale. Always true. */
  addInteger(value: number, scale: number): true {
    if (scale < 0 || scale > EXACT_DIGITS) return this.addWhole(BigInt(value), scale);
    const sum = this.#small[scale]! + value;
    this.#small[scale] = sum;
    if (sum > SPILL || sum < -SPILL) this.#spill(scale);
    return true;
  }

  /** Adds a whole number times 10^-scale. Always true. */
  addWhole(value: bigint, scale: number): true {
    if (scale >= 0) this.#addLarge(scale, value);
    else this.#addLarge(0, value * 10n ** BigInt(-scale));
    return true;
  }

  /** The sum as digits, without surplus zeros: `-12.5`, `0`. Equal sums give equal texts. */
  toString(): string {
    const sums = new Map(this.#large);
    this.#small.forEach((sum, scale) => {
      if (sum !== 0) sums.set(scale, (sums.get(scale) ?? 0n) + BigInt(sum));
    });
    const scale = Math.max(0, ...sums.keys());
    let total = 0n;
    for (const [own, sum] of sums) total += sum * 10n ** BigInt(scale - own);
    const digits = (total < 0n ? -total : total).toString().padStart(scale + 1, '0');
    const fraction = digits.slice(digits.length - scale).replace(/0+$/, '');
    return `${total < 0n ? '-' : ''}${digits.slice(0, digits.length - scale)}${scale === 0 || fraction === '' ? '' : `.${fraction}`}`;
  }

  #addPlain(bytes: Buffer, start: number, end: number): boolean {
    let from = start;
    let to = end;
    if (from < to && (bytes[from]! <= 0x20 || bytes[to - 1]! <= 0x20)) {
      from = skipBlanks(bytes, start, end);
      to = dropBlanks(bytes, from, end);
    }
    if (!scanDecimal(bytes, from, to)) return false;
    const { wholeStart, wholeEnd, fractionStart, fractionEnd } = parts;
    const scale = fractionEnd - fractionStart;
    if (wholeEnd - wholeStart + scale > EXACT_DIGITS || parts.exponent !== 0) return this.#addLong(bytes);
    let value = 0;
    for (let at = wholeStart; at < wholeEnd; at++) value = value * 10 + bytes[at]! - 0x30;
    for (let at = fractionStart; at < fractionEnd; at++) value = value * 10 + bytes[at]! - 0x30;
    return this.addInteger(parts.negative ? -value : value, scale);
  }

  #spill(scale: number): void {
    this.#addLarge(scale, BigInt(this.#small[scale]!));
    this.#small[scale] = 0;
  }

  /** The number in `parts`: many digits, or an exponent. */
  #addLong(bytes: Buffer): boolean {
    const { wholeStart, wholeEnd, fractionStart, fractionEnd, exponent, negative } = parts;
    const whole = bytes.toString('latin1', wholeStart, wholeEnd);
    const fraction = bytes.toString('latin1', fractionStart, fractionEnd).replace(/0+$/, '');
    if (whole.length + fraction.length > LONGEST || exponent > LONGEST || exponent < -LONGEST) return false;
    const digits = BigInt(`${whole}${fraction}` || '0');
    const value = negative ? -digits : digits;
    return this.addWhole(value, fraction.length - exponent);
  }

  #addLarge(scale: number, value: bigint): void {
    this.#large.set(scale, (this.#large.get(scale) ?? 0n) + value);
  }
}
