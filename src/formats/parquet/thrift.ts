import { TallymanError } from '../../core/errors.js';

/** Types on the wire of Thrift's compact protocol. */
export const TRUE = 1;
export const FALSE = 2;
export const I32 = 5;
export const BINARY = 8;
export const LIST = 9;
export const STRUCT = 12;

/** Structs inside structs; Parquet's own need eight. */
const MOST_DEPTH = 32;

/**
 * Reads Thrift's compact protocol from a footer that may hold anything: every length is held against what is there.
 * Throws FILE_CORRUPT.
 */
export class ThriftReader {
  pos: number;
  readonly #bytes: Buffer;
  #depth = 0;

  constructor(bytes: Buffer, pos = 0) {
    this.#bytes = bytes;
    this.pos = pos;
  }

  /** Calls `field` with id and type of each field of the struct at hand; it must read or skip the value. */
  struct(field: (id: number, type: number) => void): void {
    if (++this.#depth > MOST_DEPTH) throw damaged(this.pos);
    let id = 0;
    for (;;) {
      const head = this.#byte();
      if (head === 0) break;
      const delta = head >> 4;
      id = delta === 0 ? Number(this.integer()) : id + delta;
      field(id, head & 15);
    }
    this.#depth--;
  }

  /** Calls `item` for each item of the list at hand; it must read or skip it. */
  list(item: (type: number) => void): void {
    const head = this.#byte();
    const count = head >> 4 === 15 ? this.#size() : head >> 4;
    if (++this.#depth > MOST_DEPTH) throw damaged(this.pos);
    for (let i = 0; i < count; i++) item(head & 15);
    this.#depth--;
  }

  /** i16, i32, i64. */
  integer(): bigint {
    const raw = this.#varint();
    return (raw >> 1n) ^ -(raw & 1n);
  }

  number(): number {
    return Number(this.integer());
  }

  binary(): Buffer {
    const length = this.#size();
    this.pos += length;
    return this.#bytes.subarray(this.pos - length, this.pos);
  }

  /** `inList`: a boolean is a byte of its own there. */
  skip(type: number, inList = false): void {
    switch (type) {
      case TRUE:
      case FALSE:
        if (inList) this.#byte();
        return;
      case 3:
        this.#byte();
        return;
      case 4:
      case I32:
      case 6:
        this.#varint();
        return;
      case 7:
        this.#take(8);
        return;
      case BINARY:
        this.binary();
        return;
      case LIST:
      case 10:
        this.list((item) => this.skip(item, true));
        return;
      case 11: {
        const count = this.#size();
        if (count === 0) return;
        const types = this.#byte();
        for (let i = 0; i < count; i++) {
          this.skip(types >> 4, true);
          this.skip(types & 15, true);
        }
        return;
      }
      case STRUCT:
        this.struct((_id, field) => this.skip(field));
        return;
      default:
        throw damaged(this.pos);
    }
  }

  #size(): number {
    const size = Number(this.#varint());
    if (size > this.#bytes.length - this.pos) throw damaged(this.pos);
    return size;
  }

  #varint(): bigint {
    let low = 0;
    // four bytes fit into a small integer: nearly all
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.#byte();
      low |= (byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt(low);
    }
    let value = BigInt(low);
    for (let shift = 28n; shift < 70n; shift += 7n) {
      const byte = this.#byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw damaged(this.pos);
  }

  #byte(): number {
    const byte = this.#bytes[this.pos];
    if (byte === undefined) throw damaged(this.pos);
    this.pos++;
    return byte;
  }

  #take(length: number): void {
    if (length > this.#bytes.length - this.pos) throw damaged(this.pos);
    this.pos += length;
  }
}

const damaged = (at: number): TallymanError =>
  new TallymanError('FILE_CORRUPT', `The Parquet footer is damaged at its byte ${at}.`);

export function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  return Buffer.from([...bytes, rest]);
}

/** A struct of i32 and binary fields; null = the field is left out. Ids rise. */
export function writeStruct(fields: readonly (readonly [number, number | Buffer | null])[]): Buffer {
  const parts: Buffer[] = [];
  let last = 0;
  for (const [id, value] of fields) {
    if (value === null) continue;
    const head = Buffer.from([((id - last) << 4) | (typeof value === 'number' ? I32 : BINARY)]);
    last = id;
    if (typeof value === 'number') parts.push(head, varint(value < 0 ? -2 * value - 1 : 2 * value));
    else parts.push(head, varint(value.length), value);
  }
  return Buffer.concat([...parts, Buffer.from([0])]);
}

/** Head of a list. */
export const listHead = (count: number, type: number): Buffer =>
  count < 15 ? Buffer.from([(count << 4) | type]) : Buffer.concat([Buffer.from([0xf0 | type]), varint(count)]);
