import { utils, write } from '@e965/xlsx';
import { describe, expect, test } from 'vitest';
import { FORMATS } from '../../src/registry.js';
import { put, roundTrip, typesOf } from './support.js';

/** A workbook of one sheet. */
const workbook = (rows: readonly (readonly unknown[])[]): Buffer => sheetsOf({ Orders: rows });

function sheetsOf(sheets: Readonly<Record<string, readonly (readonly unknown[])[]>>): Buffer {
  const book = utils.book_new();
  for (const [name, rows] of Object.entries(sheets))
    utils.book_append_sheet(
      book,
      utils.aoa_to_sheet(
        rows.map((row) => [...row]),
        { cellDates: true },
      ),
      name,
    );
  const bytes: unknown = write(book, { type: 'buffer', bookType: 'xlsx' });
  if (!Buffer.isBuffer(bytes)) throw new Error('a workbook is written as a buffer');
  return bytes;
}

const day = (text: string): Date => new Date(`${text}T00:00:00Z`);

describe.runIf(FORMATS.some(({ type }) => type === 'excel'))('Excel', () => {
  test('types of its cells, which are texts to the load', async () => {
    const { draft, rows, error } = await roundTrip(
      put(
        'orders.xlsx',
        workbook([
          ['ID', 'Customer', 'Amount', 'Day'],
          [1, 'Bob', 12.5, day('2024-01-31')],
          [2, 'Amy', 100, day('2024-02-01')],
        ]),
      ),
    );
    expect({ rows, error }).toMatchObject({ rows: { read: 2, loaded: 2, quarantined: 0 }, error: null });
    expect(draft.format).toEqual({ type: 'excel' });
    expect(typesOf(draft).slice(0, 3)).toEqual(['id integer', 'customer text', 'amount numeric(12,2)']);
  });

  test('behind a cover sheet the sheet with a table is named; of several the first, and a comment names all', async () => {
    const cover = [['Report'], ['of January']];
    const table = [
      ['a', 'b'],
      [1, 2],
      [3, 4],
    ];
    const one = await roundTrip(put('cover.xlsx', sheetsOf({ Cover: cover, 'Data 2024': table })));
    expect(one).toMatchObject({ rows: { read: 2, loaded: 2 }, error: null });
    expect(one.draft.format).toEqual({ type: 'excel', sheet: 'Data 2024' });
    const several = await roundTrip(put('several.xlsx', sheetsOf({ Cover: cover, '2023.5': table, Other: table })));
    expect(several).toMatchObject({ rows: { read: 2, loaded: 2 }, error: null });
    expect(several.draft.format).toEqual({ type: 'excel', sheet: '2023.5' });
    const first = await roundTrip(put('first.xlsx', sheetsOf({ Data: table, Notes: cover })));
    expect(first.draft.format).toEqual({ type: 'excel' });
  });

  test('titles above the table are skipped', async () => {
    const { draft, rows, error } = await roundTrip(
      put(
        'titles.xlsx',
        workbook([['Sales of January'], ['made by hand'], ['id', 'name', 'n'], [1, 'a', 5], [2, 'b', 6]]),
      ),
    );
    expect({ rows, error }).toMatchObject({ rows: { read: 2, loaded: 2 }, error: null });
    expect(draft.format).toMatchObject({ skip_rows: 2 });
    expect(typesOf(draft)).toEqual(['id integer', 'name text', 'n integer']);
  });

  test('without a header the columns go by position', async () => {
    const { draft, rows, error } = await roundTrip(
      put(
        'bare.xlsx',
        workbook([
          [1, 'a', 5],
          [2, 'b', 6],
        ]),
      ),
    );
    expect({ rows, error }).toMatchObject({ rows: { read: 2, loaded: 2 }, error: null });
    expect(draft.format).toMatchObject({ header: false });
  });

  test('errors of cells are words for NULL where numbers stand', async () => {
    const { draft, rows, error } = await roundTrip(
      put(
        'na.xlsx',
        workbook([
          ['id', 'n'],
          [1, 5],
          [2, '#N/A'],
          [3, 7],
        ]),
      ),
    );
    expect({ rows, error }).toMatchObject({ rows: { read: 3, loaded: 3 }, error: null });
    expect(draft.format['nulls']).toEqual(['', '#N/A']);
    expect(typesOf(draft)).toEqual(['id integer', 'n integer']);
  });
});
