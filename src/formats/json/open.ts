import type { ColumnSpec } from '../../core/feed/columns.js';
import type { FileDialect, FormatInput, Layout } from '../../core/format.js';
import { toldColumns } from '../told-columns.js';
import { rowsFor, windowFor } from '../size-hint.js';
import { draftOf, draftPlan, settleColumns, wholeRecord, type Columns } from './columns.js';
import { Cursor } from './cursor.js';
import { Document } from './document.js';
import { JsonBatch } from './json-batch.js';
import { Lenient } from './rewrite/lenient.js';
import { objectPath, ObjectRecords } from './rewrite/object-records.js';
import type { JsonOptions } from './options.js';
import { JsonReader } from './reader.js';
import { RecordScanner } from './record-scanner.js';
import { JsonRecords, type Shape } from './records.js';
import { findShape, passSpace } from './shape.js';

/** Records that are read ahead to learn the keys: as many as stand in one window. */
const SAMPLE = 4_096;

/** `window`: bytes scanned in one go; tests use a few, so that every record meets the window's edge. */
export async function openJson(input: FormatInput, options: JsonOptions, window?: number): Promise<JsonReader> {
  const path = objectPath(options.root);
  // Of an object of objects the path that is left names an array, once its braces are brackets.
  const root = path === null ? options.root : path.length === 0 ? null : path.join('.');
  const wanted = path === null ? options.shape : 'array';
  const lenient = options.strict ? null : new Lenient(input.bytes, documentOf(options));
  const strict = lenient?.bytes ?? input.bytes;
  const bytes = path === null ? strict : new ObjectRecords(strict, path).bytes;
  const cursor = new Cursor(bytes, options.max_record, window ?? windowFor(input.sizeHint));
  try {
    const bom = await cursor.passMark();
    const draft = input.contract === null ? null : draftOf(input.contract);
    const whole = wholeRecord();
    const plan = draft === null ? whole.plan : draftPlan(draft);
    const scratch = new JsonBatch(1, 0, Math.min(SAMPLE, rowsFor(input.sizeHint, 1) ?? SAMPLE));

    const some = new RecordScanner(false, plan, scratch);
    const empty = !(await passSpace(cursor, some));
    const shape: Shape = empty ? 'lines' : root !== null ? 'array' : await findShape(cursor, wanted);
    const scanner = shape === 'lines' ? new RecordScanner(true, plan, scratch) : some;
    scanner.line = some.line;
    const document = root === null || empty ? null : new Document(cursor, scanner, root);
    if (document !== null) await document.enter();
    else if (shape === 'array') cursor.pos += 1;

    const records = new JsonRecords(cursor, scanner, shape, document);
    const policy = input.onUnknownColumn ?? 'ignore';
    let columns: Columns = whole;
    if (draft !== null) {
      await records.peek(scratch);
      columns = settleColumns(draft, policy);
      // What the sample counted is met again.
      for (const entry of columns.plan.tree.keys?.entries ?? []) entry.repeated = entry.repeatedIn = 0;
      records.stray = policy === 'ignore' ? 'pass' : policy === 'reject' ? 'reject' : 'refuse';
      scanner.tellStray = policy !== 'ignore';
    }
    scanner.plan = columns.plan;
    const told: FileDialect = {
      format: 'json',
      encoding: options.encoding,
      shape,
      root: options.root,
      bom,
      // Without a contract the record is one column, whatever is in it.
      ...(input.contract === null ? {} : toldColumns(columns.layout, input.contract)),
      ...(input.contract === null ? {} : jsonColumns(columns.layout, input.contract)),
    };
    return new JsonReader(
      records,
      columns,
      new JsonBatch(columns.width, columns.spare, input.batchRows ?? rowsFor(input.sizeHint, columns.width)),
      empty,
      told,
      lenient,
    );
  } catch (error) {
    await cursor.window.close();
    throw error;
  }
}

/** Is the text one document, in which a line end ends no record? null = its first byte tells. */
const documentOf = ({ shape, root }: JsonOptions): boolean | null =>
  root !== null || shape === 'array' ? true : shape === 'lines' ? false : null;

/** Columns of the file whose values stay JSON, strings in their quotes: whoever takes a record apart has to know. */
function jsonColumns({ fileColumns, cellOf }: Layout, contract: readonly ColumnSpec[]): FileDialect {
  const names = contract.flatMap(({ type }, index) => {
    const name = fileColumns[cellOf[index]!]?.name;
    return name !== undefined && (type === 'json' || type === 'jsonb') ? [name] : [];
  });
  return names.length === 0 ? {} : { json_columns: names };
}
