import { MISSING, NULL_CELL } from '../../core/batch.js';
import { NullWords } from '../csv/null-words.js';
import { SAW_CR, SAW_CRLF, SAW_LF } from '../line-ends.js';
import type { PlainBatch } from '../plain-batch.js';
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
  }

  /**
   * Scans `bytes` from `pos` to `end` and appends rows to the batch. `last`: nothing comes behind `end`. `base` is the
   * offset of bytes[0] in the stream. Room for one byte behind `end` is needed: it is overwritten.
   */
  scan(bytes: Buffer, end: number, last: boolean, base: number, batch: PlainBatch): ScanEnd {
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
      }
      if (at < end) this.lineEnds |= byte === LF ? SAW_LF : both ? SAW_CRLF : SAW_CR;
      this.line++;
      this.pos = next;
    }
    return FULL;
  }

  /** Cuts the line into cells; blanks behind a value are padding. */
  #cells(bytes: Buffer, start: number, end: number, ascii: boolean, batch: PlainBatch, row: number): void {
    const from = this.#from;
    const to = this.#to;
    const { width, starts, ends, flags } = batch;
    const mask = this.#nulls.mask;
    const length = ascii ? end - start : this.#walk(bytes, start, end);
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
      const cellStart = ascii ? start + from[column]! : this.#placeOf(from[column]!);
      let cellEnd = to[column]! >= length ? end : ascii ? start + to[column]! : this.#placeOf(to[column]!);
      while (cellEnd > cellStart && bytes[cellEnd - 1] === BLANK) cellEnd--;
      starts[cell] = cellStart;
      ends[cell] = cellEnd;
      flags[cell] =
        ((mask >>> (cellEnd - cellStart)) & 1) !== 0 && this.#isNull(bytes, cellStart, cellEnd) ? NULL_CELL : 0;
    }
    batch.cells[row] =
      found < width || length <= to[width - 1]!
        ? found
        : this.#surplus(bytes, ascii ? start + to[width - 1]! : this.#placeOf(to[width - 1]!), end, width);
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
   * characters.
   */
  #walk(bytes: Buffer, start: number, end: number): number {
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
