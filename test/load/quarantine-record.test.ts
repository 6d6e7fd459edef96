import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CellError } from '../../src/core/batch.js';
import { copyQuarantine } from '../../src/load/copy/quarantine-copy.js';
import { connect, type Connection } from '../../src/postgres/connect/connect.js';
import { QuarantineRecord } from '../../src/quarantine/record.js';
import { visibleString } from '../../src/base/text/visible-string.js';
import { openBench, type Bench } from './support.js';

let bench: Bench;
let connection: Connection;
beforeAll(async () => {
  bench = await openBench();
  connection = await connect(bench.job(bench.put('x', '')).database);
});
afterAll(async () => {
  await connection.close();
  await bench.close();
});

const place = (row: number): { row: number; line: number; offset: number } => ({
  row,
  line: row + 1,
  offset: row * 10,
});
const fault = (change: Partial<CellError> = {}): CellError => ({
  column: 'c',
  class: 'type-error',
  rule: null,
  message: 'not an integer',
  value: 'x',
  ...change,
});

describe('quarantined rows', () => {
  test('reach PostgreSQL whatever bytes and texts they hold', async () => {
    const texts = fc.string({ unit: 'binary', maxLength: 20 });
    const hostile = fc
      .array(fc.oneof(texts, fc.constantFrom('\0', '\uD800', '\uDC00\uD800', '\\u0000', '"', '\\')), { maxLength: 5 })
      .map((parts) => parts.join(''));
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            raw: fc.uint8Array({ maxLength: 50 }),
            column: fc.option(hostile),
            message: hostile,
            value: fc.option(hostile),
          }),
          { minLength: 1, maxLength: 20 },
        ),
        async (rows) => {
          await bench.query('truncate tallyman.quarantine');
          const record = new QuarantineRecord(7);
          rows.forEach((row, i) => record.add(place(i + 1), [fault(row)], Buffer.from(row.raw), row.raw.length));
          expect(await copyQuarantine(connection, 'tallyman', record.take())).toBe(rows.length);
          const found = await bench.query('select raw, errors from tallyman.quarantine order by row_number');
          expect(found.map((row) => row['raw'])).toEqual(rows.map((row) => Buffer.from(row.raw)));
          expect(found.map((row) => row['errors'])).toEqual(
            rows.map((row) => [
              {
                column: row.column === null ? null : visibleString(row.column),
                class: 'type-error',
                rule: null,
                message: visibleString(row.message),
                value: row.value === null ? null : visibleString(row.value),
              },
            ]),
          );
        },
      ),
      { numRuns: 40 },
    );
  });

  test('keep places past 2^32', async () => {
    await bench.query('truncate tallyman.quarantine');
    const record = new QuarantineRecord(2 ** 40);
    record.add(
      { row: 5_000_000_000, line: 6_000_000_000, offset: 2 ** 50 },
      [fault()],
      Buffer.from('r'),
      9_000_000_000,
    );
    await copyQuarantine(connection, 'tallyman', record.take());
    expect(
      await bench.query(
        'select load_id, row_number, line_number, byte_offset, raw_length, status from tallyman.quarantine',
      ),
    ).toEqual([
      {
        load_id: String(2 ** 40),
        row_number: '5000000000',
        line_number: '6000000000',
        byte_offset: String(2 ** 50),
        raw_length: '9000000000',
        status: 'open',
      },
    ]);
  });

  test('ask to be flushed at 8 MiB, and are forgotten when taken', () => {
    const record = new QuarantineRecord(1);
    record.add(place(1), [fault()], Buffer.alloc(8 * 1024 * 1024), 8 * 1024 * 1024);
    expect(record.full).toBe(true);
    record.take();
    expect(record.full).toBe(false);
    expect(record.take()).toHaveLength(0);
    expect(record.count).toBe(1);
  });

  test('of a rejected file stay within 32 MiB, 64 KiB a row', () => {
    const record = new QuarantineRecord(1);
    for (let i = 1; i <= 800; i++) record.add(place(i), [fault()], Buffer.alloc(100_000), 100_000);
    const kept = record.kept();
    expect(kept.length).toBeGreaterThan(32 * 1024 * 1024 - 70_000);
    expect(kept.length).toBeLessThan(32 * 1024 * 1024 + 70_000);
  });
});

describe('the groups of a report', () => {
  test('count rows by class, column and message, with the first place and its value', () => {
    const record = new QuarantineRecord(null);
    record.add(place(5), [fault({ value: 'five' }), fault({ column: 'd' })], Buffer.alloc(0), 0);
    record.add(place(3), [fault({ value: 'three' })], Buffer.alloc(0), 0);
    record.add(place(9), [fault(), fault()], Buffer.alloc(0), 0);
    expect(record.report()).toEqual([
      {
        class: 'type-error',
        column: 'c',
        rows: 3,
        first_row: 3,
        first_line: 4,
        example: 'three',
        message: 'not an integer',
      },
      {
        class: 'type-error',
        column: 'd',
        rows: 1,
        first_row: 5,
        first_line: 6,
        example: 'x',
        message: 'not an integer',
      },
    ]);
  });

  test('stay few when every message is another one', () => {
    const record = new QuarantineRecord(null);
    for (let i = 1; i <= 5000; i++) record.add(place(i), [fault({ message: `message ${i}` })], Buffer.alloc(0), 0);
    const report = record.report();
    expect(report.length).toBeLessThanOrEqual(210);
    expect(report.reduce((sum, group) => sum + group.rows, 0)).toBe(5000);
  });
});

test('a text is made visible: NUL and lone surrogates, nothing else', () => {
  expect(visibleString('a\0b')).toBe('a\\x00b');
  expect(visibleString('\uD83D\uDE00 \uD83D')).toBe('\uD83D\uDE00 \\uD83D');
  expect(visibleString('x'.repeat(5000))).toHaveLength(1024);
});
