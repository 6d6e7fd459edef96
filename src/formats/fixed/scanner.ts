import { MISSING, NULL_CELL } from '../../core/batch.js';
import { TallymanError } from '../../core/errors.js';
import { NEVER } from '../../decode/charset/transcoder.js';
import { NullWords } from '../csv/null-words.js';
import { SAW_CR, SAW_CRLF, SAW_LF } from '../line-ends.js';
import type { PlainBatch } from '../plain-batch.js';
import { byteWidths, codeAt, lengthAt, type ByteWidth } from './byte-widths.js';
import type { Slices } from './columns.js';
import type { FixedOptions } from './options.js';

/**
 * Why `scan` came back: it needs bytes behind the line at `pos`, the batch is full, or the line is longer than
 * max_record.
 */
export const MORE = 0;
export const FULL = 1;
export const LONG = 2;
export type ScanEnd = typeof MORE | typeof FULL | typeof LONG;

const LF = 10;
const CR = 13;
const BLANK = 0x20;
const LONGEST_CHARACTER = 4;

/**
 * Lines to spans: one pass that finds the line end and whether all is ASCII, where a character is a byte and a column's
 * place a sum. Other lines are walked once more, character by character. Nothing is allocated a row or a cell.
 */
export class LineScanner {
  /** Next byte to scan, an index into the window. */
  pos = 0;
  /** Physical line of `pos`, from 1. */
  line = 1;
  /** Kinds of line ends that were met. */
  lineEnds = 0;
  /** After MORE: the window ended inside a comment. */
  inComment = false;
  /** Comments that were passed over. */
  comments = 0;
  /** A line went on behind the last column with text that is ignored. */
  sawSurplus = false;
  readonly comment: Buffer;
  readonly maxRecord: number;
  readonly #from: Int32Array;
  readonly #to: Int32Array;
  readonly #nulls: NullWords;
  readonly #fill: boolean;
  readonly #ignoreSurplus: boolean;
  /** Byte at which each character begins that is an edge of a column; only for lines that are not ASCII. */
  readonly #edges: Int32Array;
  readonly #places: Int32Array;
  readonly #recordLength: number;
  readonly #inBytes: boolean;
  /** Bytes of the delivered file, where they are not those at hand. */
  readonly #widthOf: ByteWidth | null;
  /** An edge of a column stood within a character of the last line. */
  #torn = false;

  constructor(options: FixedOptions, slices: Slices, ignoreSurplus: boolean) {
    this.comment = Buffer.from(options.comment ?? '');
    this.maxRecord = options.max_record;
    this.#from = slices.from;
    this.#to = slices.to;
    this.#nulls = new NullWords(options.nulls);
    this.#fill = options.short_rows === 'fill_null';
    this.#ignoreSurplus = ignoreSurplus;
    this.#edges = Int32Array.from(new Set([...slices.from, ...slices.to])).sort();
    this.#places = new Int32Array(this.#edges.length);
    this.#recordLength = options.record_length ?? 0;
    this.#inBytes = options.unit === 'bytes';
    this.#widthOf = this.#inBytes ? byteWidths(options.encoding) : null;
  }

