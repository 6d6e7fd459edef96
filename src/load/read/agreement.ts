import { pgTypeNamed } from '../../columns/type-name.js';
import { TallymanError } from '../../core/errors.js';
import type { ColumnSpec } from '../../core/feed/columns.js';
import type { FeedSpec } from '../../core/feed/feed.js';
import type { DriftNote, Layout } from '../../core/format.js';
import { plainColumn } from '../../columns/plain-column.js';
import { columnNames } from '../../formats/names.js';

/** What a PostgreSQL table can hold, less the two lineage columns. */
const MOST_COLUMNS = 1_598;
/** Names listed in a message before "and N more". */
const SHOWN = 10;

/** Name of the jsonb column that takes unknown columns under on_unknown_column: rescue. */
export const RESCUE_COLUMN = '_rescued';

/** How the feed's contract and this file's columns meet: which columns are written, and from which cells. */
export interface Agreement {
  readonly columns: readonly ColumnSpec[];
  /** For each column the index of its cell in a batch row; -1 = the file lacks it. */
  readonly cellOf: readonly number[];
  /** For each column of the file the type that it has there; null = text. */
  readonly fileTypes: readonly (string | null)[];
  /** Cells (index and name in the file) that go into the rescue column; null = no such column. */
  readonly rescue: readonly { readonly cell: number; readonly name: string }[] | null;
  /** Cells without quotes are JSON values; omitted = no. */
  readonly jsonCells?: true;
  readonly drift: readonly DriftNote[];
}

/**
 * Applies on_unknown_column and on_missing_column. `present`: names of the table's own columns without lineage when the
 * feed has no contract and the table is there already; null otherwise. Throws UNKNOWN_COLUMNS, MISSING_COLUMNS,
 * TOO_MANY_COLUMNS. An `empty` file has no columns to judge.
 */
export function agree(feed: FeedSpec, layout: Layout, empty: boolean, present: readonly string[] | null): Agreement {
  const agreed =
    feed.columns === null
      ? withoutContract(feed, layout, empty, present)
      : withContract(feed, feed.columns, layout, empty);
  // Cells behind the last column need the column of what is rescued, whether columns are unknown or not.
  const agreement = layout.longRows === 'rescue' && agreed.rescue === null ? { ...agreed, rescue: [] } : agreed;
  const count = agreement.columns.length + (agreement.rescue === null ? 0 : 1);
  if (count > MOST_COLUMNS)
    throw new TallymanError(
      'TOO_MANY_COLUMNS',
      `${count} columns; a table can hold ${MOST_COLUMNS} beside the lineage`,
    );
  return layout.jsonCells === true ? { ...agreement, jsonCells: true } : agreement;
}

/**
 * What of the file's shape an error stands for (UNKNOWN_COLUMNS, MISSING_COLUMNS): the notes of a file that was
 * rejected for it.
 */
export function shapeNotes(layout: Layout): readonly DriftNote[] {
  const unknown = layout.unknown.map((cell): DriftNote => {
    const { name, type } = layout.fileColumns[cell]!;
    return { kind: 'unknown', column: name, message: 'not in the contract', ...(type === null ? {} : { type }) };
  });
  return [
    ...unknown,
    ...layout.missing.map((column): DriftNote => ({ kind: 'missing', column, message: 'not in the file' })),
  ];
}

function withContract(feed: FeedSpec, contract: readonly ColumnSpec[], layout: Layout, empty: boolean): Agreement {
  const unknown = layout.unknown.map((cell) => ({
    cell,
    name: layout.fileColumns[cell]!.name,
    type: layout.fileColumns[cell]!.type ?? 'text',
  }));
  const missing = missingColumns(
    feed,
    contract,
    layout.missing,
    unknown.map(({ name }) => name),
    empty,
  );
  const base = { columns: contract, cellOf: layout.cellOf };
  const settled = unknownColumns(
    feed,
    unknown,
    base,
    contract.map((column) => column.name),
  );
  return {
    ...settled,
    fileTypes: typesOf(layout),
    drift: [...layout.drift, ...missing, ...retyped(contract, layout), ...settled.drift],
  };
}

/**
 * Formats with types of their own (Parquet, Avro): a column that is of another one there. It is taken where its values
 * fit.
 */
function retyped(contract: readonly ColumnSpec[], { fileColumns, cellOf }: Layout): readonly DriftNote[] {
  return contract.flatMap((column, index): DriftNote[] => {
    const found = fileColumns[cellOf[index] ?? -1]?.type ?? null;
    if (found === null || found === column.type || pgTypeNamed(found)?.typname === pgTypeNamed(column.type)?.typname)
      return [];
    return [{ kind: 'retyped', column: column.name, message: `${found} in the file, ${column.type} in the contract` }];
  });
}

