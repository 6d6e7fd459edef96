import type { Bytes, DriftNote } from '../../../core/format.js';
import { BACKSLASH, LF, OPEN_ARRAY, QUOTE, SPACE } from '../bytes.js';

/** What is no JSON and is taken all the same, as what it becomes. */
const WORDS: readonly (readonly [Buffer, Buffer])[] = ['NaN', 'Infinity', '-Infinity'].map((word) => [
  Buffer.from(word),
  Buffer.from(JSON.stringify(word)),
]);
/** Longest of them, and the byte behind it. */
const LONGEST = 10;

const [LETTER_N, LETTER_I, MINUS, CR] = [0x4e, 0x49, 0x2d, 0x0d];
/** "\u00XX" for a byte; the longest that one byte becomes. */
const ESCAPE = 6;

/**
 * `strict: false`: the text made strict JSON before it is scanned. NaN, Infinity and -Infinity become texts, which
 * columns of double precision read as what they mean, and control characters within strings become escapes. A line end
 * within a string does so only where lines are no records.
 */
export class Lenient {
  readonly bytes: Bytes;
  /** The text is one document, so that a line end within a string ends nothing; null = by its first byte. */
  #document: boolean | null;
  #inString = false;
  #escaped = false;
  #numbers = 0;
  #controls = 0;

  constructor(bytes: Bytes, document: boolean | null) {
    this.#document = document;
    this.bytes = this.#rewritten(bytes);
  }

  /** What was taken that is no JSON, for the report. */
  notes(): readonly DriftNote[] {
    const parts = [
      ...(this.#numbers === 0 ? [] : [`${this.#numbers} NaN or Infinity, read as texts`]),
      ...(this.#controls === 0 ? [] : [`${this.#controls} control characters within strings`]),
    ];
    return parts.length === 0
      ? []
      : [{ kind: 'dialect', column: '', message: `no strict JSON, taken by strict: false: ${parts.join(', ')}` }];
  }

  async *#rewritten(bytes: Bytes): AsyncGenerator<Buffer> {
    let kept: Buffer = Buffer.alloc(0);
    for await (const chunk of bytes) {
      const all = kept.length === 0 ? chunk : Buffer.concat([kept, chunk]);
      const { out, used } = this.#piece(all, false);
      kept = Buffer.from(all.subarray(used));
      if (out.length > 0) yield out;
    }
    const { out } = this.#piece(kept, true);
    if (out.length > 0) yield out;
  }

  /** Not `last`: stops before a word that the end of the bytes may have cut. */
  #piece(bytes: Buffer, last: boolean): { readonly out: Buffer; readonly used: number } {
    const parts: Buffer[] = [];
    let from = 0;
    let at = 0;
    const replace = (length: number, by: Buffer): void => {
      parts.push(bytes.subarray(from, at), by);
      at += length;
      from = at;
    };
    while (at < bytes.length) {
      const byte = bytes[at]!;
      if (this.#document === null && byte > SPACE && byte < 0x80) this.#document = byte === OPEN_ARRAY;
      if (this.#inString) {
        if (this.#escaped) this.#escaped = false;
        else if (byte === QUOTE) this.#inString = false;
        else if (byte === BACKSLASH) this.#escaped = true;
        else if (byte === LF && this.#document !== true) this.#inString = false;
        else if (byte < SPACE && byte > 0 && (byte !== CR || this.#document === true)) {
          this.#controls += 1;
          replace(1, Buffer.from(`\\u${byte.toString(16).padStart(ESCAPE - 2, '0')}`));
          continue;
        }
        at += 1;
      } else if (byte === LETTER_N || byte === LETTER_I || byte === MINUS) {
        if (!last && bytes.length - at < LONGEST) break;
        const word = WORDS.find(([text]) => isWord(bytes, at, text));
        if (word === undefined) at += 1;
        else {
          this.#numbers += 1;
          replace(word[0].length, word[1]);
        }
      } else {
        if (byte === QUOTE) this.#inString = true;
        at += 1;
      }
    }
    parts.push(bytes.subarray(from, at));
    return { out: Buffer.concat(parts), used: at };
  }
}

/** The word stands there, and no longer one. */
function isWord(bytes: Buffer, at: number, word: Buffer): boolean {
  if (bytes.compare(word, 0, word.length, at, Math.min(bytes.length, at + word.length)) !== 0) return false;
  const behind = String.fromCharCode(bytes[at + word.length] ?? 0);
  return !/[\w$]/.test(behind);
}
