import { describe, expect, test } from 'vitest';
import type { Bytes } from '../../../src/core/format.js';
import { json } from '../../../src/formats/json/index.js';
import { rowsOf } from '../../contract/format-suite.js';
import { column, read, texts } from './helpers.js';

const MIB = 2 ** 20;

/** Pieces of a file that is never in memory as a whole. */
async function* pieces(...parts: readonly (readonly [piece: Buffer | string, times: number])[]): Bytes {
  for (const [piece, times] of parts) {
    for (let n = 0; n < times; n++) yield await Promise.resolve(Buffer.from(piece));
  }
}

async function count(
  bytes: Bytes,
  options: Record<string, unknown> = {},
): Promise<{ rows: number; faults: unknown[]; lastLine: number; peak: number }> {
  const before = process.memoryUsage.rss();
  let peak = 0;
  const reader = await json.open(
    { bytes, path: null, contract: [column('id:bigint'), column('v')] },
    json.options.parse(options),
  );
  const faults = [];
  let rows = 0;
  let lastLine = 0;
  for (let batch = await reader.next(); batch !== null; batch = await reader.next()) {
    if (batch.kind !== 'spans') throw new Error('JSON gives spans');
    rows += batch.rows;
    lastLine = batch.lines[batch.rows - 1]!;
    peak = Math.max(peak, process.memoryUsage.rss() - before);
    for (const fault of batch.faults)
      faults.push({
        line: batch.lines[fault.row]!,
        class: fault.class,
        rawLength: fault.rawLength,
        raw: batch.rowEnds[fault.row]! - batch.rowStarts[fault.row]!,
      });
  }
  return { rows, faults, lastLine, peak };
}

const nested = (levels: number): string => '[{"a":'.repeat(levels / 2) + '1' + '}]'.repeat(levels / 2);

describe('nesting', () => {
  test('1,000 levels are taken, the record itself counted; more are a json-error in every shape', async () => {
    const good = `{"v":${'['.repeat(999)}${']'.repeat(999)}}`;
    const bad = [
      `{"v":${nested(1_000)}}`,
      `{"v":${nested(10_000)}}`,
      `{"v":${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}}`,
    ];
    for (const columns of [undefined, ['v'], ['x=v[0].a[0].a']]) {
      const setting = columns === undefined ? {} : { columns };
      for (const text of [
        [good, ...bad, good].join('\n'),
        `[${[good, ...bad, good].join(',')}]`,
        `{\n}${[good, ...bad, good].join('')}`,
      ]) {
        const rows = await read(text, {}, setting);
        expect(rows.filter((row) => row.raw !== '{\n}').map((row) => row.message ?? 'good')).toEqual([
          'good',
          ...bad.map(() => 'nested deeper than 1000 levels'),
          'good',
        ]);
      }
    }
  });

  test('a path deeper than the limit costs no stack', async () => {
    const path = `v${'[0]'.repeat(3_000)}`;
    expect(
      (await read(`{"v":${'['.repeat(5_000)}${']'.repeat(5_000)}}\n{"v":[[1]]}`, {}, { columns: [`v=${path}`] })).map(
        (row) => row.fault ?? row.cells,
      ),
    ).toEqual(['json-error', []]);
  });

  test('millions of open brackets end as a rejection', async () => {
    await expect(count(pieces(['[{"v":', 1], ['['.repeat(MIB), 64]))).rejects.toMatchObject({ code: 'FILE_CORRUPT' });
  });
});

describe('length', () => {
  test.each([
    ['lines', '{"id":1}\n', '{"v":"', '"}\r\n', '{"id":2}', ''],
    ['array', '[{"id":1},\n', '{"v":"', '"}\n,', '{"id":2}', ']'],
    ['objects', '{\n"id":1}', '{"v":"', '"}\n', '{"id":2}', ''],
  ])(
    '%s: a record of 50 MB is too-long: its first 64 KiB, its whole length, its neighbours as they are',
    async (_, first, open, close, second, end) => {
      const reader = await json.open(
        {
          bytes: pieces([first, 1], [open, 1], ['x'.repeat(MIB), 50], [close, 1], [second + end, 1]),
          path: null,
          contract: [column('id')],
        },
        json.options.parse({}),
      );
      const rows = [];
      for (let batch = await reader.next(); batch !== null; batch = await reader.next()) rows.push(...rowsOf(batch));
      expect(rows).toMatchObject([
        { cells: ['1'] },
        {
          row: 2,
          line: 2,
          offset: first.length,
          fault: 'too-long',
          message: 'longer than 16MiB (format.max_record)',
          rawLength: 50 * MIB + 8,
          raw: open + 'x'.repeat(65_536 - open.length),
        },
        { row: 3, line: 3, cells: ['2'] },
      ]);
    },
  );

  test('a record of exactly max_record is whole, one byte more is too long', async () => {
    const record = (length: number): string => `{"a":"${'x'.repeat(length - 8)}"}`;
    for (const window of [64, 10_000]) {
      for (const [open, between, end] of [
        ['', ' \r\n', ''],
        ['[', ' \n,\t', ']'],
        ['{\n}', '\n', ''],
      ] as const) {
        const got = await texts(
          open + [record(1_000), record(1_001), record(1_000)].join(between) + end,
          { max_record: 1_000 },
          { window },
        );
        expect(got.filter((one) => one !== '{\n}')).toEqual([record(1_000), 'too-long', record(1_000)]);
      }
    }
  });

  test('a line of 1 GB costs no memory', async () => {
    const { peak, ...rest } = await count(
      pieces(['{"id":1}\n{"v":"', 1], [Buffer.alloc(4 * MIB, 'x'), 256], ['"}\n{"id":2}', 1]),
    );
    expect(rest).toEqual({
      rows: 3,
      faults: [{ line: 2, class: 'too-long', rawLength: 1024 * MIB + 8, raw: 65_536 }],
      lastLine: 3,
    });
    expect(peak).toBeLessThan(150 * MIB);
  });

  test('one array of 320 MB in bounded memory', async () => {
    const element = `{"id":1234567890,"note":"${'x'.repeat(60)}","v":"text"},\n`;
    const block = element.repeat(Math.floor((4 * MIB) / element.length));
    const { peak, ...rest } = await count(pieces(['[', 1], [block, 80], ['{"id":1}]', 1]));
    const rows = 80 * (block.length / element.length) + 1;
    expect(rest).toEqual({ rows, faults: [], lastLine: rows });
    expect(peak).toBeLessThan(150 * MIB);
  });

  test('blank lines without end are no records and cost no memory', async () => {
    const { peak, ...rest } = await count(pieces(['{"id":1}\n', 1], ['\n'.repeat(MIB), 32], ['{"id":2}\n', 1]));
    expect(rest).toEqual({ rows: 2, faults: [], lastLine: 32 * MIB + 2 });
    expect(peak).toBeLessThan(100 * MIB);
  });
});

test('keys chosen to be many do not make the reader slow or large', async () => {
  const record = (n: number): string =>
    `{${Array.from({ length: 500 }, (_, i) => `"key ${n} ${i}":${i}`).join(',')},"id":${n}}\n`;
  const { rows, faults } = await count(pieces(...Array.from({ length: 400 }, (_, n) => [record(n), 1] as const)));
  expect([rows, faults]).toEqual([400, []]);
});
