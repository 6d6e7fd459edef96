import type { ReadRow } from '../../contract/format-suite.js';

export interface LooseDialect {
  readonly delimiter: string;
  readonly quote: string;
  /** The quote itself: doubled. */
  readonly escape: string;
  readonly comment: string | null;
  readonly width: number;
  readonly lenient: boolean;
  readonly quoteBlanks: boolean;
  readonly escapeUnquoted: boolean;
  readonly excelText: boolean;
}

interface Cell {
  readonly text: string;
  /** Behind the cell: a delimiter, a line end or the end of the text. */
  readonly next: number;
  /** Line ends within quotes. */
  readonly lines: boolean;
}

/**
 * The keys about quotes and escapes read slowly: one character at a time over one string, no windows, no memory of what
 * was tried. Characters are bytes (ASCII), no header, no nulls, records of any length.
 */
export function looseOracle(text: string, d: LooseDialect): ReadRow[] {
  const rows: ReadRow[] = [];
  let at = 0;
  let line = 1;
  const endOfLine = (from: number): number => {
    const found = text.slice(from).search(/[\r\n]/);
    return found === -1 ? text.length : from + found;
  };
  const behind = (end: number): number => end + (text.startsWith('\r\n', end) ? 2 : end < text.length ? 1 : 0);
  while (at < text.length) {
    if (/[\r\n]/.test(text[at]!) || (d.comment !== null && text.startsWith(d.comment, at))) {
      at = behind(endOfLine(at));
      line++;
      continue;
    }
    const place = { row: rows.length + 1, line, offset: at };
    const cells = recordAt(text, at, d);
    if (cells === null) {
      const end = endOfLine(at);
      rows.push({ ...place, raw: text.slice(at, end), fault: 'quote-error' });
      line++;
      at = behind(end);
      continue;
    }
    const texts = cells.map((cell) => cell.text);
    const end = cells.at(-1)!.next;
    const filled = texts.slice(d.width).some((cell) => cell !== '');
    rows.push({
      ...place,
      raw: text.slice(at, end),
      cells: texts.slice(0, d.width),
      ...(filled ? { found: texts.length } : {}),
    });
    line += 1 + (text.slice(at, end).match(/\r\n|\r|\n/g) ?? []).length;
    at = behind(end);
  }
  return rows;
}

/** null: its quotes are at fault. */
function recordAt(text: string, from: number, d: LooseDialect): readonly Cell[] | null {
  const cells: Cell[] = [];
  const sender = { doubles: true };
  for (let at = from; ; at += d.delimiter.length) {
    let start = at;
    if (d.quoteBlanks) while (isBlank(text[start], d)) start++;
    const cell = text.startsWith(d.quote, start)
      ? quoted(text, start + 1, d, sender, cells.length >= d.width)
      : bare(text, at, d);
    if (cell === null) return null;
    cells.push(cell);
    at = cell.next;
    if (!text.startsWith(d.delimiter, at)) break;
  }
  const lines = cells.some((cell) => cell.lines);
  const surplus = cells.slice(d.width);
  const wrong = cells.length < d.width || surplus.some((cell) => cell.text !== '' || cell.lines);
  return lines && wrong ? null : cells;
}

const isBlank = (character: string | undefined, d: LooseDialect): boolean =>
  (character === ' ' || character === '\t') && character !== d.delimiter[0];

function bare(text: string, from: number, d: LooseDialect): Cell {
  let value = '';
  let at = from;
  let escaped = false;
  while (at < text.length && !/[\r\n]/.test(text[at]!) && !text.startsWith(d.delimiter, at)) {
    if (d.escapeUnquoted && text[at] === d.escape && at + 1 < text.length) {
      const literal = literalAt(text, at + 1, d);
      value += literal;
      at += 1 + literal.length;
      escaped = true;
    } else value += text[at++]!;
  }
  const kept = d.excelText && !escaped ? /^="([^"]*)"$/.exec(value) : null;
  return { text: kept?.[1] ?? value, next: at, lines: false };
}

/** What an escape protects: a delimiter or a line end as a whole, else one character. */
function literalAt(text: string, at: number, d: LooseDialect): string {
  if (text[at] === d.quote || text[at] === d.escape) return text[at];
  if (text.startsWith(d.delimiter, at)) return d.delimiter;
  return text.startsWith('\r\n', at) ? '\r\n' : text[at]!;
}

/** Where a delimiter, a line end or the end of the text stands behind a closing quote; null = something else does. */
function endBehind(text: string, from: number, d: LooseDialect): number | null {
  let at = from;
  if (d.quoteBlanks) while (isBlank(text[at], d)) at++;
  return at >= text.length || /[\r\n]/.test(text[at]!) || text.startsWith(d.delimiter, at) ? at : null;
}

/** `surplus`: the record has all its cells already, so that another of several lines ends it. */
function quoted(
  text: string,
  from: number,
  d: LooseDialect,
  sender: { doubles: boolean },
  surplus: boolean,
): Cell | null {
  const doubled = d.escape === d.quote;
  let value = '';
  let lines = false;
  let doubt: Cell | null = null;
  const cell = (next: number): Cell => {
    const kept = d.excelText && doubled ? /^="([^"]*)"$/.exec(value) : null;
    return { text: kept?.[1] ?? value, next, lines };
  };
  for (let at = from; ;) {
    if (at >= text.length) return doubt;
    const character = text[at]!;
    if (!doubled && character === d.escape) {
      if (at + 1 >= text.length) return null;
      const literal = d.escapeUnquoted ? literalAt(text, at + 1, d) : text[at + 1]!;
      if (/[\r\n]/.test(literal)) {
        if (surplus) return doubt;
        lines = true;
      }
      value += literal;
      at += 1 + literal.length;
    } else if (character !== d.quote) {
      if (/[\r\n]/.test(character)) {
        if (surplus) return doubt;
        lines = true;
      }
      value += character;
      at++;
    } else if (doubled && text[at + 1] === d.quote) {
      const end = endBehind(text, at + 2, d);
      value += d.quote;
      if (end !== null && d.lenient && !sender.doubles) return cell(end);
      if (end !== null && d.lenient) doubt ??= cell(end);
      at += 2;
    } else {
      const end = endBehind(text, at + 1, d);
      if (end !== null) return cell(end);
      if (!d.lenient) return null;
      sender.doubles = false;
      if (doubt !== null) return doubt;
      value += character;
      at++;
    }
  }
}
