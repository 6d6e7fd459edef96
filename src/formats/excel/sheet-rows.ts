import { dayNumber, numberText, serialText } from './serial.js';
import { richText } from './rich-text.js';
import type { Workbook } from './workbook.js';
import { cellText, corrupt, readXml, type Shape, type Tag } from './xml.js';

/** XFD, the last column of a sheet. */
export const MOST_COLUMNS = 16_384;
const MOST_ROWS = 1_048_576;
const PART = 'the sheet';

/** A cell that is not empty. */
export interface SheetCell {
  /** From 0: A. */
  readonly column: number;
  readonly text: string;
  /** A number or true/false: its text is JSON as it stands. */
  readonly bare: boolean;
  /** It is a formula, and its text the value that was computed last; or no value was ever computed. */
  readonly formula?: 'computed' | 'uncomputed';
}

export interface SheetRow {
  /** Number in the sheet, from 1. */
  readonly number: number;
  readonly cells: readonly SheetCell[];
  /** Byte at which it begins in the sheet's XML. */
  readonly offset: number;
}

/**
 * Rows of the sheet that have at least one cell with a value or a formula, hidden ones too.
 */
export async function* sheetRows(workbook: Workbook): AsyncGenerator<SheetRow> {
  const sheet = new Sheet(workbook);
  yield* readXml(workbook.rows(), 'worksheet', sheet.shape, PART, () => sheet.take());
}

/** What the tags of a sheet say, gathered to rows. */
class Sheet {
  readonly shape: Shape;
  readonly #workbook: Workbook;
  #rows: SheetRow[] = [];
  #row = 0;
  #offset = 0;
  #cells: SheetCell[] = [];
  #column = -1;
  #type = 'n';
  #style = '0';
  /** What stands in the cell that is open: <v>, <is>. */
  #value: string | null = null;
  #inline: string | null = null;
  #formula = false;

