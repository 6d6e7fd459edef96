import { PLAIN_OPTIONS } from '../../columns/column-type.js';
import { pgTypeNamed } from '../../columns/type-name.js';
import { codecFor } from '../../columns/types/index.js';
import type { Codec, CopyBuffer } from '../../core/codec.js';
import { AffixCounts, affixesOf } from './number-affixes.js';

/** How the numbers of a column are written. */
export interface NumberStyle {
  readonly decimal: string;
  readonly thousands: string | null;
}

/** In order of preference: of those that fit all values alike, the first is the plainest. */
export const STYLES: readonly NumberStyle[] = [
  { decimal: '.', thousands: null },
  { decimal: '.', thousands: ',' },
  { decimal: ',', thousands: null },
  { decimal: ',', thousands: '.' },
  // A column that has a blank for thousands takes any blank of print.
  { decimal: ',', thousands: ' ' },
  { decimal: '.', thousands: ' ' },
  { decimal: '.', thousands: "'" },
  { decimal: '.', thousands: '\u2019' },
];

const CODECS: readonly (Codec | null)[] = STYLES.map((style) => {
  const type = pgTypeNamed('numeric');
  return type === null ? null : codecFor(type, { ...PLAIN_OPTIONS, ...style });
});

/** Digits of a column under one decimal sign. */
export interface Digits {
  /** Most digits before the sign. */
  whole: number;
  /** Most and least behind it. */
  most: number;
  least: number;
  /** Most digits of one value, zeros in front not counted. */
  significant: number;
}

const digits = (): Digits => ({ whole: 0, most: 0, least: Infinity, significant: 0 });

const SCRATCH: CopyBuffer = { buf: Buffer.allocUnsafe(4_096), pos: 0 };

/**
 * What the values of a column say about it as numbers. A value counts for a style only when the real codec takes it.
 */
export class NumberEvidence {
  /** Indices into STYLES that every value so far fits; empty = no numbers. */
  styles: readonly number[] = STYLES.map((_, index) => index);
  readonly point: Digits = digits();
  readonly comma: Digits = digits();
  /** 007: an identifier, for a number is not written so. */
  leadingZero: string | null = null;
  /** Begins with + and has many digits: a telephone number. */
  plus: string | null = null;
  exponent = false;
  negative = false;
  /** 1.10: a zero at the end that another value does not have. */
  paddedZero: string | null = null;
  fewestDigits = Infinity;
  /** A comma or point with exactly three digits behind it in every value that has one. */
  onlyThrees = true;
  separators = 0;
  /** A no-break or thin blank between the digits of some value. */
  groupBlank: string | null = null;
  /** Signs around the numbers; null = no value had any but a plain one in front. */
  affixes: AffixCounts | null = null;

  isAlive(): boolean {
    return this.styles.length > 0;
  }

  /** One value, without blanks around it. */
  add(bytes: Buffer, start: number, end: number): void {
    if (isBare(bytes[end - 1]!) && isBare(bytes[start]!)) {
      this.#number(bytes, start, end);
      return;
    }
    // Signs around the number are counted, and the number between them judged as all others.
    const value = bytes.toString('utf8', start, Math.min(end, start + 200));
    const found = affixesOf(value);
    if (found === null || (found.currency === null && !found.percent && found.negative === 'minus' && !found.printed)) {
      this.#number(bytes, start, end);
      return;
    }
    this.affixes ??= new AffixCounts();
    this.affixes.add(value, found);
    if (found.negative !== null) this.negative = true;
    const core = Buffer.from(found.core);
    this.#number(core, 0, core.length);
  }

