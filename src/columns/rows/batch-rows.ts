import type { Batch } from '../../core/batch.js';
import type { CopyBuffer } from '../../core/codec.js';
import { putRowJson } from '../vectors/vector-json.js';

/**
 * A row's raw record: the bytes as they stood in the file, or of a vector batch the row as JSON. The latter is
 * overwritten by the next call.
 */
export class RawRow {
  readonly #json: CopyBuffer = { buf: Buffer.alloc(0), pos: 0 };

  of(batch: Batch, row: number): Buffer {
    if (batch.kind === 'spans') return batch.bytes.subarray(batch.rowStarts[row], batch.rowEnds[row]);
    this.#json.pos = 0;
    putRowJson(batch, row, this.#json);
    return this.#json.buf.subarray(0, this.#json.pos);
  }
}

/** Where a row stood in its file. A format that stores values has no lines and no bytes of a row to point at. */
export function placeOf(
  batch: Batch,
  row: number,
): { readonly row: number; readonly line: number | null; readonly offset: number | null } {
  const number = batch.firstRow + row;
  return batch.kind === 'spans'
    ? { row: number, line: batch.lines[row]!, offset: batch.offsets[row]! }
    : { row: number, line: null, offset: null };
}
