import type { SpanBatch } from '../../core/batch.js';
import type { DriftNote, FileDialect, Layout, RecordReader } from '../../core/format.js';
import { passedNotes, toldLineEnds } from '../line-ends.js';
import { PlainBatch } from '../plain-batch.js';
import type { Slices } from './columns.js';
import type { FixedOptions } from './options.js';
import type { LineRecords } from './records.js';

/** One open fixed-width file. `layout.drift` may grow until `next` has given null. */
export class FixedReader implements RecordReader {
  readonly layout: Layout;
  readonly empty: boolean;
  readonly declaredRows = null;
  readonly #records: LineRecords;
  readonly #options: FixedOptions;
  readonly #told: FileDialect;
  readonly #mark: boolean;
  /** Lines of skip_lines. */
  readonly #passed: number;
  readonly #drift: DriftNote[] = [];
  readonly #batch: PlainBatch;
  #firstRow = 1;
  #ended = false;

  constructor(
    records: LineRecords,
    options: FixedOptions,
    slices: Slices,
    mark: boolean,
    empty: boolean,
    passed: number,
    batchRows: number | undefined,
  ) {
    this.#records = records;
    this.#options = options;
    this.#told = slices.told;
    this.#mark = mark;
    this.empty = empty;
    this.#passed = passed;
    this.layout = {
      ...slices.layout,
      ...(options.short_rows === 'fill_null' ? { shortRows: 'fill_null' } : {}),
      drift: this.#drift,
    };
    this.#batch = new PlainBatch(slices.from.length, batchRows);
  }

  dialect(): FileDialect {
    const { encoding, header, unit, record_length: length } = this.#options;
    return {
      format: 'fixed',
      encoding,
      header,
      line_ends: toldLineEnds(this.#records.scanner.lineEnds),
      bom: this.#mark,
      ...(unit === 'bytes' ? { unit } : {}),
      ...(length === null ? {} : { record_length: length }),
      ...this.#told,
    };
  }

  async next(): Promise<SpanBatch | null> {
    if (this.#ended) return null;
    const batch = this.#batch;
    if (!(await this.#records.pull(batch, this.#firstRow))) {
      this.#ended = true;
      this.#drift.push(...passedNotes(this.#passed + this.#records.scanner.comments));
      return null;
    }
    if (this.#records.scanner.sawSurplus && this.#drift.length === 0) {
      this.#drift.push({
        kind: 'ignored',
        column: `column_${batch.width + 1}`,
        message: 'lines go on behind the last column: ignored',
      });
    }
    this.#firstRow += batch.rows;
    return batch;
  }

  async close(): Promise<void> {
    this.#ended = true;
    await this.#records.close();
  }
}
