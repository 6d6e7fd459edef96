import { isThere, type CellError, type Vector, type VectorBatch } from '../../core/batch.js';
import { NULL_WRITTEN, type CopyBuffer } from '../../core/codec.js';
import { TallymanError } from '../../core/errors.js';
import { growTo } from '../copy-buffer.js';
import type { EncoderPlan, RowSink } from '../rows/encoder-plan.js';
import { putTupleHead, rowSize } from '../rows/row-layout.js';
import { NEWLINE, putLineHead, putNull, rowHead, RowTrack, TAB } from '../rows/tuple.js';
import { UniqueKeys } from '../rows/unique-keys.js';
import { VectorFaults } from './vector-faults.js';
import { putCellsJson } from './vector-json.js';
import { writerOf, type WriteValue } from './vector-writers.js';

/** No value of fixed width is longer as text (vector-text.ts, SCALAR). */
const LONGEST_SCALAR = 96;

/**
 * The row loop over column vectors: values in, COPY rows out. The counterpart of RowEncoder, with the same promises.
 */
export class VectorEncoder {
  nextRow = 0;

  readonly #plan: EncoderPlan;
  readonly #head: Buffer;
  readonly #track: RowTrack;
  /** Room for a row whose values are all of fixed width, or NULL; writers of texts make more and keep this. */
  readonly #room: number;
  readonly #writers: (WriteValue | null)[];
  readonly #vectors: (Vector | null)[];
  readonly #nullFields: readonly (Buffer | null)[];
  readonly #keys: UniqueKeys | null;
  readonly #faults: VectorFaults;
  readonly #json: CopyBuffer = { buf: Buffer.allocUnsafe(4096), pos: 0 };

  constructor(plan: EncoderPlan) {
    this.#plan = plan;
    this.#head = rowHead(plan);
    this.#room =
      rowSize(plan).fixed + plan.columns.reduce((sum, column) => sum + column.maxSize(LONGEST_SCALAR), 0) + 16;
    this.#writers = plan.columns.map(() => null);
    this.#vectors = plan.columns.map(() => null);
    this.#nullFields = plan.columns.map((column) => column.nullField);
    this.#keys = plan.uniqueKeys.length === 0 ? null : new UniqueKeys(plan);
    this.#faults = new VectorFaults(plan);
    this.#track = new RowTrack(plan.trackRows);
  }

  get tracked(): number {
    return this.#track.count;
  }

  get trackedStarts(): Int32Array {
    return this.#track.starts;
  }

  get trackedRows(): Int32Array {
    return this.#track.rows;
  }

  /** See RowEncoder.encode. */
  encode(batch: VectorBatch, from: number, to: number, out: CopyBuffer, sink: RowSink, flushAt = Infinity): number {
    const { mode, trackRows } = this.#plan;
    this.#meet(batch);
    let accepted = 0;
    let row = from;
    this.#track.count = 0;
    for (; row < to && out.pos < flushAt; row++) {
      growTo(out, this.#room);
      const before = out.pos;
      if (!(mode === 'binary' ? this.#tuple(batch, row, out) : this.#line(batch, row, out))) {
        out.pos = before;
        sink.bad(row, this.#reasons(batch, row));
        continue;
      }
      // Writes behind a Buffer's end are lost without a word: better no load than a wrong one.
      if (out.pos > out.buf.length)
        throw new TallymanError('INTERNAL', `row ${batch.firstRow + row} took more room than its codecs announced`);
      accepted += 1;
      if (trackRows) this.#track.add(before, row);
      if (this.#keys === null) continue;
      if (mode === 'binary') this.#keys.tellBinary(out.buf, before, row, sink);
      else this.#keys.tellText(batch, row, sink);
    }
    this.nextRow = row;
    return accepted;
  }

  /**
   * The batch's vectors in the order of the tuple. Types are those of the file: writers are made with the first batch.
   */
  #meet(batch: VectorBatch): void {
    const { columns, cellOf, mode } = this.#plan;
    for (const [index, column] of columns.entries()) {
      const vector = batch.columns[cellOf[index]!] ?? null;
      this.#vectors[index] = vector;
      if (vector !== null) this.#writers[index] ??= writerOf(column, vector.type, mode, this.#room);
    }
  }

  /** A binary COPY tuple. False as soon as one cell is refused. */
  #tuple(batch: VectorBatch, row: number, out: CopyBuffer): boolean {
    const vectors = this.#vectors;
    putTupleHead(this.#head, batch.firstRow + row, out);
    for (let column = 0; column < vectors.length; column++) {
      const vector = vectors[column] ?? null;
      const code = vector === null || !isThere(vector, row) ? NULL_WRITTEN : this.#writers[column]!(vector, row, out);
      if (code !== 0 && (code !== NULL_WRITTEN || !putNull(this.#nullFields[column] ?? null, out))) return false;
    }
    return this.#putRescue(batch, row, out);
  }

  /** A line of text COPY. False as soon as one cell is refused. */
  #line(batch: VectorBatch, row: number, out: CopyBuffer): boolean {
    const vectors = this.#vectors;
    putLineHead(this.#head, batch.firstRow + row, out);
    for (let column = 0; column < vectors.length; column++) {
      out.buf[out.pos++] = TAB;
      const vector = vectors[column] ?? null;
      const code = vector === null || !isThere(vector, row) ? NULL_WRITTEN : this.#writers[column]!(vector, row, out);
      if (code !== 0 && (code !== NULL_WRITTEN || !putNull(this.#nullFields[column] ?? null, out))) return false;
    }
    if (this.#plan.rescue !== null) out.buf[out.pos++] = TAB;
    if (!this.#putRescue(batch, row, out)) return false;
    out.buf[out.pos++] = NEWLINE;
    return true;
  }

  /**
   * The cells of unknown columns as one JSON object, with the types that they have; NULL when none of them holds
   * anything.
   */
  #putRescue(batch: VectorBatch, row: number, out: CopyBuffer): boolean {
    const { rescue } = this.#plan;
    if (rescue === null) return true;
    const { column } = rescue;
    if (!this.#rescued(batch, row)) {
      if (column.nullField === null) return false;
      out.pos += column.nullField.copy(out.buf, out.pos);
      return true;
    }
    growTo(out, column.maxSize(this.#json.pos) + 1);
    return column.encode(this.#json.buf, 0, this.#json.pos, out) === 0;
  }

  /** Fills #json; false when there is nothing to keep. */
  #rescued(batch: VectorBatch, row: number): boolean {
    const { rescue } = this.#plan;
    if (rescue === null) return false;
    const some = rescue.cells.some((cell) => {
      const vector = batch.columns[cell] ?? null;
      return vector !== null && isThere(vector, row);
    });
    if (!some) return false;
    this.#json.pos = 0;
    putCellsJson(batch, row, rescue.cells, rescue.names, this.#json);
    return true;
  }

  #reasons(batch: VectorBatch, row: number): readonly CellError[] {
    const errors = [...this.#faults.of(batch, row)];
    const { rescue } = this.#plan;
    if (errors.length === 0 && rescue !== null) {
      errors.push(
        ...(this.#rescued(batch, row)
          ? rescue.column.faults(this.#json.buf, 0, this.#json.pos)
          : [rescue.column.nullFault(null)]),
      );
    }
    if (errors.length === 0)
      throw new TallymanError('INTERNAL', `row ${batch.firstRow + row} was refused without a reason`);
    return errors;
  }
}
