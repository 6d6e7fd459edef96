import { parts } from './decimal-scan.js';

/**
 * The single nearest to the literal in `parts`, of which `double` is the nearest double (both magnitudes).
 *
 * Rounding twice goes wrong in one case only: the double lies exactly half way between two singles while the literal
 * does not. Then the literal itself decides. Any other double is on the same side of every half-way point as the
 * literal, because half-way points between singles are doubles and rounding to the nearest double never passes one.
 */
export function nearestSingle(double: number, bytes: Buffer): number {
  const rounded = Math.fround(double);
  if (rounded === double) return rounded;
  const nearest = rounded === Infinity ? PAST_LARGEST : rounded;
  // the mirror image of the nearest single behind the double: another single only when the double is in the middle of
  // the two
  const mirrored = nearest + 2 * (double - nearest);
  if (Math.fround(mirrored) !== mirrored) return rounded;
  const side = compareLiteral(bytes, double);
  return side === 0 ? rounded : Math.fround(side < 0 ? Math.min(nearest, mirrored) : Math.max(nearest, mirrored));
}

/**
 * The nearest single where the double alone tells, which it nearly always does; NaN where nearestSingle must look at
 * the literal. Doubles from 1e-9 to 1e10, and 0.
 */
export function plainSingle(double: number): number {
  const rounded = Math.fround(double);
  if (rounded === double) return rounded;
  const mirrored = rounded + 2 * (double - rounded);
  return Math.fround(mirrored) === mirrored ? NaN : rounded;
}

/** What would follow the largest single; as a single it is Infinity. */
const PAST_LARGEST = 2 ** 128;

/**
 * Compares the literal in `parts` with a double that is not 0 (at most 113 digits when half way between singles). < 0:
 * the literal is below.
 */
function compareLiteral(bytes: Buffer, double: number): number {
  const exact = exactDecimal(double);
  const { wholeStart, wholeEnd, fractionStart, fractionEnd } = parts;
  const all = bytes.toString('latin1', wholeStart, wholeEnd) + bytes.toString('latin1', fractionStart, fractionEnd);
  const digits = all.replace(/^0+/, '');
  const point = wholeEnd - wholeStart - (all.length - digits.length) + parts.exponent;
  if (point !== exact.point) return point - exact.point;
  const length = Math.max(digits.length, exact.digits.length);
  const a = digits.padEnd(length, '0');
  const b = exact.digits.padEnd(length, '0');
  return a < b ? -1 : a > b ? 1 : 0;
}

/** All digits of a positive double and how many of them stand before the point: every double is a finite decimal. */
function exactDecimal(double: number): { readonly digits: string; readonly point: number } {
  let scaled = double;
  let halvings = 0;
  for (; !Number.isInteger(scaled); halvings++) scaled *= 2;
  // n / 2^k = n * 5^k / 10^k
  const digits = (BigInt(scaled) * 5n ** BigInt(halvings)).toString();
  return { digits, point: digits.length - halvings };
}
