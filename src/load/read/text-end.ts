import type { Bytes, FileDialect } from '../../core/format.js';

const LF = 0x0a;
const CR = 0x0d;

/** Key of the dialect: does the last line of the text end as the others do? */
const KEY = 'last_line_end';

/** Text that passes through: once it has been read to its end, it is known whether its last line has a line end. */
export class TextEnd {
  readonly bytes: Bytes;
  readonly #inLines: (told: FileDialect) => boolean;
  #last: number | null = null;

  /** `inLines`: of the format's TextDialect. */
  constructor(bytes: Bytes, inLines: (told: FileDialect) => boolean) {
    this.bytes = this.#watched(bytes);
    this.#inLines = inLines;
  }

  /** What the dialect says of it, beside what the reader `told`; nothing of a text without bytes. */
  told(told: FileDialect): FileDialect {
    return this.#last === null || !this.#inLines(told) ? {} : { [KEY]: this.#last === LF || this.#last === CR };
  }

  async *#watched(bytes: Bytes): AsyncGenerator<Buffer, void, undefined> {
    for await (const chunk of bytes) {
      if (chunk.length > 0) this.#last = chunk[chunk.length - 1]!;
      yield chunk;
    }
  }
}

/** The text, or one of the members of an archive, ends within a line: it may be cut off. */
export const isUnterminated = (dialect: Readonly<Record<string, unknown>>): boolean => dialect[KEY] === false;

/** The text ends with a line end. False also where nothing is known. */
export const isTerminated = (dialect: Readonly<Record<string, unknown>>): boolean => dialect[KEY] === true;

/** An archive is as its worst member. */
export const UNTERMINATED: FileDialect = { [KEY]: false };
