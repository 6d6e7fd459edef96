import { isUtf8 } from 'node:buffer';
import { isThere, type Vector } from '../../core/batch.js';
import type { CopyBuffer } from '../../core/codec.js';
import type { Column } from '../column.js';
import { putBytes } from './vector-text.js';
import { putCell } from './vector-json.js';

/**
 * One cell of a vector as the text that a codec reads. One object for all cells: the fields are those of the last
 * `read`.
 */
export class VectorCell {
  bytes: Buffer = Buffer.alloc(0);
  start = 0;
  end = 0;
  readonly #scratch: CopyBuffer = { buf: Buffer.allocUnsafe(4096), pos: 0 };

  /**
   * Returns false for NULL. Bytes without a declared encoding meet a bytea column as bytes, and any other as text:
   * writers before the annotation was common left it out.
   */
  read(vector: Vector, row: number, column: Pick<Column, 'type'>): boolean {
    if (!isThere(vector, row)) return false;
    const { kind } = vector.type;
    if (kind === 'text' || (kind === 'blob' && column.type.typname !== 'bytea')) {
      this.bytes = vector.bytes;
      this.start = vector.words[row]!;
      this.end = vector.words[row + 1]!;
      return true;
    }
    const scratch = this.#scratch;
    scratch.pos = 0;
    putCell(vector, row, scratch);
    this.bytes = scratch.buf;
    this.start = 0;
    this.end = scratch.pos;
    return true;
  }

  /** The same for people: bytes are shown in hexadecimal where they are no text. */
  show(vector: Vector, row: number): boolean {
    if (!isThere(vector, row)) return false;
    const scratch = this.#scratch;
    scratch.pos = 0;
    if (vector.type.kind === 'text') putBytes(vector, row, scratch);
    else putCell(vector, row, scratch);
    this.bytes = scratch.buf;
    this.start = 0;
    this.end = scratch.pos;
    return true;
  }

  /** Is the text of the last `read` one that PostgreSQL takes: UTF-8 without NUL? */
  isClean(): boolean {
    return isCleanText(this.bytes, this.start, this.end);
  }
}

/** UTF-8 without NUL. */
export function isCleanText(bytes: Buffer, start: number, end: number): boolean {
  const part = bytes.subarray(start, end);
  return isUtf8(part) && !part.includes(0);
}
