import { ESCAPED, NULL_CELL, type ErrorClass, type SpanBatch } from '../../core/batch.js';
import type { DriftNote, FileDialect, Layout, RecordReader } from '../../core/format.js';
import { JsonOut } from '../avro/json-out.js';
import { nameBytes } from '../avro/names.js';
import { unescape } from '../json/unescape.js';
import { PlainBatch } from '../plain-batch.js';
import { PassedRows } from '../passed-rows.js';
import type { MarkedRow } from './footers.js';
import type { SheetCell } from './sheet-rows.js';

/** JSON of a batch; see formats/avro/reader.ts. */
const FLUSH = 256 * 1024;
const NULL = Buffer.from('null');
const HALF_PAIR = /\p{Surrogate}/u;

/** Where the table stands in the sheet, and how it is read. */
export interface Table {
  readonly layout: Layout;
  /** Column of the sheet, from 0, that is the file's first. */
  readonly left: number;
  readonly nulls: ReadonlySet<string>;
  /** By column of the file: its value goes somewhere. */
  readonly used: readonly boolean[];
  /** Workbook.computeOnLoad */
  readonly computeOnLoad: boolean;
  readonly told: FileDialect;
}

/**
 * One open sheet. Each row becomes one line of JSON, whose parts are the cells; `lines` are the sheet's own row
 * numbers.
 */
export class ExcelReader implements RecordReader {
  readonly layout: Layout;
  readonly empty = false;
  readonly declaredRows = null;
  readonly #rows: AsyncIterator<MarkedRow>;
  readonly #table: Table;
  readonly #keys: readonly Buffer[];
  readonly #out = new JsonOut(Infinity);
  readonly #batch: PlainBatch;
  readonly #finish: () => Promise<void>;
  #first: MarkedRow | null;
  #firstRow = 1;
  #ended = false;
  /** Formulas whose values were taken. */
  #formulas = 0;
  readonly #drift: DriftNote[];
  readonly #passed = new PassedRows();

