import { describe, expect, test } from 'vitest';
import { exportAbout, type ExportAbout } from '../../src/quarantine/export/about.js';
import { csvRecords, detailOf, fault, quarantined, receiptOf } from './support.js';

const aboutOf = (told: Readonly<Record<string, unknown>>): ExportAbout => exportAbout(detailOf(), receiptOf(), told);
const cellsOf = async (raw: string, told: Readonly<Record<string, unknown>>): Promise<string[] | undefined> =>
  (await csvRecords([quarantined(raw)], aboutOf(told)))[1];

describe('the csv export of formats whose records are no CSV has their columns', () => {
  test.each(['json', 'avro', 'parquet'])('%s: keys and paths; digits and JSON as they stand', async (format) => {
    const columns = ['id', 'a.b', 'items[1].n', 'dotted.key', 'Name', 'list', 'none', '2022'];
    const raw =
      '{ "2022":true, "dotted.key":"k", "id":12345678901234567890, "a":{"b":"x,\\"y\\"\\u00e9"}, "items":[1,{"n":1.50}], "list":[1, {"z":"]"}], "none":null, " name ":"n" }';
    expect(await csvRecords([quarantined(raw)], aboutOf({ format, columns }))).toEqual([
      [...columns, '_row', '_reason', '_raw'],
      [
        '12345678901234567890',
        'x,"y"é',
        '1.50',
        'k',
        'n',
        '[1, {"z":"]"}]',
        '',
        'true',
        '3',
        'a: type-error: not an integer',
        raw,
      ],
    ]);
  });

  test('excel: in the order of the sheet, also where two columns have one name; cells beside the table in _raw', async () => {
    const told = { format: 'excel', columns: ['x', 'x', ''] };
    expect((await cellsOf('{"x":1,"x":"b","":null,"E7":5}', told))?.slice(0, 4)).toEqual(['1', 'b', '', '3']);
  });

  test('fixed width: the places of the contract, without padding', async () => {
    const told = {
      format: 'fixed',
      columns: ['id', 'name', 'end'],
      starts: { id: 1, name: 5, end: 11 },
      widths: { id: 4, name: 6, end: 2 },
    };
    expect((await cellsOf('0007Zoë😀  ', told))?.slice(0, 4)).toEqual(['0007', 'Zoë😀', '', '3']);
  });

  test('a record that is no JSON leaves its cells empty', async () => {
    const told = { format: 'json', columns: ['a', 'b'] };
    for (const raw of ['{"a":1', '[1,2]', 'text', '{"a" 1}', '{"a":}', ''])
      expect((await cellsOf(raw, told))?.slice(0, 2)).toEqual(['', '']);
    const [, row] = await csvRecords([quarantined('{"a":1}', [fault(null, 'json-error')])], aboutOf(told));
    expect(row?.slice(0, 2)).toEqual(['', '']);
  });

  test('reasons use the names of the file', async () => {
    const about = aboutOf({ format: 'excel', columns: ['Order No'], cells: { order_no: 1 } });
    const [, row] = await csvRecords([quarantined('{"Order No":"x"}', [fault('order_no')])], about);
    expect(row?.[2]).toBe('Order No: type-error: not an integer');
  });
});
