import type { CopyBuffer } from '../../core/codec.js';
import type { EncoderPlan } from './encoder-plan.js';
import { putDecimal, tupleHead } from './row-layout.js';

/** What both row loops (over spans, over vectors) write beside the values, and keep of the rows that they wrote. */

export const TAB = 0x09;
export const NEWLINE = 0x0a;

/** What every row of a load begins with, as far as it is the same for all: in binary or as text. */
export const rowHead = (plan: EncoderPlan): Buffer =>
  plan.mode === 'binary' ? tupleHead(plan) : Buffer.from(`${plan.loadId}\t`);

/** A line's head, and the row's number. */
export function putLineHead(head: Buffer, row: number, out: CopyBuffer): void {
  out.pos += head.copy(out.buf, out.pos);
  out.pos = putDecimal(out.buf, out.pos, row);
}

/** Writes a column's NULL or default (Column.nullField); false where there is none, the column is required. */
export function putNull(field: Buffer | null, out: CopyBuffer): boolean {
  if (field === null) return false;
  const { buf } = out;
  let at = out.pos;
  for (let i = 0; i < field.length; i++) buf[at++] = field[i]!;
  out.pos = at;
  return true;
}

/** Accepted rows of one call: where each begins in the buffer, and its index in the batch. */
export class RowTrack {
  count = 0;
  starts: Int32Array;
  rows: Int32Array;

  /** `on`: false keeps no room, for a plan that tracks nothing. */
  constructor(on: boolean) {
    this.starts = new Int32Array(on ? 4096 : 0);
    this.rows = new Int32Array(on ? 4096 : 0);
  }

  add(start: number, row: number): void {
    if (this.count === this.starts.length) {
      this.starts = doubled(this.starts);
      this.rows = doubled(this.rows);
    }
    this.starts[this.count] = start;
    this.rows[this.count] = row;
    this.count += 1;
  }
}

function doubled(array: Int32Array): Int32Array {
  const grown = new Int32Array(2 * array.length);
  grown.set(array);
  return grown;
}
