import { columnNames } from '../../formats/names.js';
import { noCounts, type ReadCounts } from '../sample/cells.js';
import { ColumnProfile } from './profile.js';
import { NO_WORDS, type Table } from '../sample/table.js';

export interface UnitedColumn {
  /** Name of the column in the contract. */
  readonly name: string;
  /** Header name or key; null = by position. */
  readonly source: string | null;
  /** From 1; in the first file that has it. */
  readonly position: number;
  readonly type: string | null;
  readonly profile: ColumnProfile;
  /** Fixed width: where it stands in the line. */
  readonly start: number | null;
  readonly width: number | null;
  /** Files that have it. */
  files: number;
}

/** Several files as one feed: the columns of all, met by name, or by place where there are none. */
export interface United {
  readonly tables: readonly Table[];
  readonly columns: readonly UnitedColumn[];
  /** For each table, for each of its columns, the index in `columns`. */
  readonly places: readonly (readonly number[])[];
  readonly counts: readonly ReadCounts[];
}

/** Reads all tables once, into one profile a column. */
export async function unite(tables: readonly Table[]): Promise<United> {
  const found: {
    source: string | null;
    position: number;
    type: string | null;
    start: number | null;
    width: number | null;
    files: number;
  }[] = [];
  // Two header cells may be equal: the second of one file meets the second of another.
  const known = new Map<string, number>();
  const places = tables.map((table) => {
    const times = new Map<string, number>();
    return table.columns.map(({ name, type, start = null, width = null }, index) => {
      const key = name === null ? `at ${index + 1}` : `named ${name}`;
      const time = (times.get(key) ?? 0) + 1;
      times.set(key, time);
      const at = known.get(`${time} ${key}`);
      const column = at === undefined ? undefined : found[at];
      if (at === undefined || column === undefined) {
        known.set(`${time} ${key}`, found.length);
        return found.push({ source: name, position: index + 1, type, start, width, files: 1 }) - 1;
      }
      column.files++;
      // Two files, two types: the cells of the one do not fit the other.
      if (column.type !== type) column.type = 'text';
      return at;
    });
  });
  const names = columnNames(
    found.map(({ source, position }) => source ?? `column_${position}`),
    'snake',
  );
  const columns = found.map((column, index): UnitedColumn => ({
    ...column,
    name: names[index]!,
    profile: new ColumnProfile(),
  }));
  const counts: ReadCounts[] = [];
  for (const [index, table] of tables.entries()) {
    const at = places[index]!.map((place) => columns[place]!.profile);
    for (const profile of at) profile.distinct.nextFile();
    counts.push(
      table.columns.length === 0
        ? noCounts()
        : await table.read(
            {
              cell: (column, bytes, start, end, quoted, line) => at[column]?.add(bytes, start, end, quoted, line),
              absent: (column) => at[column]?.absent(),
            },
            NO_WORDS,
          ),
    );
  }
  return { tables, columns, places, counts };
}
