import type { Batch, CellError, RowFault } from '../../core/batch.js';
import type { CopyBuffer } from '../../core/codec.js';
import { TallymanError } from '../../core/errors.js';
import type { BatchEncoder } from '../../columns/rows/batch-encoder.js';
import { placeOf, RawRow } from '../../columns/rows/batch-rows.js';
import type { RowSink } from '../../columns/rows/encoder-plan.js';
import type { QuarantineRecord } from '../../quarantine/record.js';
import type { UniqueTracker } from '../unique/unique-tracker.js';

/** Where encoded rows go: one COPY, chunks under savepoints, or nowhere (a dry run). */
export interface RowWriter {
  /** The buffer that the next rows are written to. */
  readonly out: CopyBuffer;
  /** Bytes in `out` at which `advance` is due. */
  readonly flushAt: number;
  /** Rows that were encoded and that PostgreSQL refused by themselves. */
  readonly refused: number;
  /** After each run of rows: those encoded since the last call (rows `from` to `to` of the batch) are in `out`. */
  advance(batch: Batch, from: number, to: number): Promise<void>;
  /** Sends what is left; returns the rows that PostgreSQL says it took. */
  finish(): Promise<number>;
  /** Takes back what is under way, so that the session can roll back. Never rejects. */
  abort(reason: string): Promise<void>;
}

/** Rows encoded in one go: the progress note of the poison rule moves on with each stretch. */
const STRETCH = 1_024;

/** Rows of a load as they are read: what was accepted, what was refused and kept. */
export class RowLoop implements RowSink {
  read = 0;
  accepted = 0;
  /** Rows that are no data, though they are records. */
  passed = 0;
  readonly #encoder: BatchEncoder;
  readonly #record: QuarantineRecord;
  readonly #unique: UniqueTracker | null;
  readonly #raw = new RawRow();
  #batch: Batch | null = null;
  #fault = 0;

  constructor(encoder: BatchEncoder, record: QuarantineRecord, unique: UniqueTracker | null) {
    this.#encoder = encoder;
    this.#record = record;
    this.#unique = unique;
  }

  /** Encodes all rows of the batch into the writer, a stretch at a time; `onStretch` hears of each. */
  async batch(batch: Batch, writer: RowWriter, onStretch: () => void = (): void => undefined): Promise<void> {
    this.#batch = batch;
    this.#fault = 0;
    for (let from = 0; from < batch.rows;) {
      this.accepted += this.#encoder.encode(
        batch,
        from,
        Math.min(from + STRETCH, batch.rows),
        writer.out,
        this,
        writer.flushAt,
      );
      const to = this.#encoder.nextRow;
      if (to === from) throw new TallymanError('INTERNAL', 'the row loop stands still: its writer was not emptied');
      this.read += to - from;
      await writer.advance(batch, from, to);
      onStretch();
      from = to;
    }
    this.#batch = null;
  }

  bad(row: number, errors: readonly CellError[]): void {
    const batch = this.#batch;
    if (batch === null) return;
    const raw = this.#raw.of(batch, row);
    const fault = batch.kind === 'spans' ? this.#faultOf(batch.faults, row) : null;
    this.#record.add(placeOf(batch, row), errors, raw, fault?.rawLength ?? raw.length);
  }

  skipped(): void {
    this.passed++;
  }

  key(key: number, row: number, bytes: Buffer, start: number, end: number): void {
    if (this.#batch !== null) this.#unique?.add(key, this.#batch.firstRow + row, bytes, start, end);
  }

  /** What the parser says of the row. Rows come in ascending order, so one pointer walks along its faults. */
  #faultOf(faults: readonly RowFault[], row: number): RowFault | null {
    while (this.#fault < faults.length && faults[this.#fault]!.row < row) this.#fault++;
    const fault = faults[this.#fault];
    return fault?.row === row ? fault : null;
  }
}
