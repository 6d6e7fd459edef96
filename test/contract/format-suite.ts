import { isUtf8 } from 'node:buffer';
import { describe, expect, test } from 'vitest';
import { ESCAPED, MISSING, NULL_CELL, type Batch, type SpanBatch } from '../../src/core/batch.js';
import type { ColumnSpec } from '../../src/core/feed/columns.js';
import type { Bytes, FormatType, RecordReader } from '../../src/core/format.js';

/** A record as tests compare it. Cells: text, or null for NULL; cells that the row lacks are not there. */
export interface ReadRow {
  readonly row: number;
  readonly line: number;
  readonly offset: number;
  readonly raw: string;
  readonly cells?: readonly (string | null)[];
  /** `cells[r]` when it is more than the cells given. */
  readonly found?: number;
  readonly fault?: string;
  readonly message?: string;
  readonly rawLength?: number | null;
}

/**
 * The bytes in chunks of the given sizes, over and over. `onEnd` is told when the receiver stops or the end is reached.
 */
export async function* inChunks(bytes: Buffer, sizes: readonly number[] = [bytes.length], onEnd?: () => void): Bytes {
  try {
    for (let at = 0, n = 0; at < bytes.length; n++) {
      const size = Math.max(1, sizes[n % sizes.length]!);
      // A copy that is overwritten once the receiver has asked for the one after the next would be stricter; a fresh
      // one finds wrong lengths.
      yield await Promise.resolve(Buffer.from(bytes.subarray(at, at + size)));
      at += size;
    }
  } finally {
    onEnd?.();
  }
}

/** Copies a batch's rows out of its buffers. */
export function rowsOf(batch: Batch): ReadRow[] {
  if (batch.kind !== 'spans') throw new Error('this suite reads texts');
  return Array.from({ length: batch.rows }, (_, r) => {
    const place = {
      row: batch.firstRow + r,
      line: batch.lines[r]!,
      offset: batch.offsets[r]!,
      raw: batch.bytes.toString('utf8', batch.rowStarts[r], batch.rowEnds[r]),
    };
    const fault = batch.faults.find((f) => f.row === r);
    if (fault !== undefined)
      return { ...place, fault: fault.class, message: fault.message, rawLength: fault.rawLength };
    const cells: (string | null)[] = [];
    for (let c = r * batch.width; c < (r + 1) * batch.width; c++) {
      const flag = batch.flags[c]!;
      if ((flag & MISSING) !== 0) continue;
      cells.push((flag & NULL_CELL) !== 0 ? null : cellOf(batch, c, flag));
    }
    return batch.cells[r]! > batch.width ? { ...place, cells, found: batch.cells[r]! } : { ...place, cells };
  });
}

function cellOf(batch: SpanBatch, cell: number, flag: number): string {
  const start = batch.starts[cell]!;
  const end = batch.ends[cell]!;
  if ((flag & ESCAPED) === 0) return batch.bytes.toString('utf8', start, end);
  const out = Buffer.alloc(end - start);
  return out.toString('utf8', 0, batch.unescape(start, end, out, 0));
}

/** All records; checks what every batch promises on the way. */
export async function readAll(reader: RecordReader): Promise<ReadRow[]> {
  const rows: ReadRow[] = [];
  for (let batch = await reader.next(); batch !== null; batch = await reader.next()) {
    if (batch.kind !== 'spans') throw new Error('this suite reads texts');
    expect(batch.rows).toBeGreaterThan(0);
    expect(batch.firstRow).toBe(rows.length + 1);
    expect(batch.width).toBe(Math.max(1, reader.layout.fileColumns.length));
    const got = rowsOf(batch);
    for (let r = 0; batch.clean && r < batch.rows; r++) {
      const raw = batch.bytes.subarray(batch.rowStarts[r], batch.rowEnds[r]);
      expect(isUtf8(raw) && !raw.includes(0)).toBe(true);
    }
    rows.push(...got);
  }
  return rows;
}

