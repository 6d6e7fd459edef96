import { escapeOf, type CsvOptions } from './options.js';
import { NullWords } from './null-words.js';
import type { Unescape } from '../plain-batch.js';
import { unescapeLetters, type EscapeLetters } from './loose/escape-letters.js';

/** Classes of a byte outside quotes. 0: it is part of the cell. */
export const DELIMITER = 1;
/** Classes of a byte in a quoted cell: it begins a quote or an escape. */
export const TOKEN = 1;
/** In both tables. */
export const LINE_FEED = 2;
export const CARRIAGE_RETURN = 3;

export const LF = 10;
export const CR = 13;
const NONE = -1;

/**
 * The options as bytes and tables, made once a file. Tokens are UTF-8 and may be several bytes long; one byte is the
 * fast case.
 */
export interface Dialect {
  readonly delimiter: Buffer;
  /** Empty = no quoting. */
  readonly quote: Buffer;
  /** Empty = none, or the doubled quote (`doubled`). */
  readonly escape: Buffer;
  readonly comment: Buffer;
  /** A quote inside quotes is written twice. */
  readonly doubled: boolean;
  /** First bytes; -1 = there is none. */
  readonly quoteByte: number;
  readonly commentByte: number;
  /** Class of each byte outside and inside quotes. */
  readonly plain: Uint8Array;
  readonly quoted: Uint8Array;
  /**
   * The highest byte that has a class outside quotes: with `,` all digits and letters stand above it and are told
   * without the table.
   */
  readonly highest: number;
  readonly nulls: NullWords;
  readonly nullsQuoted: boolean;
  readonly fillShortRows: boolean;
  /** A key below is set: LooseScanner reads, not Scanner. */
  readonly loose: boolean;
  /** A quote inside a quoted cell that no delimiter or line end follows is a character. */
  readonly lenient: boolean;
  /** Blanks around a quoted cell are passed over. */
  readonly quoteBlanks: boolean;
  /** The escape works outside quotes too. */
  readonly escapeUnquoted: boolean;
  /** Letters behind the escape that stand for control characters. */
  readonly escapeLetters: EscapeLetters | null;
  /** `="00123"` is the text 00123. */
  readonly excelText: boolean;
  /** Bytes of the longest record, line end not counted. */
  readonly maxRecord: number;
}

export function compileDialect(options: CsvOptions): Dialect {
  const delimiter = Buffer.from(options.delimiter);
  const quote = Buffer.from(options.quote ?? '');
  const escapeUnquoted = options.escape_unquoted;
  const escapeText = escapeOf(options);
  const doubled = options.quote !== null && escapeText === options.quote;
  const escape = Buffer.from(doubled || (options.quote === null && !escapeUnquoted) ? '' : (escapeText ?? ''));
  const lenient = options.quotes === 'lenient' && options.quote !== null;
  const comment = Buffer.from(options.comment ?? '');
  const plain = new Uint8Array(256);
  const quoted = new Uint8Array(256);
  plain[delimiter[0]!] = DELIMITER;
  if (quote.length > 0) quoted[quote[0]!] = TOKEN;
  if (escape.length > 0) quoted[escape[0]!] = TOKEN;
  for (const table of [plain, quoted]) {
    table[LF] = LINE_FEED;
    table[CR] = CARRIAGE_RETURN;
  }
  return {
    delimiter,
    quote,
    escape,
    comment,
    doubled,
    quoteByte: quote[0] ?? NONE,
    commentByte: comment[0] ?? NONE,
    plain,
    quoted,
    highest: plain.findLastIndex((kind) => kind !== 0),
    nulls: new NullWords(options.nulls),
    nullsQuoted: options.nulls_quoted,
    fillShortRows: options.short_rows === 'fill_null',
    loose: lenient || options.quote_blanks || escapeUnquoted || options.excel_text,
    lenient,
    quoteBlanks: options.quote_blanks,
    escapeUnquoted,
    escapeLetters: escapeUnquoted ? options.escape_letters : null,
    excelText: options.excel_text,
    maxRecord: options.max_record,
  };
}

/** Does `token` stand at `at`? Past the end of the bytes: no. */
export function stands(token: Buffer, bytes: Buffer, at: number): boolean {
  for (let i = 0; i < token.length; i++) {
    if (bytes[at + i] !== token[i]) return false;
  }
  return true;
}

/** Bytes from which Buffer's own search and copy are faster than a loop; a call costs 50 ns. */
const LONG_RUN = 64;

/** How cells with escapes are turned into values under this dialect. */
export function unescaperOf(dialect: Dialect): Unescape {
  const letters = dialect.escapeLetters;
  if (letters !== null) return (...cell) => unescapeLetters(dialect.escape, letters, ...cell);
  if (dialect.lenient && dialect.doubled) return (...cell) => unescapeDoubled(dialect.quote, ...cell);
  return (...cell) => unescape(dialect, ...cell);
}

/** Of lenient quotes: a doubled one becomes one, a single one stays. */
function unescapeDoubled(quote: Buffer, bytes: Buffer, start: number, end: number, out: Buffer, at: number): number {
  const { length } = quote;
  for (let from = start; from < end;) {
    const twice =
      bytes[from] === quote[0] &&
      from + 2 * length <= end &&
      stands(quote, bytes, from) &&
      stands(quote, bytes, from + length);
    if (!twice) {
      out[at++] = bytes[from++]!;
      continue;
    }
    at += quote.copy(out, at);
    from += 2 * length;
  }
  return at;
}

/**
 * Writes the value of a quoted cell that holds escapes to `out` from `at`; returns the end. A doubled quote becomes
 * one; another escape goes and what follows it stays as it is.
 */
function unescape(dialect: Dialect, bytes: Buffer, start: number, end: number, out: Buffer, at: number): number {
  const { quote, escape, doubled } = dialect;
  const mark = doubled ? quote : escape;
  const first = mark[0]!;
  let from = start;
  while (from < end) {
    if (bytes[from] !== first || !stands(mark, bytes, from) || from + mark.length >= end) {
      out[at++] = bytes[from++]!;
      if (bytes[from] === first || end - from < LONG_RUN) continue;
      // Up to the next mark at once: byte by byte, unescaping took more time than anything else for long texts.
      const next = bytes.indexOf(first, from);
      const to = next === -1 || next > end ? end : next;
      at += bytes.copy(out, at, from, to);
      from = to;
      continue;
    }
    from += mark.length;
    // A token of several bytes is literal as a whole.
    let literal = stands(quote, bytes, from)
      ? quote.length
      : stands(escape, bytes, from)
        ? Math.max(escape.length, 1)
        : 1;
    for (; literal > 0 && from < end; literal--) out[at++] = bytes[from++]!;
  }
  return at;
}
