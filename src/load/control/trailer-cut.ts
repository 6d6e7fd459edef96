import type { Expression } from '../../base/expression/expression.js';
import type { Bytes } from '../../core/format.js';
import { groupsOf, noRecord } from './control-record.js';
import type { Groups } from './words.js';

/** Bytes of the last line that are held back, the blank lines behind it included. A longer one is no trailer. */
const LONGEST = 1024 * 1024;

const LF = 0x0a;
const CR = 0x0d;

/**
 * Takes the last non-blank record out of a stream. Of each chunk only its last line is held back (and copied) until
 * more comes, so that the file goes through untouched. In text formats a line is a record, but for quoted cells of
 * several lines: see `#endsQuoted`.
 */
export class TrailerCut {
  /** Known at the end of the stream. */
  groups: Groups | null = null;
  readonly #pattern: Expression;
  readonly #quote: Buffer | null;
  readonly #escape: Buffer | null;
  /** The last line so far with what is blank behind it, in pieces. */
  #held: Buffer[] = [];
  #heldBytes = 0;
  /** The held line has something in it. */
  #holdsText = false;
  /** A last line too long to be held was passed on. */
  #overlong = false;

  constructor(pattern: Expression, quote: string | null, escape: string | null) {
    this.#pattern = pattern;
    this.#quote = quote === null ? null : Buffer.from(quote);
    this.#escape = escape === null || escape === quote ? null : Buffer.from(escape);
  }

  async *cut(source: Bytes): AsyncGenerator<Buffer, void, undefined> {
    for await (const chunk of source) {
      const from = this.#lastLine(chunk);
      if (from === null) {
        // The chunk goes on with the line that is held, or is blank.
        yield* this.#hold(chunk);
        continue;
      }
      this.#overlong = false;
      yield* this.#release();
      if (from > 0) yield chunk.subarray(0, from);
      yield* this.#hold(chunk.subarray(from));
    }
    if (this.#overlong)
      throw noRecord('trailer', `the last line and what is blank behind it are longer than ${LONGEST} bytes`);
    if (!this.#holdsText) throw noRecord('trailer', 'the file is empty');
    const held = Buffer.concat(this.#held);
    const from = behindLineEnd(held, textEnd(held));
    if (from > 0) yield held.subarray(0, from);
    const line = held.subarray(from === 0 ? behindMark(held) : from, lineStop(held));
    if (this.#endsQuoted(line))
      throw noRecord('trailer', 'the last line ends a quoted cell, so it is no record of its own');
    this.groups = groupsOf(this.#pattern, line, 'trailer');
  }

  /** Where the last line with text begins in the chunk; null = it began in an earlier one, or everything is blank. */
  #lastLine(chunk: Buffer): number | null {
    const end = textEnd(chunk);
    if (end === 0) return null;
    const from = behindLineEnd(chunk, end);
    if (from > 0) return from;
    // The line begins with this chunk when what is held ends with a line end.
    return this.#endsLine() ? 0 : null;
  }

  #endsLine(): boolean {
    const last = this.#held.at(-1);
    const byte = last?.[last.length - 1];
    return byte === LF || byte === CR;
  }

  *#hold(part: Buffer): Generator<Buffer, void, undefined> {
    if (this.#heldBytes + part.length > LONGEST) {
      this.#overlong = true;
      yield* this.#release();
      yield part;
      return;
    }
    // Copied: the chunk is not ours for as long as the line may have to wait.
    this.#held.push(Buffer.from(part));
    this.#heldBytes += part.length;
    if (!this.#holdsText) this.#holdsText = textEnd(part) > 0;
  }

  /** What was held is not the last line. */
  *#release(): Generator<Buffer, void, undefined> {
    if (this.#heldBytes > 0) yield this.#held.length === 1 ? this.#held[0]! : Buffer.concat(this.#held);
    this.#held = [];
    this.#heldBytes = 0;
    this.#holdsText = false;
  }

  /**
   * An odd number of quotes in the last line: it is the end of a cell of several lines (a line within or outside of
   * quotes that does not change between the two has an even number; and a quote that is still open at the end of the
   * file makes each line a record again).
   */
  #endsQuoted(line: Buffer): boolean {
    if (this.#quote === null) return false;
    let count = 0;
    for (let at = 0; at < line.length;) {
      if (this.#escape !== null && line.subarray(at, at + this.#escape.length).equals(this.#escape))
        at += this.#escape.length + 1;
      else if (line.subarray(at, at + this.#quote.length).equals(this.#quote)) {
        count++;
        at += this.#quote.length;
      } else at++;
    }
    return count % 2 === 1;
  }
}

/**
 * Behind the last byte that is not blank. Blank are also what DOS programs and mainframes end files with: spaces and
 * Ctrl-Z.
 */
function textEnd(bytes: Buffer): number {
  let end = bytes.length;
  while (end > 0 && isBlank(bytes[end - 1]!)) end--;
  return end;
}

const isBlank = (byte: number): boolean =>
  byte === LF || byte === CR || byte === 0x20 || byte === 0x09 || byte === 0x1a;

/** Behind the last line end before `end`; 0 = there is none. */
function behindLineEnd(bytes: Buffer, end: number): number {
  for (let at = end; at > 0; at--) if (bytes[at - 1] === LF || bytes[at - 1] === CR) return at;
  return 0;
}

/** Where the line of the last text ends. Blanks behind the text are its own (cells between tabs), a Ctrl-Z is not. */
function lineStop(bytes: Buffer): number {
  let at = textEnd(bytes);
  while (at < bytes.length && (bytes[at] === 0x20 || bytes[at] === 0x09)) at++;
  return at;
}

/** Behind a byte order mark that stands before the only line. */
const behindMark = (bytes: Buffer): number =>
  bytes.length >= 3 && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
