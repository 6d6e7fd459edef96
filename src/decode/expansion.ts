import { TallymanError } from '../core/errors.js';
import type { ExpansionSpec } from '../core/feed/input.js';
import type { Bytes } from '../core/format.js';

/** Decoded bytes that any ratio may have: a small file of blanks is no bomb (10 MB). */
const FREE = 10_000_000;

/** Counts what goes into decoders and what comes out, against bombs: `max_expansion` of the feed. */
export class Expansion {
  readonly #limit: ExpansionSpec;
  #delivered = 0;
  #decoded = 0;

  constructor(limit: ExpansionSpec) {
    this.#limit = limit;
  }

  /** The compressed bytes on their way into a decoder. */
  async *counted(input: Bytes): AsyncGenerator<Buffer> {
    for await (const chunk of input) {
      this.took(chunk.length);
      yield chunk;
    }
  }

  /** So many compressed bytes went into a decoder. */
  took(count: number): void {
    this.#delivered += count;
  }

  /** A file whose parts are read in any order, perhaps one part twice: its size is what was delivered. */
  deliveredWhole(size: number): void {
    this.#delivered = size;
  }

  /** The decoded bytes; throws EXPANSION_LIMIT at the chunk that goes past a limit. */
  async *limited(output: Bytes): AsyncGenerator<Buffer> {
    for await (const chunk of output) {
      this.gave(chunk.length);
      yield chunk;
    }
  }

  /** So many bytes came out; throws EXPANSION_LIMIT when that is past a limit. */
  gave(count: number): void {
    const { ratio, bytes } = this.#limit;
    this.#decoded += count;
    if (this.#decoded > bytes)
      throw new TallymanError('EXPANSION_LIMIT', `The file expands to more than ${bytes} bytes (max_expansion.size).`);
    if (this.#decoded > FREE && this.#decoded > ratio * this.#delivered) {
      throw new TallymanError(
        'EXPANSION_LIMIT',
        `The first ${this.#delivered} bytes expand to more than ${this.#decoded - count} bytes: over ${ratio} times (max_expansion.ratio).`,
      );
    }
  }
}
