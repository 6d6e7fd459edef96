import { ESCAPED, MISSING, NULL_CELL, type SpanBatch } from '../../core/batch.js';

/** One cell of a batch with its escapes resolved. One object for all cells: the fields are those of the last `read`. */
export class CellReader {
  bytes: Buffer = Buffer.alloc(0);
  start = 0;
  end = 0;
  #scratch: Buffer = Buffer.allocUnsafe(4096);

  /** `cell` = index into the batch's arrays. Returns false for a NULL or missing cell. */
  read(batch: SpanBatch, cell: number): boolean {
    const flags = batch.flags[cell]!;
    if ((flags & (NULL_CELL | MISSING)) !== 0) return false;
    const start = batch.starts[cell]!;
    const end = batch.ends[cell]!;
    if ((flags & ESCAPED) === 0) {
      this.bytes = batch.bytes;
      this.start = start;
      this.end = end;
      return true;
    }
    if (this.#scratch.length < end - start) this.#scratch = Buffer.allocUnsafe(2 * (end - start));
    this.bytes = this.#scratch;
    this.start = 0;
    this.end = batch.unescape(start, end, this.#scratch, 0);
    return true;
  }

  /**
   * An escape can stand for NUL (JSON's \u0000), which no PostgreSQL text takes; in raw bytes the batch's `clean` has
   * told.
   */
  hasNul(): boolean {
    if (this.end - this.start > 64) return this.bytes.subarray(this.start, this.end).includes(0);
    for (let at = this.start; at < this.end; at++) if (this.bytes[at] === 0) return true;
    return false;
  }
}
