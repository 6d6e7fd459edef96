import { ESCAPED, QUOTED, type CellError, type SpanBatch } from '../../core/batch.js';
import { NULL_WRITTEN, type CopyBuffer } from '../../core/codec.js';
import { TallymanError } from '../../core/errors.js';
import { CellReader } from './cell-reader.js';
import type { EncodeCell } from '../column.js';
import { growTo } from '../copy-buffer.js';
import type { EncoderPlan, RowSink } from './encoder-plan.js';
import { RescueWriter } from './rescue.js';
import { isRowClean, RowFaults } from './row-faults.js';
import { putTupleHead, rowSize } from './row-layout.js';
import { NEWLINE, putLineHead, putNull, rowHead, RowTrack, TAB } from './tuple.js';
import { UniqueKeys } from './unique-keys.js';

export type { EncoderPlan, RowSink } from './encoder-plan.js';
export type { RescuePlan } from './rescue.js';

/** What binary COPY begins with: signature, flags, no extension. */
export const COPY_HEADER: Buffer = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1');
/** What binary COPY ends with. */
export const COPY_TRAILER: Buffer = Buffer.from([0xff, 0xff]);

/** A code of #escaped beside the codec's: an escape stood for NUL. */
const HOLDS_NUL = 999;

/**
 * The row loop: spans in, COPY rows out. Checking is a by-product of encoding; strings and objects are made only for
 * refused rows. Keeps no row: what it needs of a batch is taken within the call.
 */
export class RowEncoder {
  /** First row that the last call did not look at. */
  nextRow = 0;
  readonly #plan: EncoderPlan;
  readonly #encoders: readonly EncodeCell[];
  readonly #nullFields: readonly (Buffer | null)[];
  readonly #cellOf: Int32Array;
  readonly #head: Buffer;
  readonly #track: RowTrack;
  readonly #fixedSize: number;
  readonly #sizePerByte: number;
  readonly #faults: RowFaults;
  readonly #keys: UniqueKeys | null;
  readonly #rescue: RescueWriter | null;
  readonly #cell = new CellReader();

  constructor(plan: EncoderPlan) {
    this.#plan = plan;
    this.#encoders = plan.columns.map((column) => column.encode);
    this.#nullFields = plan.columns.map((column) => column.nullField);
    this.#cellOf = Int32Array.from(plan.cellOf);
    this.#head = rowHead(plan);
    const size = rowSize(plan);
    this.#fixedSize = size.fixed;
    this.#sizePerByte = size.perByte;
    this.#faults = new RowFaults(plan);
    this.#keys = plan.uniqueKeys.length === 0 ? null : new UniqueKeys(plan);
    this.#rescue = plan.rescue === null ? null : new RescueWriter(plan.rescue);
    this.#track = new RowTrack(plan.trackRows);
  }

  /** Accepted rows of the last call, when plan.trackRows. */
  get tracked(): number {
    return this.#track.count;
  }

  /** Where each of them begins in `out.buf`. */
  get trackedStarts(): Int32Array {
    return this.#track.starts;
  }

  /** Its index in the batch. */
  get trackedRows(): Int32Array {
    return this.#track.rows;
  }

