import { TallymanError } from '../../core/errors.js';
import { listHead, STRUCT, ThriftReader, TRUE, writeStruct } from './thrift.js';

/** Physical types (parquet.thrift). */
const INT96 = 3;
const FIXED = 7;
/** Converted types. */
const CONVERTED_DECIMAL = 5;
const CONVERTED_JSON = 19;
/** Logical types. */
const DECIMAL = 5;
const TIME = 7;
const TIMESTAMP = 8;
const UNKNOWN = 11;
const JSON_TYPE = 12;
/** TimeUnit. */
const NANOS = 3;
/** Digits that DuckDB's widest decimal holds; past it, it reads decimals as doubles. */
const MOST_DIGITS = 38;

/** What a leaf column means beyond the type that DuckDB gives it. */
export type Meaning =
  | { readonly kind: 'plain' | 'json' | 'unknown' }
  /**
   * DuckDB would cut these to microseconds, or let them overflow: they are read as the numbers and bytes that they are.
   */
  | { readonly kind: 'julian' }
  | { readonly kind: 'timestamp-ns-utc' }
  | { readonly kind: 'time-ns' }
  /** DuckDB would read it as a double. */
  | { readonly kind: 'digits'; readonly precision: number; readonly scale: number };

/** A column of the file, as its schema names it. */
export interface TopColumn {
  readonly name: string;
  readonly leaves: readonly Meaning[];
}

export interface Footer {
  readonly rows: number;
  readonly columns: readonly TopColumn[];
  /**
   * The same footer, with the columns that DuckDB would not read exactly declared as plain numbers and bytes; null =
   * there are none.
   */
  readonly exact: Buffer | null;
}

interface Element {
  readonly type: number | null;
  readonly typeLength: number | null;
  readonly repetition: number | null;
  readonly name: Buffer;
  readonly children: number;
  readonly fieldId: number | null;
  readonly meaning: Meaning;
  readonly start: number;
  readonly end: number;
}

/**
 * Reads a file's footer (the bytes between the data and the length). Only what decides how the file is read: schema,
 * rows, encryption. Throws FILE_CORRUPT, and FORMAT_MISMATCH for an encrypted file.
 */
export function readFooter(bytes: Buffer): Footer {
  const reader = new ThriftReader(bytes);
  const elements: Element[] = [];
  /** Where row groups name INT96 as the type of a column chunk: one byte each. */
  const int96: number[] = [];
  let [listStart, listEnd] = [0, 0];
  let rows = -1;
  let grouped = 0;
  reader.struct((id, type) => {
    if (id === 2) {
      listStart = reader.pos;
      reader.list(() => elements.push(readElement(reader)));
      listEnd = reader.pos;
    } else if (id === 3) {
      rows = reader.number();
    } else if (id === 4) {
      reader.list(() => (grouped += readRowGroup(reader, int96)));
    } else if (id === 8) {
      throw encrypted();
    } else {
      reader.skip(type);
    }
  });
  if (elements.length === 0 || rows < 0 || !Number.isSafeInteger(rows))
    throw new TallymanError('FILE_CORRUPT', 'The Parquet footer names no columns or no number of rows.');
  // Some writers of old left it at 0.
  if (rows === 0) rows = grouped;
  if (rows !== grouped)
    throw new TallymanError('FILE_CORRUPT', `The Parquet footer says ${rows} rows, its row groups hold ${grouped}.`);
  return { rows, columns: topColumns(elements), exact: exactFooter(bytes, elements, int96, listStart, listEnd) };
}

export const encrypted = (): TallymanError =>
  new TallymanError('FORMAT_MISMATCH', 'The Parquet file is encrypted, which is not read.', {
    fix: 'Ask the supplier for a file without encryption.',
  });

function readElement(reader: ThriftReader): Element {
  const start = reader.pos;
  let type: number | null = null;
  let typeLength: number | null = null;
  let repetition: number | null = null;
  let name: Buffer = Buffer.alloc(0);
  let children = 0;
  let converted: number | null = null;
  let scale = 0;
  let precision = 0;
  let fieldId: number | null = null;
  let logical: Logical | null = null;
  reader.struct((id, wire) => {
    if (id === 1) type = reader.number();
    else if (id === 2) typeLength = reader.number();
    else if (id === 3) repetition = reader.number();
    else if (id === 4) name = reader.binary();
    else if (id === 5) children = reader.number();
    else if (id === 6) converted = reader.number();
    else if (id === 7) scale = reader.number();
    else if (id === 8) precision = reader.number();
    else if (id === 9) fieldId = reader.number();
    else if (id === 10) logical = readLogical(reader);
    else reader.skip(wire);
  });
  return {
    type,
    typeLength,
    repetition,
    name,
    children,
    fieldId,
    start,
    end: reader.pos,
    meaning: meaningOf(type, converted, logical, { precision, scale }),
  };
}

