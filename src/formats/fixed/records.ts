import { isUtf8 } from 'node:buffer';
import { formatSize } from '../../base/units.js';
import type { Bytes } from '../../core/format.js';
import type { PlainBatch } from '../plain-batch.js';
import { sawBit } from '../line-ends.js';
import { behindLine, lineEnd, Window } from '../window.js';
import { FULL, isComment, LONG, type LineScanner } from './scanner.js';

/** Bytes scanned in one go: 256 KiB stays in the processor's cache. */
const WINDOW = 256 * 1024;
/** What is kept of a record past max_record (docs/spec/postgresql.md#quarantine). */
const KEPT = 64 * 1024;
/** More than any line end, so that a line of exactly max_record bytes is seen whole. */
const SLACK = 16;

/**
 * Lines out of a stream of bytes: the scanner, fed. Memory is bounded by the window, or twice max_record for a line
 * that is longer.
 */
export class LineRecords {
  readonly scanner: LineScanner;
  /** Anything but blank lines was passed over by passLine. */
  passedText = false;
  readonly #window: Window;
  readonly #size: number;
  readonly #tooLong: string;

  constructor(bytes: Bytes, scanner: LineScanner, size: number = WINDOW) {
    this.scanner = scanner;
    this.#window = new Window(bytes, size);
    this.#size = size;
    this.#tooLong = `longer than ${formatSize(scanner.maxRecord)} (format.max_record)`;
  }

  /** True when the stream began with a UTF-8 byte order mark, which is passed over. */
  async passMark(): Promise<boolean> {
    const window = this.#window;
    await window.fill(0, Math.max(3, this.#size));
    const mark = window.end >= 3 && window.bytes[0] === 0xef && window.bytes[1] === 0xbb && window.bytes[2] === 0xbf;
    if (mark) this.scanner.pos = 3;
    return mark;
  }

  /** Passes over one physical line; false at the end of the stream. */
  async passLine(): Promise<boolean> {
    const { scanner } = this;
    const window = this.#window;
    const at = lineEnd(window.bytes, scanner.pos, window.end, window.last);
    const line =
      at === -1
        ? await window.passLine(scanner.pos, 0)
        : { length: at - scanner.pos, ...behindLine(window.bytes, at, window.end) };
    scanner.pos = line.next;
    if (line.length > 0) this.passedText = true;
    if (line.length === 0 && line.end === 'none') return false;
    scanner.line++;
    scanner.lineEnds |= sawBit(line.end);
    return true;
  }

  /** Passes over blank lines and comments; false when the stream ends with them. */
  async toRecord(): Promise<boolean> {
    const { scanner } = this;
    const { comment } = scanner;
    const window = this.#window;
    for (;;) {
      if (window.end - scanner.pos < comment.length + 1) await this.#more();
      if (scanner.pos >= window.end) return false;
      const byte = window.bytes[scanner.pos];
      if (byte === 0x0a || byte === 0x0d) await this.passLine();
      else if (isComment(comment, window.bytes, scanner.pos, window.end)) await this.#passComment();
      else return true;
    }
  }

  /** Fills the batch with the next records; false at the end, when there were none. What the batch held is lost. */
  async pull(batch: PlainBatch, firstRow: number): Promise<boolean> {
    const { scanner } = this;
    const window = this.#window;
    batch.clear(firstRow);
    for (;;) {
      const outcome = scanner.scan(window.bytes, window.end, window.last, window.base, batch);
      if (outcome === FULL) break;
      if (outcome === LONG) {
        if (!(await this.#refuseLong(batch))) break;
        continue;
      }
      if (window.last || batch.rows > 0) break;
      if (scanner.inComment) await this.#passComment();
      else if (window.end - scanner.pos > scanner.maxRecord + SLACK) await this.#refuseLong(batch);
      else await this.#more();
    }
    batch.bytes = window.bytes;
    if (batch.rows === 0) return false;
    const seen = window.bytes.subarray(batch.rowStarts[0], batch.rowEnds[batch.rows - 1]);
    batch.clean = isUtf8(seen) && !seen.includes(0);
    return true;
  }

  async close(): Promise<void> {
    await this.#window.close();
  }

  /** Reads on, dropping what is before the scanner. Twice as much as is there, so that scanning again stays linear. */
  async #more(): Promise<void> {
    const { scanner } = this;
    const rest = this.#window.end - scanner.pos;
    await this.#window.fill(
      scanner.pos,
      Math.max(
        this.#size,
        scanner.comment.length + 1,
        Math.min(2 * rest, Math.max(scanner.maxRecord, KEPT) + 2 * SLACK),
      ),
    );
    scanner.pos = 0;
  }

  async #passComment(): Promise<void> {
    const { scanner } = this;
    const line = await this.#window.passLine(scanner.pos, 0);
    scanner.comments++;
    scanner.pos = line.next;
    scanner.line++;
    scanner.lineEnds |= sawBit(line.end);
  }

  /**
   * The line at `pos` does not fit into max_record. False: the batch's rows must be given away first, because the
   * window has to move.
   */
  async #refuseLong(batch: PlainBatch): Promise<boolean> {
    const { scanner } = this;
    const window = this.#window;
    const start = scanner.pos;
    const place = { line: scanner.line, offset: window.base + start };
    const fault = { class: 'too-long', column: null, message: this.#tooLong } as const;
    const at = lineEnd(window.bytes, start, window.end, window.last);
    if (at !== -1 || window.last) {
      const stop = at === -1 ? window.end : at;
      const kept = Math.min(stop, start + KEPT);
      batch.refuse({ ...place, start, end: kept }, { ...fault, rawLength: kept < stop ? stop - start : null });
      const behind = behindLine(window.bytes, stop, window.end);
      scanner.lineEnds |= sawBit(behind.end);
      scanner.pos = behind.next;
    } else {
      if (batch.rows > 0) return false;
      const line = await window.passLine(start, KEPT);
      batch.refuse(
        { ...place, start: 0, end: line.kept },
        { ...fault, rawLength: line.kept < line.length ? line.length : null },
      );
      scanner.lineEnds |= sawBit(line.end);
      scanner.pos = line.next;
    }
    scanner.line++;
    return true;
  }
}