/** A file that the suite reads in many ways. */
export interface FormatSample<O> {
  readonly name: string;
  readonly bytes: Buffer;
  readonly options: O;
  readonly contract?: readonly ColumnSpec[];
}

/**
 * What every format that streams promises (core/format.ts), whatever it reads. `made`: its raw records are made (JSON),
 * and do not stand in the file as they are.
 */
export function formatSuite<O extends Record<string, unknown>>(
  type: FormatType<O>,
  samples: readonly FormatSample<O>[],
  made = false,
): void {
  const open = async (
    sample: FormatSample<O>,
    sizes?: readonly number[],
    batchRows?: number,
    onEnd?: () => void,
  ): Promise<RecordReader> =>
    await type.open(
      {
        bytes: inChunks(sample.bytes, sizes, onEnd),
        path: null,
        contract: sample.contract ?? null,
        ...(batchRows === undefined ? {} : { batchRows }),
      },
      sample.options,
    );

  describe(`${type.type}: the contract of a format`, () => {
    describe.each(samples)('$name', (sample) => {
      test('gives the same records, lines and offsets one byte at a time', async () => {
        const whole = await readAll(await open(sample));
        expect(await readAll(await open(sample, [1]))).toEqual(whole);
      });

      test.each([1, 2, 7])('gives the same records in batches of %i', async (batchRows) => {
        const whole = await readAll(await open(sample));
        const reader = await open(sample, [3, 1, 5], batchRows);
        expect(await readAll(reader)).toEqual(whole);
      });

      test('numbers records from 1 without a gap, on rising lines and offsets', async () => {
        const rows = await readAll(await open(sample));
        expect(rows.map((row) => row.row)).toEqual(rows.map((_, i) => i + 1));
        for (const [i, row] of rows.entries()) {
          if (i > 0) expect(row.line).toBeGreaterThan(rows[i - 1]!.line);
          if (i > 0) expect(row.offset).toBeGreaterThanOrEqual(rows[i - 1]!.offset + (made ? 0 : 1));
        }
      });

      if (!made)
        test('has each raw record at its offset', async () => {
          for (const row of await readAll(await open(sample))) {
            const raw = Buffer.from(row.raw);
            if (row.raw.includes('\uFFFD')) continue;
            expect(sample.bytes.subarray(row.offset, row.offset + raw.length).toString()).toBe(row.raw);
          }
        });

      test('says null again after the end', async () => {
        const reader = await open(sample);
        await readAll(reader);
        expect(await reader.next()).toBeNull();
        expect(await reader.next()).toBeNull();
      });

      test('names its format in the dialect', async () => {
        const reader = await open(sample);
        expect(reader.dialect()).toMatchObject({ format: type.type });
      });
    });

    test('close ends reading early, ends the source, and may be called twice', async () => {
      let ended = 0;
      const reader = await open(samples[0]!, [1], 1, () => ended++);
      await reader.next();
      await reader.close();
      await reader.close();
      expect(ended).toBe(1);
      expect(await reader.next()).toBeNull();
    });

    test('an error of the source comes through', async () => {
      async function* broken(): Bytes {
        yield await Promise.resolve(samples[0]!.bytes.subarray(0, 3));
        throw new Error('the source broke');
      }
      await expect(
        (async () => {
          const reader = await type.open(
            { bytes: broken(), path: null, contract: samples[0]!.contract ?? null },
            samples[0]!.options,
          );
          await readAll(reader);
        })(),
      ).rejects.toThrow('the source broke');
    });

    test('takes its own options again', () => {
      for (const { options } of samples) expect(type.options.parse(options)).toEqual(options);
    });

    if (type.emptyIsValid)
      test('a file of no bytes is empty and has no records', async () => {
        const reader = await open({ ...samples[0]!, bytes: Buffer.alloc(0) });
        expect(reader.empty).toBe(true);
        expect(reader.layout.missing).toEqual([]);
        expect(await reader.next()).toBeNull();
      });
  });
}
