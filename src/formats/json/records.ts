import { isUtf8 } from 'node:buffer';
import type { RowFault } from '../../core/batch.js';
import { TallymanError } from '../../core/errors.js';
import { CLOSE_ARRAY, COMMA, CR, LF, OPEN_OBJECT, SPACE } from './bytes.js';
import { KEPT, type Cursor } from './cursor.js';
import type { Document } from './document.js';
import { ElementEnd, LOST, UNSURE } from './element-end.js';
import type { JsonBatch } from './json-batch.js';
import { LineEnd } from './line-end.js';
import type { RecordScanner } from './record-scanner.js';
import { REASONS } from './values.js';

/** `objects`: one after another, with nothing or space between. */
export type Shape = 'lines' | 'array' | 'objects';

/**
 * What becomes of a record with a key that no column takes: passed over, the file is rejected, or the record is
 * refused.
 */
export type StrayPolicy = 'pass' | 'reject' | 'refuse';

/** The first record was not whole on its line. */
const NO_LINES =
  'If the file is one object a line, set format.shape: lines: then only the lines that are no JSON are refused. ' +
  'strict: false takes NaN, Infinity and control characters within strings. Otherwise ask the supplier.';

/** Why `#fill` came back, and what `#reach` found. */
const READY = 0;
const FULL = 1;
const MORE = 2;
const END = 3;
/** The array of a `root` is at its end. */
const LEAVE = 4;
/** The record at `pos` is refused and does not fit into memory: see `#refusal`. */
const STREAM = 5;
type Outcome = typeof READY | typeof FULL | typeof MORE | typeof END | typeof LEAVE | typeof STREAM;

/** What may stand next in an array. */
type Expect = 'first' | 'element' | 'comma' | 'end';

type Refusal = Pick<RowFault, 'class' | 'column' | 'message'>;
const jsonError = (message: string): Refusal => ({ class: 'json-error', column: null, message });

/** Records out of a stream of bytes: the scanner, fed, and what must be done when it refuses a record. */
export class JsonRecords {
  readonly scanner: RecordScanner;
  stray: StrayPolicy = 'pass';
  readonly #cursor: Cursor;
  readonly #shape: Shape;
  readonly #document: Document | null;
  #expect: Expect;
  #refusal: Refusal = jsonError('');
  /**
   * Where and why the record that is refused went wrong, for the case that its end is not found; null = it is only too
   * long.
   */
  #bad: string | null = null;
  #ended = false;
  /** Why the file is rejected, while the records before that place are on their way. */
  #broken: TallymanError | null = null;

  /** `pos` stands at the first record (array: behind the opening bracket). */
  constructor(cursor: Cursor, scanner: RecordScanner, shape: Shape, document: Document | null) {
    this.#cursor = cursor;
    this.scanner = scanner;
    this.#shape = shape;
    this.#document = document;
    this.#expect = shape === 'array' ? 'first' : 'element';
  }

  /**
   * Fills the batch with the next records; false at the end, when there were none. What the batch held is lost. Throws
   * FILE_CORRUPT, UNKNOWN_COLUMNS.
   */
  async pull(batch: JsonBatch, firstRow: number): Promise<boolean> {
    batch.clear(firstRow);
    const { window } = this.#cursor;
    if (this.#broken !== null) throw this.#broken;
    while (!this.#ended) {
      const outcome = this.#fillAsFar(batch);
      if (outcome === FULL || (batch.rows > 0 && outcome !== END)) break;
      if (outcome === END) this.#ended = true;
      else if (outcome === MORE) await this.#cursor.more();
      else if (outcome === LEAVE) await this.#leave();
      else return await this.#passOver(batch);
    }
    batch.bytes = window.bytes;
    if (batch.rows === 0) return false;
    const seen = window.bytes.subarray(batch.rowStarts[0], batch.rowEnds[batch.rows - 1]);
    batch.clean = isUtf8(seen) && !seen.includes(0);
    return true;
  }

  /**
   * Scans records that a later `pull` returns again: as many as stand in one window, and at least one where there is
   * one within max_record.
   */
  async peek(batch: JsonBatch): Promise<void> {
    const { scanner } = this;
    const cursor = this.#cursor;
    await cursor.refill();
    const before = { line: scanner.line, expect: this.#expect };
    for (;;) {
      const from = cursor.pos;
      batch.clear(1);
      const outcome = this.#tryFill(batch);
      scanner.line = before.line;
      this.#expect = before.expect;
      cursor.pos = from;
      if (outcome !== MORE || batch.rows > 0 || cursor.tooLong) return;
      await cursor.more();
    }
  }

  async close(): Promise<void> {
    this.#ended = true;
    await this.#cursor.window.close();
  }

  /**
   * The records before a place at which the file is rejected count as read: the batch is given first, the error with
   * the next pull.
   */
  #fillAsFar(batch: JsonBatch): Outcome {
    try {
      return this.#fill(batch);
    } catch (error) {
      if (!(error instanceof TallymanError) || batch.rows === 0) throw error;
      this.#broken = error;
      return FULL;
    }
  }

  /** null: the file will be rejected at this place. */
  #tryFill(batch: JsonBatch): Outcome | null {
    try {
      return this.#fill(batch);
    } catch (error) {
      if (error instanceof TallymanError) return null;
      throw error;
    }
  }

