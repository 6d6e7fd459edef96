import type { SpanBatch } from '../../core/batch.js';
import type { FileDialect, Layout, RecordReader } from '../../core/format.js';
import { lateNotes, type Columns } from './columns.js';
import type { JsonBatch } from './json-batch.js';
import type { Lenient } from './rewrite/lenient.js';
import type { JsonRecords } from './records.js';
import { retyped } from './retyped.js';

/** One open JSON file. `layout.drift` may grow until `next` has given null. */
export class JsonReader implements RecordReader {
  readonly layout: Layout;
  readonly empty: boolean;
  readonly declaredRows = null;
  readonly #records: JsonRecords;
  readonly #columns: Columns;
  readonly #told: FileDialect;
  readonly #batch: JsonBatch;
  readonly #lenient: Lenient | null;
  #firstRow = 1;
  #ended = false;

  /** `lenient`: what made the text strict JSON; null = it had to be. */
  constructor(
    records: JsonRecords,
    columns: Columns,
    batch: JsonBatch,
    empty: boolean,
    told: FileDialect,
    lenient: Lenient | null,
  ) {
    this.#records = records;
    this.#columns = columns;
    this.#batch = batch;
    this.#told = told;
    this.#lenient = lenient;
    this.layout = columns.layout;
    this.empty = empty;
  }

  dialect(): FileDialect {
    return this.#told;
  }

  async next(): Promise<SpanBatch | null> {
    if (this.#ended) return null;
    if (await this.#records.pull(this.#batch, this.#firstRow)) {
      if (this.#firstRow === 1) this.#columns.drift.push(...retyped(this.#columns, this.#batch));
      this.#firstRow += this.#batch.rows;
      return this.#batch;
    }
    this.#ended = true;
    // An empty file lacks nothing.
    if (this.#firstRow > 1) this.#columns.drift.push(...lateNotes(this.#columns), ...(this.#lenient?.notes() ?? []));
    return null;
  }

  async close(): Promise<void> {
    this.#ended = true;
    await this.#records.close();
  }
}
