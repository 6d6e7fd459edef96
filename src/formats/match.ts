import type { ColumnSpec } from '../core/feed/columns.js';
import type { DriftNote, FileColumn, Layout } from '../core/format.js';

/**
 * Matches the contract with the file's columns (docs/spec/columns.md#meeting-the-header). Each contract column takes
 * the first of its `from` that is there: a 1-based position or an exact name; only then a name without case and
 * surrounding space, among columns that nobody has taken, when both sides are unambiguous.
 *
 * `byPosition` (no header): the file's columns are called `column_N`, and a contract column whose `from` is omitted
 * (its own name) takes the cell at its own place in the contract.
 */
export function matchColumns(
  contract: readonly ColumnSpec[],
  fileColumns: readonly FileColumn[],
  byPosition = false,
): Layout {
  const cellOf = contract.map((column, index) => takeExactly(column, index, fileColumns, byPosition));
  const drift: DriftNote[] = byPosition ? [] : takeLoosely(contract, fileColumns, cellOf);
  const taken = new Set(cellOf);
  const unknown = fileColumns.flatMap((_, index) => (taken.has(index) ? [] : [index]));
  const missing = contract.filter((_, index) => cellOf[index] === -1).map((column) => column.name);
  if (!byPosition) drift.push(...reordered(contract, cellOf));
  return { fileColumns, cellOf, unknown, missing, drift };
}

/** No contract: every column of the file, in its order. */
export function identityLayout(fileColumns: readonly FileColumn[]): Layout {
  return { fileColumns, cellOf: fileColumns.map((_, index) => index), unknown: [], missing: [], drift: [] };
}

/** True when the column does not say where it comes from. */
export function fromUnsaid(column: ColumnSpec): boolean {
  return column.from.length === 1 && column.from[0] === column.name;
}

function takeExactly(
  column: ColumnSpec,
  index: number,
  fileColumns: readonly FileColumn[],
  byPosition: boolean,
): number {
  for (const from of column.from) {
    if (typeof from === 'number') {
      if (from >= 1 && from <= fileColumns.length) return from - 1;
      continue;
    }
    const at = fileColumns.findIndex((file) => file.name === from);
    if (at !== -1) return at;
  }
  return byPosition && fromUnsaid(column) && index < fileColumns.length ? index : -1;
}

const loose = (name: string): string => name.normalize('NFC').trim().toLowerCase();

/** Fills in `cellOf` where an inexact name will do; returns what is worth reporting. */
function takeLoosely(
  contract: readonly ColumnSpec[],
  fileColumns: readonly FileColumn[],
  cellOf: number[],
): DriftNote[] {
  const taken = new Set(cellOf);
  const free = new Map<string, number[]>();
  for (const [index, file] of fileColumns.entries()) {
    if (!taken.has(index)) free.set(loose(file.name), [...(free.get(loose(file.name)) ?? []), index]);
  }
  const wanted = new Map<number, number[]>();
  for (const [index, column] of contract.entries()) {
    if (cellOf[index] !== -1) continue;
    for (const from of column.from) {
      const hits = typeof from === 'string' ? (free.get(loose(from)) ?? []) : [];
      if (hits.length !== 1) continue;
      wanted.set(hits[0]!, [...(wanted.get(hits[0]!) ?? []), index]);
      break;
    }
  }
  const drift: DriftNote[] = [];
  for (const [at, columns] of wanted) {
    // Two contract columns that both nearly fit one header: neither is right enough.
    if (columns.length !== 1) continue;
    const index = columns[0]!;
    cellOf[index] = at;
    drift.push({
      kind: 'renamed',
      column: contract[index]!.name,
      message: `header ${JSON.stringify(fileColumns[at]!.name)} was taken without regard to case and surrounding space`,
    });
  }
  return drift;
}

/**
 * One note a file, at the first column that stands before one that the contract names earlier. Positions given by
 * number have no order of their own.
 */
function reordered(contract: readonly ColumnSpec[], cellOf: readonly number[]): DriftNote[] {
  let last = -1;
  for (const [index, column] of contract.entries()) {
    const at = cellOf[index]!;
    if (at === -1 || column.from.every((from) => typeof from === 'number')) continue;
    if (at < last)
      return [
        {
          kind: 'reordered',
          column: column.name,
          message: `column ${at + 1} of the file; the contract names it later`,
        },
      ];
    last = at;
  }
  return [];
}
