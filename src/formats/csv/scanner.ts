import { ESCAPED, MISSING, NULL_CELL, QUOTED } from '../../core/batch.js';
import { SAW_CR, SAW_CRLF, SAW_LF } from '../line-ends.js';
import type { CsvBatch } from './csv-batch.js';
import { CR, DELIMITER, LF, LINE_FEED, TOKEN, stands, type Dialect } from './dialect.js';

/** Why `scan` came back. */
export const MORE = 0;
export const FULL = 1;
/** The record at `pos` is refused: see `reason`. */
export const BAD_QUOTE = 2;
/** The record at `pos` is longer than max_record. */
export const LONG = 3;
export type ScanEnd = typeof MORE | typeof FULL | typeof BAD_QUOTE | typeof LONG;

/**
 * Bytes inside quotes that are looked at one by one (0.7 ns each) before the rest of the cell is left to
 * Buffer.indexOf, whose call costs 50 ns.
 */
const LONG_RUN = 64;

/**
 * What is wrong with the quotes of the record at `pos`. The same words for every row, because the reports group by
 * them.
 */
export const NEVER_CLOSED = 'a quote opened on this line is never closed';
export const TEXT_BEHIND_QUOTE = 'text stands behind a closing quote';
export const WRONG_COUNT = 'a quote joins this line with following ones to a record with the wrong number of cells';

/**
 * Bytes to spans: one pass over a window, writing where each cell begins and ends into the batch's arrays. Nothing is
 * allocated a row or a cell.
 *
 * Tricks that carry the speed: a line feed is planted behind the last byte, so that the inner loop never asks for the
 * end; a byte's class is one load, and none for bytes above all that have a class (15 % less time); a quote means
 * something only as the first byte of a cell, so unquoted cells never look for it. 360 MB with 16 columns take 0.6 to
 * 0.7 s of processor time.
 *
 * One state machine for all dialects, tokens of several bytes included. csv-parse is the reference in the tests and no
 * fallback: with `relax_quotes` (a quote inside an unquoted cell is data) 7.0.3 also takes `"a"b` for a cell, after a
 * bad quote it does not go on at the next line, and it misreads a doubled quote of several characters.
 *
 * A record that does not end in the window is left (`MORE`, `pos` at its first byte) and scanned again when more bytes
 * stand behind it: the window at least doubles, so every byte is seen twice at most. A record with a fault of quotes is
 * given back likewise; reading goes on at the line behind its first. All records that are still open at a line end
 * stand inside quotes there and take the same way from then on, each ahead by the cells that it has, and a filled cell
 * past the last column ends them: so a byte is scanned at most width + 1 times, whatever the quotes.
 */
export class Scanner {
  /** Next byte to scan, an index into the window. */
  pos = 0;
  /** Physical line of `pos`, from 1. */
  line = 1;
  /** Kinds of line ends that were met outside quotes. */
  lineEnds = 0;
  /** After MORE: the window ended inside quotes. */
  open = false;
  /** After MORE: the window ended inside a comment. */
  inComment = false;
  /** Comments that were passed over. */
  comments = 0;
  /** A row had more cells than the width, all of them empty. */
  sawEmptySurplus = false;
  reason = NEVER_CLOSED;
  /** False while the number of columns is not known: a record of several lines may have any number of cells. */
  widthKnown = false;
  /** True while a header is counted: empty cells past the width are cells too. */
  countEmptySurplus = false;
  readonly #dialect: Dialect;
  /**
   * The bytes that have a class inside quotes, and where each of them stands next (Infinity: nowhere); true from there
   * backwards to where it was asked.
   */
  readonly #enders: readonly number[];
  readonly #nextEnds: Float64Array;

  constructor(dialect: Dialect) {
    this.#dialect = dialect;
    this.#enders = [...dialect.quoted.keys()].filter((byte) => dialect.quoted[byte] !== 0);
    this.#nextEnds = new Float64Array(this.#enders.length);
  }

