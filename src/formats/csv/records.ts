import { isUtf8 } from 'node:buffer';
import type { Bytes } from '../../core/format.js';
import { formatSize } from '../../base/units.js';
import type { CsvBatch } from './csv-batch.js';
import type { Dialect } from './dialect.js';
import { LooseScanner } from './loose/loose-scanner.js';
import { FULL, LONG, MORE, Scanner, type ScanEnd } from './scanner.js';
import { lineEndsIn, sawBit } from '../line-ends.js';
import { behindLine, lineEnd, Window } from '../window.js';

/** Bytes scanned in one go. 256 KiB stays in the processor's cache together with the arrays that are filled from it. */
export const WINDOW = 256 * 1024;
/** What is kept of a record past max_record (docs/spec/postgresql.md#quarantine). */
const KEPT = 64 * 1024;
const MARK = Buffer.from([0xef, 0xbb, 0xbf]);
/** More than any token and line end, so that a record of exactly max_record bytes is seen whole. */
const SLACK = 4 * 1024;

/**
 * Records out of a stream of bytes: the scanner, fed, and what must be done when it gives a record back. Memory is
 * bounded by the window, or twice max_record for a record that is longer.
 */
export class Records {
  readonly scanner: Scanner;
  /** Anything but blank lines was passed over by passLine. */
  passedText = false;
  /** Lines that passLine passed over. */
  passedLines = 0;
  /** Byte order marks that stood in front of records: files were put together. */
  marks = 0;
  /** Offset in the stream up to which there is no mark to be looked for any more. */
  #marksFrom = 0;
  #markInside = false;
  readonly #dialect: Dialect;
  readonly #window: Window;
  readonly #size: number;
  readonly #longest: string;

  constructor(bytes: Bytes, dialect: Dialect, size: number = WINDOW) {
    this.#dialect = dialect;
    this.#window = new Window(bytes, size);
    this.#size = size;
    this.#longest = `${formatSize(dialect.maxRecord)} (format.max_record)`;
    this.scanner = scannerOf(dialect);
  }

  /** The scanner stands behind the last byte of the stream. */
  get atEnd(): boolean {
    return this.#window.last && this.scanner.pos >= this.#window.end;
  }

  get dialect(): Dialect {
    return this.#dialect;
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
    this.passedLines++;
    scanner.lineEnds |= sawBit(line.end);
    return true;
  }

