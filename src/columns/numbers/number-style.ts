import type { ColumnSpec } from '../../core/feed/columns.js';
import { NOT_OF_TYPE, dropBlanks, skipBlanks } from '../cell.js';
import { fitScratch } from './number-scratch.js';

/**
 * Numbers as people write them: `(1,234.50)`, `12.00-`, `$ 5`, `-5 €`, `7.5 %`, `12,34,567`. Everything around the
 * digits is taken away sign by sign, each at most once; what two readings could make two numbers of is refused.
 */

/** The keys of a column that say how its numbers are written. */
export type WrittenNumber = Pick<ColumnSpec, 'decimal' | 'thousands' | 'negative' | 'currency' | 'percent'>;

interface CurrencySign {
  readonly bytes: Buffer;
  /** Ends in a letter: a point behind it may be its own. */
  readonly word: boolean;
}

export interface NumberStyle {
  readonly decimal: Buffer;
  readonly thousands: Buffer | null;
  /** `thousands` is a blank: then any blank of print (no-break, narrow, thin) is one. */
  readonly blankGroups: boolean;
  readonly minus: boolean;
  readonly parentheses: boolean;
  readonly trailingMinus: boolean;
  /** The longest first: of `$` and `US$` the latter is meant. */
  readonly currency: readonly CurrencySign[];
  readonly percent: 'keep' | 'divide' | null;
  /** One of the keys beside decimal and thousands is there. */
  readonly affixes: boolean;
}

/** null = numbers are written as every codec reads them. */
export function styleOf({ decimal, thousands, negative, currency, percent }: WrittenNumber): NumberStyle | null {
  const affixes = negative !== null || currency.length > 0 || percent !== null;
  if (decimal === '.' && thousands === null && !affixes) return null;
  const group = thousands === null ? null : Buffer.from(thousands);
  return {
    decimal: Buffer.from(decimal),
    thousands: group,
    blankGroups: group !== null && blankAt(group, 0, group.length) === group.length,
    minus: negative?.includes('minus') ?? true,
    parentheses: negative?.includes('parentheses') ?? false,
    trailingMinus: negative?.includes('trailing_minus') ?? false,
    currency: currency
      .map((sign) => ({ bytes: Buffer.from(sign), word: /\p{L}$/u.test(sign) }))
      .sort((a, b) => b.bytes.length - a.bytes.length),
    percent,
    affixes,
  };
}

export const hasAffixes = (style: NumberStyle): boolean => style.affixes;

/** Refusals of this file; those of the codecs are below. */
const MINUS = 21;
const PARENTHESES = 22;
const TRAILING_MINUS = 23;
const PERCENT = 24;
const TWO_SIGNS = 25;
const SIGN_WITH_POINT = 26;
const DASH_FOR_CENTS = 27;

/** What a refusal of readWritten means; null = it is one of the codec's. */
export function explainAffix(code: number): string | null {
  switch (code) {
    case MINUS:
      return 'a minus sign in front, which negative does not list';
    case PARENTHESES:
      return 'in parentheses, which negative does not list';
    case TRAILING_MINUS:
      return 'a minus sign behind, which negative does not list';
    case PERCENT:
      return 'a percent sign, but the column has no percent';
    case TWO_SIGNS:
      return 'two signs of one kind';
    case SIGN_WITH_POINT:
      return 'the point belongs to the currency or to the number: not known';
    case DASH_FOR_CENTS:
      return 'a dash behind the decimal sign: no cents, or a minus? Not known';
    default:
      return null;
  }
}

/** What stands around the digits of the cell at hand. One object a worker. */
const around = {
  /** Where the number itself begins and ends. */
  start: 0,
  end: 0,
  negative: false,
  /** A sign of either kind, in front, behind or as parentheses. */
  signed: false,
  opened: false,
  closed: false,
  currency: false,
  percent: false,
  /** Signs that were taken, but for a plain sign directly in front of the number. */
  taken: 0,
};

/** Writes the plain number to the scratch. Returns its length (0 = a blank cell), or a refusal below 0. */
export function readWritten(bytes: Buffer, start: number, end: number, style: NumberStyle): number {
  const from = skipBlanks(bytes, start, end);
  const to = dropBlanks(bytes, from, end);
  if (from === to) return 0;
  clear(from, to);
  if (!isDigit(bytes[from]!)) {
    const refusal = takeFront(bytes, style);
    if (refusal !== 0) return -refusal;
  }
  if (!isDigit(bytes[to - 1]!)) {
    const refusal = takeBack(bytes, style);
    if (refusal !== 0) return -refusal;
  }
  if (around.start >= around.end || around.opened !== around.closed) return -NOT_OF_TYPE;
  // NaN and Infinity are no amounts of anything.
  if (around.taken > 0 && !isDigit(bytes[around.start]!) && !standsAt(style.decimal, bytes, around.start, around.end))
    return -NOT_OF_TYPE;
  const length = putNumber(bytes, style);
  return length > 0 && around.percent && style.percent === 'divide' ? divideBy100(length) : length;
}