  /**
   * Scans `bytes` from `pos` to `end` and appends rows to the batch. `last`: nothing comes behind `end`. `base` is the
   * offset of bytes[0] in the stream. Room for one byte behind `end` is needed: it is overwritten.
   */
  scan(bytes: Buffer, end: number, last: boolean, base: number, batch: CsvBatch): ScanEnd {
    const {
      plain,
      quoted,
      highest,
      delimiter,
      quote,
      escape,
      comment,
      doubled,
      quoteByte,
      commentByte,
      nulls,
      nullsQuoted,
      fillShortRows,
      maxRecord,
    } = this.#dialect;
    const { width, capacity, starts, ends, flags, cells, rowStarts, rowEnds, lines, offsets } = batch;
    const { widthKnown, countEmptySurplus } = this;
    const nullMask = nulls.mask;
    const delimiterLength = delimiter.length;
    const delimiterByte = delimiter[0]!;
    const quoteLength = quote.length;
    const escapeLength = escape.length;
    const longQuotes = quoteLength > 1 || escapeLength > 1;
    let lineEnds = this.lineEnds;
    let line = this.line;
    let row = batch.rows;
    let at = this.pos;
    let record = at;
    let recordLine = line;
    let outcome: ScanEnd = FULL;
    this.open = false;
    this.inComment = false;
    this.#nextEnds.fill(0);
    bytes[end] = LF;

    records: while (row < capacity) {
      record = at;
      recordLine = line;
      let byte = bytes[at]!;

      if (byte === LF || byte === CR) {
        // A blank line, or the planted line feed.
        if (at >= end || (byte === CR && at + 1 === end && !last)) {
          outcome = MORE;
          break;
        }
        const both = byte === CR && at + 1 < end && bytes[at + 1] === LF;
        lineEnds |= byte === LF ? SAW_LF : both ? SAW_CRLF : SAW_CR;
        at += both ? 2 : 1;
        line++;
        continue;
      }

      if (byte === commentByte) {
        if (at + comment.length > end && !last) {
          outcome = MORE;
          break;
        }
        if (stands(comment, bytes, at)) {
          let stop = at + comment.length;
          while (bytes[stop] !== LF && bytes[stop] !== CR) stop++;
          if ((stop >= end || (bytes[stop] === CR && stop + 1 === end)) && !last) {
            this.inComment = true;
            outcome = MORE;
            break;
          }
          this.comments++;
          at = stop >= end ? end : stop + (bytes[stop] === CR && stop + 1 < end && bytes[stop + 1] === LF ? 2 : 1);
          line++;
          continue;
        }
      }

      const firstCell = row * width;
      const pastCells = firstCell + width;
      let cell = firstCell;
      let surplus = 0;
      let surplusFilled = false;
      let severalLines = false;

      cells: for (;;) {
        let start = at;
        let stop = at;
        let flag = 0;
        if (byte === quoteByte && longQuotes && at + quoteLength > end && !last) {
          outcome = MORE;
          break records;
        }
        if (byte === quoteByte && (quoteLength === 1 || stands(quote, bytes, at))) {
          at += quoteLength;
          start = at;
          flag = QUOTED;
          for (;;) {
            const far = at + LONG_RUN;
            while (at < far && quoted[bytes[at]!] === 0) at++;
            if (at === far) at = this.#endOfRun(bytes, at);
            byte = bytes[at]!;
            const kind = quoted[byte]!;
            if (kind === TOKEN) {
              if (longQuotes && at + quoteLength + escapeLength > end && !last) {
                this.open = true;
                outcome = MORE;
                break records;
              }
              if (escapeLength > 0 && stands(escape, bytes, at)) {
                flag |= ESCAPED;
                at += escapeLength;
                // A line end that is escaped is still a line end to the counter below.
                if (at < end && quoted[bytes[at]!] === TOKEN)
                  at += stands(quote, bytes, at) ? quoteLength : stands(escape, bytes, at) ? escapeLength : 1;
              } else if (byte !== quoteByte || (quoteLength > 1 && !stands(quote, bytes, at))) {
                at++;
              } else if (doubled && at + 2 * quoteLength > end && !last) {
                // Whether this quote closes the cell is told by what follows.
                this.open = true;
                outcome = MORE;
                break records;
              } else if (doubled && stands(quote, bytes, at + quoteLength)) {
                flag |= ESCAPED;
                at += 2 * quoteLength;
              } else {
                break;
              }
            } else if (at >= end) {
              this.open = true;
              this.reason = NEVER_CLOSED;
              outcome = last ? BAD_QUOTE : MORE;
              break records;
            } else {
              severalLines = true;
              if (kind === LINE_FEED || bytes[at + 1] !== LF) line++;
              if (cell === pastCells && widthKnown) {
                // A filled cell past the last column, on several lines: however it goes on, the record is refused.
                this.reason = WRONG_COUNT;
                outcome = BAD_QUOTE;
                break records;
              }
              at++;
            }
          }
          stop = at;
          at += quoteLength;
          byte = bytes[at]!;
          const kind = plain[byte]!;
          if (kind === DELIMITER && delimiterLength > 1 && at + delimiterLength > end && !last) {
            outcome = MORE;
            break records;
          }
          if (kind === 0 || (kind === DELIMITER && delimiterLength > 1 && !stands(delimiter, bytes, at))) {
            this.reason = TEXT_BEHIND_QUOTE;
            outcome = BAD_QUOTE;
            break records;
          }
          if (nullsQuoted && ((nullMask >>> (stop - start)) & 1) !== 0 && nulls.has(bytes, start, stop))
            flag |= NULL_CELL;
        } else {
          for (;;) {
            while (byte > highest || plain[byte] === 0) byte = bytes[++at]!;
            if (delimiterLength === 1 || plain[byte] !== DELIMITER) break;
            if (at + delimiterLength > end && !last) {
              outcome = MORE;
              break records;
            }
            if (stands(delimiter, bytes, at)) break;
            byte = bytes[++at]!;
          }
          stop = at;
          if (((nullMask >>> (stop - start)) & 1) !== 0 && nulls.has(bytes, start, stop)) flag = NULL_CELL;
        }

        if (cell < pastCells) {
          starts[cell] = start;
          ends[cell] = stop;
          flags[cell] = flag;
          cell++;
        } else {
          surplus++;
          if (stop > start) surplusFilled = true;
        }
        if (byte !== delimiterByte) break cells;
        at += delimiterLength;
        byte = bytes[at]!;
      }

      // At a line end, or at the planted one.
      let next = at + 1;
      let lineEnd = 0;
      if (at >= end) {
        next = end;
        if (!last) outcome = MORE;
      } else if (byte === LF) {
        lineEnd = SAW_LF;
      } else if (next < end) {
        lineEnd = SAW_CR;
        if (bytes[next] === LF) {
          lineEnd = SAW_CRLF;
          next++;
        }
      } else {
        lineEnd = SAW_CR;
        if (!last) outcome = MORE;
      }
      if (outcome === MORE) break;
      if (at - record > maxRecord) {
        outcome = LONG;
        break;
      }

      let found = cell - firstCell + surplus;
      if (found !== width) {
        if (severalLines && widthKnown && (found < width || surplusFilled)) {
          this.reason = WRONG_COUNT;
          outcome = BAD_QUOTE;
          break;
        }
        if (found < width) {
          starts.fill(at, cell, pastCells);
          ends.fill(at, cell, pastCells);
          flags.fill(fillShortRows ? NULL_CELL : MISSING, cell, pastCells);
          if (fillShortRows && widthKnown) found = width;
        } else if (!surplusFilled && !countEmptySurplus) {
          found = width;
          this.sawEmptySurplus = true;
        }
      }
      cells[row] = found;
      rowStarts[row] = record;
      rowEnds[row] = at;
      lines[row] = recordLine;
      offsets[row] = base + record;
      lineEnds |= lineEnd;
      row++;
      line++;
      at = next;
    }

    batch.rows = row;
    this.lineEnds = lineEnds;
    this.pos = outcome === FULL ? at : record;
    this.line = outcome === FULL ? line : recordLine;
    // The fault stands past max_record: whether it is the length or an open quote is judged there.
    if (outcome === BAD_QUOTE && at - record > maxRecord) return LONG;
    return outcome;
  }

  /**
   * The first byte from `at` on that has a class inside quotes. Each kind is looked for by the machine's own search and
   * once only: what was found ahead of `at` still stands there.
   */
  #endOfRun(bytes: Buffer, at: number): number {
    const ends = this.#nextEnds;
    let nearest = Infinity;
    for (let i = 0; i < ends.length; i++) {
      if (ends[i]! < at) {
        const found = bytes.indexOf(this.#enders[i]!, at);
        ends[i] = found === -1 ? Infinity : found;
      }
      if (ends[i]! < nearest) nearest = ends[i]!;
    }
    return nearest;
  }
}
