import { parts } from './decimal-scan.js';

/**
 * The single nearest to the literal in `parts`, of which `double` is the nearest double (both magnitudes).
 *
 * Rounding twice goes wrong in one case only: the double lies exactly half way between two singles while the literal does not. Then the
 * literal itself decides. Any other double is on the same side of every half-way point as the literal, because half-way points
 * between singles are doubles and rounding to the nearest double never passes one.
 */
export function nearestSingle(double: number, bytes: Buffer): number {
  const rounded = Math.fround(double);
  if (rounded === double) return rounded;
  const [below, above] = rounded < double ? [rounded, nextSingle(rounded, 1)] : [nextSingle(rounded, -1), rounded];
  const ceiling = above === Infinity ? 2 ** 128 : above;
  if (double - below !== ceiling - double) return rounded;
  const side = compareLiteral(bytes, double);
  return side === 0 ? rounded : side < 0 ? below : above;
}

const single = new Float32Array(1);
const bits = new Int32Array(single.buffer);

/** The neighbour of a single that is not negative. */
function nextSingle(of: number, step: 1 | -1): number {
  single[0] = of;
  bits[0] = bits[0]! + step;
  return single[0];
}

/** Compares the literal in `parts` with a double that is not 0 (at most 113 digits when half way between singles). < 0: the literal is below. */
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