function clear(start: number, end: number): void {
  around.start = start;
  around.end = end;
  around.negative = false;
  around.signed = false;
  around.opened = false;
  around.closed = false;
  around.currency = false;
  around.percent = false;
  around.taken = 0;
}

const isDigit = (byte: number): boolean => byte >= 0x30 && byte <= 0x39;

/** Takes the signs in front of the number. */
function takeFront(bytes: Buffer, style: NumberStyle): number {
  const { end } = around;
  let at = around.start;
  let bareSign = false;
  for (;;) {
    const blank = blankAt(bytes, at, end);
    if (blank > 0) {
      // `- 5` may be a list or a range; `- $5` and `( 5)` are amounts.
      const next = skipPrintBlanks(bytes, at, end);
      if (bareSign && (next === end || currencyAt(bytes, next, end, style) === 0)) return NOT_OF_TYPE;
      at = next;
      continue;
    }
    if (at === end) return NOT_OF_TYPE;
    const byte = bytes[at]!;
    const minus = minusAt(bytes, at, end);
    if (minus > 0 || byte === 0x2b) {
      if (around.signed) return TWO_SIGNS;
      if (minus > 0 && !style.minus) return MINUS;
      around.signed = true;
      around.negative = minus > 0;
      bareSign = true;
      at += minus > 0 ? minus : 1;
      continue;
    }
    const taken = byte === 0x28 ? open(style) : byte === 0x25 ? percent(style) : 0;
    if (taken < 0) return -taken;
    const length = taken > 0 ? taken : currencyAt(bytes, at, end, style);
    if (length === 0) break;
    if (taken === 0) {
      if (around.currency) return TWO_SIGNS;
      around.currency = true;
      if (isWord(bytes, at, end, style) && pointFollows(bytes, at + length, end, style)) return SIGN_WITH_POINT;
    }
    around.taken++;
    bareSign = false;
    at += length;
  }
  around.start = at;
  return 0;
}

const isWord = (bytes: Buffer, at: number, end: number, { currency }: NumberStyle): boolean =>
  currency.find((sign) => standsAt(sign.bytes, bytes, at, end))?.word === true;

/** `Rs.50` is 50 rupees to some and half a rupee to others. */
const pointFollows = (bytes: Buffer, at: number, end: number, style: NumberStyle): boolean => {
  const next = skipPrintBlanks(bytes, at, end);
  return bytes[next] === 0x2e || standsAt(style.decimal, bytes, next, end);
};

function open(style: NumberStyle): number {
  if (!style.parentheses) return -PARENTHESES;
  if (around.signed) return -TWO_SIGNS;
  around.signed = true;
  around.negative = true;
  around.opened = true;
  return 1;
}

function percent(style: NumberStyle): number {
  if (style.percent === null) return -PERCENT;
  if (around.percent) return -TWO_SIGNS;
  around.percent = true;
  return 1;
}

/** Takes the signs behind the number. */
function takeBack(bytes: Buffer, style: NumberStyle): number {
  const { start } = around;
  let at = around.end;
  let bareSign = false;
  for (;;) {
    const blank = blankBefore(bytes, start, at);
    if (blank > 0) {
      let next = at - blank;
      for (let more = 0; (more = blankBefore(bytes, start, next)) > 0;) next -= more;
      if (bareSign && currencyBefore(bytes, start, next, style) === 0) return NOT_OF_TYPE;
      at = next;
      continue;
    }
    if (at === start) return NOT_OF_TYPE;
    const byte = bytes[at - 1]!;
    const minus = minusBefore(bytes, start, at);
    if (minus > 0) {
      if (!style.trailingMinus) return TRAILING_MINUS;
      if (around.signed) return TWO_SIGNS;
      around.signed = true;
      around.negative = true;
      around.taken++;
      bareSign = true;
      at -= minus;
      // `5,-` and `5.-` are five and no cents.
      if (at > start && (bytes[at - 1] === 0x2c || bytes[at - 1] === 0x2e)) return DASH_FOR_CENTS;
      continue;
    }
    const taken = byte === 0x29 ? close() : byte === 0x25 ? percent(style) : 0;
    if (taken < 0) return -taken;
    const length = taken > 0 ? taken : currencyBefore(bytes, start, at, style);
    if (length === 0) break;
    if (taken === 0) {
      if (around.currency) return TWO_SIGNS;
      around.currency = true;
    }
    around.taken++;
    bareSign = false;
    at -= length;
  }
  around.end = at;
  return 0;
}

function close(): number {
  if (!around.opened || around.closed) return -NOT_OF_TYPE;
  around.closed = true;
  return 1;
}

/**
 * The number itself with `.` and without groups. Groups have three digits, the first one to three; or, from two
 * separators on, two digits and the last three, as in India (`12,34,567`). `12,34` is refused: more likely a decimal
 * comma.
 */
