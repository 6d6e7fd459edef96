import { MISSING, type RowFault, type SpanBatch } from '../core/batch.js';

/** Cells of a batch: 9 bytes each, so that a batch's arrays stay near the size of the bytes that they point into. */
const CELLS = 65_536;
const MOST_ROWS = 8_192;

/** Turns the inside of a cell with escapes into its value; see SpanBatch.unescape. */
export type Unescape = (bytes: Buffer, start: number, end: number, out: Buffer, at: number) => number;

/** For formats that know no escapes: the bytes as they stand. */
export const noEscapes: Unescape = (bytes, start, end, out, at) => at + bytes.copy(out, at, start, end);

/** Arrays that are made once a file and filled anew for every batch. */
export class PlainBatch implements SpanBatch {
  readonly kind = 'spans';
  bytes: Buffer = Buffer.alloc(0);
  rows = 0;
  firstRow = 1;
  clean = true;
  faults: RowFault[] = [];
  readonly width: number;
  /** Most rows. */
  /** Rows at most; a reader may lower it for a while. */
  capacity: number;
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  readonly flags: Uint8Array;
  readonly cells: Int32Array;
  readonly rowStarts: Int32Array;
  readonly rowEnds: Int32Array;
  readonly lines: Float64Array;
  readonly offsets: Float64Array;
  readonly #unescape: Unescape;

  constructor(
    width: number,
    capacity = Math.max(1, Math.min(MOST_ROWS, Math.floor(CELLS / width))),
    unescape: Unescape = noEscapes,
  ) {
    this.#unescape = unescape;
    this.width = width;
    this.capacity = capacity;
    this.starts = new Int32Array(capacity * width);
    this.ends = new Int32Array(capacity * width);
    this.flags = new Uint8Array(capacity * width);
    this.cells = new Int32Array(capacity);
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

  /** Appends a record that the parser refuses: it has a place and raw bytes, and no cells. */
  refuse(
    at: { readonly start: number; readonly end: number; readonly line: number; readonly offset: number },
    fault: Omit<RowFault, 'row' | 'column'> & { readonly column?: string | null },
  ): void {
    const row = this.rows++;
    const first = row * this.width;
    this.starts.fill(at.end, first, first + this.width);
    this.ends.fill(at.end, first, first + this.width);
    this.flags.fill(MISSING, first, first + this.width);
    this.cells[row] = 0;
    this.rowStarts[row] = at.start;
    this.rowEnds[row] = at.end;
    this.lines[row] = at.line;
    this.offsets[row] = at.offset;
    this.faults.push({ ...fault, row, column: fault.column ?? null });
  }

  unescape(start: number, end: number, out: Buffer, at: number): number {
    return this.#unescape(this.bytes, start, end, out, at);
  }
}
