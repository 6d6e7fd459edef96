import { afterAll, describe, expect, test } from 'vitest';
import type { Vector, VectorBatch, VectorType } from '../../../src/core/batch.js';
import type { FeedSpec } from '../../../src/core/feed/feed.js';
import { Totals } from '../../../src/load/control/totals.js';
import { column } from '../support.js';
import { check, controlOf, removeDir } from './support.js';

afterAll(removeDir);

const LIMITS = { badRows: null, badRatio: null, minRows: 0, databaseRows: 1 };
const feed = (change: Partial<FeedSpec> = {}): Partial<FeedSpec> => ({
  columns: [column('id', 'integer'), column('amount', 'numeric(12,2)')],
  control: controlOf({ trailer: '^TRL,(?<rows>\\d+),(?<total>\\S+)', totals: { amount: 'total' } }),
  limits: LIMITS,
  ...change,
});

describe('a control total', () => {
  test('is the exact sum of the column', async () => {
    expect(await check('id,amount\n1,0.10\n2,0.20\nTRL,2,0.30\n', feed())).toMatchObject({
      error: null,
      rows: { read: 2, declared: 2 },
    });
    expect(await check('id,amount\n1,0.10\n2,0.20\nTRL,2,000.3\n', feed())).toMatchObject({ error: null });
  });

  test('that differs rejects the file, with both sides', async () => {
    expect(await check('id,amount\n1,0.10\n2,0.20\nTRL,2,0.31\n', feed())).toMatchObject({
      error: { code: 'TOTALS_MISMATCH', message: 'the trailer says 0.31 for amount, all records together have 0.3' },
      rows: { loaded: 0 },
    });
  });

  test('counts the records that are refused: the sender added them up, too', async () => {
    const content = 'id,amount\n1,1.00\nx,2.00\n3,4.001\n4,8,y\nTRL,4,15.001\n';
    expect(await check(content, feed())).toMatchObject({ error: null, rows: { read: 4, loaded: 1, quarantined: 3 } });
  });

  test('takes cells that are no number for nothing, and says how many', async () => {
    const content = 'id,amount\n1,1\n2,abc\n3,\n4,2\nTRL,4,';
    expect(await check(`${content}3`, feed())).toMatchObject({ error: null, rows: { quarantined: 1 } });
    expect(await check(`${content}5`, feed())).toMatchObject({
      error: {
        code: 'TOTALS_MISMATCH',
        message: 'the trailer says 5 for amount, all records together have 3; 1 cell is no number and was not added',
      },
    });
  });

  test('is read in the form of the column, or plain', async () => {
    const columns = [column('id', 'integer'), column('amount', 'numeric(12,2)', { decimal: ',', thousands: '.' })];
    const content = (total: string): string => `id;amount\n1;1.000,50\n2;2,00\nTRL,2,${total}\n`;
    const german = feed({ columns, format: { type: 'csv', options: { delimiter: ';' } } });
    for (const total of ['1.002,50', '1002,5', '1002.50'])
      expect(await check(content(total), german)).toMatchObject({ error: null });
  });

  test('that is no number is no word of the sender', async () => {
    expect(await check('id,amount\n1,1\nTRL,1,abc\n', feed())).toMatchObject({
      error: { code: 'CONTROL_MISSING', message: expect.stringContaining('"abc"') as string },
    });
  });

  test('of quoted and escaped cells, and of JSON numbers and strings', async () => {
    expect(await check('id,amount\n1,"1.5"\n2,"2"""\nTRL,2,1.5\n', feed())).toMatchObject({ error: null });
    const json = feed({ format: { type: 'json', options: {} }, onUnknownColumn: 'ignore' });
    expect(
      await check(
        '{"id":1,"amount":123456789012345678.01}\n{"id":2,"amount":"0.5"}\n{"id":3,"amount":null}\n{"id":4}\nTRL,4,123456789012345678.51',
        json,
      ),
    ).toMatchObject({ error: null, rows: { read: 4 } });
  });

  test('of a file without contract, by the name of its column', async () => {
    expect(
      await check(
        'Id,Total Amount\n1,2.5\n2,3\nTRL,2,5.5\n',
        feed({
          columns: null,
          onUnknownColumn: 'add',
          control: controlOf({ trailer: '^TRL,\\d+,(?<total>.*)', totals: { total_amount: 'total' } }),
        }),
      ),
    ).toMatchObject({ error: null });
  });

  test('of no records is 0', async () => {
    expect(await check('TRL,0,0.00\n', feed())).toMatchObject({ error: null, rows: { read: 0 } });
  });

  test('that nobody says is missing', async () => {
    const control = controlOf({ trailer: '^TRL,(?<rows>\\d+)(?:,(?<total>.*))?', totals: { amount: 'total' } });
    expect(await check('id,amount\n1,1\nTRL,1\n', feed({ control }))).toMatchObject({
      error: { code: 'CONTROL_MISSING', message: expect.stringContaining('"total"') as string },
    });
  });
});