function putNumber(bytes: Buffer, style: NumberStyle): number {
  const { decimal } = style;
  const { end } = around;
  let at = around.start;
  // Dividing by 100 takes up to four characters more.
  const scratch = fitScratch(end - at + 8);
  let length = 0;
  if (around.negative) scratch[length++] = 0x2d;
  let group = 0;
  let separators = 0;
  let threes = true;
  let twos = true;
  while (at < end) {
    const byte = bytes[at]!;
    if (isDigit(byte)) {
      scratch[length++] = byte;
      group += 1;
      at += 1;
      continue;
    }
    const separator = group > 0 ? groupSignAt(bytes, at, end, style) : 0;
    if (separator === 0) break;
    if (separators === 0 ? group > 3 : group > 3 || group < 2) return -NOT_OF_TYPE;
    if (separators > 0 && group !== 3) threes = false;
    if (group > 2) twos = false;
    separators += 1;
    group = 0;
    at += separator;
  }
  if (separators > 0 && (group !== 3 || !(threes || twos))) return -NOT_OF_TYPE;
  if (at < end && standsAt(decimal, bytes, at, end)) {
    scratch[length++] = 0x2e;
    at += decimal.length;
  }
  for (; at < end; at++) {
    if (bytes[at] === 0x2e) return -NOT_OF_TYPE;
    scratch[length++] = bytes[at]!;
  }
  return length;
}

function groupSignAt(bytes: Buffer, at: number, end: number, style: NumberStyle): number {
  if (style.thousands === null) return 0;
  if (style.blankGroups) return blankAt(bytes, at, end);
  return standsAt(style.thousands, bytes, at, end) ? style.thousands.length : 0;
}

/** Moves the point of the number in the scratch two places to the left: exact, whatever its length. */
function divideBy100(length: number): number {
  const scratch = fitScratch(length + 4);
  const first = scratch[0] === 0x2d ? 1 : 0;
  let point = first;
  while (point < length && isDigit(scratch[point]!)) point++;
  const zeros = Math.max(0, 3 - (point - first));
  scratch.copyWithin(first + zeros, first, length);
  scratch.fill(0x30, first, first + zeros);
  point += zeros;
  let end = length + zeros;
  if (point < end && scratch[point] === 0x2e) {
    scratch.copyWithin(point - 1, point - 2, point);
  } else {
    scratch.copyWithin(point - 1, point - 2, end);
    end += 1;
  }
  scratch[point - 2] = 0x2e;
  return end;
}

function currencyAt(bytes: Buffer, at: number, end: number, { currency }: NumberStyle): number {
  for (let i = 0; i < currency.length; i++) {
    const sign = currency[i]!.bytes;
    if (standsAt(sign, bytes, at, end)) return sign.length;
  }
  return 0;
}

function currencyBefore(bytes: Buffer, start: number, at: number, { currency }: NumberStyle): number {
  for (let i = 0; i < currency.length; i++) {
    const sign = currency[i]!.bytes;
    if (at - sign.length >= start && standsAt(sign, bytes, at - sign.length, at)) return sign.length;
  }
  return 0;
}

/** Bytes of the minus sign here: `-`, or U+2212. */
function minusAt(bytes: Buffer, at: number, end: number): number {
  if (bytes[at] === 0x2d) return 1;
  return at + 3 <= end && bytes[at] === 0xe2 && bytes[at + 1] === 0x88 && bytes[at + 2] === 0x92 ? 3 : 0;
}

function minusBefore(bytes: Buffer, start: number, at: number): number {
  if (bytes[at - 1] === 0x2d) return 1;
  return at - 3 >= start && minusAt(bytes, at - 3, at) === 3 ? 3 : 0;
}

/** Bytes of the blank here: U+0020, U+00A0 (no-break), U+2007 (figure), U+2009 (thin), U+202F (narrow no-break). */
function blankAt(bytes: Buffer, at: number, end: number): number {
  const byte = bytes[at];
  if (at >= end) return 0;
  if (byte === 0x20) return 1;
  if (byte === 0xc2) return at + 2 <= end && bytes[at + 1] === 0xa0 ? 2 : 0;
  if (byte !== 0xe2 || at + 3 > end || bytes[at + 1] !== 0x80) return 0;
  const last = bytes[at + 2]!;
  return last === 0x87 || last === 0x89 || last === 0xaf ? 3 : 0;
}

function blankBefore(bytes: Buffer, start: number, at: number): number {
  for (let length = 1; length <= 3 && at - length >= start; length++)
    if (blankAt(bytes, at - length, at) === length) return length;
  return 0;
}

function skipPrintBlanks(bytes: Buffer, start: number, end: number): number {
  let at = start;
  for (let blank = 0; (blank = blankAt(bytes, at, end)) > 0;) at += blank;
  return at;
}

function standsAt(word: Buffer, bytes: Buffer, at: number, end: number): boolean {
  if (at + word.length > end) return false;
  for (let i = 0; i < word.length; i++) if (bytes[at + i] !== word[i]) return false;
  return true;
}