  constructor(workbook: Workbook) {
    this.#workbook = workbook;
    const inline = richText();
    const v: Shape = {
      text: true,
      close: (text) => {
        if (this.#value !== null) throw this.#wrong('has two values');
        this.#value = text;
      },
    };
    const is: Shape = {
      ...inline.shape,
      close: () => {
        if (this.#inline !== null) throw this.#wrong('has two texts');
        this.#inline = inline.take();
      },
    };
    const f: Shape = {
      text: true,
      open: () => {
        this.#formula = true;
      },
    };
    const c: Shape = {
      children: new Map([
        ['f', f],
        ['v', v],
        ['is', is],
      ]),
      open: (tag) => {
        this.#cellBegins(tag);
      },
      close: () => {
        const value = this.#valueOf();
        const column = this.#column;
        if (value !== null && value.text !== '')
          this.#cells.push(this.#formula ? { column, ...value, formula: 'computed' } : { column, ...value });
        else if (this.#formula && value === null)
          this.#cells.push({ column, text: '', bare: false, formula: 'uncomputed' });
      },
    };
    const row: Shape = {
      children: new Map([['c', c]]),
      item: true,
      open: (tag) => {
        this.#rowBegins(tag);
      },
      close: () => {
        if (this.#cells.length > 0) this.#rows.push({ number: this.#row, cells: this.#cells, offset: this.#offset });
      },
    };
    this.shape = { children: new Map([['sheetData', { children: new Map([['row', row]]) }]]) };
  }

  take(): SheetRow[] {
    const rows = this.#rows;
    if (rows.length > 0) this.#rows = [];
    return rows;
  }

  #rowBegins(tag: Tag): void {
    const said = tag.attribute('r');
    const number = said === null ? this.#row + 1 : whole(said);
    if (number <= this.#row || number > MOST_ROWS)
      throw corrupt(PART, `has a row ${JSON.stringify(said ?? number)} behind row ${this.#row}`);
    this.#row = number;
    this.#offset = tag.offset();
    this.#cells = [];
    this.#column = -1;
  }

  #cellBegins(tag: Tag): void {
    const said = tag.attribute('r');
    const column = said === null ? this.#column + 1 : columnOf(said, this.#row);
    if (column <= this.#column || column >= MOST_COLUMNS)
      throw corrupt(PART, `has a cell ${JSON.stringify(said ?? '')} out of order in row ${this.#row}`);
    this.#column = column;
    this.#type = tag.attribute('t') ?? 'n';
    this.#style = tag.attribute('s') ?? '0';
    this.#value = null;
    this.#inline = null;
    this.#formula = false;
  }

  /** null: none. The value of a formula may be the empty text. */
  #valueOf(): Value | null {
    const type = this.#type;
    const raw = this.#value;
    if (this.#inline !== null) {
      if (type !== 'inlineStr') throw this.#wrong(`has an inline text and the type ${JSON.stringify(type)}`);
      if (raw !== null) throw this.#wrong('has a text and a value');
      return { text: this.#inline, bare: false };
    }
    if (raw === '' && type === 'str') return { text: '', bare: false };
    if (raw === null || raw === '') return null;
    switch (type) {
      case 'n':
        return this.#number(raw);
      case 's': {
        const text = this.#workbook.strings.get(whole(raw));
        if (text === null) throw this.#wrong(`names a shared text ${shown(raw)} that is not there`);
        return { text, bare: false };
      }
      case 'b': {
        const said = raw.trim();
        if (said === '1' || said === 'true') return { text: 'true', bare: true };
        if (said === '0' || said === 'false') return { text: 'false', bare: true };
        throw this.#wrong(`is true or false, and says ${shown(raw)}`);
      }
      // Of a formula; inlineStr: some write the text there.
      case 'str':
      case 'inlineStr':
        return { text: cellText(raw), bare: false };
      // An error: #N/A; an ISO date.
      case 'e':
      case 'd':
        return { text: raw, bare: false };
      default:
        throw this.#wrong(`has an unknown type ${shown(type)}`);
    }
  }

  #number(raw: string): Value {
    const { styles, date1904 } = this.#workbook;
    const format = this.#style === '0' ? styles[0] : styles[whole(this.#style)];
    if (format === undefined && this.#style !== '0')
      throw this.#wrong(`names a style ${shown(this.#style)} that is not there`);
    if (format !== undefined && format !== null) {
      const moment = serialText(dayNumber(raw), format, date1904);
      if (moment !== null) return { text: moment, bare: false };
    }
    const number = numberText(raw);
    return number === null ? { text: raw, bare: false } : { text: number, bare: true };
  }

  #wrong(what: string): Error {
    return corrupt(PART, `has a cell in row ${this.#row}, column ${this.#column + 1}, that ${what}`);
  }
}

interface Value {
  readonly text: string;
  readonly bare: boolean;
}

const shown = (text: string): string => JSON.stringify(text.slice(0, 20));

/** A whole number from 0; NaN for anything else. */
function whole(text: string): number {
  let number = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return /^\s*\d{1,15}\s*$/.test(text) ? Number(text) : NaN;
    number = number * 10 + digit;
  }
  return text === '' ? NaN : number;
}

/** `BC12` in row 12 -> 54; -1 for anything else. */
function columnOf(reference: string, row: number): number {
  let column = 0;
  let i = 0;
  for (; i < reference.length; i++) {
    // a-z as A-Z
    const letter = (reference.charCodeAt(i) & ~0x20) - 64;
    if (letter < 1 || letter > 26) break;
    column = column * 26 + letter;
  }
  let number = 0;
  for (let at = i; at < reference.length; at++) {
    const digit = reference.charCodeAt(at) - 48;
    if (digit < 0 || digit > 9) return -1;
    number = number * 10 + digit;
  }
  return i === 0 || i > 3 || number !== row ? -1 : column - 1;
}
