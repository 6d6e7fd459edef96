import {
  BACKSLASH,
  CLOSE_ARRAY,
  CLOSE_OBJECT,
  COMMA,
  LF,
  OPEN_ARRAY,
  OPEN_OBJECT,
  QUOTE,
  STRING_STOP,
} from './bytes.js';

/** Deepest nesting in which the end of a refused element is looked for: one byte of memory a level. */
const DEEPEST = 2 ** 20;

/** `feed` needs more bytes. */
export const UNSURE = -1;
/** Brackets do not pair, or a string holds a line end: nobody can say where the element ends. */
export const LOST = -2;

/**
 * Looks for the end of an element that is refused (bad syntax, too deep, too long), however long it is: only strings
 * and brackets are seen. Strict where it counts: rather no end than one that swallows good records.
 */
export class ElementEnd {
  /** Line feeds passed over. */
  lines = 0;
  /** `feed` gave LOST, at the index `lostAt`. */
  lost = false;
  lostAt = 0;
  /** `array`: the element ends before a comma or bracket outside of it. `single`: behind its own closing bracket. */
  readonly #within: 'array' | 'single';
  #open = new Uint8Array(1024);
  #depth = 0;
  #inString = false;
  #escaped = false;

  constructor(within: 'array' | 'single') {
    this.#within = within;
  }

  /** Goes on over bytes[from..end). Returns the index of the element's end, UNSURE or LOST. */
  feed(bytes: Buffer, from: number, end: number): number {
    for (let at = from; at < end; at++) {
      if (this.#inString) {
        at = this.#string(bytes, at, end);
        if (at >= end) break;
        if (bytes[at] === LF) return this.#lost(at);
        continue;
      }
      const byte = bytes[at]!;
      if (byte === QUOTE) {
        this.#inString = true;
      } else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
        if (this.#depth === DEEPEST) return this.#lost(at);
        this.#push(byte);
      } else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) {
        if (this.#depth === 0) return this.#within === 'array' && byte === CLOSE_ARRAY ? at : this.#lost(at);
        if (this.#open[--this.#depth] !== byte - 2) return this.#lost(at);
        if (this.#depth === 0 && this.#within === 'single') return at + 1;
      } else if (byte === COMMA && this.#depth === 0 && this.#within === 'array') {
        return at;
      } else if (byte === LF) {
        this.lines += 1;
      }
    }
    return UNSURE;
  }

  /** The index of the closing quote or of a line feed, or `end`. */
  #string(bytes: Buffer, from: number, end: number): number {
    let at = from;
    if (this.#escaped && at < end) {
      this.#escaped = false;
      if (bytes[at] === LF) return at;
      at += 1;
    }
    for (; at < end; at++) {
      if (STRING_STOP[bytes[at]!] === 0) continue;
      const byte = bytes[at]!;
      if (byte === LF) return at;
      if (byte === QUOTE) {
        this.#inString = false;
        return at;
      }
      if (byte !== BACKSLASH) continue;
      this.#escaped = at + 1 >= end;
      at += 1;
      if (bytes[at] === LF && at < end) return at;
    }
    return end;
  }

  #lost(at: number): number {
    this.lost = true;
    this.lostAt = at;
    return LOST;
  }

  #push(byte: number): void {
    if (this.#depth === this.#open.length) {
      const larger = new Uint8Array(2 * this.#open.length);
      larger.set(this.#open);
      this.#open = larger;
    }
    this.#open[this.#depth++] = byte;
  }
}
