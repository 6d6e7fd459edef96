import { describe, expect, test } from 'vitest';
import type { Batch } from '../../src/core/batch.js';
import type { RecordReader } from '../../src/core/format.js';
import { ReaderWrapper } from '../../src/formats/reader-wrapper.js';
import { ShiftedReader } from '../../src/load/control/shifted-reader.js';
import { DecodedReader } from '../../src/load/read/decoded-reader.js';
import { CsvBatch } from '../../src/formats/csv/csv-batch.js';
import { compileDialect } from '../../src/formats/csv/dialect.js';
import { csv } from '../../src/formats/csv/index.js';
import { inChunks } from '../contract/format-suite.js';

/** Every member of a reader: with one more in RecordReader this does not compile until it is passed on and tested. */
const MEMBERS = {
  layout: true,
  empty: true,
  dialect: true,
  declaredRows: true,
  memberOf: true,
  next: true,
  close: true,
} satisfies Record<keyof RecordReader, true>;

const BATCH: Batch = new CsvBatch(compileDialect(csv.options.parse({})), 1, 1);

class Inner implements Required<RecordReader> {
  readonly layout = { fileColumns: [], cellOf: [], unknown: [], missing: ['a'], drift: [] };
  readonly empty = true;
  readonly declaredRows = 7;
  closed = false;
  #given = false;
  readonly dialect = (): { readonly format: string } => ({ format: 'inner' });
  readonly memberOf = (row: number): string => `member ${row}`;

  async next(): Promise<Batch | null> {
    if (this.#given) return await Promise.resolve(null);
    this.#given = true;
    return BATCH;
  }

  async close(): Promise<void> {
    this.closed = await Promise.resolve(true);
  }
}

describe.each([
  ['ReaderWrapper', (inner: RecordReader) => new ReaderWrapper(inner)],
  ['ShiftedReader', (inner: RecordReader) => new ShiftedReader(inner, () => 1)],
  [
    'DecodedReader',
    (inner: RecordReader) => new DecodedReader(inner, { bytes: inChunks(Buffer.alloc(0)), encoding: null }, 'none'),
  ],
] as const)('%s', (_name, wrap) => {
  test.each(Object.keys(MEMBERS))('has %s', (member) => {
    expect(member in wrap(new Inner())).toBe(true);
  });

  test('passes on what the reader inside says', async () => {
    const inner = new Inner();
    const reader = wrap(inner);
    expect(reader.layout).toEqual(inner.layout);
    expect([reader.empty, reader.declaredRows, reader.memberOf(3)]).toEqual([true, 7, 'member 3']);
    expect(reader.dialect()).toMatchObject({ format: 'inner' });
    expect([await reader.next(), await reader.next()]).toEqual([BATCH, null]);
    await reader.close();
    expect(inner.closed).toBe(true);
  });
});

test('a reader that knows no members has none when it is wrapped either', () => {
  const whole = new Inner();
  const { layout, empty, declaredRows, dialect } = whole;
  const inner = { layout, empty, declaredRows, dialect, next: () => whole.next(), close: () => whole.close() };
  expect(new ReaderWrapper(inner).memberOf(1)).toBeNull();
});
