import { TallymanError } from '../../core/errors.js';
import type { ColumnSpec } from '../../core/feed/columns.js';
import type { DriftNote, FileColumn, FileDialect, Layout } from '../../core/format.js';
import { fromUnsaid, identityLayout, matchColumns } from '../match.js';
import { toldColumns } from '../told-columns.js';
import { CsvBatch } from './csv-batch.js';
import { checkNames, joinHeader, readNames } from './header.js';
import type { HeaderSpec } from './options.js';
import type { Records } from './records.js';

/** More columns than any real table, and few enough for a row's arrays. */
const MOST_COLUMNS = 65_536;
/** Columns for which a header is scanned first; a wider one is scanned again. */
const USUAL_COLUMNS = 1_024;
/** Records that are looked at to learn how many columns a file without header has. */
const SAMPLE = 100;

/** What stands in the file before its first data record, and what follows from it. */
export interface Columns {
  readonly layout: Layout;
  readonly empty: boolean;
  /** Added to while reading: what is met once and reported once. */
  readonly drift: DriftNote[];
  /** The cells of the header's records. */
  readonly header: readonly (readonly string[])[];
  /** What the receipt tells of them. */
  readonly told: FileDialect;
}

/** Reads up to the first data record (mark and skipped lines are passed). Throws the HEADER_ errors. */
export async function readColumns(
  records: Records,
  header: HeaderSpec | null,
  contract: readonly ColumnSpec[] | null,
): Promise<Columns> {
  return header === null ? await fromPositions(records, contract) : await fromHeader(records, header, contract);
}

async function fromHeader(
  records: Records,
  header: HeaderSpec,
  contract: readonly ColumnSpec[] | null,
): Promise<Columns> {
  const rows: string[][] = [];
  while (rows.length < header.rows) {
    const batch = await firstRecord(records, true);
    if (batch !== null) {
      rows.push(namesIn(batch));
      continue;
    }
    if (rows.length === 0 && nothingMet(records)) return columnsOf([], [], contract, false, true);
    const what = header.rows === 1 ? 'a header line' : `the ${header.rows} records of its header`;
    throw new TallymanError('HEADER_MISSING', `The file ends on line ${records.scanner.line} without ${what}.`);
  }
  const { columns, drift } = joinHeader(rows, header);
  if (contract !== null) checkNames(columns, contract);
  return { ...columnsOf(columns, drift, contract, false, false), header: rows };
}

/** The cells of a record of the header. Throws HEADER_MISSING where it is refused, and what readNames throws. */
function namesIn(batch: CsvBatch): string[] {
  const fault = batch.faults[0];
  if (fault !== undefined)
    throw new TallymanError(
      'HEADER_MISSING',
      `Line ${batch.lines[0]!} should be the header, but ${fault.class === 'too-long' ? 'is ' : ''}${fault.message}.`,
    );
  return readNames(batch);
}

async function fromPositions(records: Records, contract: readonly ColumnSpec[] | null): Promise<Columns> {
  let count: number;
  let met: boolean;
  if (contract === null) {
    const batch = await firstRecord(records, false);
    met = batch !== null;
    count = batch?.cells[0] ?? 1;
  } else {
    // The contract's width, unless every record of the sample has more filled cells: then the contract names only some
    // of the columns. One bad first row must not decide for the file.
    const wanted = widthOf(contract);
    const batch = new CsvBatch(records.dialect, wanted, SAMPLE);
    await records.peek(batch);
    met = batch.rows > 0;
    count = met
      ? Math.max(
          wanted,
          batch.cells.subarray(0, batch.rows).reduce((least, cells) => Math.min(least, cells), MOST_COLUMNS + 1),
        )
      : wanted;
    if (count > MOST_COLUMNS) throw tooMany(count);
  }
  const columns = Array.from({ length: count }, (_, index) => ({ name: `column_${index + 1}`, type: null }));
  return columnsOf(columns, [], contract, true, !met && nothingMet(records));
}

function columnsOf(
  columns: readonly FileColumn[],
  drift: readonly DriftNote[],
  contract: readonly ColumnSpec[] | null,
  byPosition: boolean,
  empty: boolean,
): Columns {
  const layout = contract === null ? identityLayout(columns) : matchColumns(contract, columns, byPosition);
  const all = [...drift, ...layout.drift];
  // An empty file lacks nothing: it has no columns to lack.
  return {
    layout: { ...layout, missing: empty ? [] : layout.missing, unknown: empty ? [] : layout.unknown, drift: all },
    empty,
    drift: all,
    header: [],
    told: toldColumns(layout, contract),
  };
}

/** Nothing but blank lines was met, and nothing is left that is no fault. */
function nothingMet(records: Records): boolean {
  return !records.passedText && records.scanner.comments === 0 && records.atEnd;
}

/** The first record, in a batch wide enough for it: taken, or only looked at. null: there is none. */
async function firstRecord(records: Records, take: boolean): Promise<CsvBatch | null> {
  let batch = new CsvBatch(records.dialect, USUAL_COLUMNS, 1);
  records.scanner.countEmptySurplus = true;
  const read = async (): Promise<boolean> => {
    if (take) return await records.pull(batch, 1);
    await records.peek(batch);
    return batch.rows > 0;
  };
  if (!(await read())) return null;
  const found = batch.cells[0]!;
  if (found > MOST_COLUMNS) throw tooMany(found);
  if (found > USUAL_COLUMNS) {
    if (take) records.again(batch);
    batch = new CsvBatch(records.dialect, found, 1);
    await read();
  }
  return batch;
}

function tooMany(found: number): TallymanError {
  return new TallymanError(
    'TOO_MANY_COLUMNS',
    `The first record has ${found} cells; ${MOST_COLUMNS} is the most that is read.`,
    { fix: 'Check delimiter and quote.' },
  );
}

/** Cells that the contract asks for: each column's first position, or its own place where it says nothing. */
function widthOf(contract: readonly ColumnSpec[]): number {
  const positions = contract.map((column, index) => {
    const named = column.from.map((from) =>
      typeof from === 'number' ? from : Number(/^column_([1-9]\d{0,4})$/.exec(from)?.[1] ?? 0),
    );
    return named.find((position) => position > 0) ?? (fromUnsaid(column) ? index + 1 : 0);
  });
  return Math.min(MOST_COLUMNS, Math.max(1, ...positions));
}
