import { TallymanError } from '../../core/errors.js';
import type { ColumnSpec } from '../../core/feed/columns.js';
import type { ContractProblem, FileDialect, Layout } from '../../core/format.js';
import { fromUnsaid } from '../match.js';

/** Farthest character that a column may end at. A line of that length is past any max_record that one would set. */
const LAST_CHARACTER = 2 ** 24;

/**
 * The columns as places in a line, in the order of their ends: the cells that a short line has are then the first ones.
 */
export interface Slices {
  /** Characters before the column, and before what follows it. */
  readonly from: Int32Array;
  readonly to: Int32Array;
  readonly layout: Layout;
  readonly told: FileDialect;
}

/** What is wrong with a contract for fixed width; config reports it with its place. */
export function contractProblems(contract: readonly ColumnSpec[] | null): readonly ContractProblem[] {
  if (contract === null)
    return [
      {
        column: null,
        key: null,
        message: 'fixed width needs columns: nothing else says where they are.',
        hint: 'List them: columns: [{ name: id, type: bigint, start: 1, width: 8 }, ...].',
      },
    ];
  return contract.flatMap((column, index): ContractProblem[] => {
    if (column.start === null || column.width === null)
      return [
        {
          column: index,
          key: null,
          message: `column ${column.name} has no start and width.`,
          hint: 'Both are needed: start is the first character, from 1.',
        },
      ];
    if (!fromUnsaid(column))
      return [
        {
          column: index,
          key: 'from',
          message: 'from has no meaning here: start and width say where the column is.',
          hint: 'Leave it out.',
        },
      ];
    if (column.start - 1 + column.width > LAST_CHARACTER)
      return [{ column: index, key: 'width', message: `ends behind character ${LAST_CHARACTER}.`, hint: '' }];
    return [];
  });
}

/** Throws CONTRACT_MISFIT when the contract has not what config proves (a feed made by hand). */
export function slicesOf(contract: readonly ColumnSpec[] | null): Slices {
  const [problem] = contractProblems(contract);
  if (problem !== undefined)
    throw new TallymanError('CONTRACT_MISFIT', problem.message, problem.hint === '' ? {} : { fix: problem.hint });
  const places = (contract ?? []).map(({ name, start, width }, index) => ({
    name,
    index,
    from: (start ?? 1) - 1,
    to: (start ?? 1) - 1 + (width ?? 1),
  }));
  const ordered = [...places].sort((a, b) => a.to - b.to || a.from - b.from);
  const cellOf = places.map((place) => ordered.indexOf(place));
  return {
    from: Int32Array.from(ordered, ({ from }) => from),
    to: Int32Array.from(ordered, ({ to }) => to),
    layout: {
      fileColumns: ordered.map(({ name }) => ({ name, type: null })),
      cellOf,
      unknown: [],
      missing: [],
      overlap: overlapOf(ordered),
      drift: [],
    },
    told: {
      columns: ordered.map(({ name }) => name),
      starts: Object.fromEntries(ordered.map(({ name, from }) => [name, from + 1])),
      widths: Object.fromEntries(ordered.map(({ name, from, to }) => [name, to - from])),
    },
  };
}

/** Most columns that one character is in. */
function overlapOf(places: readonly { readonly from: number; readonly to: number }[]): number {
  // A column begins where the most are met.
  return Math.max(1, ...places.map(({ from: at }) => places.filter(({ from, to }) => from <= at && at < to).length));
}
