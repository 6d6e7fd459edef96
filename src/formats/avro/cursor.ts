import { TallymanError } from '../../core/errors.js';

/**
 * Bytes of a block, taken value by value (Avro specification, binary encoding). Throws FILE_CORRUPT where a value leads
 * past the block's end.
 */
export class BlockCursor {
  bytes: Buffer = Buffer.alloc(0);
  pos = 0;
  /** Where the block begins in the file, for messages. */
  at = 0;

  open(bytes: Buffer, at: number): void {
    this.bytes = bytes;
    this.pos = 0;
    this.at = at;
  }

  get left(): number {
    return this.bytes.length - this.pos;
  }

  /** Passes over so many bytes and returns where they begin. */
  take(count: number): number {
    const start = this.pos;
    if (count > this.bytes.length - start) throw this.corrupt('a value leads past its end');
    this.pos = start + count;
    return start;
  }

  /**
   * A whole number of up to 64 bits, zigzag in groups of 7 bits, when a double holds it exactly; else null, and
   * `bigLong` reads it. Nearly all numbers of real files take the first loop.
   */
  long(): number | null {
    const { bytes } = this;
    let at = this.pos;
    let value = 0;
    let factor = 1;
    for (let group = 0; group < 7; group++) {
      const byte = bytes[at++];
      if (byte === undefined) throw this.corrupt('a number leads past its end');
      value += (byte & 0x7f) * factor;
      factor *= 128;
      if (byte < 0x80) {
        this.pos = at;
        return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
      }
    }
    return null;
  }

  /** The number at `pos`, whatever its size. */
  bigLong(): bigint {
    let value = 0n;
    let at = this.pos;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.bytes[at++];
      if (byte === undefined) throw this.corrupt('a number leads past its end');
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) break;
      if (shift >= 63n) throw this.corrupt('a number has more than 64 bits');
    }
    if (value >= 1n << 64n) throw this.corrupt('a number has more than 64 bits');
    this.pos = at;
    return (value >> 1n) ^ -(value & 1n);
  }

  /** A length, count or index: at least 0, and no more than `most`. */
  size(most: number, what: string): number {
    const value = this.long();
    if (value === null || value < 0 || value > most) throw this.corrupt(`${what} is out of range`);
    return value;
  }

  corrupt(what: string): TallymanError {
    return new TallymanError('FILE_CORRUPT', `The Avro file is damaged in the block at byte ${this.at}: ${what}.`);
  }
}
