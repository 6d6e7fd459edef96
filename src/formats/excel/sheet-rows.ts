import { numberText, serialText } from './serial.js';
import type { Workbook } from './workbook.js';
import { attribute, cellText, corrupt, elements, plainText, richText } from './xml.js';

/** XFD, the last column of a sheet. */
export const MOST_COLUMNS = 16_384;
const MOST_ROWS = 1_048_576;

/** A cell that is not empty. */
export interface SheetCell {
  /** From 0: A. */
  readonly column: number;
  readonly text: string;
  /** A number or true/false: its text is JSON as it stands. */
  readonly bare: boolean;
}

export interface SheetRow {
  /** Number in the sheet, from 1. */
  readonly number: number;
  readonly cells: readonly SheetCell[];
  /** Byte at which it begins in the sheet's XML. */
  readonly offset: number;
}

const CELL = /<(?:[\w.-]+:)?c(?=[\s/>])([^>]*?)(?:\/>|>([\s\S]*?)<\/(?:[\w.-]+:)?c>)/g;
const VALUE = /<(?:[\w.-]+:)?v(?:\s[^>]*)?>([\s\S]*?)<\/(?:[\w.-]+:)?v>/;

/**
 * Rows of the sheet that have at least one cell with a value, hidden ones too. Formulas give the value that was
 * computed last.
 */
export async function* sheetRows(workbook: Workbook): AsyncGenerator<SheetRow> {
  let last = 0;
  for await (const { head, inner, offset } of elements(workbook.rows(), 'row', 'the sheet')) {
    const said = attribute(head, 'r');
    const number = said === null ? last + 1 : Number(said);
    if (!Number.isInteger(number) || number <= last || number > MOST_ROWS)
      throw corrupt('the sheet', `has a row ${JSON.stringify(said ?? number)} behind row ${last}`);
    last = number;
    const cells = cellsOf(inner, number, workbook);
    if (cells.length > 0) yield { number, cells, offset };
  }
}

function cellsOf(inner: string, row: number, workbook: Workbook): SheetCell[] {
  const cells: SheetCell[] = [];
  let last = -1;
  for (const [, head = '', body = ''] of inner.matchAll(CELL)) {
    const reference = attribute(head, 'r');
    const column = reference === null ? last + 1 : columnOf(reference);
    if (column <= last || column >= MOST_COLUMNS)
      throw corrupt('the sheet', `has a cell ${JSON.stringify(reference ?? '')} out of order in row ${row}`);
    last = column;
    const value = valueOf(head, body, row, workbook);
    if (value !== null) cells.push({ column, ...value });
  }
  return cells;
}

/** `BC12` -> 54; -1 for anything else. */
function columnOf(reference: string): number {
  const letters = /^([A-Za-z]{1,3})\d+$/.exec(reference)?.[1];
  if (letters === undefined) return -1;
  let column = 0;
  for (const letter of letters.toUpperCase()) column = column * 26 + letter.charCodeAt(0) - 64;
  return column - 1;
}

type Value = Omit<SheetCell, 'column'> | null;

function valueOf(head: string, body: string, row: number, workbook: Workbook): Value {
  const type = attribute(head, 't') ?? 'n';
  if (type === 'inlineStr') return textValue(richText(body));
  const raw = VALUE.exec(body)?.[1];
  if (raw === undefined || raw === '') return null;
  switch (type) {
    case 's': {
      const text = workbook.strings.get(Number(raw));
      if (text === null)
        throw corrupt(
          'the sheet',
          `names a shared text ${JSON.stringify(raw.slice(0, 20))} that is not there, in row ${row}`,
        );
      return textValue(text);
    }
    case 'b':
      return { text: raw.trim() === '1' || raw.trim() === 'true' ? 'true' : 'false', bare: true };
    case 'n':
      return numberValue(raw, Number(attribute(head, 's') ?? 0), workbook);
    default:
      // str (formula), e (error: #N/A), d (ISO date).
      return textValue(type === 'str' ? cellText(raw) : plainText(raw));
  }
}

const textValue = (text: string): Value => (text === '' ? null : { text, bare: false });

function numberValue(raw: string, style: number, { styles, date1904 }: Workbook): Value {
  const format = styles[style] ?? null;
  const moment = format === null ? null : serialText(Number(raw), format, date1904);
  if (moment !== null) return { text: moment, bare: false };
  const number = numberText(raw);
  return number === null ? textValue(plainText(raw)) : { text: number, bare: true };
}
