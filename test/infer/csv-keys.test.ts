import { describe, expect, test } from 'vitest';
import { put, roundTrip } from './support.js';

describe('keys of csv are proposed with their reason, and the feed loads everything', () => {
  test.each([
    [
      'quotes that nobody escaped',
      'id,name\n1,"48" table"\n2,"plain"\n3,"TV 32""\n4,"x, y"\n',
      { quotes: 'lenient' },
      'format.quotes: 2 cells of the sample hold quotes that nobody escaped',
    ],
    [
      'single quotes that nobody escaped',
      "id,name,x\n1,'Men's boots','a'\n2,'it's','b'\n3,'plain','c'\n",
      { quote: "'", quotes: 'lenient' },
      'format.quotes: 2 cells of the sample hold quotes that nobody escaped',
    ],
    [
      'blanks around quotes',
      '"id","name"\n"1","a"\n"2","b" \n"3" ,"c"\n',
      { quote_blanks: true },
      'format.quote_blanks: blanks stand between quotes and delimiters',
    ],
    [
      'escapes outside quotes',
      '1|a \\| b|3\n2|plain|4\n3|c \\| d|5\n',
      { escape: '\\', escape_unquoted: true },
      'format.escape_unquoted: backslashes stand before delimiters outside of quotes',
    ],
    [
      "Excel's texts",
      'id,zip\n1,="00123"\n2,="04567"\n',
      { excel_text: true },
      'format.excel_text: 2 cells are written as ="..." to keep Excel from changing them',
    ],
    [
      'units below the names',
      'date,weight,height\n,kg,m\n2024-01-01,1.5,2\n2024-01-02,2.5,3\n2024-01-03,3,4\n',
      { header: { rows: 2, names: 1 } },
      'format.header: the second record (",kg,m") belongs to the header; header: 2 joins it to the names',
    ],
    [
      'a header that stands again',
      'id,amount\n1,5.00\n2,6.00\nid,amount\n3,7.00\n',
      { repeated_header: 'skip' },
      'format.repeated_header: the header stands again once among the records',
    ],
    [
      'sums at the end',
      'id,amount\n1,5.00\n2,6.00\n3,7.00\nSubtotal,18.00\nTotal:,18.00\n',
      { footer: `^["']?(?:Total|Subtotal)\\b` },
      'format.footer: the last 2 records look like a sum and no data',
    ],
    [
      'names in two records',
      'Region,Sales,Sales\nname,Q1,Q2\nNorth,1,2\nSouth,3,4\nWest,5,6\n',
      { header: 2 },
      'format.header: the first two records name the columns together ("name,Q1,Q2" is the second)',
    ],
  ])('%s', async (_what, content, keys, note) => {
    const { draft, rows, error } = await roundTrip(put('keys.csv', content));
    expect(draft.format).toMatchObject(keys);
    expect(draft.notes).toContain(note);
    expect({ quarantined: rows.quarantined, error }).toEqual({ quarantined: 0, error: null });
  });

  test.each([
    ['doubled quotes', 'id,name\n1,"a ""b"" c"\n2,"d"\n'],
    ['a word in a column of numbers', 'id,value,x\n1,unknown,2\n2,5,3\n3,6,4\n'],
    ['formulas', 'id,f\n1,=A1+B1\n2,=A2&"x"\n'],
  ])('none of them for %s', async (_what, content) => {
    const { draft } = await roundTrip(put('plain.csv', content));
    expect(draft.format).toEqual({ type: 'csv', delimiter: ',' });
  });

  test('quotes that stay part of the values are told', async () => {
    const { draft, rows } = await roundTrip(put('kept.csv', 'id,name,v\n1,"48" table",3\n2,"36" table",4\n'));
    expect(draft.format).toMatchObject({ quote: null });
    expect(draft.notes).toContain(
      `format.quote: 2 cells of the sample stand in quotes, which stay part of the values. ` +
        `If they are no part of them, take quote: '"' with quotes: lenient`,
    );
    expect(rows).toMatchObject({ read: 2, quarantined: 0 });
  });

  test('the parts of a date at the end are no count of records', async () => {
    const { draft } = await roundTrip(put('dated.csv', 'id,v\n1,2\n2,3\n3,4\nGenerated 2024-01-03\n'));
    expect(draft.tail.join('\n')).not.toContain('number of records');
  });

  test('surplus cells in many records', async () => {
    const lines = Array.from({ length: 20 }, (_, i) => (i % 4 === 3 ? `${i},a,b,c` : `${i},a,b`));
    const { draft, rows } = await roundTrip(put('long.csv', `id,x,y\n${lines.join('\n')}\n`));
    expect(draft.format).toMatchObject({ long_rows: 'rescue' });
    expect(draft.notes).toContain(
      'format.long_rows: 5 records have more cells than columns: the surplus goes into _rescued',
    );
    expect(rows).toMatchObject({ read: 20, quarantined: 0 });
  });
});