  /**
   * Encodes rows `from` to `to` (exclusive) of the batch to the end of `out`, which grows when it must. Returns the
   * number of accepted rows; the others went to sink.bad. Stops before a row once `out` holds `flushAt` bytes or more:
   * `nextRow` tells where to go on.
   */
  encode(batch: SpanBatch, from: number, to: number, out: CopyBuffer, sink: RowSink, flushAt = Infinity): number {
    const { mode, trackRows } = this.#plan;
    const { faults } = batch;
    let fault = 0;
    while (fault < faults.length && faults[fault]!.row < from) fault++;
    let nextFault = faults[fault]?.row ?? -1;
    let accepted = 0;
    let row = from;
    this.#track.count = 0;
    for (; row < to && out.pos < flushAt; row++) {
      if (row === nextFault) {
        const { column, class: kind, message, skip } = faults[fault]!;
        if (skip === undefined) sink.bad(row, [{ column, class: kind, rule: null, message, value: null }]);
        else sink.skipped?.(row, skip);
        fault += 1;
        nextFault = faults[fault]?.row ?? -1;
        continue;
      }
      growTo(out, this.#fixedSize + this.#sizePerByte * (batch.rowEnds[row]! - batch.rowStarts[row]!));
      const before = out.pos;
      if (
        !this.#hasShape(batch, row) ||
        !(mode === 'binary' ? this.#tuple(batch, row, out) : this.#line(batch, row, out))
      ) {
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

  #hasShape(batch: SpanBatch, row: number): boolean {
    const cells = batch.cells[row]!;
    if (cells !== batch.width && (cells > batch.width || this.#plan.shortRows === 'quarantine')) return false;
    return batch.clean || isRowClean(batch, row);
  }

  /** A binary COPY tuple. False as soon as one cell is refused. */
  #tuple(batch: SpanBatch, row: number, out: CopyBuffer): boolean {
    const { bytes, starts, ends, flags } = batch;
    const encoders = this.#encoders;
    const cellOf = this.#cellOf;
    const base = row * batch.width;
    putTupleHead(this.#head, batch.firstRow + row, out);
    for (let column = 0; column < encoders.length; column++) {
      const cell = base + cellOf[column]!;
      const code =
        cell < base
          ? NULL_WRITTEN
          : flags[cell]! <= QUOTED
            ? encoders[column]!(bytes, starts[cell]!, ends[cell]!, out)
            : this.#unusual(batch, cell, encoders[column]!, out);
      if (code !== 0 && (code !== NULL_WRITTEN || !putNull(this.#nullFields[column] ?? null, out))) return false;
    }
    return this.#rescue === null || this.#putRescue(this.#rescue, batch, row, out);
  }

  /** A line of text COPY. False as soon as one cell is refused. */
  #line(batch: SpanBatch, row: number, out: CopyBuffer): boolean {
    const { bytes, starts, ends, flags } = batch;
    const base = row * batch.width;
    putLineHead(this.#head, batch.firstRow + row, out);
    for (let column = 0; column < this.#encoders.length; column++) {
      out.buf[out.pos++] = TAB;
      const encode = this.#encoders[column]!;
      const cell = base + this.#cellOf[column]!;
      const code =
        cell < base
          ? NULL_WRITTEN
          : flags[cell]! <= QUOTED
            ? encode(bytes, starts[cell]!, ends[cell]!, out)
            : this.#unusual(batch, cell, encode, out);
      if (code !== 0 && (code !== NULL_WRITTEN || !putNull(this.#nullFields[column] ?? null, out))) return false;
    }
    if (this.#rescue !== null) {
      out.buf[out.pos++] = TAB;
      if (!this.#putRescue(this.#rescue, batch, row, out)) return false;
    }
    out.buf[out.pos++] = NEWLINE;
    return true;
  }

  /** A cell that is NULL, missing or escaped. */
  #unusual(batch: SpanBatch, cell: number, encode: EncodeCell, out: CopyBuffer): number {
    const reader = this.#cell;
    if (!reader.read(batch, cell)) return NULL_WRITTEN;
    if ((batch.flags[cell]! & ESCAPED) !== 0 && reader.hasNul()) return HOLDS_NUL;
    return encode(reader.bytes, reader.start, reader.end, out);
  }

  #putRescue(rescue: RescueWriter, batch: SpanBatch, row: number, out: CopyBuffer): boolean {
    // One byte more for the newline that may follow.
    growTo(out, rescue.prepare(batch, row) + 1);
    return rescue.write(out) === 0;
  }

  #reasons(batch: SpanBatch, row: number): readonly CellError[] {
    const errors = [...this.#faults.of(batch, row)];
    if (errors.length === 0 && this.#rescue !== null) errors.push(...this.#rescue.faults(batch, row));
    if (errors.length === 0)
      throw new TallymanError('INTERNAL', `row ${batch.firstRow + row} was refused without a reason`);
    return errors;
  }
}