  #number(bytes: Buffer, start: number, end: number): void {
    let count = 0;
    let dot = -1;
    let comma = -1;
    let behindDot = 0;
    let behindComma = 0;
    let others = 0;
    let dots = 0;
    let firstDigit = -1;
    const sign = bytes[start]!;
    const from = sign === 0x2d || sign === 0x2b ? start + 1 : start;
    for (let at = from; at < end; at++) {
      const byte = bytes[at]!;
      if (byte >= 0x30 && byte <= 0x39) {
        if (firstDigit < 0) firstDigit = at;
        count++;
      } else if (byte === 0x2e) {
        dot = at;
        dots++;
        behindDot = count;
      } else if (byte === 0x2c) {
        comma = at;
        behindComma = count;
      } else {
        others++;
      }
    }
    const plain = others === 0 && comma < 0 && dots <= 1;
    if (count === 0) {
      this.styles = [];
      return;
    }
    if (!plain || dot >= 0) this.#narrow(bytes, start, end, plain);
    if (this.styles.length === 0) return;
    if (sign === 0x2d) this.negative = true;
    if (
      firstDigit === from &&
      bytes[from] === 0x30 &&
      from + 1 < end &&
      bytes[from + 1]! >= 0x30 &&
      bytes[from + 1]! <= 0x39
    )
      this.leadingZero ??= text(bytes, start, end);
    if (sign === 0x2b && count >= 7 && plain && dot < 0) this.plus ??= text(bytes, start, end);
    if (others > 0 && this.groupBlank === null)
      this.groupBlank = /[\u00a0\u2007\u2009\u202f]/.exec(text(bytes, start, end))?.[0] ?? null;
    this.exponent ||= others > 0 && /[eE]/.test(text(bytes, start, end));
    this.fewestDigits = Math.min(this.fewestDigits, count);
    const dotScale = dot < 0 ? 0 : count - behindDot;
    const commaScale = comma < 0 ? 0 : count - behindComma;
    if (dot >= 0 || comma >= 0) {
      this.separators++;
      if ((dot >= 0 && comma >= 0) || dots > 1 || (dot >= 0 ? dotScale : commaScale) !== 3) this.onlyThrees = false;
    }
    const last = bytes[end - 1];
    if (last === 0x30 && (dotScale > 1 || commaScale > 1)) this.paddedZero ??= text(bytes, start, end);
    const zeros = bytes[from] === 0x30 ? 1 : 0;
    note(this.point, count, dotScale, zeros);
    note(this.comma, count, commaScale, zeros);
  }

  /** `plain`: digits with one point, which every style with a decimal point and no point for thousands takes. */
  #narrow(bytes: Buffer, start: number, end: number, plain: boolean): void {
    const out = SCRATCH;
    let left: number[] | null = null;
    for (let i = 0; i < this.styles.length; i++) {
      const index = this.styles[i]!;
      let fits = plain && STYLES[index]!.decimal === '.';
      if (!fits) {
        const codec = CODECS[index];
        if (codec !== null && codec !== undefined) {
          const need = codec.maxSize(end - start);
          if (out.buf.length < need) out.buf = Buffer.allocUnsafe(2 * need);
          out.pos = 0;
          fits = codec.encode(bytes, start, end, out) === 0;
        }
      }
      if (fits) left?.push(index);
      else left ??= this.styles.slice(0, i);
    }
    if (left !== null) this.styles = left;
  }
}

function note(into: Digits, count: number, scale: number, zeros: number): void {
  const whole = count - scale;
  if (whole > into.whole) into.whole = whole;
  if (scale > into.most) into.most = scale;
  if (scale < into.least) into.least = scale;
  if (count - zeros > into.significant) into.significant = count - zeros;
}

const isBare = (byte: number): boolean => byte >= 0x30 && byte <= 0x39;

const text = (bytes: Buffer, start: number, end: number): string =>
  bytes.toString('utf8', start, Math.min(end, start + 60));

/** A quick look, for telling how many values of a text column look like numbers. */
export function looksNumeric(bytes: Buffer, start: number, end: number): boolean {
  if (end - start > 40) return false;
  let digit = false;
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!;
    if (byte >= 0x30 && byte <= 0x39) digit = true;
    else if (byte !== 0x2e && byte !== 0x2c && !(at === start && (byte === 0x2d || byte === 0x2b))) return false;
  }
  return digit;
}
