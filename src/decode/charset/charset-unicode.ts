import { NEVER, OutputBuffers, putUtf8, type Transcoder } from './transcoder.js';

const isHigh = (unit: number): boolean => unit >= 0xd800 && unit < 0xdc00;
const isLow = (unit: number): boolean => unit >= 0xdc00 && unit < 0xe000;

/**
 * UTF-16 without its byte order mark. A lone surrogate comes out as its three bytes, half a unit at the end behind a
 * byte that is no UTF-8.
 */
export class Utf16 implements Transcoder {
  readonly #buffers = new OutputBuffers();
  /** Index of the upper byte in a unit. */
  readonly #upper: 0 | 1;
  /** First byte of a unit whose second has not come, or -1. */
  #half = -1;
  /** High surrogate that waits for its low one, or 0. */
  #high = 0;

  constructor(littleEndian: boolean) {
    this.#upper = littleEndian ? 1 : 0;
  }

  write(bytes: Buffer): Buffer {
    // A unit gives at most 3 bytes; one that was kept from before may come with it.
    const out = this.#buffers.next(2 * bytes.length + 8);
    const upper = this.#upper;
    const lower = 1 - upper;
    let high = this.#high;
    let at = 0;
    let put = 0;
    if (this.#half >= 0 && bytes.length > 0) {
      const unit = upper === 0 ? (this.#half << 8) | bytes[0]! : (bytes[0]! << 8) | this.#half;
      at = 1;
      this.#half = -1;
      [put, high] = this.#unit(out, put, unit, high);
    }
    for (; at + 1 < bytes.length; at += 2) {
      const unit = (bytes[at + upper]! << 8) | bytes[at + lower]!;
      if (unit < 0x80 && high === 0) out[put++] = unit;
      else if (high === 0 && !isHigh(unit)) put = putUtf8(out, put, unit);
      else [put, high] = this.#unit(out, put, unit, high);
    }
    if (at < bytes.length) this.#half = bytes[at]!;
    this.#high = high;
    return out.subarray(0, put);
  }

  end(): Buffer {
    const out = Buffer.alloc(8);
    let put = this.#high === 0 ? 0 : putUtf8(out, 0, this.#high);
    if (this.#half >= 0) {
      out[put++] = NEVER;
      out[put++] = this.#half;
    }
    return out.subarray(0, put);
  }

  #unit(out: Buffer, put: number, unit: number, high: number): [put: number, high: number] {
    if (high !== 0) {
      if (isLow(unit)) return [putUtf8(out, put, 0x10000 + ((high - 0xd800) << 10) + (unit - 0xdc00)), 0];
      put = putUtf8(out, put, high);
    }
    return isHigh(unit) ? [put, unit] : [putUtf8(out, put, unit), 0];
  }
}

/**
 * UTF-32 without its byte order mark. A number that is no character comes out as four bytes that are no UTF-8: as
 * delivered it could hold a line end.
 */
export class Utf32 implements Transcoder {
  readonly #buffers = new OutputBuffers();
  readonly #littleEndian: boolean;
  readonly #kept = Buffer.alloc(4);
  #keptLength = 0;

  constructor(littleEndian: boolean) {
    this.#littleEndian = littleEndian;
  }

  write(bytes: Buffer): Buffer {
    const out = this.#buffers.next(bytes.length + 4);
    let at = 0;
    let put = 0;
    while (this.#keptLength > 0 && this.#keptLength < 4 && at < bytes.length)
      this.#kept[this.#keptLength++] = bytes[at++]!;
    if (this.#keptLength === 4) {
      put = this.#put(out, put, this.#kept, 0);
      this.#keptLength = 0;
    }
    for (; at + 3 < bytes.length; at += 4) put = this.#put(out, put, bytes, at);
    while (at < bytes.length) this.#kept[this.#keptLength++] = bytes[at++]!;
    return out.subarray(0, put);
  }

  end(): Buffer {
    return Buffer.alloc(this.#keptLength, NEVER);
  }

  #put(out: Buffer, put: number, bytes: Buffer, at: number): number {
    const code = this.#littleEndian ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at);
    if (code <= 0x10ffff && !isHigh(code) && !isLow(code)) return putUtf8(out, put, code);
    out.fill(NEVER, put, put + 4);
    return put + 4;
  }
}
