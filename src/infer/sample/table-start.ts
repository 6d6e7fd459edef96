import type { Sniffed } from '../../formats/csv/sniff.js';

/** Where a table begins, below its titles. */
export interface TableStart {
  /** Its first record among those that the sniffer scanned. */
  readonly row: number;
  /** Physical line of that record, from 1. */
  readonly line: number;
  /** The first line that is passed over; empty = none is. */
  readonly passed: string;
}

/** A line of nothing but dashes and the like, below the header. */
export interface Ruler {
  readonly text: string;
  /** It is a record of the table's width, too. */
  readonly isRecord: boolean;
  /** Physical line of the record below it, or the line where one would stand. */
  readonly dataLine: number;
}

/** Rows of titles that are looked for. */
const MOST_TITLES = 30;
const SHOWN = 40;
/** What rulers begin with. */
const DRAWN: ReadonlySet<number> = new Set(Buffer.from('-=_~*+:|"'));

/**
 * Where the table begins: at its first record of the usual width that is not all but empty, when what stands before it
 * has another form.
 */
export function beginningOf(sniffed: Sniffed, head: Buffer): TableStart {
  const { scanned, width, mark } = sniffed;
  const { widths, lines } = scanned;
  const firstLine = lines[0] ?? 1;
  const shown = (text: string): string => text.slice(0, SHOWN);
  const none = {
    row: 0,
    line: mark ? 2 : 1,
    passed: mark ? shown(/^[^\r\n]*/.exec(head.toString('utf8', 0, 64))![0]) : '',
  };
  let row = widths.findIndex((cells) => cells === width);
  // A header one cell short stands above row names, or above records with a delimiter at their end.
  if (row === 1 && widths[0] === width - 1 && width > 2) row = 0;
  if (row >= 0 && width >= 2) row = belowTitles(sniffed, head, row);
  if (row <= 0) return none;
  const line = lines[row] ?? 1;
  return line === firstLine ? none : { row, line, passed: mark ? none.passed : shown(textOf(sniffed, head, 0)) };
}

const textOf = ({ scanned: { spans } }: Sniffed, head: Buffer, row: number): string =>
  head.toString('utf8', spans[row]?.start ?? 0, spans[row]?.end ?? 0);

/** Cells as they stand; those in quotes in full. */
const cellsOf = (sniffed: Sniffed, head: Buffer, row: number): readonly string[] =>
  textOf(sniffed, head, row)
    .replace(/"[^"]*"/g, (quoted) => quoted.replaceAll(sniffed.delimiter, ' '))
    .split(sniffed.delimiter)
    .map((cell) => cell.trim().replace(/^"(.*)"$/s, '$1'));

/**
 * Passes over titles that a spreadsheet has filled up with delimiters: rows with one or two cells above a row that is
 * full. Of two or three columns that may be data with few values, so there the titles have to be prose, or numbers
 * stand below the names.
 */
function belowTitles(sniffed: Sniffed, head: Buffer, from: number): number {
  const { width, scanned } = sniffed;
  const count = scanned.widths.length;
  const filled = (cells: readonly string[]): number => cells.filter((cell) => cell !== '').length;
  const few = width >= 4;
  const titles: string[] = [];
  let row = from;
  for (; row < Math.min(from + MOST_TITLES, count); row++) {
    const cells = cellsOf(sniffed, head, row);
    // An empty cell above the index of a data frame is no title.
    if (filled(cells) > (few ? 2 : 1) || (!few && cells[0] === '' && filled(cells) > 0)) break;
    titles.push(cells.join(''));
  }
  if (row === from || row >= count) return from;
  const names = cellsOf(sniffed, head, row);
  if (few) return filled(names) >= width * 0.6 ? row : from;
  const isNumber = (cell: string | undefined): boolean => cell !== undefined && /^[-+]?\d[\d.,:/ -]*$/.test(cell);
  if (filled(names) < width || names.some(isNumber)) return from;
  const below = Array.from({ length: Math.min(30, count - row - 1) }, (_, index) =>
    cellsOf(sniffed, head, row + 1 + index),
  );
  const proven = below.some((cells) => cells.some(isNumber)) && !below.some((cells) => filled(cells) <= 1);
  return proven || titles.every((title) => title === '' || /\S\s+\S/.test(title)) ? row : from;
}

function isDrawn(sniffed: Sniffed, head: Buffer, row: number): boolean {
  const cells = cellsOf(sniffed, head, row);
  return cells.every((cell) => /^[-=_~*+:|]*$/.test(cell)) && cells.some((cell) => /([-=_~*])\1/.test(cell));
}

/** Records from `row` on that are nothing but dashes, and are read as records all the same; null = there are none. */
export function rulersFrom(sniffed: Sniffed, head: Buffer, row: number): string | null {
  const { spans, lines, widths } = sniffed.scanned;
  const found = spans.flatMap(({ start }, at) =>
    at >= row && DRAWN.has(head[start]!) && widths[at] === sniffed.width && isDrawn(sniffed, head, at) ? [at] : [],
  );
  const [first] = found;
  if (first === undefined) return null;
  const many = found.length === 1 ? '1 record is' : `${found.length} records are`;
  const text = JSON.stringify(textOf(sniffed, head, first).slice(0, SHOWN));
  return `${many} nothing but dashes, and read as any other: the first on line ${lines[first]!} (${text})`;
}

/** `--,----,---` below the header. A single dash in each cell may mean that there are no values. */
export function rulerBelow(sniffed: Sniffed, head: Buffer, header: number): Ruler | null {
  const { scanned, width } = sniffed;
  const row = header + 1;
  if (row >= scanned.widths.length) return null;
  if (!isDrawn(sniffed, head, row)) return null;
  return {
    text: textOf(sniffed, head, row).slice(0, SHOWN),
    isRecord: scanned.widths[row] === width,
    dataLine: scanned.lines[row + 1] ?? scanned.lines[row]! + 1,
  };
}
