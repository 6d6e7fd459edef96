import type { CellError } from '../core/batch.js';
import type { ErrorGroup } from '../core/report.js';

/**
 * Most groups a report holds. Past it faults are reported by class and column only, so that messages with changing text
 * cannot fill the memory.
 */
const MOST_GROUPS = 200;
const OTHER = 'other faults of this class';

/** Where a bad row stood in its file. */
export interface BadRowPlace {
  /** Number among the data records, from 1. */
  readonly row: number;
  /** Physical line, from 1; null = the format has none. */
  readonly line: number | null;
  /** In the decompressed stream; null = a row has no bytes of its own there. */
  readonly offset: number | null;
}

type Group = { -readonly [K in keyof ErrorGroup]: ErrorGroup[K] };

/** Faults of a file by class, column and message, with the first place and one example of each. */
export class ErrorGroups {
  readonly #groups = new Map<string, Group>();

  add(place: BadRowPlace, errors: readonly CellError[]): void {
    let seen: Set<Group> | null = null;
    for (const error of errors) {
      const group = this.#group(error, place);
      // Two equal faults in one row are one row.
      if (errors.length > 1) {
        seen ??= new Set();
        if (seen.has(group)) continue;
        seen.add(group);
      }
      group.rows++;
      if (place.row < group.first_row) {
        group.first_row = place.row;
        group.first_line = place.line ?? place.row;
        group.example = error.value;
      }
    }
  }

  /** Largest groups first. */
  report(): readonly ErrorGroup[] {
    return [...this.#groups.values()].sort((a, b) => b.rows - a.rows || a.first_row - b.first_row);
  }

  #group(error: CellError, place: BadRowPlace): Group {
    const exact = JSON.stringify([error.class, error.column, error.rule, error.message]);
    const known = this.#groups.get(exact);
    if (known !== undefined) return known;
    const full = this.#groups.size >= MOST_GROUPS;
    const key = full ? JSON.stringify([error.class]) : exact;
    const found = this.#groups.get(key);
    if (found !== undefined) return found;
    const group: Group = {
      class: error.class,
      column: full ? null : error.column,
      rows: 0,
      first_row: place.row,
      // A format without lines has a record in each.
      first_line: place.line ?? place.row,
      example: error.value,
      message: full ? OTHER : error.message,
    };
    this.#groups.set(key, group);
    return group;
  }
}
