import type { SpanBatch } from '../core/batch.js';
import type { CopyBuffer } from '../core/codec.js';
import type { RowEncoder } from '../columns/row-encoder.js';
import type { BadRowPlace } from '../quarantine/record.js';

/** Encoded bytes a chunk: one COPY under one savepoint (16 MiB: 2.9 s where one COPY takes 2.6; 4 MiB 3.2; 1 MiB 4.3 [DESIGN 2.1]). */
export const CHUNK_BYTES = 16 * 1024 * 1024;
/** Raw bytes a chunk keeps at most: rows whose wide cells are not loaded. */
const CHUNK_RAW = 32 * 1024 * 1024;

/** Rows that were encoded but not yet accepted by PostgreSQL: their bytes for COPY, and what quarantine needs of each. */
export class Chunk {
  /** Encoded rows, behind the COPY header. */
  readonly out: CopyBuffer = { buf: Buffer.allocUnsafeSlow(1024 * 1024), pos: 0 };
  rows = 0;
  #starts = new Int32Array(4096);
  #numbers = new Float64Array(4096);
  #lines = new Float64Array(4096);
  #offsets = new Float64Array(4096);
  #rawStarts = new Int32Array(4096);
  #rawEnds = new Int32Array(4096);
  #raw: Buffer = Buffer.allocUnsafeSlow(1024 * 1024);
  #rawSize = 0;

  get full(): boolean {
    return this.out.pos >= CHUNK_BYTES || this.#rawSize >= CHUNK_RAW;
  }

  /** Takes in the rows that the encoder has just written to `out` (plan.trackRows), rows `from` to `to` of the batch. */
  add(encoder: RowEncoder, batch: SpanBatch, from: number, to: number): void {
    const { tracked, trackedStarts, trackedRows } = encoder;
    if (tracked === 0) return;
    this.#room(this.rows + tracked);
    const rawFrom = batch.rowStarts[from]!;
    const base = this.#keep(batch.bytes, rawFrom, batch.rowEnds[to - 1]!) - rawFrom;
    for (let i = 0; i < tracked; i++) {
      const row = trackedRows[i]!;
      const at = this.rows++;
      this.#starts[at] = trackedStarts[i]!;
      this.#numbers[at] = batch.firstRow + row;
      this.#lines[at] = batch.lines[row]!;
      this.#offsets[at] = batch.offsets[row]!;
      this.#rawStarts[at] = base + batch.rowStarts[row]!;
      this.#rawEnds[at] = base + batch.rowEnds[row]!;
    }
  }

  /** COPY bytes of rows `from` to `to` (exclusive). */
  encoded(from: number, to: number): Buffer {
    return this.out.buf.subarray(this.#starts[from], to === this.rows ? this.out.pos : this.#starts[to]!);
  }

  place(row: number): BadRowPlace {
    return { row: this.#numbers[row]!, line: this.#lines[row]!, offset: this.#offsets[row]! };
  }

  raw(row: number): Buffer {
    return this.#raw.subarray(this.#rawStarts[row], this.#rawEnds[row]);
  }

  clear(): void {
    this.out.pos = 0;
    this.rows = 0;
    this.#rawSize = 0;
  }

  #keep(bytes: Buffer, start: number, end: number): number {
    const at = this.#rawSize;
    this.#rawSize += end - start;
    if (this.#rawSize > this.#raw.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(2 * this.#raw.length, this.#rawSize));
      this.#raw.copy(larger, 0, 0, at);
      this.#raw = larger;
    }
    bytes.copy(this.#raw, at, start, end);
    return at;
  }

  #room(rows: number): void {
    if (rows <= this.#starts.length) return;
    const size = Math.max(2 * this.#starts.length, rows);
    this.#starts = grown(this.#starts, new Int32Array(size));
    this.#numbers = grown(this.#numbers, new Float64Array(size));
    this.#lines = grown(this.#lines, new Float64Array(size));
    this.#offsets = grown(this.#offsets, new Float64Array(size));
    this.#rawStarts = grown(this.#rawStarts, new Int32Array(size));
    this.#rawEnds = grown(this.#rawEnds, new Int32Array(size));
  }
}

function grown<T extends Int32Array | Float64Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