  /**
   * Scans `bytes` from `pos` to `end` and appends rows to the batch. `last`: nothing comes behind `end`. `base` is the
   * offset of bytes[0] in the stream. Room for one byte behind `end` is needed: it is overwritten.
   */
  scan(bytes: Buffer, end: number, last: boolean, base: number, batch: PlainBatch): ScanEnd {
    if (this.#recordLength > 0) return this.#scanRecords(bytes, end, last, base, batch);
    const { comment, maxRecord } = this;
    const { capacity, rowStarts, rowEnds, lines, offsets } = batch;
    const commentByte = comment[0] ?? -1;
    this.inComment = false;
    // A planted line end: the inner loop never asks for the window's.
    bytes[end] = LF;
    while (batch.rows < capacity) {
      const start = this.pos;
      let at = start;
      let seen = 0;
      let byte = bytes[at]!;
      while (byte !== LF && byte !== CR) {
        seen |= byte;
        byte = bytes[++at]!;
      }
      if (at >= end && (!last || at === start)) {
        this.inComment = isComment(comment, bytes, start, at);
        return MORE;
      }
      // A carriage return as the window's last byte may be half a line end.
      if (byte === CR && at + 1 === end && !last) return MORE;
      const both = byte === CR && at + 1 < end && bytes[at + 1] === LF;
      const next = at >= end ? end : at + (both ? 2 : 1);
      if (at > start && bytes[start] === commentByte && isComment(comment, bytes, start, at)) {
        this.comments++;
      } else if (at > start) {
        if (at - start > maxRecord) return LONG;
        const row = batch.rows;
        rowStarts[row] = start;
        rowEnds[row] = at;
        lines[row] = this.line;
        offsets[row] = base + start;
        this.#cells(bytes, start, at, seen < 0x80, batch, row);
        batch.rows++;
        if (this.#torn) this.#refuseTorn(batch);
      }
      if (at < end) this.lineEnds |= byte === LF ? SAW_LF : both ? SAW_CRLF : SAW_CR;
      this.line++;
      this.pos = next;
    }
    return FULL;
  }

  /** Records of one length, with nothing between them; line ends that stand there all the same are passed over. */
  #scanRecords(bytes: Buffer, end: number, last: boolean, base: number, batch: PlainBatch): ScanEnd {
    while (batch.rows < batch.capacity) {
      while (this.pos < end && (bytes[this.pos] === LF || bytes[this.pos] === CR)) this.pos++;
      const start = this.pos;
      const { at, ascii } = this.#recordEnd(bytes, start, end, base + start);
      // The last record may be cut short: what it lacks is reported cell by cell.
      if (at < 0 && (!last || start === end)) return MORE;
      const stop = at < 0 ? end : at;
      const row = batch.rows++;
      batch.rowStarts[row] = start;
      batch.rowEnds[row] = stop;
      batch.lines[row] = this.line++;
      batch.offsets[row] = base + start;
      this.#cells(bytes, start, stop, ascii, batch, row);
      if (this.#torn) this.#refuseTorn(batch);
      this.pos = stop;
    }
    return FULL;
  }

  /** The index behind the record that begins at `start`; -1 = it is not all there. Throws FILE_CORRUPT. */
  #recordEnd(
    bytes: Buffer,
    start: number,
    end: number,
    offset: number,
  ): { readonly at: number; readonly ascii: boolean } {
    const wanted = this.#recordLength;
    let units = 0;
    let at = start;
    let seen = 0;
    while (units < wanted && at < end) {
      seen |= bytes[at]!;
      const length = lengthAt(bytes, at);
      // The window may end within a character.
      if (at + LONGEST_CHARACTER > end && bytes[at]! >= 0xc2 && length === 1) return { at: -1, ascii: false };
      units += this.#units(bytes, at, length);
      at += length;
    }
    if (units > wanted)
      throw new TallymanError(
        'FILE_CORRUPT',
        `A character stands across the end of record ${this.line} (byte ${offset}): ` +
          `the records are not of ${wanted} bytes, or one of them is damaged.`,
        { fix: 'Correct format.record_length, or ask the supplier to send the file again.' },
      );
    return { at: units < wanted ? -1 : at, ascii: seen < 0x80 && this.#widthOf === null };
  }

  /** What a character counts for. A byte that marks what could not be decoded stood nowhere. */
  #units(bytes: Buffer, at: number, length: number): number {
    if (this.#widthOf === null) return this.#inBytes ? length : 1;
    const first = bytes[at]!;
    if (length === 1 && first >= 0x80) return first === NEVER ? 0 : 1;
    return this.#widthOf(codeAt(bytes, at));
  }

  /** The row that was just appended cannot be cut. */
  #refuseTorn(batch: PlainBatch): void {
    this.#torn = false;
    const row = --batch.rows;
    batch.refuse(
      {
        start: batch.rowStarts[row]!,
        end: batch.rowEnds[row]!,
        line: batch.lines[row]!,
        offset: batch.offsets[row]!,
      },
      { class: 'encoding-error', message: 'a character stands across the edge of a column', rawLength: null },
    );
  }

  /** Cuts the line into cells; blanks behind a value are padding. */
  #cells(bytes: Buffer, start: number, end: number, ascii: boolean, batch: PlainBatch, row: number): void {
    const from = this.#from;
    const to = this.#to;
    const { width, starts, ends, flags } = batch;
    const mask = this.#nulls.mask;
    const asBytes = ascii && this.#widthOf === null;
    const length = asBytes ? end - start : this.#walk(bytes, start, end);
    const first = row * width;
    let found = width;
    for (let column = 0; column < width; column++) {
      const cell = first + column;
      if (to[column]! > length && found === width && !this.#fill) found = column;
      if (column >= found || from[column]! >= length) {
        starts[cell] = ends[cell] = end;
        flags[cell] = this.#fill ? (this.#isNull(bytes, end, end) ? NULL_CELL : 0) : MISSING;
        continue;
      }
      const cellStart = asBytes ? start + from[column]! : this.#placeOf(from[column]!);
      let cellEnd = to[column]! >= length ? end : asBytes ? start + to[column]! : this.#placeOf(to[column]!);
      while (cellEnd > cellStart && bytes[cellEnd - 1] === BLANK) cellEnd--;
      starts[cell] = cellStart;
      ends[cell] = cellEnd;
      flags[cell] =
        ((mask >>> (cellEnd - cellStart)) & 1) !== 0 && this.#isNull(bytes, cellStart, cellEnd) ? NULL_CELL : 0;
    }
    batch.cells[row] =
      found < width || length <= to[width - 1]!
        ? found
        : this.#surplus(bytes, asBytes ? start + to[width - 1]! : this.#placeOf(to[width - 1]!), end, width);
  }

  #isNull(bytes: Buffer, start: number, end: number): boolean {
    return this.#nulls.has(bytes, start, end);
  }

