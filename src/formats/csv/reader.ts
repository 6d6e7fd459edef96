import type { SpanBatch } from '../../core/batch.js';
import type { DriftNote, FileDialect, Layout, RecordReader } from '../../core/format.js';
import { passedNotes, toldLineEnds } from '../line-ends.js';
import type { Columns } from './columns.js';
import { CsvBatch } from './csv-batch.js';
import { escapeOf, type CsvOptions } from './options.js';
import { Footers } from './rows/footers.js';
import { LongRows } from './rows/long-rows.js';
import type { Records } from './records.js';
import { RepeatedHeader } from './rows/repeated-header.js';
import { PassedRows } from '../passed-rows.js';
import { footersOf } from '../text-options.js';

/** One open CSV file. `layout.drift` may grow until `next` has given null. */
export class CsvReader implements RecordReader {
  readonly layout: Layout;
  readonly empty: boolean;
  readonly declaredRows = null;
  readonly #records: Records;
  readonly #options: CsvOptions;
  readonly #mark: boolean;
  readonly #drift: DriftNote[];
  readonly #columnsTold: FileDialect;
  readonly #batch: CsvBatch;
  readonly #longRows: LongRows | null;
  readonly #passed = new PassedRows();
  readonly #repeated: RepeatedHeader | null;
  readonly #footers: Footers | null;
  #firstRow = 1;
  #told = false;
  #ended = false;
  /** No more records come. */
  #drained = false;

  constructor(records: Records, options: CsvOptions, columns: Columns, mark: boolean, batchRows: number | undefined) {
    this.#records = records;
    this.#options = options;
    this.#mark = mark;
    this.layout = {
      ...columns.layout,
      ...(options.short_rows === 'fill_null' ? { shortRows: 'fill_null' } : {}),
      ...(options.long_rows === 'rescue' ? { longRows: 'rescue' } : {}),
    };
    this.#longRows = options.long_rows === 'quarantine' ? null : new LongRows(records.dialect, options.long_rows);
    this.#repeated = options.repeated_header === 'skip' ? new RepeatedHeader(columns.header, this.#passed) : null;
    const footers = footersOf(options.footer);
    this.#footers = footers.length === 0 ? null : new Footers(records.dialect, footers, this.#passed);
    this.empty = columns.empty;
    this.#drift = columns.drift;
    this.#columnsTold = columns.told;
    this.#batch = new CsvBatch(records.dialect, Math.max(1, columns.layout.fileColumns.length), batchRows);
    records.scanner.widthKnown = true;
    records.scanner.countEmptySurplus = false;
    records.scanner.sawEmptySurplus = false;
  }

  dialect(): FileDialect {
    const { encoding, delimiter, quote, header } = this.#options;
    return {
      format: 'csv',
      encoding,
      delimiter,
      quote,
      escape: escapeOf(this.#options) ?? null,
      header,
      ...toldKeys(this.#options),
      line_ends: toldLineEnds(this.#records.scanner.lineEnds),
      bom: this.#mark,
      ...this.#columnsTold,
    };
  }

  async next(): Promise<SpanBatch | null> {
    if (this.#ended) return null;
    const batch = this.#footers === null ? await this.#pull() : await this.#footers.next(() => this.#pull());
    if (batch === null) {
      this.#end();
      return null;
    }
    const longRows = this.#longRows;
    if (longRows !== null) {
      longRows.take(batch);
      if (this.layout.longRows === 'rescue') batch.surplus = (row) => longRows.surplus(batch, row);
    }
    return batch;
  }

  /** What is told once the file was read. */
  #end(): void {
    this.#ended = true;
    this.#drift.push(...(this.#longRows?.notes(this.#batch.width) ?? []));
    this.#drift.push(...this.#passed.notes(), ...marksNote(this.#records.marks));
    this.#drift.push(...passedNotes(this.#records.passedLines + this.#records.scanner.comments));
  }

  async #pull(): Promise<CsvBatch | null> {
    if (this.#drained) return null;
    const batch = this.#batch;
    const more = await this.#records.pull(batch, this.#firstRow);
    if (this.#records.scanner.sawEmptySurplus && !this.#told) {
      this.#told = true;
      this.#drift.push({
        kind: 'ignored',
        column: `column_${batch.width + 1}`,
        message: 'cells behind the last column, all of them empty: ignored',
      });
    }
    if (!more) {
      this.#drained = true;
      return null;
    }
    this.#firstRow += batch.rows;
    this.#repeated?.take(batch);
    return batch;
  }

  async close(): Promise<void> {
    this.#ended = true;
    await this.#records.close();
  }
}

const marksNote = (marks: number): readonly DriftNote[] =>
  marks === 0
    ? []
    : [{ kind: 'ignored', column: '', message: `byte order marks in front of records: ${marks}, passed over` }];

/** Keys about quotes and escapes that are not as usual: an export takes single records apart by them. */
const toldKeys = (options: CsvOptions): FileDialect => ({
  ...(options.quotes === 'strict' ? {} : { quotes: options.quotes }),
  ...(options.quote_blanks ? { quote_blanks: true } : {}),
  ...(options.escape_unquoted ? { escape_unquoted: true, escape_letters: options.escape_letters } : {}),
  ...(options.excel_text ? { excel_text: true } : {}),
});