  /** `first`: a row that was read already. */
  constructor(
    rows: AsyncIterator<MarkedRow>,
    first: MarkedRow | null,
    table: Table,
    batchRows: number | undefined,
    finish: () => Promise<void>,
  ) {
    this.#rows = rows;
    this.#first = first;
    this.#table = table;
    this.#drift = [...table.layout.drift];
    this.layout = { ...table.layout, drift: this.#drift };
    this.#keys = table.layout.fileColumns.map(({ name }) => nameBytes(name));
    this.#batch = new PlainBatch(Math.max(1, this.#keys.length), batchRows, unescape);
    this.#finish = finish;
  }

  dialect(): FileDialect {
    return this.#table.told;
  }

  async next(): Promise<SpanBatch | null> {
    if (this.#ended) return null;
    const batch = this.#batch;
    const out = this.#out;
    batch.clear(this.#firstRow);
    out.clear();
    while (batch.rows < batch.capacity && out.pos < FLUSH) {
      const row = this.#first ?? (await this.#following());
      this.#first = null;
      if (row === null) break;
      this.#put(row, batch);
    }
    if (batch.rows === 0) {
      this.#drift.push(...this.#passed.notes());
      if (this.#table.computeOnLoad && this.#formulas > 0) this.#drift.push(unproven(this.#formulas));
      await this.close();
      return null;
    }
    batch.bytes = out.buf;
    this.#firstRow += batch.rows;
    return batch;
  }

  async close(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    await this.#rows.return?.();
    await this.#finish();
  }

  async #following(): Promise<MarkedRow | null> {
    const next = await this.#rows.next();
    return next.done === true ? null : next.value;
  }

  #put({ number, cells, offset, footer }: MarkedRow, batch: PlainBatch): void {
    const out = this.#out;
    const { left, used } = this.#table;
    const width = this.#keys.length;
    const first = batch.rows * batch.width;
    const start = out.pos;
    let bad: SheetCell | null = null;
    let next = 0;
    let within = 0;
    out.begin();
    out.byte(0x7b);
    for (let column = 0; column < width; column++) {
      if (column > 0) out.byte(0x2c);
      out.text(this.#keys[column]!);
      while (next < cells.length && cells[next]!.column - left < column) next++;
      const cell = cells[next];
      const here = cell !== undefined && cell.column - left === column ? cell : null;
      if (here !== null) {
        within++;
        if (!here.bare && HALF_PAIR.test(here.text)) bad = here;
        if (here.formula !== undefined && used[column] === true) {
          if (here.formula === 'uncomputed') bad ??= here;
          else this.#formulas++;
        }
      }
      this.#value(here, batch, first + column);
    }
    const outside = within < cells.length ? this.#outside(number, cells) : 0;
    out.byte(0x7d);
    out.end();
    if (footer === true) {
      batch.refuse({ start, end: out.pos, line: number, offset }, NO_FAULT);
      this.#passed.mark(batch, batch.rows - 1, 'footer');
      return;
    }
    if (bad !== null) {
      batch.refuse(
        { start, end: out.pos, line: number, offset },
        {
          ...faultOf(bad, number),
          column: this.layout.fileColumns[bad.column - left]?.name ?? null,
          rawLength: null,
        },
      );
      return;
    }
    const row = batch.rows++;
    batch.cells[row] = width + outside;
    batch.rowStarts[row] = start;
    batch.rowEnds[row] = out.pos;
    batch.lines[row] = number;
    batch.offsets[row] = offset;
  }

  /** Cells beside the table go into the record under what the sheet calls them (`D7`). */
  #outside(row: number, cells: readonly SheetCell[]): number {
    const out = this.#out;
    let count = 0;
    for (const cell of cells) {
      const column = cell.column - this.#table.left;
      if (column >= 0 && column < this.#keys.length) continue;
      if (count++ > 0 || this.#keys.length > 0) out.byte(0x2c);
      out.ascii(`"${referenceOf(cell.column, row)}":`);
      if (cell.bare) out.ascii(cell.text);
      else out.text(Buffer.from(JSON.stringify(cell.text)));
    }
    return count;
  }

  #value(cell: SheetCell | null, batch: PlainBatch, at: number): void {
    const out = this.#out;
    const before = out.pos;
    if (cell === null || cell.formula === 'uncomputed') out.text(NULL);
    else if (cell.bare) out.ascii(cell.text);
    else out.text(Buffer.from(JSON.stringify(cell.text)));
    const quoted = cell !== null && !cell.bare && cell.formula !== 'uncomputed';
    batch.starts[at] = quoted ? before + 1 : before;
    batch.ends[at] = quoted ? out.pos - 1 : out.pos;
    batch.flags[at] =
      cell === null || cell.formula === 'uncomputed' || this.#table.nulls.has(cell.text)
        ? NULL_CELL
        : quoted && out.buf.subarray(before, out.pos).includes(0x5c)
          ? ESCAPED
          : 0;
  }
}

/** Of a row that is passed over: nothing is wrong with it. */
const NO_FAULT = { class: 'extra-cell', message: '', rawLength: null } as const;

const NOT_COMPUTED = 'nobody computed it; save the workbook with Excel or LibreOffice, or write values';

function faultOf(cell: SheetCell, row: number): { readonly class: ErrorClass; readonly message: string } {
  return cell.formula === 'uncomputed'
    ? {
        class: 'missing-cell',
        message: `${referenceOf(cell.column, row)} is a formula without a value: ${NOT_COMPUTED}`,
      }
    : { class: 'encoding-error', message: 'holds half a surrogate pair' };
}

const unproven = (formulas: number): DriftNote => ({
  kind: 'dialect',
  column: '',
  message:
    'the workbook asks that its formulas be computed when it is opened, as programs do that do not compute them: ' +
    `${formulas} of its values are those of formulas, and were taken as they stand`,
});

/** 3, 7 -> `D7` */
function referenceOf(column: number, row: number): string {
  let letters = '';
  for (let rest = column + 1; rest > 0; rest = Math.floor((rest - 1) / 26))
    letters = String.fromCharCode(65 + ((rest - 1) % 26)) + letters;
  return `${letters}${row}`;
}