  /** Fills the batch with the next records; false at the end, when there were none. What the batch held is lost. */
  async pull(batch: CsvBatch, firstRow: number): Promise<boolean> {
    const { scanner } = this;
    const window = this.#window;
    batch.clear(firstRow);
    for (;;) {
      const outcome = this.#scan(batch);
      if (outcome === FULL) break;
      if (outcome === MORE) {
        if (window.last || batch.rows > 0) break;
        if (scanner.inComment) {
          await this.#passComment();
        } else if (window.end - scanner.pos > this.#dialect.maxRecord) {
          if (!(await this.#refuseLong(batch))) break;
        } else {
          await this.#more();
        }
      } else if (
        !(await (outcome === LONG ? this.#refuseLong(batch) : this.#refuse(batch, 'quote-error', scanner.reason)))
      ) {
        break;
      }
      // A mark that seemed to stand within the record may begin the next one.
      if (this.#markInside) this.#marksFrom = Math.min(this.#marksFrom, window.base + scanner.pos);
      this.#markInside = false;
    }
    batch.bytes = window.bytes;
    if (batch.rows === 0) return false;
    const seen = window.bytes.subarray(batch.rowStarts[0], batch.rowEnds[batch.rows - 1]);
    batch.clean = isUtf8(seen) && !seen.includes(0);
    return true;
  }

  /**
   * Fills the batch with records that a later `pull` returns again. As many as stand in the window, at least one that
   * is no fault where there is one within max_record.
   */
  async peek(batch: CsvBatch): Promise<void> {
    const { scanner } = this;
    const window = this.#window;
    let from = scanner.pos;
    let line = scanner.line;
    let comments = scanner.comments;
    let faults = 0;
    batch.clear(1);
    for (;;) {
      const outcome = scanner.scan(window.bytes, window.end, window.last, window.base, batch);
      if (outcome === FULL || (outcome === MORE && (window.last || batch.rows > 0))) break;
      if (outcome === MORE) {
        if (faults === 0) {
          // Only blank lines and comments so far.
          from = scanner.pos;
          line = scanner.line;
          comments = scanner.comments;
        }
        if (window.end - from > this.#dialect.maxRecord) break;
        scanner.pos -= from;
        await window.fill(from, this.#wanted(window.end - from));
        from = 0;
        continue;
      }
      const at = lineEnd(window.bytes, scanner.pos, window.end, window.last);
      if (at === -1) break;
      faults++;
      scanner.pos = behindLine(window.bytes, at, window.end).next;
      scanner.line++;
    }
    batch.bytes = window.bytes;
    scanner.sawEmptySurplus = false;
    if (batch.rows === 0 && faults === 0) return;
    scanner.pos = from;
    scanner.line = line;
    scanner.comments = comments;
  }

  /** Back to the beginning of the batch's first row, to scan it again. Only right after `pull`. */
  again(batch: CsvBatch): void {
    this.scanner.pos = batch.rowStarts[0]!;
    this.scanner.line = batch.lines[0]!;
  }

  /** Scans up to the end of the window, and passes over byte order marks in front of records. */
  #scan(batch: CsvBatch): ScanEnd {
    const { scanner } = this;
    const { bytes, end, last, base } = this.#window;
    for (;;) {
      const mark = this.#nextMark();
      if (mark === -1) return scanner.scan(bytes, end, last, base, batch);
      if (mark > scanner.pos) {
        // As far as the mark, whose first byte the scanner overwrites.
        const outcome = scanner.scan(bytes, mark, false, base, batch);
        bytes[mark] = MARK[0]!;
        if (outcome !== MORE) return outcome;
      }
      if (scanner.pos === mark) {
        scanner.pos += MARK.length;
        this.marks++;
        this.#marksFrom = base + scanner.pos;
        continue;
      }
      // It stands within a record and is part of it, unless that is refused. That record alone is scanned once more, and
      // not once for each mark that it holds: a cell may be nothing but marks.
      this.#markInside = true;
      const { capacity } = batch;
      batch.capacity = batch.rows + 1;
      const outcome = scanner.scan(bytes, end, last, base, batch);
      batch.capacity = capacity;
      if (outcome !== FULL || batch.rows === capacity) return outcome;
      this.#markInside = false;
      this.#marksFrom = base + scanner.pos;
    }
  }

  /**
   * Where the next byte order mark stands in the window, -1 = nowhere. Each byte is looked at once, by the machine's
   * own search.
   */
  #nextMark(): number {
    const { bytes, end, base } = this.#window;
    const from = Math.max(this.scanner.pos, this.#marksFrom - base);
    if (from >= end) return -1;
    const found = bytes.subarray(from, end).indexOf(MARK);
    // The window may end within one.
    this.#marksFrom = base + (found === -1 ? Math.max(from, end - MARK.length + 1) : from + found);
    return found === -1 ? -1 : from + found;
  }

  async close(): Promise<void> {
    await this.#window.close();
  }

  /**
   * How much the window should hold when `rest` bytes of it make no record yet: twice as much, so that scanning again
   * stays linear.
   */
  #wanted(rest: number): number {
    return Math.max(this.#size, Math.min(2 * rest, Math.max(this.#dialect.maxRecord, KEPT) + SLACK));
  }

  /** Reads on, dropping what is before the scanner. */
  async #more(): Promise<void> {
    const { scanner } = this;
    await this.#window.fill(scanner.pos, this.#wanted(this.#window.end - scanner.pos));
    scanner.pos = 0;
  }

  async #passComment(): Promise<void> {
    const line = await this.#window.passLine(this.scanner.pos, 0);
    this.scanner.comments++;
    this.scanner.pos = line.next;
    this.scanner.line++;
  }

  /**
   * Is a quote open max_record bytes behind the beginning of the record at `pos`? The window holds more than that, and
   * no fault before.
   */
  #openAtLimit(batch: CsvBatch): boolean {
    const { scanner } = this;
    const { bytes, base } = this.#window;
    const limit = scanner.pos + this.#dialect.maxRecord;
    const held = bytes[limit]!;
    scanner.scan(bytes, limit, false, base, batch);
    bytes[limit] = held;
    return scanner.open;
  }

  /** The record at `pos` does not fit into max_record. */
  async #refuseLong(batch: CsvBatch): Promise<boolean> {
    if (this.#openAtLimit(batch))
      return await this.#refuse(
        batch,
        'quote-error',
        `a quote opened on this line is still open after ${this.#longest}`,
      );
    return await this.#refuse(batch, 'too-long', `longer than ${this.#longest}`);
  }

  /**
   * Appends the record at `pos` to the batch as a fault: its first physical line (quotes), or all up to the first line
   * end behind max_record. False: the batch's rows must be given away first, because the window has to move.
   */
  async #refuse(batch: CsvBatch, kind: 'quote-error' | 'too-long', message: string): Promise<boolean> {
    const { scanner } = this;
    const window = this.#window;
    const { maxRecord } = this.#dialect;
    const start = scanner.pos;
    const search = kind === 'quote-error' ? start : start + maxRecord;
    const place = { start, line: scanner.line, offset: window.base + start };
    const at = lineEnd(window.bytes, search, window.end, window.last);
    if (at !== -1 || window.last) {
      const stop = at === -1 ? window.end : at;
      const end = stop - start > maxRecord ? Math.min(stop, start + KEPT) : stop;
      scanner.line += 1 + lineEndsIn(window.bytes, start, search);
      batch.refuse({ ...place, end }, { class: kind, message, rawLength: end < stop ? stop - start : null });
      const behind = behindLine(window.bytes, stop, window.end);
      scanner.lineEnds |= sawBit(behind.end);
      scanner.pos = behind.next;
      return true;
    }
    if (batch.rows > 0) return false;
    if (window.end - start <= Math.max(maxRecord, KEPT)) {
      await this.#more();
      return true;
    }
    // A line of any length, in the memory that is already there.
    scanner.line += 1 + lineEndsIn(window.bytes, start, search);
    const line = await window.passLine(start, KEPT, search);
    batch.refuse({ ...place, start: 0, end: line.kept }, { class: kind, message, rawLength: line.length });
    scanner.lineEnds |= sawBit(line.end);
    scanner.pos = line.next;
    return true;
  }
}

/** Decided once a file: what no key asks for costs nothing. */
export const scannerOf = (dialect: Dialect): Scanner =>
  dialect.loose ? new LooseScanner(dialect) : new Scanner(dialect);
