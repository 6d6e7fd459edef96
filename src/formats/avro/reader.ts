import { isUtf8 } from 'node:buffer';
import { NULL_CELL, type SpanBatch } from '../../core/batch.js';
import { formatSize } from '../../base/units.js';
import type { FileDialect, FormatInput, Layout, RecordReader } from '../../core/format.js';
import { unescape } from '../json/unescape.js';
import { PlainBatch } from '../plain-batch.js';
import { toldColumns } from '../told-columns.js';
import type { Block, BlockReader, FileHeader } from './blocks.js';
import { BlockCursor } from './cursor.js';
import { JsonOut } from './json-out.js';
import type { AvroOptions } from './options.js';
import type { AvroColumns } from './plan.js';
import type { AvroRecord } from './schema.js';
import { MOST_WEIGHTLESS, ValueWriter } from './values.js';

/**
 * JSON of a batch. Like the window of the text formats: it stays in the processor's cache with the arrays that point
 * into it.
 */
const FLUSH = 256 * 1024;

/**
 * One open Avro file. Each record becomes one line of JSON, whose parts are the cells: so a refused row is kept as JSON
 * and the codecs for text serve. There are no physical lines: `lines` counts records.
 */
export class AvroReader implements RecordReader {
  readonly layout: Layout;
  readonly empty = false;
  readonly declaredRows = null;
  readonly #blocks: BlockReader;
  readonly #header: FileHeader;
  readonly #columns: AvroColumns;
  readonly #options: AvroOptions;
  readonly #cursor = new BlockCursor();
  readonly #out: JsonOut;
  readonly #values: ValueWriter;
  readonly #weightless: boolean;
  readonly #recordName: string;
  readonly #toldColumns: FileDialect;
  readonly #tooLong: string;
  readonly #batch: PlainBatch;
  #block: Block | null = null;
  /** Records of the block that were not read yet. */
  #left = 0;
  #firstRow = 1;
  #ended = false;

  constructor(
    blocks: BlockReader,
    header: FileHeader,
    record: AvroRecord,
    columns: AvroColumns,
    options: AvroOptions,
    { contract, batchRows }: Pick<FormatInput, 'contract' | 'batchRows'>,
  ) {
    this.#blocks = blocks;
    this.#header = header;
    this.#columns = columns;
    this.#options = options;
    this.layout = columns.layout;
    this.#toldColumns = toldColumns(columns.layout, contract);
    this.#out = new JsonOut(options.max_record);
    this.#values = new ValueWriter(this.#cursor, this.#out);
    this.#weightless = this.#values.isWeightless(record);
    this.#recordName = record.name;
    this.#tooLong = `longer than ${formatSize(options.max_record)} as JSON (format.max_record)`;
    this.#batch = new PlainBatch(Math.max(1, columns.width), batchRows, unescape);
  }

  dialect(): FileDialect {
    return {
      format: 'avro',
      codec: this.#header.codec,
      record: this.#recordName,
      ...this.#toldColumns,
    };
  }

  async next(): Promise<SpanBatch | null> {
    if (this.#ended) return null;
    const batch = this.#batch;
    const out = this.#out;
    batch.clear(this.#firstRow);
    out.clear();
    while (batch.rows < batch.capacity && out.pos < FLUSH) {
      if (this.#left === 0 && !(await this.#nextBlock())) break;
      this.#row(batch);
    }
    if (batch.rows === 0) {
      this.#ended = true;
      return null;
    }
    batch.bytes = out.buf;
    // NUL stands there as an escape only.
    batch.clean = isUtf8(out.buf.subarray(0, out.pos));
    this.#firstRow += batch.rows;
    return batch;
  }

  async close(): Promise<void> {
    if (!this.#ended) await this.#blocks.close();
    this.#ended = true;
  }

  /** The next block that has records; false at the end of the file. */
  async #nextBlock(): Promise<boolean> {
    for (;;) {
      this.#proveUsedUp();
      const block = await this.#blocks.next();
      this.#block = block;
      if (block === null) return false;
      this.#cursor.open(block.bytes, block.offset);
      this.#values.begin();
      this.#left = block.records;
      if (block.records > (this.#weightless ? MOST_WEIGHTLESS : block.bytes.length))
        throw this.#cursor.corrupt(`it cannot hold ${block.records} records`);
      if (block.records > 0) return true;
    }
  }

  /** A block that holds more than its records was not written by this schema. */
  #proveUsedUp(): void {
    if (this.#block !== null && this.#cursor.left > 0)
      throw this.#cursor.corrupt(`${this.#cursor.left} bytes are left behind its ${this.#block.records} records`);
  }

  #row(batch: PlainBatch): void {
    const out = this.#out;
    const { width, plan } = this.#columns;
    const row = batch.rows;
    const first = row * batch.width;
    const start = out.pos;
    const line = this.#firstRow + row;
    const offset =
      (this.#block?.plainAt ?? null) === null
        ? (this.#block?.offset ?? 0)
        : (this.#block?.plainAt ?? 0) + this.#cursor.pos;
    // Fields of a record that is null are met nowhere.
    batch.flags.fill(NULL_CELL, first, first + batch.width);
    batch.starts.fill(start, first, first + batch.width);
    batch.ends.fill(start, first, first + batch.width);
    out.begin();
    this.#values.row(plan, batch, first);
    this.#left--;
    const length = out.end();
    if (length > this.#options.max_record) {
      batch.refuse(
        { start, end: out.pos, line, offset },
        {
          class: 'too-long',
          column: null,
          message: this.#tooLong,
          rawLength: length > out.pos - start ? length : null,
        },
      );
      return;
    }
    batch.cells[row] = Math.max(1, width);
    batch.rowStarts[row] = start;
    batch.rowEnds[row] = out.pos;
    batch.lines[row] = line;
    batch.offsets[row] = offset;
    batch.rows++;
  }
}
