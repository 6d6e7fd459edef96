import duckdb from '@duckdb/node-bindings';
import type { VectorType } from '../../core/batch.js';
import { HEAD, ROWS } from './frames.js';
import { widthOf } from './layout.js';

/** Rows are cut so that a frame holds about so many bytes at most; a single larger row is a frame of its own. */
const FRAME = 4 * 1024 * 1024;

/** A column of a chunk. */
export interface Packed {
  readonly vector: duckdb.Vector;
  readonly type: VectorType;
}

/**
 * Lays the vectors of one chunk out as frames (layout.ts has the form) and hands each to `send`, which must be done
 * with it when it returns. DuckDB's memory is read as it lies: fixed-width values in one copy, texts one by one.
 */
export class Packer {
  #buf: Buffer = Buffer.allocUnsafeSlow(1024 * 1024);
  #pos = 0;

  rows(columns: readonly Packed[], from: number, to: number, send: (frame: Buffer) => void): void {
    let size = 0;
    for (const { vector, type } of columns) size += sizeOf(vector, type, from, to);
    if (size > FRAME && to - from > 1) {
      const middle = (from + to) >> 1;
      this.rows(columns, from, middle, send);
      this.rows(columns, middle, to, send);
      return;
    }
    this.#pos = 0;
    this.#room(HEAD + 8);
    this.#buf.writeUInt32LE(ROWS, 4);
    this.#buf.writeUInt32LE(to - from, HEAD);
    this.#buf.writeUInt32LE(columns.length, HEAD + 4);
    this.#pos = HEAD + 8;
    for (const { vector, type } of columns) this.#vector(vector, type, from, to);
    this.#buf.writeUInt32LE(this.#pos - HEAD, 0);
    send(this.#buf.subarray(0, this.#pos));
    // One huge row must not be paid for until the end.
    if (this.#buf.length > 8 * FRAME) this.#buf = Buffer.allocUnsafeSlow(FRAME);
  }

  #vector(vector: duckdb.Vector, type: VectorType, from: number, to: number): void {
    const head = this.#pos;
    this.#room(8);
    this.#pos += 8;
    this.#buf.writeUInt32LE(this.#validity(vector, from, to) ? 1 : 0, head);
    let extra = 0;
    switch (type.kind) {
      case 'text':
      case 'blob':
      case 'digits':
        extra = this.#texts(vector, from, to);
        break;
      case 'julian':
        this.#inlined(vector, from, to);
        break;
      case 'list': {
        const [start, end] = this.#lists(vector, from, to);
        extra = end - start;
        this.#vector(duckdb.list_vector_get_child(vector), type.item, start, end);
        break;
      }
      case 'map': {
        const [start, end] = this.#lists(vector, from, to);
        extra = end - start;
        const entries = duckdb.list_vector_get_child(vector);
        this.#vector(duckdb.struct_vector_get_child(entries, 0), type.key, start, end);
        this.#vector(duckdb.struct_vector_get_child(entries, 1), type.value, start, end);
        break;
      }
      case 'struct':
        for (const [i, field] of type.fields.entries())
          this.#vector(duckdb.struct_vector_get_child(vector, i), field.type, from, to);
        break;
      default: {
        const width = widthOf(type);
        this.#bytes(duckdb.vector_get_data(vector, width * to), width * from, width * to);
      }
    }
    this.#buf.writeUInt32LE(extra, head + 4);
  }

  /** Returns false when all rows have a value: then nothing is written. */
  #validity(vector: duckdb.Vector, from: number, to: number): boolean {
    const mask = validityOf(vector, to);
    if (mask === null) return false;
    const count = (to - from + 7) >> 3;
    this.#room(count + 8);
    const buf = this.#buf;
    const shift = from & 7;
    for (let i = 0; i < count; i++) {
      const at = (from >> 3) + i;
      buf[this.#pos + i] = shift === 0 ? mask[at]! : (mask[at]! >> shift) | ((mask[at + 1] ?? 0) << (8 - shift));
    }
    this.#pos = padded(this.#pos + count);
    return true;
  }

  /** Offsets, then bytes; returns how many bytes. */
  #texts(vector: duckdb.Vector, from: number, to: number): number {
    const count = to - from;
    const data = duckdb.vector_get_data(vector, 16 * to);
    const words = new Int32Array(data.buffer, data.byteOffset, 4 * to);
    const mask = validityOf(vector, to);
    this.#room(4 * (count + 1) + 8);
    const offsets = this.#pos;
    this.#pos = padded(offsets + 4 * (count + 1));
    const start = this.#pos;
    for (let row = from; row < to; row++) {
      this.#buf.writeUInt32LE(this.#pos - start, offsets + 4 * (row - from));
      if (mask !== null && (mask[row >> 3]! & (1 << (row & 7))) === 0) continue;
      const length = words[4 * row]! >>> 0;
      this.#room(length + 16);
      const buf = this.#buf;
      if (length <= 12) {
        const at = 16 * row + 4;
        for (let i = 0; i < length; i++) buf[this.#pos + i] = data[at + i]!;
      } else {
        buf.set(duckdb.get_data_from_pointer(bufferOf(data), data.byteOffset + 16 * row + 8, length), this.#pos);
      }
      this.#pos += length;
    }
    const length = this.#pos - start;
    this.#buf.writeUInt32LE(length, offsets + 4 * count);
    this.#pos = padded(this.#pos);
    return length;
  }

  /** Values of exactly 12 bytes: DuckDB keeps those inside its string structure. */
  #inlined(vector: duckdb.Vector, from: number, to: number): void {
    const data = duckdb.vector_get_data(vector, 16 * to);
    this.#room(12 * (to - from) + 8);
    for (let row = from; row < to; row++)
      this.#buf.set(data.subarray(16 * row + 4, 16 * row + 16), this.#pos + 12 * (row - from));
    this.#pos = padded(this.#pos + 12 * (to - from));
  }

  /** Offsets of the lists; returns where their items begin and end in the child. */
  #lists(vector: duckdb.Vector, from: number, to: number): readonly [number, number] {
    const entries = entriesOf(vector, from, to);
    const count = to - from;
    this.#room(4 * (count + 1) + 8);
    let next = entries.start;
    for (let i = 0; i < count; i++) {
      this.#buf.writeUInt32LE(next - entries.start, this.#pos + 4 * i);
      next += entries.lengths[i]!;
    }
    this.#buf.writeUInt32LE(next - entries.start, this.#pos + 4 * count);
    this.#pos = padded(this.#pos + 4 * (count + 1));
    return [entries.start, entries.end];
  }

