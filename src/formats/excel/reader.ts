import { ESCAPED, NULL_CELL, type SpanBatch } from '../../core/batch.js';
import type { FileDialect, Layout, RecordReader } from '../../core/format.js';
import { JsonOut } from '../avro/json-out.js';
import { nameBytes } from '../avro/names.js';
import { unescape } from '../json/unescape.js';
import { PlainBatch } from '../plain-batch.js';
import type { SheetCell, SheetRow } from './sheet-rows.js';

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
  readonly #rows: AsyncIterator<SheetRow>;
  readonly #table: Table;
  readonly #keys: readonly Buffer[];
  readonly #out = new JsonOut(Infinity);
  readonly #batch: PlainBatch;
  readonly #finish: () => Promise<void>;
  #first: SheetRow | null;
  #firstRow = 1;
  #ended = false;

  /** `first`: a row that was read already. */
  constructor(
    rows: AsyncIterator<SheetRow>,
    first: SheetRow | null,
    table: Table,
    batchRows: number | undefined,
    finish: () => Promise<void>,
  ) {
    this.#rows = rows;
    this.#first = first;
    this.#table = table;
    this.layout = table.layout;
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

  async #following(): Promise<SheetRow | null> {
    const next = await this.#rows.next();
    return next.done === true ? null : next.value;
  }

  #put({ number, cells, offset }: SheetRow, batch: PlainBatch): void {
    const out = this.#out;
    const width = this.#keys.length;
    const first = batch.rows * batch.width;
    const start = out.pos;
    let broken: SheetCell | null = null;
    let next = 0;
    out.begin();
    out.byte(0x7b);
    for (let column = 0; column < width; column++) {
      if (column > 0) out.byte(0x2c);
      out.text(this.#keys[column]!);
      while (next < cells.length && cells[next]!.column - this.#table.left < column) next++;
      const cell = cells[next];
      const here = cell !== undefined && cell.column - this.#table.left === column ? cell : null;
      if (here !== null && !here.bare && HALF_PAIR.test(here.text)) broken = here;
      this.#value(here, batch, first + column);
    }
    out.byte(0x7d);
    out.end();
    if (broken !== null) {
      const column = this.layout.fileColumns[broken.column - this.#table.left]?.name ?? null;
      batch.refuse(
        { start, end: out.pos, line: number, offset },
        { class: 'encoding-error', column, message: 'holds half a surrogate pair', rawLength: null },
      );
      return;
    }
    const row = batch.rows++;
    const last = cells.at(-1);
    batch.cells[row] = last !== undefined && last.column - this.#table.left >= width ? width + 1 : width;
    batch.rowStarts[row] = start;
    batch.rowEnds[row] = out.pos;
    batch.lines[row] = number;
    batch.offsets[row] = offset;
  }

  #value(cell: SheetCell | null, batch: PlainBatch, at: number): void {
    const out = this.#out;
    const before = out.pos;
    if (cell === null) out.text(NULL);
    else if (cell.bare) out.ascii(cell.text);
    else out.text(Buffer.from(JSON.stringify(cell.text)));
    const quoted = cell !== null && !cell.bare;
    batch.starts[at] = quoted ? before + 1 : before;
    batch.ends[at] = quoted ? out.pos - 1 : out.pos;
    batch.flags[at] =
      cell === null || this.#table.nulls.has(cell.text)
        ? NULL_CELL
        : quoted && out.buf.subarray(before, out.pos).includes(0x5c)
          ? ESCAPED
          : 0;
  }
}
