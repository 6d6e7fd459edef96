import { gzipSync } from 'node:zlib';
import iconv from 'iconv-lite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DECODERS, FORMATS } from '../../../src/registry.js';
import { column, feedOf, openBench, type Bench } from '../../load/support.js';
import { problemsOf, REGISTERED } from '../../config/support.js';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(async () => {
  await bench.close();
});

const at = (start: number, width: number) => ({ start, width });
const columns = [
  column('id', 'integer', at(1, 5)),
  column('name', 'text', at(6, 8)),
  column('amount', 'numeric(8,2)', at(14, 9)),
  column('day', 'date', { ...at(23, 8), formats: ['%Y%m%d'] }),
];
const line = (id: string, name: string, amount: string, rest: string): string =>
  `${id.padStart(5)}${name.padEnd(8)}${amount}${rest}`;
const lines = [
  line('1', 'Zoé', '000012.50', '20261120'),
  line('2', '日本', '    -1.5 ', '20261121'),
  '  bad        ',
  line('4', 'x', '      3  ', '20261122  '),
  line('5', 'y', '      3  ', '20261122 z'),
];

test.each([
  ['utf-8', Buffer.from(lines.join('\n'))],
  ['shift_jis', iconv.encode(lines.join('\r\n').replace('é', 'e'), 'shift_jis')],
  ['utf-16le', Buffer.from(`\uFEFF${lines.join('\n')}\n`, 'utf16le')],
])(
  'a file in %s is cut by characters, held to the contract, and its refused lines are kept',
  async (encoding, bytes) => {
    const table = `f_${encoding.replace(/\W/g, '_')}`;
    const feed = feedOf({
      name: table,
      format: { type: 'fixed', options: { encoding } },
      columns,
      limits: { ...feedOf().limits, badRatio: 1 },
      target: { ...feedOf().target, table },
    });
    const result = await bench.load(bench.job(bench.put(`${table}.txt.gz`, gzipSync(bytes)), feed), {
      formats: FORMATS,
      decoders: DECODERS,
    });
    expect(result).toMatchObject({
      outcome: 'loaded',
      rows: { read: 5, loaded: 3, quarantined: 2, delta: 0 },
      dialect: { format: 'fixed', encoding, compression: 'gzip', starts: { id: 1, name: 6 } },
    });
    expect(
      await bench.query(`select _row::int, id, name, amount::text, day::text from staging.${table} order by 1`),
    ).toEqual([
      { _row: 1, id: 1, name: encoding === 'shift_jis' ? 'Zoe' : 'Zoé', amount: '12.50', day: '2026-11-20' },
      { _row: 2, id: 2, name: '日本', amount: '-1.50', day: '2026-11-21' },
      { _row: 4, id: 4, name: 'x', amount: '3.00', day: '2026-11-22' },
    ]);
    const refused = await bench.query(
      `select row_number::int as row, line_number::int as line, convert_from(raw, 'utf8') as raw, errors -> 0 ->> 'class' as class from tallyman.quarantine q join tallyman.loads l using (load_id) where feed = $1 order by 1`,
      [table],
    );
    expect(refused).toEqual([
      { row: 3, line: 3, raw: '  bad        ', class: 'missing-cell' },
      { row: 5, line: 5, raw: lines[4], class: 'extra-cell' },
    ]);
  },
);

const config = (rest: string): string =>
  `database: { embedded: true }\nfeeds:\n  f:\n    source: { type: local, dir: drop }\n    format: { type: fixed }\n${rest}`;
const told = (rest: string): string[] =>
  problemsOf(config(rest), { parts: REGISTERED }).map(
    (one) => `${one.line}:${one.column} ${one.code} ${one.key} ${one.message}`,
  );

test('config: a fixed-width feed without columns is a mistake', () => {
  expect(told('')).toEqual([
    '3:3 MISSING_KEY feeds.f.columns fixed width needs columns: nothing else says where they are.',
  ]);
});

test('config: a column without start and width is a mistake, told at the column', () => {
  expect(
    told('    columns:\n      - { name: a, type: text, start: 1, width: 2 }\n      - { name: b, type: text }\n'),
  ).toEqual(['8:9 MISSING_KEY feeds.f.columns[1] column b has no start and width.']);
});

test('config: from has no meaning beside start and width', () => {
  expect(told('    columns:\n      - { name: a, from: A, type: text, start: 1, width: 2 }\n')).toEqual([
    '7:26 CONFLICT feeds.f.columns[0].from from has no meaning here: start and width say where the column is.',
  ]);
});