  /** Cells of a line that goes on behind its last column: one more, unless that is blank or ignored. */
  #surplus(bytes: Buffer, from: number, end: number, width: number): number {
    let at = from;
    while (at < end && bytes[at] === BLANK) at++;
    if (at < end && !this.#ignoreSurplus) return width + 1;
    if (at < end) this.sawSurplus = true;
    return width;
  }

  /**
   * Notes where the edges of columns stand in a line with characters of several bytes; returns its length in
   * characters, or in bytes of the delivered file.
   */
  #walk(bytes: Buffer, start: number, end: number): number {
    if (this.#inBytes) return this.#walkBytes(bytes, start, end);
    const edges = this.#edges;
    const places = this.#places;
    let edge = 0;
    let characters = 0;
    for (let at = start; at < end; at++) {
      if ((bytes[at]! & 0xc0) === 0x80) continue;
      while (edge < edges.length && edges[edge] === characters) places[edge++] = at;
      characters++;
    }
    while (edge < edges.length) places[edge++] = end;
    return characters;
  }

  #walkBytes(bytes: Buffer, start: number, end: number): number {
    const edges = this.#edges;
    const places = this.#places;
    let edge = 0;
    let units = 0;
    for (let at = start; at < end;) {
      const length = lengthAt(bytes, at);
      while (edge < edges.length && edges[edge]! <= units) {
        if (edges[edge]! < units) this.#torn = true;
        places[edge++] = at;
      }
      units += this.#units(bytes, at, length);
      at += length;
    }
    for (; edge < edges.length; edge++) {
      if (edges[edge]! < units) this.#torn = true;
      places[edge] = end;
    }
    return units;
  }

  /** The byte of an edge, after #walk. */
  #placeOf(character: number): number {
    let low = 0;
    let high = this.#edges.length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#edges[middle]! < character) low = middle + 1;
      else high = middle;
    }
    return this.#places[low]!;
  }
}

/** Does the line from `start` to `end` begin with the token? */
export function isComment(token: Buffer, bytes: Buffer, start: number, end: number): boolean {
  if (token.length === 0 || end - start < token.length) return false;
  for (let i = 0; i < token.length; i++) if (bytes[start + i] !== token[i]) return false;
  return true;
}