interface Logical {
  kind: number;
  utc: boolean;
  unit: number;
}

function readLogical(reader: ThriftReader): Logical {
  const found: Logical = { kind: 0, utc: false, unit: 0 };
  reader.struct((kind, wire) => {
    found.kind = kind;
    if (wire !== STRUCT || (kind !== TIME && kind !== TIMESTAMP)) {
      reader.skip(wire);
      return;
    }
    reader.struct((id, inner) => {
      if (id === 1) found.utc = inner === TRUE;
      else if (id === 2 && inner === STRUCT) {
        reader.struct((unit, type) => {
          found.unit = unit;
          reader.skip(type);
        });
      } else reader.skip(inner);
    });
  });
  return found;
}

function meaningOf(
  type: number | null,
  converted: number | null,
  logical: Logical | null,
  digits: { readonly precision: number; readonly scale: number },
): Meaning {
  if (type === INT96) return { kind: 'julian' };
  if (logical?.kind === TIMESTAMP && logical.unit === NANOS && logical.utc) return { kind: 'timestamp-ns-utc' };
  if (logical?.kind === TIME && logical.unit === NANOS) return { kind: 'time-ns' };
  if ((logical?.kind === DECIMAL || converted === CONVERTED_DECIMAL) && digits.precision > MOST_DIGITS)
    return { kind: 'digits', ...digits };
  if (logical?.kind === UNKNOWN) return { kind: 'unknown' };
  return { kind: logical?.kind === JSON_TYPE || converted === CONVERTED_JSON ? 'json' : 'plain' };
}

/** Rows of the group. */
function readRowGroup(reader: ThriftReader, int96: number[]): number {
  let rows = 0;
  reader.struct((id, type) => {
    if (id === 1) reader.list(() => readChunk(reader, int96));
    else if (id === 3) rows = reader.number();
    else reader.skip(type);
  });
  return rows;
}

function readChunk(reader: ThriftReader, int96: number[]): void {
  reader.struct((id, type) => {
    if (id === 8 || id === 9) throw encrypted();
    if (id !== 3) {
      reader.skip(type);
      return;
    }
    reader.struct((field, wire) => {
      const at = reader.pos;
      if (field === 1) {
        if (reader.number() === INT96) int96.push(at);
      } else {
        reader.skip(wire);
      }
    });
  });
}

/** The columns right below the root, each with its leaves in order. */
function topColumns(elements: readonly Element[]): TopColumn[] {
  const root = elements[0]!;
  let at = 1;
  const leavesBelow = (element: Element, depth: number): Meaning[] => {
    if (depth > 1_000)
      throw new TallymanError('FILE_CORRUPT', 'The columns of the Parquet file are nested deeper than 1,000 levels.');
    if (element.children <= 0) return [element.meaning];
    const leaves: Meaning[] = [];
    for (let i = 0; i < element.children; i++) leaves.push(...leavesBelow(next(), depth + 1));
    return leaves;
  };
  const next = (): Element => {
    const element = elements[at++];
    if (element === undefined) throw new TallymanError('FILE_CORRUPT', 'The schema of the Parquet file is cut off.');
    return element;
  };
  const columns: TopColumn[] = [];
  for (let i = 0; i < root.children; i++) {
    const element = next();
    columns.push({ name: element.name.toString('utf8'), leaves: leavesBelow(element, 1) });
  }
  return columns;
}

const INEXACT: ReadonlySet<Meaning['kind']> = new Set(['julian', 'timestamp-ns-utc', 'time-ns', 'digits']);

/**
 * The schema written anew, all other bytes as they are: column chunks of INT96 become 12 fixed bytes, which is how they
 * are stored.
 */
function exactFooter(
  bytes: Buffer,
  elements: readonly Element[],
  int96: readonly number[],
  listStart: number,
  listEnd: number,
): Buffer | null {
  if (!elements.some((element) => INEXACT.has(element.meaning.kind))) return null;
  const schema = elements.map((element) => {
    if (!INEXACT.has(element.meaning.kind)) return bytes.subarray(element.start, element.end);
    const julian = element.meaning.kind === 'julian';
    return writeStruct([
      [1, julian ? FIXED : element.type],
      [2, julian ? 12 : element.typeLength],
      [3, element.repetition],
      [4, element.name],
      [9, element.fieldId],
    ]);
  });
  const rest = Buffer.from(bytes);
  // zigzag: 3 is 6 on the wire, 7 is 14
  for (const at of int96) rest[at] = 2 * FIXED;
  return Buffer.concat([
    rest.subarray(0, listStart),
    listHead(elements.length, STRUCT),
    ...schema,
    rest.subarray(listEnd),
  ]);
}