describe('a control total of column vectors', () => {
  const vector = (
    type: VectorType,
    bytes: Buffer,
    words = new Int32Array(0),
    validity: Uint8Array | null = null,
  ): Vector => ({ type, validity, bytes, words, children: [], clean: true });
  const wide = (bytes: Buffer<ArrayBuffer>) => new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
  function sumOf(one: Vector, rows: number): { readonly sum: string; readonly strange: number } {
    const batch: VectorBatch = {
      kind: 'vectors',
      rows,
      columns: [one],
      names: ['amount'],
      firstRow: 1,
      size: one.bytes.length,
    };
    const totals = new Totals({ amount: 'total' }, [column('amount', 'numeric')], [0], false);
    totals.add(batch);
    return { sum: totals.totals[0]!.sum.toString(), strange: totals.totals[0]!.strange };
  }
  const aligned = (size: number): Buffer<ArrayBuffer> => Buffer.from(new ArrayBuffer(size));

  test('integers of all widths, signed and unsigned', () => {
    expect(sumOf(vector({ kind: 'int', bytes: 1, signed: true }, Buffer.from([0xff, 2])), 2).sum).toBe('1');
    expect(sumOf(vector({ kind: 'int', bytes: 1, signed: false }, Buffer.from([0xff, 2])), 2).sum).toBe('257');
    const eight = aligned(24);
    eight.writeBigInt64LE(-(2n ** 63n), 0);
    eight.writeBigInt64LE(-5n, 8);
    eight.writeBigInt64LE(2n ** 40n, 16);
    expect(sumOf(vector({ kind: 'int', bytes: 8, signed: true }, eight, wide(eight)), 3).sum).toBe(
      String(-(2n ** 63n) - 5n + 2n ** 40n),
    );
    expect(sumOf(vector({ kind: 'int', bytes: 8, signed: false }, eight, wide(eight)), 3).sum).toBe(
      String(2n ** 63n + 2n ** 64n - 5n + 2n ** 40n),
    );
    const four = aligned(8);
    four.writeInt32LE(-1, 0);
    four.writeInt32LE(3, 4);
    expect(sumOf(vector({ kind: 'int', bytes: 4, signed: false }, four, wide(four)), 2).sum).toBe(String(2 ** 32 + 2));
  });

  test('decimals with their scale, and NULLs left out', () => {
    const bytes = aligned(32);
    bytes.writeBigInt64LE(-1n, 0);
    bytes.writeBigInt64LE(-1n, 8);
    bytes.writeBigInt64LE(999n, 16);
    const type = { kind: 'decimal', bytes: 16, precision: 38, scale: 2 } as const;
    expect(sumOf(vector(type, bytes, wide(bytes)), 2).sum).toBe('9.98');
    expect(sumOf(vector(type, bytes, wide(bytes), new Uint8Array([0b10])), 2).sum).toBe('9.99');
  });

  test('floats by the digits that they print with, and what is no number is counted', () => {
    const single = aligned(8);
    single.writeFloatLE(0.1, 0);
    single.writeFloatLE(0.2, 4);
    expect(sumOf(vector({ kind: 'real' }, single, wide(single)), 2).sum).toBe('0.3');
    const double = aligned(16);
    double.writeDoubleLE(0.1, 0);
    double.writeDoubleLE(NaN, 8);
    expect(sumOf(vector({ kind: 'double' }, double, wide(double)), 2)).toEqual({ sum: '0.1', strange: 1 });
  });

  test('texts and digits of any length', () => {
    expect(sumOf(vector({ kind: 'text' }, Buffer.from('1.5abc2'), Int32Array.from([0, 3, 6, 7])), 3)).toEqual({
      sum: '3.5',
      strange: 1,
    });
    expect(
      sumOf(vector({ kind: 'digits', scale: 1 }, Buffer.from([0xff, 0x01, 0x00]), Int32Array.from([0, 1, 3])), 2).sum,
    ).toBe('25.5');
  });
});
