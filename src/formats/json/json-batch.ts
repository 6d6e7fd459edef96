import { MISSING, type RowFault, type SpanBatch } from '../../core/batch.js';
import { unescape } from './unescape.js';

/** Cells of a batch: 9 bytes each, so that a batch's arrays stay near the size of the bytes that they point into. */
const CELLS = 65_536;
const MOST_ROWS = 8_192;

/** Where a record stands. `start` and `end` are indices into the batch's bytes. */
export interface Place {
  readonly start: number;
  readonly end: number;
  readonly line: number;
  readonly offset: number;
}

/**
 * Arrays that are made once a file and filled anew for every batch. A row may use `spare` cells behind its own `width`
 * while it is built: they stand where the next row's will.
 */
export class JsonBatch implements SpanBatch {
  readonly kind = 'spans';
  bytes: Buffer = Buffer.alloc(0);
  rows = 0;
  firstRow = 1;
  clean = true;
  faults: RowFault[] = [];
  readonly width: number;
  readonly spare: number;
  /** Most rows. */
  readonly capacity: number;
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  readonly flags: Uint8Array;
  readonly cells: Int32Array;
  readonly rowStarts: Int32Array;
  readonly rowEnds: Int32Array;
  readonly lines: Float64Array;
  readonly offsets: Float64Array;

  constructor(width: number, spare: number, capacity = Math.max(1, Math.min(MOST_ROWS, Math.floor(CELLS / width)))) {
    this.width = width;
    this.spare = spare;
    this.capacity = capacity;
    this.starts = new Int32Array(capacity * width + spare);
    this.ends = new Int32Array(capacity * width + spare);
    this.flags = new Uint8Array(capacity * width + spare);
    this.cells = new Int32Array(capacity).fill(width);
    this.rowStarts = new Int32Array(capacity);
    this.rowEnds = new Int32Array(capacity);
    this.lines = new Float64Array(capacity);
    this.offsets = new Float64Array(capacity);
  }

  /** Empty again; `firstRow - 1` records stand before it. */
  clear(firstRow: number): void {
    this.rows = 0;
    this.firstRow = firstRow;
    this.clean = true;
    if (this.faults.length > 0) this.faults = [];
  }

  /** All cells of the row to come are missing, until they are met. */
  begin(start: number): void {
    const { starts, ends, flags } = this;
    const from = this.rows * this.width;
    const to = from + this.width + this.spare;
    for (let cell = from; cell < to; cell++) {
      starts[cell] = start;
      ends[cell] = start;
      flags[cell] = MISSING;
    }
  }

  /** Appends the row whose cells were just filled in. */
  accept(start: number, end: number, line: number, offset: number): void {
    const row = this.rows++;
    this.rowStarts[row] = start;
    this.rowEnds[row] = end;
    this.lines[row] = line;
    this.offsets[row] = offset;
  }

  /** Appends a record that the parser refuses: it has a place and raw bytes, and no cells. */
  refuse(at: Place, fault: Omit<RowFault, 'row'>): void {
    this.begin(at.end);
    this.faults.push({ ...fault, row: this.rows });
    this.accept(at.start, at.end, at.line, at.offset);
  }

  unescape(start: number, end: number, out: Buffer, at: number): number {
    return unescape(this.bytes, start, end, out, at);
  }
}
