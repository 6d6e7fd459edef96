import type { Batch } from '../../core/batch.js';
import type { CopyBuffer } from '../../core/codec.js';
import { BatchCell } from './batch-cell.js';
import { putInt32 } from '../cell.js';
import { growTo } from '../copy-buffer.js';
import type { EncoderPlan, RowSink } from './encoder-plan.js';
import { TUPLE_HEAD } from './row-layout.js';

/**
 * Gathers the key bytes of accepted rows: for each column of a key its length and its value in the form in which equal
 * values are equal bytes.
 */
export class UniqueKeys {
  readonly #plan: EncoderPlan;
  readonly #cell = new BatchCell();
  readonly #key: CopyBuffer = { buf: Buffer.allocUnsafe(256), pos: 0 };
  readonly #value: CopyBuffer = { buf: Buffer.allocUnsafe(256), pos: 0 };
  /** Where each column's field begins in the tuple at hand; as far as the last key column. */
  readonly #fieldAt: Int32Array;

  constructor(plan: EncoderPlan) {
    this.#plan = plan;
    this.#fieldAt = new Int32Array(1 + Math.max(...plan.uniqueKeys.flat()));
  }

  /** Binary mode: the values are read back from the tuple that begins at `at`. */
  tellBinary(tuple: Buffer, at: number, row: number, sink: RowSink): void {
    let field = at + TUPLE_HEAD;
    for (let column = 0; column < this.#fieldAt.length; column++) {
      this.#fieldAt[column] = field;
      field += 4 + Math.max(0, tuple.readInt32BE(field));
    }
    for (let key = 0; key < this.#plan.uniqueKeys.length; key++) {
      if (this.#fromTuple(this.#plan.uniqueKeys[key]!, tuple)) sink.key(key, row, this.#key.buf, 0, this.#key.pos);
    }
  }

  /** Text mode: the tuple holds texts (1.0 and 1.00 differ), so the cells are encoded once more. */
  tellText(batch: Batch, row: number, sink: RowSink): void {
    for (let key = 0; key < this.#plan.uniqueKeys.length; key++) {
      if (this.#fromCells(this.#plan.uniqueKeys[key]!, batch, row)) sink.key(key, row, this.#key.buf, 0, this.#key.pos);
    }
  }

  /** False for NULL: NULLs never clash, so that key is not reported. */
  #fromTuple(columns: readonly number[], tuple: Buffer): boolean {
    this.#key.pos = 0;
    for (let i = 0; i < columns.length; i++) {
      const from = this.#fieldAt[columns[i]!]!;
      const length = tuple.readInt32BE(from);
      if (length < 0) return false;
      this.#append(columns[i]!, tuple, from + 4, from + 4 + length);
    }
    return true;
  }

  #fromCells(columns: readonly number[], batch: Batch, row: number): boolean {
    this.#key.pos = 0;
    for (let i = 0; i < columns.length; i++) {
      const index = columns[i]!;
      const column = this.#plan.columns[index]!;
      const { nullKey } = column;
      const cell = this.#plan.cellOf[index]!;
      if (cell >= 0 && this.#cell.read(batch, row, cell, column) && this.#encode(index))
        this.#append(index, this.#value.buf, 4, this.#value.pos);
      else if (nullKey === null) return false;
      else this.#append(index, nullKey, 4, nullKey.length);
    }
    return true;
  }

  /** The cell at hand in binary, to #value. False for a blank that is NULL. */
  #encode(index: number): boolean {
    const column = this.#plan.columns[index]!;
    this.#value.pos = 0;
    growTo(this.#value, column.maxSize(this.#cell.end - this.#cell.start));
    return column.encodeKey(this.#cell.bytes, this.#cell.start, this.#cell.end, this.#value) === 0;
  }

  #append(column: number, bytes: Buffer, start: number, end: number): void {
    const key = this.#key;
    const { identity } = this.#plan.columns[column]!.codec;
    // An identity is never longer than the value and a few bytes.
    growTo(key, 4 + end - start + 64);
    const at = key.pos + 4;
    key.pos = identity === null ? at + bytes.copy(key.buf, at, start, end) : identity(bytes, start, end, key.buf, at);
    putInt32(key.buf, at - 4, key.pos - at);
  }
}
