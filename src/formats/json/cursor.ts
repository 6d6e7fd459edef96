import { TallymanError } from '../../core/errors.js';
import type { Bytes } from '../../core/format.js';
import { formatSize } from '../../base/units.js';
import { Window } from '../window.js';
import { LF } from './bytes.js';
import { REASONS, type Reason, type ValueScanner } from './values.js';

/** Bytes scanned in one go. 256 KiB stays in the processor's cache together with the arrays that are filled from it. */
export const WINDOW = 256 * 1024;
/** What is kept of a record past max_record (docs/spec/postgresql.md#quarantine). */
export const KEPT = 64 * 1024;
/**
 * Room behind max_record, so that a record of exactly that length is seen with the blanks and the line end behind it.
 */
const SLACK = 4 * 1024;

/**
 * The stream, and the place in it that was read up to. Memory is bounded by the window, or twice max_record for a
 * record that is longer.
 */
export class Cursor {
  /** Next byte to read, an index into the window. */
  pos = 0;
  readonly window: Window;
  readonly maxRecord: number;
  readonly #size: number;

  constructor(bytes: Bytes, maxRecord: number, size: number = WINDOW) {
    this.window = new Window(bytes, size);
    this.maxRecord = maxRecord;
    this.#size = size;
  }

  /** True when the stream began with a UTF-8 byte order mark, which is passed over. */
  async passMark(): Promise<boolean> {
    await this.window.fill(0, Math.max(3, this.#size));
    const { bytes, end } = this.window;
    const mark = end >= 3 && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
    if (mark) this.pos = 3;
    return mark;
  }

  /** Gives the scanner the window as it is now. To be called after every read. */
  attach(scanner: ValueScanner): void {
    const { bytes, end } = this.window;
    bytes[end] = 0;
    scanner.bytes = bytes;
    scanner.end = end;
  }

  /** What stands behind `pos` is longer than any record may be. */
  get tooLong(): boolean {
    return this.window.end - this.pos > this.maxRecord + SLACK;
  }

  get longest(): string {
    return `longer than ${formatSize(this.maxRecord)} (format.max_record)`;
  }

  /** Reads on, dropping what stands before `pos`: at least twice what is left, so that scanning again stays linear. */
  async more(): Promise<void> {
    const rest = this.window.end - this.pos;
    await this.window.fill(
      this.pos,
      Math.max(this.#size, Math.min(2 * rest, Math.max(this.maxRecord, KEPT) + 2 * SLACK)),
    );
    this.pos = 0;
  }

  /** A full window from `pos` on, or all that is left. */
  async refill(): Promise<void> {
    await this.window.fill(this.pos, this.#size);
    this.pos = 0;
  }

  /** Reads on, dropping everything. */
  async drop(): Promise<void> {
    await this.window.fill(this.window.end, this.#size);
    this.pos = 0;
  }

  /** The file is rejected because of the byte at `at`. `line`: of the window's index `from`, which stands before it. */
  corrupt(at: number, reason: Reason | { readonly text: string }, line: number, from: number): TallymanError {
    return new TallymanError('FILE_CORRUPT', this.tell(at, reason, line, from));
  }

  /** Where, and what is wrong there. */
  tell(at: number, reason: Reason | { readonly text: string }, line: number, from: number): string {
    const { bytes, base, end } = this.window;
    const text = typeof reason === 'object' ? reason.text : REASONS[at >= end ? 'fileEnd' : reason];
    let lines = line;
    for (let i = from; i < at && i < end; i++) if (bytes[i] === LF) lines += 1;
    return `Byte ${base + at} (line ${lines}): ${text}.`;
  }
}
