import { isUtf8 } from 'node:buffer';
import type { Vector, VectorBatch, VectorType } from '../../core/batch.js';
import { TallymanError } from '../../core/errors.js';
import { widthOf } from './layout.js';

const NO_WORDS = new Int32Array(0);
const NO_BYTES = Buffer.alloc(0);

/**
 * Takes a ROWS frame (behind its head) apart: views over its bytes, nothing is copied. `columns`: index into the file's
 * columns, and type, of each vector.
 */
export function unpack(
  frame: Buffer,
  columns: readonly { readonly index: number; readonly type: VectorType }[],
  names: readonly string[],
  firstRow: number,
): VectorBatch {
  const cursor = new Cursor(frame);
  const rows = cursor.number();
  if (cursor.number() !== columns.length) throw broken();
  const vectors = new Array<Vector | null>(names.length).fill(null);
  for (const { index, type } of columns) vectors[index] = cursor.vector(type, rows);
  return { kind: 'vectors', rows, columns: vectors, names, firstRow, size: frame.length };
}

class Cursor {
  readonly #frame: Buffer;
  #pos = 0;

  constructor(frame: Buffer) {
    this.#frame = frame;
  }

  number(): number {
    if (this.#pos + 4 > this.#frame.length) throw broken();
    this.#pos += 4;
    return this.#frame.readUInt32LE(this.#pos - 4);
  }

  vector(type: VectorType, rows: number): Vector {
    const validity = this.number() === 1;
    const extra = this.number();
    const mask = validity ? this.#take((rows + 7) >> 3) : null;
    const base = { type, validity: mask, bytes: NO_BYTES, words: NO_WORDS, children: [], clean: true };
    switch (type.kind) {
      case 'text':
      case 'blob':
      case 'digits': {
        const words = this.#words(4 * (rows + 1));
        const bytes = this.#take(extra);
        return { ...base, words, bytes, clean: type.kind === 'text' && isUtf8(bytes) && !bytes.includes(0) };
      }
      case 'list': {
        const words = this.#words(4 * (rows + 1));
        return { ...base, words, children: [this.vector(type.item, extra)] };
      }
      case 'map': {
        const words = this.#words(4 * (rows + 1));
        const keys = this.vector(type.key, extra);
        return { ...base, words, children: [keys, this.vector(type.value, extra)] };
      }
      case 'struct':
        return { ...base, children: type.fields.map((field) => this.vector(field.type, rows)) };
      default: {
        const bytes = this.#take(widthOf(type) * rows);
        if (type.kind === 'uuid') asWritten(bytes);
        return { ...base, bytes, words: wordsOf(bytes) };
      }
    }
  }

  #words(length: number): Int32Array {
    return wordsOf(this.#take(length));
  }

  /** So many bytes, and what pads them. */
  #take(length: number): Buffer {
    const start = this.#pos;
    if (start + length > this.#frame.length) throw broken();
    this.#pos = (start + length + 7) & ~7;
    return this.#frame.subarray(start, start + length);
  }
}

const wordsOf = (bytes: Buffer): Int32Array => new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);

/** DuckDB keeps a UUID as a 128-bit number with its highest bit flipped, so that numbers sort as UUIDs do. */
function asWritten(bytes: Buffer): void {
  for (let at = 0; at < bytes.length; at += 16) {
    for (let i = at, j = at + 15; i < j; i++, j--) {
      const byte = bytes[i]!;
      bytes[i] = bytes[j]!;
      bytes[j] = byte;
    }
    bytes[at]! ^= 0x80;
  }
}

const broken = (): TallymanError =>
  new TallymanError('INTERNAL', 'the Parquet reader sent a frame that cannot be read');