  #fill(batch: JsonBatch): Outcome {
    this.#cursor.attach(this.scanner);
    while (batch.rows < batch.capacity) {
      const reached = this.#shape === 'array' ? this.#reachElement() : this.#reachObject();
      if (reached !== READY) return reached;
      const outcome = this.#record(batch);
      if (outcome !== READY) return outcome;
    }
    return FULL;
  }

  /** Up to the next record, over blank lines. */
  #reachObject(): Outcome {
    const { scanner } = this;
    const cursor = this.#cursor;
    for (;;) {
      cursor.pos = scanner.space(cursor.pos);
      if (cursor.pos >= cursor.window.end) return cursor.window.last ? END : MORE;
      if (scanner.bytes[cursor.pos] !== LF) return READY;
      scanner.line += 1;
      cursor.pos += 1;
    }
  }

  /** Up to the next element, over the comma before it. */
  #reachElement(): Outcome {
    const { scanner } = this;
    const cursor = this.#cursor;
    for (;;) {
      const at = scanner.space(cursor.pos);
      cursor.pos = at;
      if (at >= cursor.window.end) {
        if (!cursor.window.last) return MORE;
        if (this.#expect === 'end') return END;
        throw this.#corrupt(at, { text: 'the file ends within the array' });
      }
      const byte = scanner.bytes[at]!;
      if ((this.#expect === 'element' || this.#expect === 'first') && byte !== COMMA && byte !== CLOSE_ARRAY)
        return READY;
      if (this.#expect === 'comma' && byte === COMMA) {
        this.#expect = 'element';
      } else if (byte === CLOSE_ARRAY && (this.#expect === 'comma' || this.#expect === 'first')) {
        if (this.#document !== null) return LEAVE;
        this.#expect = 'end';
      } else {
        throw this.#corrupt(
          at,
          this.#expect === 'end'
            ? { text: 'text stands behind the end of the document' }
            : this.#expect === 'comma'
              ? 'next'
              : 'value',
        );
      }
      cursor.pos = at + 1;
    }
  }

  /** The record at `pos`. READY: it is in the batch, and `pos` behind it. */
  #record(batch: JsonBatch): Outcome {
    const { scanner } = this;
    const cursor = this.#cursor;
    const { window } = cursor;
    const start = cursor.pos;
    const { line } = scanner;
    const isObject = scanner.bytes[start] === OPEN_OBJECT;
    let end = isObject ? scanner.record(start, batch) : this.#skip(start);
    // A number may go on, and on its line nothing may stand behind an object: what is not there yet must be seen.
    let open = end >= window.end && !isObject;
    if (end >= 0 && this.#shape === 'lines') {
      const behind = scanner.space(end);
      open = behind >= window.end;
      if (!open && scanner.bytes[behind] !== LF) end = scanner.fail(behind, 'behind');
    }
    if (!window.last && (end < 0 ? scanner.failAt >= window.end : open)) {
      scanner.line = line;
      return cursor.tooLong ? this.#refuse(batch, line, this.#long()) : MORE;
    }
    if (end < 0) {
      scanner.line = line;
      return this.#refuse(batch, line, this.#whyBad(start));
    }
    if (end - start > cursor.maxRecord) {
      scanner.line = line;
      return this.#refuse(batch, line, this.#long());
    }
    const fault = this.#faultOf(isObject, batch);
    const offset = window.base + start;
    if (fault === null) batch.accept(start, end, line, offset);
    else batch.refuse({ start, end, line, offset }, { ...fault, rawLength: null });
    cursor.pos = end;
    this.#expect = 'comma';
    return READY;
  }

  #skip(start: number): number {
    this.scanner.depth = 0;
    return this.scanner.skip(start);
  }

  /** What is wrong with a record of good syntax. */
  #faultOf(isObject: boolean, batch: JsonBatch): Refusal | null {
    const { halfPairIn, strayKey } = this.scanner;
    if (!isObject) return jsonError(REASONS.noObject);
    if (halfPairIn !== null) return { class: 'json-error', column: halfPairIn, message: REASONS.surrogate };
    if (strayKey === null || this.stray === 'pass') return null;
    if (this.stray === 'refuse')
      return {
        class: 'extra-cell',
        column: null,
        message: 'a key that neither the contract nor the first records of the file have',
      };
    throw new TallymanError(
      'UNKNOWN_COLUMNS',
      `Record ${batch.firstRow + batch.rows} (line ${this.scanner.line}) has ${JSON.stringify(strayKey)}, which the contract does not know.`,
    );
  }

  #long(): Refusal {
    this.#bad = null;
    return { class: 'too-long', column: null, message: this.#cursor.longest };
  }

  /** Bad syntax: the record's fault where its end can be told, the file's otherwise. */
  #whyBad(start: number): Refusal {
    const { failAt, reason } = this.scanner;
    const cursor = this.#cursor;
    if (failAt - start > cursor.maxRecord) return this.#long();
    const atEnd = failAt >= cursor.window.end;
    if (this.#shape === 'lines')
      return jsonError(
        REASONS[atEnd ? 'fileEnd' : reason !== 'deep' && cursor.window.bytes[failAt] === LF ? 'lineEnd' : reason],
      );
    const told = cursor.tell(failAt, reason, this.scanner.line, start);
    if (atEnd || (this.#shape === 'objects' && reason !== 'deep'))
      throw new TallymanError('FILE_CORRUPT', told, this.#shape === 'objects' ? { fix: NO_LINES } : {});
    this.#bad = told;
    return jsonError(REASONS[reason]);
  }

  #finder(): ElementEnd | LineEnd {
    return this.#shape === 'lines' ? new LineEnd() : new ElementEnd(this.#shape === 'array' ? 'array' : 'single');
  }

  /** Appends the record at `pos` as a fault, when its end is in the window. */
  #refuse(batch: JsonBatch, line: number, refusal: Refusal): Outcome {
    const cursor = this.#cursor;
    const { window } = cursor;
    const start = cursor.pos;
    const finder = this.#finder();
    let stop = finder.feed(window.bytes, start, window.end);
    if (stop === LOST || (stop === UNSURE && window.last && this.#shape !== 'lines')) throw this.#noEnd(finder);
    if (stop === UNSURE && !window.last) {
      this.#refusal = refusal;
      return cursor.tooLong ? STREAM : MORE;
    }
    if (stop === UNSURE) stop = window.end;
    const last = stop - blanksBefore(window.bytes, start, stop);
    const end = last - start > cursor.maxRecord ? Math.min(last, start + KEPT) : last;
    batch.refuse(
      { start, end, line, offset: window.base + start },
      { ...refusal, rawLength: end < last ? last - start : null },
    );
    this.scanner.line = line + finder.lines;
    cursor.pos = stop;
    this.#expect = 'comma';
    return READY;
  }

  /** The same for a record of any length: in the memory that is already there, as the only one of its batch. */
  async #passOver(batch: JsonBatch): Promise<true> {
    const cursor = this.#cursor;
    const { window } = cursor;
    const finder = this.#finder();
    const { line } = this.scanner;
    const offset = window.base + cursor.pos;
    const kept = Buffer.alloc(KEPT);
    let length = 0;
    let blanks = 0;
    for (;;) {
      let stop = finder.feed(window.bytes, cursor.pos, window.end);
      if (stop === LOST || (stop === UNSURE && window.last && this.#shape !== 'lines')) throw this.#noEnd(finder);
      const sure = stop !== UNSURE || window.last;
      if (stop === UNSURE) stop = window.end;
      if (length < KEPT) window.bytes.copy(kept, length, cursor.pos, stop);
      const behind = blanksBefore(window.bytes, cursor.pos, stop);
      blanks = behind === stop - cursor.pos ? blanks + behind : behind;
      length += stop - cursor.pos;
      cursor.pos = stop;
      if (sure) break;
      await cursor.drop();
    }
    length -= blanks;
    const end = Math.min(KEPT, length);
    batch.bytes = kept;
    batch.clean = false;
    batch.refuse({ start: 0, end, line, offset }, { ...this.#refusal, rawLength: end < length ? length : null });
    this.scanner.line = line + finder.lines;
    this.#expect = 'comma';
    return true;
  }

  async #leave(): Promise<void> {
    this.#cursor.pos += 1;
    await this.#document?.leave();
    this.#expect = 'end';
  }

  /** The record at hand is refused, and nobody can say where it ends. */
  #noEnd(finder: ElementEnd | LineEnd): TallymanError {
    const { window } = this.#cursor;
    const where =
      this.#bad ??
      `Byte ${window.base + (finder.lost ? finder.lostAt : window.end)}: the record is ${this.#cursor.longest}.`;
    return new TallymanError('FILE_CORRUPT', `${where} The end of this record cannot be found.`);
  }

  #corrupt(at: number, reason: Parameters<Cursor['corrupt']>[1]): TallymanError {
    return this.#cursor.corrupt(at, reason, this.scanner.line, at);
  }
}

/** Spaces, tabs and line ends that bytes[start..end) ends with. */
function blanksBefore(bytes: Buffer, start: number, end: number): number {
  let at = end;
  while (
    at > start &&
    (bytes[at - 1] === SPACE || bytes[at - 1] === 0x09 || bytes[at - 1] === LF || bytes[at - 1] === CR)
  )
    at -= 1;
  return end - at;
}