/**
 * Every column of the file, named after its header. A table that is there plays the contract's part for the two
 * policies.
 */
function withoutContract(feed: FeedSpec, layout: Layout, empty: boolean, present: readonly string[] | null): Agreement {
  const names = columnNames(
    layout.fileColumns.map((column) => column.name),
    feed.names,
  );
  const known = present === null || feed.onUnknownColumn === 'add' ? null : new Set(present);
  const columns: ColumnSpec[] = [];
  const cellOf: number[] = [];
  const unknown: { cell: number; name: string; type: string }[] = [];
  names.forEach((name, cell) => {
    const column = layout.fileColumns[cell]!;
    if (known !== null && !known.has(name)) {
      unknown.push({ cell, name: column.name, type: column.type ?? 'text' });
      return;
    }
    columns.push(plainColumn(name, column.name, column.type ?? 'text'));
    cellOf.push(cell);
  });
  const taken = new Set(names);
  const absent = (present ?? []).filter((name) => !taken.has(name) && name !== RESCUE_COLUMN);
  const missing = feed.onMissingColumn === 'reject' ? missingColumns(feed, [], absent, [], empty) : [];
  const settled = unknownColumns(feed, unknown, { columns, cellOf }, names);
  return { ...settled, fileTypes: typesOf(layout), drift: [...layout.drift, ...missing, ...settled.drift] };
}

const typesOf = (layout: Layout): readonly (string | null)[] => layout.fileColumns.map((column) => column.type);

function missingColumns(
  feed: FeedSpec,
  contract: readonly ColumnSpec[],
  missing: readonly string[],
  unknown: readonly string[],
  empty: boolean,
): DriftNote[] {
  if (empty || missing.length === 0) return [];
  const required = new Set(
    contract.filter((column) => column.required && column.default === null).map((column) => column.name),
  );
  const refused = feed.onMissingColumn === 'reject' ? missing : missing.filter((name) => required.has(name));
  if (refused.length > 0) {
    const why = feed.onMissingColumn === 'reject' ? '' : ' (required)';
    // A column that was renamed shows as both.
    const instead = unknown.length === 0 ? '' : `; it has ${listed(unknown)}, which the contract does not know`;
    throw new TallymanError(
      'MISSING_COLUMNS',
      `the file lacks ${listed(refused)}${why}${instead}${delimiterHint(unknown)}`,
    );
  }
  return missing.map((column) => ({ kind: 'missing', column, message: 'not in the file: NULL or its default' }));
}

/** One column whose name holds what usually stands between columns: at 3 a.m. nobody sees that by himself. */
function delimiterHint(unknown: readonly string[]): string {
  const [only, second] = unknown;
  if (only === undefined || second !== undefined) return '';
  const separator = [';', '\t', '|', ','].find((candidate) => only.includes(candidate));
  return separator === undefined
    ? ''
    : `. If that is the whole header, format.delimiter has to be ${JSON.stringify(separator)}`;
}

function unknownColumns(
  feed: FeedSpec,
  unknown: readonly { readonly cell: number; readonly name: string; readonly type: string }[],
  base: Pick<Agreement, 'columns' | 'cellOf'>,
  taken: readonly string[],
): Omit<Agreement, 'fileTypes'> {
  const notes = (kind: DriftNote['kind'], message: string): DriftNote[] =>
    unknown.map(({ name }) => ({ kind, column: name, message }));
  switch (feed.onUnknownColumn) {
    case 'reject':
      if (unknown.length > 0)
        throw new TallymanError(
          'UNKNOWN_COLUMNS',
          `the contract does not know ${listed(unknown.map(({ name }) => name))}`,
        );
      return { ...base, rescue: null, drift: [] };
    case 'ignore':
      return { ...base, rescue: null, drift: notes('ignored', 'not in the contract: ignored') };
    case 'rescue':
      return { ...base, rescue: unknown, drift: notes('unknown', `not in the contract: kept in ${RESCUE_COLUMN}`) };
    case 'add': {
      const names = columnNames([...taken, ...unknown.map(({ name }) => name)], feed.names).slice(taken.length);
      const added = unknown.map(({ name, type }, i) => plainColumn(names[i]!, name, type));
      return {
        columns: [...base.columns, ...added],
        cellOf: [...base.cellOf, ...unknown.map(({ cell }) => cell)],
        rescue: null,
        drift: unknown.map(({ name, type }) => ({
          kind: 'added',
          column: name,
          message: `not in the contract: added as ${type}`,
        })),
      };
    }
  }
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, SHOWN).map((name) => JSON.stringify(name));
  return names.length > SHOWN ? `${shown.join(', ')} and ${names.length - SHOWN} more` : shown.join(', ');
}