  #bytes(data: Uint8Array, from: number, to: number): void {
    this.#room(to - from + 8);
    this.#buf.set(data.subarray(from, to), this.#pos);
    this.#pos = padded(this.#pos + to - from);
  }

  #room(need: number): void {
    if (this.#pos + need <= this.#buf.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(2 * this.#buf.length, this.#pos + need));
    this.#buf.copy(larger, 0, 0, this.#pos);
    this.#buf = larger;
  }
}

const padded = (at: number): number => (at + 7) & ~7;

function bufferOf(data: Uint8Array): ArrayBuffer {
  if (data.buffer instanceof ArrayBuffer) return data.buffer;
  throw new TypeError('shared memory where there is none');
}

/** null = all rows have a value; the binding's own types do not say so. */
function validityOf(vector: duckdb.Vector, rows: number): Uint8Array | null {
  const mask: unknown = duckdb.vector_get_validity(vector, 8 * Math.ceil(rows / 64));
  return mask instanceof Uint8Array ? mask : null;
}

/** Where the lists of these rows have their items: one behind the other, as a reader of Parquet makes them. */
function entriesOf(
  vector: duckdb.Vector,
  from: number,
  to: number,
): { readonly start: number; readonly end: number; readonly lengths: Int32Array } {
  const data = duckdb.vector_get_data(vector, 16 * to);
  const words = new Int32Array(data.buffer, data.byteOffset, 4 * to);
  const mask = validityOf(vector, to);
  const lengths = new Int32Array(to - from);
  let start = -1;
  let end = 0;
  for (let row = from; row < to; row++) {
    if (mask !== null && (mask[row >> 3]! & (1 << (row & 7))) === 0) continue;
    const length = words[4 * row + 2]!;
    if (length === 0) continue;
    const offset = words[4 * row]!;
    if (start < 0) start = end = offset;
    if (offset !== end) throw new Error('the items of a list column do not lie one behind the other');
    lengths[row - from] = length;
    end += length;
  }
  return { start: Math.max(0, start), end, lengths };
}

/** Bytes that the rows take in a frame, roughly. */
function sizeOf(vector: duckdb.Vector, type: VectorType, from: number, to: number): number {
  switch (type.kind) {
    case 'text':
    case 'blob':
    case 'digits': {
      const data = duckdb.vector_get_data(vector, 16 * to);
      const words = new Int32Array(data.buffer, data.byteOffset, 4 * to);
      const mask = validityOf(vector, to);
      let size = 4 * (to - from);
      for (let row = from; row < to; row++)
        if (mask === null || (mask[row >> 3]! & (1 << (row & 7))) !== 0) size += words[4 * row]! >>> 0;
      return size;
    }
    case 'list': {
      const { start, end } = entriesOf(vector, from, to);
      return 4 * (to - from) + sizeOf(duckdb.list_vector_get_child(vector), type.item, start, end);
    }
    case 'map': {
      const { start, end } = entriesOf(vector, from, to);
      const entries = duckdb.list_vector_get_child(vector);
      return (
        4 * (to - from) +
        sizeOf(duckdb.struct_vector_get_child(entries, 0), type.key, start, end) +
        sizeOf(duckdb.struct_vector_get_child(entries, 1), type.value, start, end)
      );
    }
    case 'struct':
      return type.fields.reduce(
        (size, field, i) => size + sizeOf(duckdb.struct_vector_get_child(vector, i), field.type, from, to),
        0,
      );
    default:
      return widthOf(type) * (to - from);
  }
}
