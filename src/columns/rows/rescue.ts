import { MISSING, NULL_CELL, QUOTED, type CellError, type SpanBatch } from '../../core/batch.js';
import type { CopyBuffer } from '../../core/codec.js';
import { CellReader } from './cell-reader.js';
import type { Column } from '../column.js';
import { growTo } from '../copy-buffer.js';

/** on_unknown_column: rescue: the cells of unknown columns as one JSON object. */
export interface RescuePlan {
  /** `_rescued`, compiled for its real type (jsonb, json or text). */
  readonly column: Column;
  /** Indices of the unknown cells in a batch row, and their names in the file. */
  readonly cells: readonly number[];
  readonly names: readonly string[];
  /**
   * Cells without quotes are JSON values, and stay what they are: numbers, objects, lists; a key that the record lacks
   * is left out. Omitted: every cell is a text, and all are there.
   */
  readonly jsonCells?: boolean;
}

const NONE: readonly never[] = [];
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const HEX = Buffer.from('0123456789abcdef');

/**
 * Writes `{"name":"text", ...}`, of JSON records `{"name":value, ...}`; NULL cells as null, and the whole as NULL when
 * no unknown cell holds anything.
 */
export class RescueWriter {
  readonly #plan: RescuePlan;
  /** `,"name":` as JSON; the first that is written goes without its comma. */
  readonly #keys: readonly Buffer[];
  readonly #cell = new CellReader();
  readonly #json: CopyBuffer = { buf: Buffer.allocUnsafe(4096), pos: 0 };

  constructor(plan: RescuePlan) {
    this.#plan = plan;
    this.#keys = plan.names.map((name) => Buffer.from(`,${JSON.stringify(name)}:`));
  }

  /** Most bytes that the next `write` of this row takes. Builds the JSON. */
  prepare(batch: SpanBatch, row: number): number {
    this.#json.pos = 0;
    const surplus = batch.surplus?.(row) ?? NONE;
    if (surplus.length > 0 || this.#any(batch, row)) this.#build(batch, row, surplus);
    return this.#plan.column.maxSize(this.#json.pos);
  }

  /** Writes the field that `prepare` built. Returns column.encode's code. */
  write(out: CopyBuffer): number {
    if (this.#json.pos > 0) return this.#plan.column.encode(this.#json.buf, 0, this.#json.pos, out);
    const field = this.#plan.column.nullField;
    if (field === null) return 1;
    out.pos += field.copy(out.buf, out.pos);
    return 0;
  }

  /** Why `write` refused the row. */
  faults(batch: SpanBatch, row: number): readonly CellError[] {
    this.prepare(batch, row);
    return this.#json.pos === 0
      ? [this.#plan.column.nullFault(null)]
      : this.#plan.column.faults(this.#json.buf, 0, this.#json.pos);
  }

  #any(batch: SpanBatch, row: number): boolean {
    const base = row * batch.width;
    return this.#plan.cells.some((cell) => (batch.flags[base + cell]! & (NULL_CELL | MISSING)) === 0);
  }

  #build(batch: SpanBatch, row: number, surplus: readonly (Buffer | null)[]): void {
    const json = this.#json;
    const base = row * batch.width;
    const jsonCells = this.#plan.jsonCells === true;
    json.buf[json.pos++] = 0x7b;
    for (let i = 0; i < this.#keys.length; i++) {
      const key = this.#keys[i]!;
      const flags = batch.flags[base + this.#plan.cells[i]!]!;
      if (jsonCells && (flags & MISSING) !== 0) continue;
      const there = this.#cell.read(batch, base + this.#plan.cells[i]!);
      // One byte becomes at most six (\u001f).
      growTo(json, key.length + 6 * (this.#cell.end - this.#cell.start) + 8);
      json.pos += key.copy(json.buf, json.pos, json.pos === 1 ? 1 : 0);
      if (there && jsonCells && (flags & QUOTED) === 0) asItStands(this.#cell, json);
      else if (there) quoted(this.#cell, json);
      else json.pos += json.buf.write('null', json.pos, 'latin1');
    }
    for (const [index, value] of surplus.entries()) this.#surplusCell(batch.width + index + 1, value);
    json.buf[json.pos++] = 0x7d;
  }

  /** A cell behind the last column, under the name that its place has in a file without header. */
  #surplusCell(place: number, value: Buffer | null): void {
    const json = this.#json;
    let name = `column_${place}`;
    while (this.#plan.names.includes(name)) name += '_2';
    const key = Buffer.from(`,${JSON.stringify(name)}:`);
    growTo(json, key.length + 6 * (value?.length ?? 0) + 8);
    json.pos += key.copy(json.buf, json.pos, json.pos === 1 ? 1 : 0);
    if (value === null) json.pos += json.buf.write('null', json.pos, 'latin1');
    else quoted({ bytes: value, start: 0, end: value.length }, json);
  }
}

function asItStands(cell: CellReader, out: CopyBuffer): void {
  out.pos += cell.bytes.copy(out.buf, out.pos, cell.start, cell.end);
}

function quoted(cell: Pick<CellReader, 'bytes' | 'start' | 'end'>, out: CopyBuffer): void {
  const { buf } = out;
  let at = out.pos;
  buf[at++] = QUOTE;
  for (let i = cell.start; i < cell.end; i++) {
    const byte = cell.bytes[i]!;
    if (byte === QUOTE || byte === BACKSLASH) {
      buf[at++] = BACKSLASH;
      buf[at++] = byte;
    } else if (byte < 0x20) {
      at += buf.write('\\u00', at, 'latin1');
      buf[at++] = HEX[byte >> 4]!;
      buf[at++] = HEX[byte & 15]!;
    } else {
      buf[at++] = byte;
    }
  }
  buf[at++] = QUOTE;
  out.pos = at;
}
