import { ESCAPED, MISSING, NULL_CELL, QUOTED } from '../../../core/batch.js';
import { hasLineEnd, lineEndsIn, sawBit } from '../../line-ends.js';
import { behindLine, lineEnd } from '../../window.js';
import type { CsvBatch } from '../csv-batch.js';
import { excelText } from './excel-text.js';
import { CR, LF, stands, TOKEN, type Dialect } from '../dialect.js';
import {
  BAD_QUOTE,
  FULL,
  LONG,
  MORE,
  NEVER_CLOSED,
  Scanner,
  TEXT_BEHIND_QUOTE,
  WRONG_COUNT,
  type ScanEnd,
} from '../scanner.js';
import { Stretches } from './stretches.js';

const SPACE = 0x20;
const TAB = 0x09;
const DOUBLE_QUOTE = 0x22;
/** Where a cell would have ended, had its sender not doubled the quotes in it. */
interface Doubt {
  readonly stop: number;
  readonly next: number;
  readonly flag: number;
  readonly severalLines: boolean;
}

/**
 * The scanner of files whose dialect asks for more than a quote at the beginning of a cell (`quotes: lenient`,
 * `quote_blanks`, `escape_unquoted`, `excel_text`). It gives what Scanner gives, in the same way, at half the speed and
 * in plain steps; files without these keys never meet it.
 *
 * Lenient quotes: a quote inside a quoted cell ends it only where a delimiter or a line end follows. A doubled quote
 * stays one quote. When a cell turns out to hold a quote that is neither, its sender does not double quotes: then a
 * doubled one that a delimiter follows is a character and the end, also if it was passed before in this record.
 */
export class LooseScanner extends Scanner {
  readonly #dialect: Dialect;
  /** Bytes that may end an unquoted cell, or escape what follows. */
  readonly #stops: Uint8Array;
  #bytes: Buffer = Buffer.alloc(0);
  #end = 0;
  #last = false;
  #base = 0;
  /** A look ahead met the end of the window: nothing is sure. */
  #short = false;
  /** The next byte of the record, and the cell that was read last. */
  #at = 0;
  #start = 0;
  #stop = 0;
  #flag = 0;
  #severalLines = false;
  /** In this record quotes stand inside of cells as they are. */
  #undoubled = false;
  readonly #stretches = new Stretches();

  constructor(dialect: Dialect) {
    super(dialect);
    this.#dialect = dialect;
    this.#stops = Uint8Array.from(dialect.plain);
    if (dialect.escapeUnquoted) this.#stops[dialect.escape[0]!] = TOKEN;
  }

