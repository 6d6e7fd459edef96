import type { Expression } from '../../base/expression/expression.js';
import type { Bytes } from '../../core/format.js';
import { behindLine, lineEnd } from '../../formats/window.js';
import { groupsOf, noRecord } from './control-record.js';
import type { Groups } from './words.js';

/** Bytes that are looked through for the header record. What stands behind them is no first record. */
const LONGEST = 1024 * 1024;
/** lineEnd plants a line feed behind the last byte. */
const ROOM = 8;

/** Takes the first non-blank line out of a stream. */
export class HeaderCut {
  /** Known once the first bytes have been read. */
  groups: Groups | null = null;
  /** Bytes taken out. */
  removed = 0;
  readonly #pattern: Expression;
  readonly #skipLines: number;
  readonly #comment: Buffer | null;

  constructor(pattern: Expression, skipLines: number, comment: string | null) {
    this.#pattern = pattern;
    this.#skipLines = skipLines;
    this.#comment = comment === null ? null : Buffer.from(comment);
  }

  async *cut(source: Bytes): AsyncGenerator<Buffer, void, undefined> {
    let head = Buffer.alloc(0);
    let found = false;
    for await (const chunk of source) {
      if (found) {
        yield chunk;
        continue;
      }
      head = Buffer.concat([head, chunk]);
      const line = this.#find(head, false);
      if (line === null && head.length > LONGEST)
        throw noRecord('header', `the first ${LONGEST} bytes hold no whole line`);
      if (line === null) continue;
      found = true;
      yield* this.#without(head, line);
    }
    if (found) return;
    const line = this.#find(head, true);
    if (line === null) throw noRecord('header', 'the file is empty');
    yield* this.#without(head, line);
  }

  *#without(head: Buffer, { start, end }: Line): Generator<Buffer, void, undefined> {
    this.groups = groupsOf(this.#pattern, head.subarray(start, end), 'header');
    this.removed = end - start;
    if (start > 0) yield head.subarray(0, start);
    if (end < head.length) yield head.subarray(end);
  }

  /**
   * The first line that is neither skipped, blank nor a comment; null = more bytes are needed, or there is none. A
   * comment that matches is the header.
   */
  #find(head: Buffer, last: boolean): Line | null {
    const bytes = Buffer.allocUnsafe(head.length + ROOM);
    head.copy(bytes);
    let at = head.length >= 3 && head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf ? 3 : 0;
    for (let number = 0; at < head.length; number++) {
      const end = lineEnd(bytes, at, head.length, last);
      if (end === -1 && !last) return null;
      const stop = end === -1 ? head.length : end;
      if (number >= this.#skipLines && stop > at && !this.#isComment(head.subarray(at, stop)))
        return { start: at, end: stop };
      if (end === -1) return null;
      at = behindLine(bytes, stop, head.length).next;
    }
    return null;
  }

  #isComment(line: Buffer): boolean {
    return (
      this.#comment !== null &&
      line.subarray(0, this.#comment.length).equals(this.#comment) &&
      this.#pattern.test(line.toString('utf8')) === false
    );
  }
}

interface Line {
  readonly start: number;
  readonly end: number;
}
