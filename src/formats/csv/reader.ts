import type { SpanBatch } from '../../core/batch.js';
import type { DriftNote, FileDialect, Layout, RecordReader } from '../../core/format.js';
import { passedNotes, toldLineEnds } from '../line-ends.js';
import type { Columns } from './columns.js';
import { CsvBatch } from './csv-batch.js';
import { escapeOf, type CsvOptions } from './options.js';
import { LongRows } from './long-rows.js';
import type { Records } from './records.js';

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
  #firstRow = 1;
  #told = false;
  #ended = false;

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
    this.empty = columns.empty;
    this.#drift = columns.drift;
    this.#columnsTold = columns.told;
    const batch = new CsvBatch(records.dialect, Math.max(1, columns.layout.fileColumns.length), batchRows);
    this.#batch = batch;
    if (options.long_rows === 'rescue') batch.surplus = (row) => this.#longRows?.surplus(batch, row) ?? [];
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
      this.#ended = true;
      this.#drift.push(...(this.#longRows?.notes(batch.width) ?? []));
      this.#drift.push(...passedNotes(this.#records.passedLines + this.#records.scanner.comments));
      return null;
    }
    this.#firstRow += batch.rows;
    this.#longRows?.take(batch);
    return batch;
  }

  async close(): Promise<void> {
    this.#ended = true;
    await this.#records.close();
  }
}

/** Keys about quotes and escapes that are not as usual: an export takes single records apart by them. */
const toldKeys = (options: CsvOptions): FileDialect => ({
  ...(options.quotes === 'strict' ? {} : { quotes: options.quotes }),
  ...(options.quote_blanks ? { quote_blanks: true } : {}),
  ...(options.escape_unquoted ? { escape_unquoted: true, escape_letters: options.escape_letters } : {}),
  ...(options.excel_text ? { excel_text: true } : {}),
});
