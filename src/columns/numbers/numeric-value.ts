/**
 * Encoded numerics (PostgreSQL's numeric_send): int16 count of groups, int16 weight (power of 10000 of the first
 * group), uint16 sign (0x4000 = negative), int16 scale, then the groups, each 0 to 9999. Our encoder writes no group of
 * zeros at either end, so that equal values differ in their scale alone.
 */
const HEADER = 8;
const SCALE_AT = 6;

/** Order of two encoded numerics. */
export function compareNumeric(
  a: Buffer,
  aStart: number,
  aEnd: number,
  b: Buffer,
  bStart: number,
  bEnd: number,
): number {
  const signA = signOf(a, aStart, aEnd);
  const signB = signOf(b, bStart, bEnd);
  if (signA !== signB || signA === 0) return signA - signB;
  const weights = a.readInt16BE(aStart + 2) - b.readInt16BE(bStart + 2);
  // groups are big-endian and the shorter one ends in zeros: their bytes compare as the numbers do
  return signA * (weights !== 0 ? weights : a.compare(b, bStart + HEADER, bEnd, aStart + HEADER, aEnd));
}

const signOf = (encoded: Buffer, start: number, end: number): number =>
  end - start === HEADER ? 0 : encoded[start + 4] === 0 ? 1 : -1;

/** The value without its scale: 1.0 = 1.00. */
export function numericIdentity(encoded: Buffer, start: number, end: number, out: Buffer, at: number): number {
  encoded.copy(out, at, start, end);
  out[at + SCALE_AT] = 0;
  out[at + SCALE_AT + 1] = 0;
  return at + end - start;
}

/**
 * The value as a literal that PostgreSQL reads back to the same numeric: whole digits and an exponent, so that 1e131071
 * does not become 131,072 characters. `keepScale`: the exponent also gives the scale (numeric without one of its own).
 */
export function numericText(encoded: Buffer, start: number, end: number, keepScale: boolean): string {
  const count = (end - start - HEADER) >> 1;
  const scale = encoded.readUInt16BE(start + SCALE_AT);
  if (count === 0) return keepScale && scale > 0 ? `0e-${scale}` : '0';
  let digits = String(encoded.readUInt16BE(start + HEADER));
  for (let at = start + HEADER + 2; at < end; at += 2) digits += String(encoded.readUInt16BE(at)).padStart(4, '0');
  let exponent = 4 * (encoded.readInt16BE(start + 2) - count + 1);
  if (keepScale && scale > 0) {
    const surplus = -exponent - scale;
    digits = surplus > 0 ? digits.slice(0, -surplus) : digits + '0'.repeat(-surplus);
    exponent = -scale;
  }
  const sign = encoded[start + 4] === 0 ? '' : '-';
  return exponent === 0 ? sign + digits : `${sign}${digits}e${exponent}`;
}