  override scan(bytes: Buffer, end: number, last: boolean, base: number, batch: CsvBatch): ScanEnd {
    this.#bytes = bytes;
    this.#end = end;
    this.#last = last;
    this.#base = base;
    this.open = false;
    this.inComment = false;
    while (batch.rows < batch.capacity) {
      this.#short = false;
      if (!this.#passBetween()) return MORE;
      const outcome = this.#record(batch);
      if (outcome !== FULL) return outcome;
    }
    return FULL;
  }

  /** Blank lines and comments; false: more bytes are needed, or there is no record. */
  #passBetween(): boolean {
    const { comment } = this.#dialect;
    const bytes = this.#bytes;
    const end = this.#end;
    for (;;) {
      const at = this.pos;
      if (at >= end) return false;
      const byte = bytes[at]!;
      if (byte === LF || byte === CR) {
        if (byte === CR && at + 1 === end && !this.#last) return false;
        const line = behindLine(bytes, at, end);
        this.lineEnds |= sawBit(line.end);
        this.pos = line.next;
      } else if (comment.length > 0 && this.#stands(comment, at)) {
        const stop = lineEnd(bytes, at, end, this.#last);
        if (stop === -1 && !this.#last) {
          this.inComment = true;
          return false;
        }
        this.comments++;
        this.pos = stop === -1 ? end : behindLine(bytes, stop, end).next;
      } else {
        return !this.#short;
      }
      this.line++;
    }
  }

  #record(batch: CsvBatch): ScanEnd {
    const { width, starts, ends, flags } = batch;
    const { delimiter, maxRecord } = this.#dialect;
    const start = this.pos;
    const first = batch.rows * width;
    let cells = 0;
    let surplusFilled = false;
    this.#at = start;
    this.#severalLines = false;
    this.#undoubled = false;
    for (;;) {
      const outcome = this.#cell(cells >= width && this.widthKnown);
      if (outcome === BAD_QUOTE && this.#at - start > maxRecord) return LONG;
      if (outcome !== FULL) return outcome;
      if (cells < width) {
        starts[first + cells] = this.#start;
        ends[first + cells] = this.#stop;
        flags[first + cells] = this.#flag;
      } else if (this.#stop > this.#start) {
        surplusFilled = true;
      }
      cells++;
      if (!this.#stands(delimiter, this.#at)) break;
      this.#at += delimiter.length;
    }
    return this.#short ? MORE : this.#endRecord(batch, start, cells, surplusFilled);
  }

  /** At a line end, or at the end of the bytes. */
  #endRecord(batch: CsvBatch, start: number, cells: number, surplusFilled: boolean): ScanEnd {
    const bytes = this.#bytes;
    const end = this.#end;
    const at = this.#at;
    const { width } = batch;
    if (!this.#last && (at >= end || (bytes[at] === CR && at + 1 >= end))) return MORE;
    if (at - start > this.#dialect.maxRecord) return LONG;
    let found = cells;
    if (found !== width) {
      if (this.#severalLines && this.widthKnown && (found < width || surplusFilled)) {
        this.reason = WRONG_COUNT;
        return BAD_QUOTE;
      }
      if (found < width) {
        const first = batch.rows * width;
        const filled = this.#dialect.fillShortRows;
        batch.starts.fill(at, first + found, first + width);
        batch.ends.fill(at, first + found, first + width);
        batch.flags.fill(filled ? NULL_CELL : MISSING, first + found, first + width);
        if (filled && this.widthKnown) found = width;
      } else if (!surplusFilled && !this.countEmptySurplus) {
        found = width;
        this.sawEmptySurplus = true;
      }
    }
    const row = batch.rows++;
    batch.cells[row] = found;
    batch.rowStarts[row] = start;
    batch.rowEnds[row] = at;
    batch.lines[row] = this.line;
    batch.offsets[row] = this.#base + start;
    const { next, end: kind } = behindLine(bytes, at, end);
    this.lineEnds |= sawBit(kind);
    this.line += 1 + lineEndsIn(bytes, start, at);
    this.pos = next;
    return FULL;
  }

  /** One cell from `#at` on; FULL: it is in `#start`, `#stop` and `#flag`, and `#at` behind it. */
  #cell(surplus: boolean): ScanEnd {
    const { quote, quoteBlanks } = this.#dialect;
    if (quote.length > 0) {
      const at = quoteBlanks ? this.#behindBlanks(this.#at) : this.#at;
      const isQuoted = this.#stands(quote, at);
      if (this.#short) return MORE;
      if (isQuoted) {
        this.#at = at + quote.length;
        return this.#quoted(surplus);
      }
    }
    return this.#unquoted();
  }

  #unquoted(): ScanEnd {
    const { delimiter, escape, escapeUnquoted, nulls } = this.#dialect;
    const bytes = this.#bytes;
    const end = this.#end;
    const start = this.#at;
    let at = start;
    let flag = 0;
    for (;;) {
      while (at < end && this.#stops[bytes[at]!] === 0) at++;
      if (at >= end || bytes[at] === LF || bytes[at] === CR || this.#stands(delimiter, at)) break;
      if (escapeUnquoted && this.#stands(escape, at)) {
        flag = ESCAPED;
        at = this.#behindEscape(at, false);
      } else at++;
      if (this.#short) return MORE;
    }
    if (at >= end && !this.#last) return MORE;
    this.#at = at;
    this.#start = start;
    this.#stop = at;
    this.#flag = nulls.has(bytes, start, at) ? NULL_CELL : flag;
    if (this.#dialect.excelText && flag === 0) this.#takeExcelText(DOUBLE_QUOTE, false);
    return FULL;
  }

  /** The quote is passed; `surplus`: the record has all its cells already. */
  #quoted(surplus: boolean): ScanEnd {
    const { quoted, quote, doubled, escape, lenient } = this.#dialect;
    const bytes = this.#bytes;
    const end = this.#end;
    const length = quote.length;
    const start = this.#at;
    let flag = QUOTED;
    let at = start;
    let doubt: Doubt | null = null;
    for (;;) {
      while (at < end && quoted[bytes[at]!] === 0) at++;
      if (at >= end) {
        return this.#last && doubt !== null ? this.#leave(start, doubt) : this.#neverClosed(at);
      }
      if (bytes[at] === LF || bytes[at] === CR) {
        if (surplus) return doubt === null ? this.#refuse(WRONG_COUNT, at) : this.#leave(start, doubt);
        this.#severalLines = true;
        at++;
        continue;
      }
      if (escape.length > 0 && this.#stands(escape, at)) {
        flag |= ESCAPED;
        at = this.#behindEscape(at, true);
        continue;
      }
      if (!this.#stands(quote, at)) {
        if (this.#short) return this.#neverClosed(at);
        at++;
        continue;
      }
      const twice = doubled && this.#stands(quote, at + length);
      if (this.#short) return this.#neverClosed(at);
      const next = this.#behindQuote(at + (twice ? 2 * length : length));
      if (this.#isShort()) {
        this.open = lenient || twice;
        return MORE;
      }
      const ends = next !== -1;
      if (!twice && !ends && !lenient) return this.#refuse(TEXT_BEHIND_QUOTE, at);
      if (!twice && ends) return this.#leave(start, { stop: at, next, flag, severalLines: this.#severalLines });
      if (twice) {
        const end = { stop: at + length, next, flag, severalLines: this.#severalLines };
        if (ends && lenient && this.#undoubled) return this.#leave(start, end);
        if (ends && lenient) doubt ??= end;
        flag |= ESCAPED;
        at += 2 * length;
        continue;
      }
      this.#undoubled = true;
      if (doubt !== null) return this.#leave(start, doubt);
      // From here on only a closing quote counts, and each is looked for once.
      const from = at + length;
      at = this.#closingQuote(from);
      flag |= ESCAPED;
      if (hasLineEnd(bytes, from, at)) {
        this.#severalLines = true;
        if (surplus) return this.#refuse(WRONG_COUNT, at);
      }
    }
  }

  #refuse(reason: string, at: number): ScanEnd {
    this.#at = at;
    this.reason = reason;
    return BAD_QUOTE;
  }

  /** The bytes end within quotes. */
  #neverClosed(at: number): ScanEnd {
    this.open = true;
    return this.#last ? this.#refuse(NEVER_CLOSED, at) : MORE;
  }

  #leave(start: number, { stop, next, flag, severalLines }: Doubt): ScanEnd {
    const { nulls, nullsQuoted, doubled, quoteByte } = this.#dialect;
    const bytes = this.#bytes;
    this.#at = next;
    this.#start = start;
    this.#stop = stop;
    this.#severalLines = severalLines;
    this.#flag = nullsQuoted && nulls.has(bytes, start, stop) ? flag | NULL_CELL : flag;
    if (this.#dialect.excelText && doubled && (flag & ESCAPED) !== 0) this.#takeExcelText(quoteByte, true);
    return FULL;
  }

  #takeExcelText(quote: number, doubled: boolean): void {
    const text = excelText(this.#bytes, this.#start, this.#stop, quote, doubled);
    if (text === null) return;
    this.#start = text.start;
    this.#stop = text.stop;
    this.#flag = QUOTED;
  }

  #isShort(): boolean {
    return this.#short;
  }

  /** Does the token stand at `at`? Sets `#short` when the window ends within it. */
  #stands(token: Buffer, at: number): boolean {
    if (at + token.length <= this.#end) return stands(token, this.#bytes, at);
    if (this.#last) return false;
    for (let i = 0; at + i < this.#end; i++) if (this.#bytes[at + i] !== token[i]) return false;
    this.#short = true;
    return false;
  }

  #behindBlanks(at: number): number {
    const bytes = this.#bytes;
    const { delimiter } = this.#dialect;
    while (at < this.#end && (bytes[at] === SPACE || bytes[at] === TAB) && bytes[at] !== delimiter[0]) at++;
    if (at >= this.#end && !this.#last) this.#short = true;
    return at;
  }

  /** Behind what a quote closes: where the delimiter or the line end stands that follows it; -1 = neither does. */
  #behindQuote(at: number): number {
    const { quoteBlanks, delimiter } = this.#dialect;
    const next = quoteBlanks ? this.#behindBlanks(at) : at;
    if (next >= this.#end) {
      if (!this.#last) this.#short = true;
      return next;
    }
    const byte = this.#bytes[next];
    return byte === LF || byte === CR || this.#stands(delimiter, next) ? next : -1;
  }

  /** Behind the escape at `at` and what it makes literal: a token as a whole, a line end as a whole, or a byte. */
  #behindEscape(at: number, quoted: boolean): number {
    const { escape, quote, delimiter } = this.#dialect;
    const bytes = this.#bytes;
    const next = at + escape.length;
    if (next >= this.#end) {
      if (!this.#last) this.#short = true;
      return next;
    }
    if (quote.length > 0 && this.#stands(quote, next)) return next + quote.length;
    if (this.#stands(escape, next)) return next + escape.length;
    // In quotes a line end is one, escaped or not.
    if (quoted) return bytes[next] === LF || bytes[next] === CR ? next : next + 1;
    if (this.#stands(delimiter, next)) return next + delimiter.length;
    if (bytes[next] !== CR) return next + 1;
    if (next + 1 >= this.#end && !this.#last) this.#short = true;
    return next + 1 < this.#end && bytes[next + 1] === LF ? next + 2 : next + 1;
  }

  /**
   * The next quote from `at` on that closes a cell whose quotes are not doubled; the end of the bytes without one.
   */
  #closingQuote(at: number): number {
    const { quoted, quote, doubled, escape } = this.#dialect;
    const bytes = this.#bytes;
    const base = this.#base;
    const from = at;
    const known = this.#stretches.at(base + at);
    if (known !== undefined) {
      if (known.closed && known.to - base < this.#end) return known.to - base;
      at = Math.min(this.#end, known.to - base);
    }
    let to = -1;
    while (to === -1 && !this.#short) {
      while (at < this.#end && quoted[bytes[at]!] !== TOKEN) at++;
      if (at >= this.#end) break;
      if (escape.length > 0 && this.#stands(escape, at)) {
        const next = this.#behindEscape(at, true);
        if (!this.#isShort()) at = next;
      } else if (this.#stands(quote, at)) {
        const twice = doubled && this.#stands(quote, at + quote.length);
        const closing = twice ? at + quote.length : at;
        const ends = this.#behindQuote(closing + quote.length) !== -1;
        if (this.#isShort()) break;
        if (ends) to = closing;
        else at = closing + quote.length;
      } else if (!this.#isShort()) at++;
    }
    this.#stretches.add({ from: base + from, to: base + (to === -1 ? at : to), closed: to !== -1 }, known);
    // What is not decided yet is left to who asked, together with the bytes that are missing.
    return to === -1 ? (this.#short ? this.#end : at) : to;
  }
}
