/**
 * Where the parts of a decimal literal stand. One object a worker that each scan overwrites: an object a cell would be
 * garbage for two million rows.
 */
export interface DecimalParts {
  negative: boolean;
  /** Digits before the point, leading zeros left out. */
  wholeStart: number;
  wholeEnd: number;
  /** All digits behind the point. */
  fractionStart: number;
  fractionEnd: number;
  /** Held at +-EXPONENT_LIMIT. */
  exponent: number;
}

/** PostgreSQL's numeric refuses exponents past PG_INT32_MAX / 2, even of zero. */
export const EXPONENT_LIMIT = 1_073_741_824;

export const parts: DecimalParts = {
  negative: false,
  wholeStart: 0,
  wholeEnd: 0,
  fractionStart: 0,
  fractionEnd: 0,
  exponent: 0,
};

/**
 * Reads `[+-] digits [. digits] [e [+-] digits]` with digits on at least one side of the point, from a cell without
 * surrounding blanks, into `parts`. This is what PostgreSQL's numeric and float inputs share; false = something else.
 */
export function scanDecimal(bytes: Buffer, start: number, end: number): boolean {
  let at = start;
  let byte = at < end ? bytes[at]! : 0;
  parts.negative = byte === 0x2d;
  if (byte === 0x2d || byte === 0x2b) at += 1;
  const first = at;
  while (at < end && bytes[at] === 0x30) at += 1;
  parts.wholeStart = at;
  while (at < end && (byte = bytes[at]!) >= 0x30 && byte <= 0x39) at += 1;
  parts.wholeEnd = at;
  parts.fractionStart = at;
  parts.fractionEnd = at;
  parts.exponent = 0;
  if (at === end) return at > first;
  if (bytes[at] === 0x2e) {
    at += 1;
    parts.fractionStart = at;
    while (at < end && (byte = bytes[at]!) >= 0x30 && byte <= 0x39) at += 1;
    parts.fractionEnd = at;
    if (at === first + 1) return false;
    if (at === end) return true;
  } else if (at === first) {
    return false;
  }
  return (bytes[at]! | 0x20) === 0x65 && scanExponent(bytes, at + 1, end);
}

function scanExponent(bytes: Buffer, start: number, end: number): boolean {
  let at = start;
  const minus = at < end && bytes[at] === 0x2d;
  if (minus || (at < end && bytes[at] === 0x2b)) at += 1;
  if (at === end) return false;
  let value = 0;
  for (; at < end; at++) {
    const digit = bytes[at]! - 0x30;
    if (digit < 0 || digit > 9) return false;
    value = Math.min(value * 10 + digit, EXPONENT_LIMIT);
  }
  parts.exponent = minus ? -value : value;
  return true;
}
