import { compileColumn, type Column } from '../../columns/column.js';
import { pgTypeNamed } from '../../columns/type-name.js';
import { NULL_WRITTEN, type CopyBuffer } from '../../core/codec.js';
import { plainColumn } from '../../columns/plain-column.js';
import { numberReader, plainNumber } from '../../columns/numbers/number-text.js';
import type { Guess } from './column-guess.js';
import { shown } from './profile.js';

/** What the proof found for one column. */
export interface Proven {
  readonly guess: Guess;
  /** Values that are NULL under the guess, and those that are not. */
  nulls: number;
  values: number;
  /**
   * Least and greatest value in the plain form of the type, as `min` and `max` are written; null where it has no order.
   */
  min: string | null;
  max: string | null;
}

/**
 * Encodes every value of the sample by the very codec that a load will use. A value that is refused makes the column
 * text: a type stands only when all values hold it.
 */
export class Prover {
  readonly proven: Proven;
  readonly #column: Column | null;
  readonly #out: CopyBuffer;
  #min: Buffer | null = null;
  #max: Buffer | null = null;
  #failed: Guess | null = null;

  constructor(name: string, guess: Guess) {
    this.proven = { guess, nulls: 0, values: 0, min: null, max: null };
    const type = pgTypeNamed(guess.type);
    this.#column = type === null ? null : compileColumn(specOf(name, guess), type, 'UTC', 'binary');
    this.#out = SHARED;
  }

  /** The guess, or text with the reason why it did not hold. */
  get guess(): Guess {
    return this.#failed ?? this.proven.guess;
  }

  absent(): void {
    this.proven.nulls++;
  }

  cell(bytes: Buffer, start: number, end: number, line: number): void {
    const { proven } = this;
    const column = this.#column;
    if (column === null || this.#failed !== null || proven.guess.type === 'text') {
      proven.values++;
      return;
    }
    const out = this.#out;
    const need = column.maxSize(end - start);
    if (out.buf.length < need) out.buf = Buffer.allocUnsafe(2 * need);
    out.pos = 0;
    const code = column.encode(bytes, start, end, out);
    if (code === NULL_WRITTEN) {
      proven.nulls++;
      return;
    }
    proven.values++;
    if (code > 0) {
      const why = column.faults(bytes, start, end)[0]?.message ?? `not a ${proven.guess.type}`;
      this.#failed = {
        type: 'text',
        doubts: [
          `mixed: ${proven.guess.type} but for ${JSON.stringify(shown(bytes, start, end))} (line ${line}): ${why}`,
        ],
      };
      return;
    }
    const { compare } = column.codec;
    if (compare === null) return;
    const { buf, pos } = out;
    const less = this.#min === null || compare(buf, 4, pos, this.#min, 0, this.#min.length) < 0;
    const more = this.#max === null || compare(buf, 4, pos, this.#max, 0, this.#max.length) > 0;
    if (!less && !more) return;
    const value = Buffer.from(buf.subarray(4, pos));
    const plain = this.#plain(column, bytes, start, end);
    if (less) [this.#min, proven.min] = [value, plain];
    if (more) [this.#max, proven.max] = [value, plain];
  }

  /** Numbers keep their own digits: what the codec writes for COPY may be a number with an exponent. */
  #plain({ codec, spec }: Column, bytes: Buffer, start: number, end: number): string {
    if (/^(?:smallint|integer|bigint|numeric|real|double)/.test(this.proven.guess.type)) {
      const length = numberReader(spec)?.(bytes, start, end) ?? -1;
      return length < 0
        ? bytes.toString('utf8', start, Math.min(end, start + 100)).trim()
        : plainNumber().toString('utf8', 0, Math.min(length, 100));
    }
    const out = this.#out;
    out.pos = 0;
    codec.encodeText(bytes, start, end, out);
    // PostgreSQL's offset has seconds, that of `min` and `max` has none; nor had the file's.
    return out.buf.toString('utf8', 0, out.pos).replace(/([+-]\d\d:\d\d):00$/, '$1');
  }
}

/** One for all columns: encode leaves nothing behind. */
const SHARED: CopyBuffer = { buf: Buffer.allocUnsafe(4_096), pos: 0 };

export function specOf(name: string, guess: Guess): ReturnType<typeof plainColumn> {
  return {
    ...plainColumn(name, name, guess.type),
    formats: guess.formats ?? [],
    locale: guess.locale ?? null,
    decimal: guess.decimal ?? '.',
    thousands: guess.thousands ?? null,
    negative: guess.negative ?? null,
    currency: guess.currency ?? [],
    percent: guess.percent ?? null,
    round: guess.round ?? false,
    trueValues: guess.trueValues ?? null,
    falseValues: guess.falseValues ?? null,
  };
}
