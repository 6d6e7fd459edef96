import { afterAll, describe, expect, test } from 'vitest';
import { exportAbout } from '../../src/quarantine/export/about.js';
import { exportCsv } from '../../src/quarantine/export/csv.js';
import { cells as readCells } from '../formats/csv/helpers.js';
import { check, removeDir } from '../load/control/support.js';
import { column } from '../load/support.js';
import { detailOf, fault, quarantined, receiptOf } from './support.js';

afterAll(removeDir);

/** An export comes back as a file: corrected, it is loaded by a feed with the same columns. */
const COLUMNS = ['id', 'note', 'empty', 'nothing', 'doc', 'bin'];
const NOTE = 'say "hi", then;\r\nleave \u00e9\u{1f600}';
const CONTRACT = [
  column('id', 'integer', { required: true }),
  column('note', 'text', { enum: [NOTE, 'x'] }),
  column('empty', 'text', { required: true, maxLength: 0 }),
  column('nothing', 'text', { enum: ['never'] }),
  column('doc', 'jsonb', { required: true }),
  column('bin', 'bytea', { required: true }),
];
const JSON_RECORD = JSON.stringify({
  id: 'wrong',
  note: NOTE,
  empty: '',
  nothing: null,
  doc: { a: [1, '2', null, true], b: '"' },
  bin: '\\x00ff',
});
const DOC = '{"a":[1,"2",null,true],"b":"\\""}';
const CSV_RECORD = `wrong,"${NOTE.replaceAll('"', '""')}","",,"${DOC.replaceAll('"', '""')}",\\x00ff`;

async function exported(raw: string, told: Readonly<Record<string, unknown>>): Promise<string> {
  const page = [quarantined(raw, [fault('id')])];
  async function* pages(): AsyncIterable<typeof page> {
    yield await Promise.resolve(page);
  }
  let text = '';
  for await (const piece of exportCsv(detailOf(), pages(), exportAbout(detailOf(), receiptOf(), told))) text += piece;
  return text;
}

describe('the csv export comes back in', () => {
  test.each([
    ['csv', { format: 'csv', columns: COLUMNS, delimiter: ',', quote: '"', escape: '"' }, CSV_RECORD],
    ['json', { format: 'json', columns: COLUMNS }, JSON_RECORD],
    ['avro', { format: 'avro', columns: COLUMNS }, JSON_RECORD],
    ['parquet', { format: 'parquet', columns: COLUMNS }, JSON_RECORD],
    ['excel', { format: 'excel', columns: COLUMNS }, JSON_RECORD],
  ])('of %s: every value, empty strings told from NULL, with _row, _reason and _raw', async (_format, told, raw) => {
    const text = await exported(raw, told);
    const [header, record] = (await readCells(text, { header: false })) as string[][];
    expect(header).toEqual([...COLUMNS, '_row', '_reason', '_raw']);
    expect(record).toEqual(['wrong', NOTE, '', null, DOC, '\\x00ff', '3', 'id: type-error: not an integer', raw]);
    const load = (content: string): ReturnType<typeof check> =>
      check(content, {
        columns: CONTRACT,
        onUnknownColumn: 'ignore',
        limits: { badRows: null, badRatio: null, minRows: 0, databaseRows: 1 },
      });
    expect(await load(text)).toMatchObject({ error: null, rows: { loaded: 0, quarantined: 1 } });
    expect(await load(text.replace('\nwrong,', '\n7,'))).toMatchObject({
      error: null,
      rows: { read: 1, loaded: 1, quarantined: 0 },
    });
  });

  test('of JSON: a string of a jsonb column keeps its quotes, 1 and "1" are two values', async () => {
    const content = '{"id":"a","doc":"1","at":{"x":"t"}}\n{"id":"b","doc":1,"at":{"x":""}}\n';
    const contract = [column('id', 'integer'), column('doc', 'jsonb'), column('x', 'jsonb', { from: ['at.x'] })];
    const result = await check(content, {
      columns: contract,
      format: { type: 'json', options: {} },
      limits: { badRows: null, badRatio: null, minRows: 0, databaseRows: 1 },
    });
    expect(result).toMatchObject({ rows: { quarantined: 2 }, dialect: { json_columns: ['doc', 'at.x'] } });
    const [first = '', second = ''] = content.split('\n');
    for (const [raw, doc, x] of [
      [first, '"1"', '"t"'],
      [second, '1', '""'],
    ] as const) {
      const text = await exported(raw, 'dialect' in result ? result.dialect : {});
      const [header, record] = (await readCells(text, { header: false })) as string[][];
      const at = (name: string): string | undefined => record?.[header?.indexOf(name) ?? -1];
      expect([at('doc'), at('at.x')]).toEqual([doc, x]);
    }
  });

  test('of fixed width: blanks are NULL, as they were in the line', async () => {
    const told = {
      format: 'fixed',
      columns: ['id', 'note', 'nothing'],
      starts: { id: 1, note: 5, nothing: 11 },
      widths: { id: 4, note: 6, nothing: 4 },
    };
    const text = await exported('00x7a "b,    ', told);
    const [, record] = (await readCells(text, { header: false })) as string[][];
    expect(record?.slice(0, 3)).toEqual(['00x7', 'a "b,', null]);
    const result = await check(text.replace('\n00x7', '\n7'), {
      columns: [column('id', 'integer'), column('note'), column('nothing')],
      onUnknownColumn: 'ignore',
    });
    expect(result).toMatchObject({ error: null, rows: { loaded: 1, quarantined: 0 } });
  });
});
