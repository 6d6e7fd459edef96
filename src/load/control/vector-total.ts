import type { ExactSum } from '../../columns/numbers/exact-sum.js';
import { isThere, type Vector, type VectorBatch } from '../../core/batch.js';
import type { Total } from './total.js';

/**
 * A column of values and not of texts (Parquet): added up as they stand, row by row. What is no number counts as
 * strange.
 */
export function addVector(batch: VectorBatch, total: Total): void {
  const vector = batch.columns[total.cell] ?? null;
  if (vector === null) return;
  const add = adder(vector, total.sum);
  for (let row = 0; row < batch.rows; row++) {
    if (isThere(vector, row) && !add(row)) total.strange++;
  }
}

/** How one row of the vector is added; false = it is no number. */
function adder(vector: Vector, sum: ExactSum): (row: number) => boolean {
  const { type, bytes, words } = vector;
  switch (type.kind) {
    case 'int':
      return integers(vector, type.bytes, type.signed, 0, sum);
    case 'decimal':
      return integers(vector, type.bytes, true, type.scale, sum);
    case 'real':
      // The shortest digits that make the same single: 0.1 and not 0.10000000149.
      return (row) => sum.addText(shortestSingle(bytes.readFloatLE(4 * row)));
    case 'double':
      return (row) => sum.addText(String(bytes.readDoubleLE(8 * row)));
    case 'text':
      return (row) => sum.add(bytes, words[row]!, words[row + 1]!);
    case 'digits':
      return (row) => sum.addWhole(bigEndian(bytes, words[row]!, words[row + 1]!), type.scale);
    default:
      return () => false;
  }
}

function integers(
  { bytes, words }: Vector,
  size: 1 | 2 | 4 | 8 | 16,
  signed: boolean,
  scale: number,
  sum: ExactSum,
): (row: number) => boolean {
  switch (size) {
    case 1:
      return (row) => sum.addInteger(signed ? bytes.readInt8(row) : bytes[row]!, scale);
    case 2:
      return (row) => sum.addInteger(signed ? bytes.readInt16LE(2 * row) : bytes.readUInt16LE(2 * row), scale);
    case 4:
      return (row) => sum.addInteger(signed ? words[row]! : words[row]! >>> 0, scale);
    case 8:
      return (row) => {
        const high = words[2 * row + 1]!;
        // Up to 2^49 in either direction a double holds it; longer ones go as BigInt.
        if (high >= (signed ? -0x2_0000 : 0) && high < 0x2_0000)
          return sum.addInteger(high * 4_294_967_296 + (words[2 * row]! >>> 0), scale);
        return sum.addWhole(signed ? bytes.readBigInt64LE(8 * row) : bytes.readBigUInt64LE(8 * row), scale);
      };
    case 16:
      return (row) =>
        sum.addWhole((bytes.readBigInt64LE(16 * row + 8) << 64n) | bytes.readBigUInt64LE(16 * row), scale);
  }
}

function shortestSingle(value: number): string {
  for (let digits = 6; digits <= 9; digits++) {
    const text = value.toPrecision(digits);
    if (Math.fround(Number(text)) === value) return text;
  }
  return String(value);
}

/** Two's complement of any length, high byte first. */
function bigEndian(bytes: Buffer, start: number, end: number): bigint {
  const digits = bytes.toString('hex', start, end);
  return digits === '' ? 0n : BigInt.asIntN(8 * (end - start), BigInt(`0x${digits}`));
}
