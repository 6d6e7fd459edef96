import type { VectorType } from '../../core/batch.js';
import { TallymanError } from '../../core/errors.js';
import type { ColumnSpec } from '../../core/feed/columns.js';
import type { FeedSpec } from '../../core/feed/feed.js';
import type { FileColumn, Layout } from '../../core/format.js';
import { identityLayout, matchColumns } from '../match.js';
import type { ColumnPath, DescribedColumn } from './frames.js';
import { wordOf } from './words.js';

/** How the file's columns become rows: what is read, and which cell of a row each is. */
export interface ParquetColumns {
  readonly layout: Layout;
  readonly names: readonly string[];
  /** Columns to read, in the order in which they come: `index` into layout.fileColumns. */
  readonly wanted: readonly { readonly index: number; readonly type: VectorType; readonly path: ColumnPath }[];
}

interface Found extends FileColumn {
  readonly vector: VectorType;
  readonly path: ColumnPath;
}

/**
 * Meets the contract with the file's columns by name, as headers of a CSV are met; `from: a.b` reaches into a struct
 * where no column is called so. Columns that nobody takes are read only where on_unknown_column keeps their values.
 * Throws HEADER_DUPLICATE.
 */
export function meetColumns(
  described: readonly DescribedColumn[],
  contract: readonly ColumnSpec[] | null,
  policy: FeedSpec['onUnknownColumn'],
): ParquetColumns {
  const names = described.map((column) => column.name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined)
    throw new TallymanError(
      'HEADER_DUPLICATE',
      `Two columns of the Parquet file are called ${JSON.stringify(twice)}.`,
      { fix: 'Ask the supplier for distinct names.' },
    );
  const own = described.map((column, index): Found => ({
    name: column.name,
    type: column.word,
    vector: column.type,
    path: { column: index, fields: [] },
  }));
  if (contract === null)
    return columnsOf(
      own,
      identityLayout(own.map(fileColumn)),
      own.map((_, index) => index),
    );

  const inside = contract.flatMap(({ from }) =>
    from.flatMap((name) => (typeof name === 'string' && !names.includes(name) ? fieldAt(own, name) : [])),
  );
  const all = [...own, ...inside.filter((field, i) => inside.findIndex(({ name }) => name === field.name) === i)];
  const met = matchColumns(contract, all.map(fileColumn));
  // A struct whose field is taken is known, though nobody takes it whole.
  const reached = new Set(met.cellOf.flatMap((cell) => (cell >= own.length ? [all[cell]!.path.column] : [])));
  const unknown = met.unknown.filter((index) => index < own.length && !reached.has(index));
  const kept = policy === 'add' || policy === 'rescue' ? unknown : [];
  const taken = new Set([...met.cellOf.filter((cell) => cell >= 0), ...kept]);
  return columnsOf(
    all,
    { ...met, unknown },
    [...taken].sort((a, b) => a - b),
  );
}

const fileColumn = ({ name, type }: Found): FileColumn => ({ name, type });

function columnsOf(all: readonly Found[], layout: Layout, wanted: readonly number[]): ParquetColumns {
  return {
    layout,
    names: all.map(({ name }) => name),
    wanted: wanted.map((index) => ({ index, type: all[index]!.vector, path: all[index]!.path })),
  };
}

/** The field that a path `a.b.c` names; none when there is no such column or it is no struct. */
function fieldAt(own: readonly Found[], name: string): readonly Found[] {
  const [first, ...rest] = name.split('.');
  const column = own.find((one) => one.name === first);
  if (column === undefined || rest.length === 0) return [];
  let type = column.vector;
  const fields: number[] = [];
  for (const step of rest) {
    const at = type.kind === 'struct' ? type.fields.findIndex((field) => field.name === step) : -1;
    if (type.kind !== 'struct' || at < 0) return [];
    type = type.fields[at]!.type;
    fields.push(at);
  }
  return [{ name, type: wordOf(type), vector: type, path: { column: column.path.column, fields } }];
}
