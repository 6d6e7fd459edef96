import type { ReadRow } from '../../contract/format-suite.js';

export interface OracleDialect {
  readonly delimiter: string;
  readonly quote: string;
  readonly escape: string;
  readonly comment: string | null;
  readonly width: number;
  readonly maxRecord: number;
}

type Parsed =
  | {
      readonly kind: 'record';
      readonly end: number;
      readonly cells: readonly string[];
      readonly lines: number;
      readonly open: (limit: number) => boolean;
    }
  | { readonly kind: 'fault'; readonly at: number; readonly open: (limit: number) => boolean };

/**
 * docs/spec/rows-and-values.md#quotes read slowly: one character at a time over one string, one record after another,
 * no windows, nothing clever. Characters are bytes here (ASCII), no header, no nulls; escape = quote means doubled.
 */
export function oracle(text: string, d: OracleDialect): ReadRow[] {
  const rows: ReadRow[] = [];
  let at = 0;
  let line = 1;
  const lineEndFrom = (from: number): number => {
    const found = text.slice(from).search(/[\r\n]/);
    return found === -1 ? text.length : from + found;
  };
  const behind = (end: number): number => end + (text.startsWith('\r\n', end) ? 2 : end < text.length ? 1 : 0);
  const lineEnds = (from: number, to: number): number => (text.slice(from, to).match(/\r\n|\r|\n/g) ?? []).length;

  while (at < text.length) {
    if (/[\r\n]/.test(text[at]!)) {
      at = behind(at);
      line++;
      continue;
    }
    if (d.comment !== null && text.startsWith(d.comment, at)) {
      at = behind(lineEndFrom(at));
      line++;
      continue;
    }
    const place = { row: rows.length + 1, line, offset: at };
    const parsed = parseRecord(text, at, d);
    const reached = parsed.kind === 'record' ? parsed.end : parsed.at;
    const long = reached - at > d.maxRecord;
    const open = long && parsed.open(at + d.maxRecord);
    const wrong =
      parsed.kind === 'record' &&
      parsed.lines > 0 &&
      (parsed.cells.length < d.width || parsed.cells.slice(d.width).some((cell) => cell !== ''));
    if (long && !open) {
      const end = lineEndFrom(at + d.maxRecord);
      rows.push({ ...place, raw: text.slice(at, end), fault: 'too-long' });
      line += lineEnds(at, at + d.maxRecord) + 1;
      at = behind(end);
    } else if (long || parsed.kind === 'fault' || wrong) {
      const end = lineEndFrom(at);
      rows.push({ ...place, raw: text.slice(at, end), fault: 'quote-error' });
      line++;
      at = behind(end);
    } else {
      const { cells, end, lines } = parsed;
      const filled = cells.slice(d.width).some((cell) => cell !== '');
      rows.push({
        ...place,
        raw: text.slice(at, end),
        cells: cells.slice(0, d.width),
        ...(filled ? { found: cells.length } : {}),
      });
      line += lines + 1;
      at = behind(end);
    }
  }
  return rows;
}

function parseRecord(text: string, from: number, d: OracleDialect): Parsed {
  const cells: string[] = [];
  const quotes: (readonly [number, number])[] = [];
  let lines = 0;
  let at = from;
  const doubled = d.escape === d.quote;
  // A quote as the last byte before the limit may be half of a doubled one: still open.
  const open = (limit: number): boolean =>
    quotes.some(([opened, closed]) => opened < limit && limit <= closed + (doubled ? 1 : 0));
  for (;;) {
    let cell = '';
    if (text[at] === d.quote) {
      const opened = at++;
      const inside = (): Parsed => {
        quotes.push([opened, Number.MAX_SAFE_INTEGER]);
        return { kind: 'fault', at, open };
      };
      for (;;) {
        if (at >= text.length) return inside();
        const c = text[at]!;
        if (!doubled && c === d.escape) {
          if (at + 1 >= text.length) {
            at++;
            return inside();
          }
          at++;
          // Escaped or not, a line end counts.
          if (text[at] !== '\r' && text[at] !== '\n') {
            cell += text[at++]!;
            continue;
          }
        } else if (c === d.quote) {
          if (!doubled || text[at + 1] !== d.quote) break;
          cell += c;
          at += 2;
          continue;
        }
        const literal = text[at]!;
        if (literal === '\n' || literal === '\r') {
          if (!(literal === '\r' && text[at + 1] === '\n')) lines++;
          if (cells.length >= d.width) return inside();
        }
        cell += literal;
        at++;
      }
      quotes.push([opened, at]);
      at++;
      if (at < text.length && !text.startsWith(d.delimiter, at) && text[at] !== '\r' && text[at] !== '\n')
        return { kind: 'fault', at, open };
    } else {
      while (at < text.length && !text.startsWith(d.delimiter, at) && text[at] !== '\r' && text[at] !== '\n')
        cell += text[at++]!;
    }
    cells.push(cell);
    if (!text.startsWith(d.delimiter, at)) return { kind: 'record', end: at, cells, lines, open };
    at += d.delimiter.length;
  }
}
