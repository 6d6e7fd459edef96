import type { ColumnSpec } from '../core/feed/columns.js';
import type { FileDialect, Layout } from '../core/format.js';

/** Characters of all names together: a receipt is no place for more. */
const MOST_TOLD = 2 ** 20;

/**
 * `columns` and `cells` of the dialect. Names too long for a receipt are left out: an export then has the raw records
 * only.
 */
export function toldColumns({ fileColumns, cellOf }: Layout, contract: readonly ColumnSpec[] | null): FileDialect {
  if (fileColumns.reduce((length, { name }) => length + name.length, 0) > MOST_TOLD) return {};
  const columns = fileColumns.map(({ name }) => name);
  if (contract === null) return { columns };
  return {
    columns,
    cells: Object.fromEntries(
      contract.flatMap(({ name }, index) => (cellOf[index]! < 0 ? [] : [[name, cellOf[index]! + 1]])),
    ),
  };
}
