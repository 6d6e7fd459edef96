import type { SheetCell, SheetRow } from './sheet-rows.js';
import { MOST_COLUMNS } from './sheet-rows.js';
import type { Workbook } from './workbook.js';
import { corrupt, readPart, type Shape } from './xml.js';

/** More than any sheet that people merge by hand, and few enough to hold. */
const MOST_RANGES = 200_000;
const PART = 'the sheet';

/** Rows from 1, columns from 0; all of them within. */
interface Range {
  readonly top: number;
  readonly bottom: number;
  readonly left: number;
  readonly right: number;
}

/** The merged ranges of the sheet; they stand behind its rows, so that it is read once for them alone. */
async function rangesOf(workbook: Workbook): Promise<Range[]> {
  const ranges: Range[] = [];
  const mergeCell: Shape = {
    open: (tag) => {
      const said = tag.attribute('ref') ?? '';
      const range = rangeOf(said);
      if (range === null || ranges.length === MOST_RANGES)
        throw corrupt(PART, `merges ${JSON.stringify(said.slice(0, 40))}, or more than ${MOST_RANGES} ranges`);
      ranges.push(range);
    },
  };
  const root: Shape = { children: new Map([['mergeCells', { children: new Map([['mergeCell', mergeCell]]) }]]) };
  await readPart(workbook.rows(), 'worksheet', root, PART);
  return ranges.sort((a, b) => a.top - b.top || a.left - b.left);
}

const REFERENCE = /^([A-Z]{1,3})(\d{1,7})(?::([A-Z]{1,3})(\d{1,7}))?$/;

function rangeOf(text: string): Range | null {
  const found = REFERENCE.exec(text.trim().toUpperCase().replaceAll('$', ''));
  if (found === null) return null;
  const [, from = '', first = '', to = from, last = first] = found;
  const range = { top: Number(first), bottom: Number(last), left: numberOf(from), right: numberOf(to) };
  return range.top <= range.bottom && range.left <= range.right && range.right < MOST_COLUMNS ? range : null;
}

const numberOf = (letters: string): number =>
  Array.from(letters).reduce((column, letter) => column * 26 + letter.charCodeAt(0) - 64, 0) - 1;

/**
 * Gives the cells of merged ranges the value of the first. `from`: ranges that begin above this row stay as they are,
 * for they are titles and headers. Rows are to come in their order.
 */
export class MergedCells {
  readonly #ranges: readonly Range[];
  #next = 0;
  /** Ranges that the row is in, with the cell that holds their value. */
  #open: { readonly range: Range; readonly cell: SheetCell }[] = [];

  private constructor(ranges: readonly Range[]) {
    this.#ranges = ranges;
  }

  static async of(workbook: Workbook, from: number): Promise<MergedCells> {
    return new MergedCells((await rangesOf(workbook)).filter(({ top }) => top >= from));
  }

  fill(row: SheetRow): SheetRow {
    const { number, cells } = row;
    this.#open = this.#open.filter(({ range }) => range.bottom >= number);
    for (; this.#next < this.#ranges.length && this.#ranges[this.#next]!.top <= number; this.#next++) {
      const range = this.#ranges[this.#next]!;
      const cell = cells.find(({ column }) => column === range.left);
      if (range.top === number && cell !== undefined) this.#open.push({ range, cell });
    }
    if (this.#open.length === 0) return row;
    if (this.#open.reduce((width, { range }) => width + range.right - range.left + 1, 0) > MOST_COLUMNS)
      throw corrupt(PART, `merges cells of row ${number} twice`);
    const filled = new Map<number, SheetCell>();
    for (const { range, cell } of this.#open)
      for (let column = range.left; column <= range.right; column++) filled.set(column, { ...cell, column });
    for (const cell of cells) filled.set(cell.column, cell);
    return { ...row, cells: [...filled.values()].sort((a, b) => a.column - b.column) };
  }

  async *all(rows: AsyncIterable<SheetRow>): AsyncGenerator<SheetRow> {
    for await (const row of rows) yield this.fill(row);
  }
}
