import type { Batch } from '../../core/batch.js';
import type { FileDialect, FormatInput, Layout, RecordReader } from '../../core/format.js';
import type { ReadingProcess } from './child.js';
import type { ParquetColumns } from './columns.js';
import { toldColumns } from '../told-columns.js';
import { unpack } from './unpack.js';

/** One open Parquet file: rows as the reading process sends them. */
export class ParquetReader implements RecordReader {
  readonly layout: Layout;
  readonly empty = false;
  readonly declaredRows: number;
  readonly #process: ReadingProcess;
  readonly #columns: ParquetColumns;
  readonly #told: FileDialect;
  #state: 'new' | 'reading' | 'done' | 'closed' = 'new';
  #rows = 0;

  constructor(process: ReadingProcess, columns: ParquetColumns, rows: number, contract: FormatInput['contract']) {
    this.#process = process;
    this.#columns = columns;
    this.layout = columns.layout;
    this.declaredRows = rows;
    this.#told = toldColumns(columns.layout, contract);
  }

  dialect(): FileDialect {
    return { format: 'parquet', ...this.#told };
  }

  async next(): Promise<Batch | null> {
    if (this.#state === 'done' || this.#state === 'closed') return null;
    if (this.#state === 'new') {
      this.#state = 'reading';
      await this.#process.read(this.#columns.wanted.map(({ path }) => path));
    }
    const frame = await this.#process.rows();
    if (frame === null) {
      this.#state = 'done';
      return null;
    }
    const batch = unpack(frame, this.#columns.wanted, this.#columns.names, this.#rows + 1);
    this.#rows += batch.rows;
    return batch;
  }

  /** A process that still has rows to send would wait with them for ever: it is ended. */
  async close(): Promise<void> {
    if (this.#state === 'closed') return;
    const finished = this.#state === 'done' || this.#state === 'new';
    this.#state = 'closed';
    if (finished) await this.#process.release();
    else await this.#process.kill();
  }
}
