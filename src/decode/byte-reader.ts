import type { Bytes } from '../core/format.js';

/** Takes exact numbers of bytes out of a stream. */
export class ByteReader {
  /** Bytes taken so far. */
  position = 0;
  readonly #source: AsyncIterator<Buffer>;
  #chunk: Buffer = Buffer.alloc(0);
  #at = 0;

  constructor(source: Bytes) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** The next `count` bytes, fewer only at the end of the stream. Valid until the next call. */
  async take(count: number): Promise<Buffer> {
    let part = this.#slice(count);
    if (part.length === count) return part;
    const whole = Buffer.allocUnsafe(count);
    let length = 0;
    for (;;) {
      length += part.copy(whole, length);
      if (length === count || !(await this.#more())) return whole.subarray(0, length);
      part = this.#slice(count - length);
    }
  }

  /** Passes over bytes; returns how many there were. */
  async skip(count: number): Promise<number> {
    let passed = 0;
    for (;;) {
      passed += this.#slice(count - passed).length;
      if (passed === count || !(await this.#more())) return passed;
    }
  }

  async close(): Promise<void> {
    await this.#source.return?.();
  }

  #slice(count: number): Buffer {
    const part = this.#chunk.subarray(this.#at, this.#at + count);
    this.#at += part.length;
    this.position += part.length;
    return part;
  }

  async #more(): Promise<boolean> {
    const next = await this.#source.next();
    if (next.done === true) return false;
    this.#chunk = next.value;
    this.#at = 0;
    return true;
  }
}
