import type { CopyBuffer } from '../../core/codec.js';
import { putInt32 } from '../cell.js';
import type { EncoderPlan } from './encoder-plan.js';

/** Bytes in front of the first column's field in a binary tuple: field count, `_load_id`, `_row`. */
export const TUPLE_HEAD = 26;

/** Field count, `_load_id`, and the length word of `_row`. */
export function tupleHead(plan: EncoderPlan): Buffer {
  const head = Buffer.alloc(TUPLE_HEAD - 8);
  head.writeInt16BE(2 + plan.columns.length + (plan.rescue === null ? 0 : 1), 0);
  head.writeInt32BE(8, 2);
  head.writeBigInt64BE(BigInt(plan.loadId), 6);
  head.writeInt32BE(8, 14);
  return head;
}

/** Writes what tupleHead gave and the row's number. */
export function putTupleHead(head: Buffer, row: number, out: CopyBuffer): void {
  const { buf } = out;
  let at = out.pos;
  for (let i = 0; i < head.length; i++) buf[at++] = head[i]!;
  putInt32(buf, at, Math.floor(row / 4_294_967_296));
  putInt32(buf, at + 4, row >>> 0);
  out.pos = at + 8;
}

/**
 * Sample lengths that show how fast a codec's maxSize grows: short cells show steps (a numeric's digit groups), long
 * ones the slope.
 */
const SAMPLES = [1, 2, 3, 4, 5, 7, 16, 100, 1000, 1_000_000];

/**
 * Most bytes that a row takes: `fixed + perByte * bytes of the record`. An upper bound that is one multiplication a
 * row, instead of a question a cell; two columns may read the same cell, so the steepest codec counts as often as the
 * busiest cell is read.
 */
export function rowSize(plan: EncoderPlan): { readonly fixed: number; readonly perByte: number } {
  const readers = plan.cellOf.map((cell) => plan.cellOf.filter((other) => other === cell && cell >= 0).length);
  const slopes = plan.columns.flatMap(({ maxSize }) =>
    SAMPLES.map((length) => (maxSize(length) - maxSize(0)) / length),
  );
  const fields = plan.columns.reduce((sum, { maxSize }) => sum + maxSize(0) + 1, 0);
  // 48: the head of a tuple (26 bytes), or two numbers and two separators as text.
  return { fixed: 48 + fields, perByte: Math.max(1, ...slopes) * Math.max(1, ...readers) * (plan.overlap ?? 1) };
}

/** A whole number of at least 1 in digits. Returns the position behind it. */
export function putDecimal(buf: Buffer, at: number, value: number): number {
  let end = at + 1;
  for (let limit = 10; limit <= value; limit *= 10) end += 1;
  let rest = value;
  for (let i = end - 1; i >= at; i--) {
    const tenth = Math.floor(rest / 10);
    buf[i] = 0x30 + rest - tenth * 10;
    rest = tenth;
  }
  return end;
}
