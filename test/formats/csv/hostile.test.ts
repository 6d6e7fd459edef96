import { describe, expect, test } from 'vitest';
import type { Bytes } from '../../../src/core/format.js';
import { csv } from '../../../src/formats/csv/index.js';
import { openCsv } from '../../../src/formats/csv/open.js';
import { rowsOf } from '../../contract/format-suite.js';
import { cells, column, openText, read } from './helpers.js';

const MIB = 2 ** 20;

/** Pieces of a file that is never in memory as a whole. */
async function* pieces(...parts: readonly (readonly [piece: Buffer, times: number])[]): Bytes {
  for (const [piece, times] of parts) {
    for (let n = 0; n < times; n++) yield await Promise.resolve(piece);
  }
}

/** Counts, and keeps the faults: for files with too many rows to keep. */
async function count(
  bytes: Bytes,
  options: Record<string, unknown> = {},
): Promise<{
  rows: number;
  faults: readonly { line: number; class: string; rawLength: number | null; raw: number }[];
  lastLine: number;
}> {
  const reader = await openCsv({ bytes, path: null, contract: null }, csv.options.parse(options));
  const faults = [];
  let rows = 0;
  let lastLine = 0;
  for (let batch = await reader.next(); batch !== null; batch = await reader.next()) {
    rows += batch.rows;
    lastLine = batch.lines[batch.rows - 1]!;
    for (const fault of batch.faults) {
      faults.push({
        line: batch.lines[fault.row]!,
        class: fault.class,
        rawLength: fault.rawLength,
        raw: batch.rowEnds[fault.row]! - batch.rowStarts[fault.row]!,
      });
    }
  }
  return { rows, faults, lastLine };
}

describe('hostile files', () => {
  test('a line of 50 MB is too-long: its first 64 KiB, its whole length, and its neighbours as they are', async () => {
    const reader = await openCsv(
      {
        bytes: pieces([Buffer.from('a,b\n1,2\n'), 1], [Buffer.alloc(MIB, 'x'), 50], [Buffer.from('\r\n3,4\n'), 1]),
        path: null,
        contract: null,
      },
      csv.options.parse({}),
    );
    const rows = [];
    for (let batch = await reader.next(); batch !== null; batch = await reader.next()) rows.push(...rowsOf(batch));
    expect(rows).toMatchObject([
      { row: 1, line: 2, offset: 4, cells: ['1', '2'] },
      {
        row: 2,
        line: 3,
        offset: 8,
        fault: 'too-long',
        message: 'longer than 16MiB (format.max_record)',
        rawLength: 50 * MIB,
        raw: 'x'.repeat(65_536),
      },
      { row: 3, line: 4, offset: 10 + 50 * MIB, cells: ['3', '4'] },
    ]);
  });

  test('a line of 1 GB costs no memory', async () => {
    const before = process.memoryUsage.rss();
    let peak = 0;
    const watched = async function* (): Bytes {
      for await (const piece of pieces(
        [Buffer.from('a\n1\n'), 1],
        [Buffer.alloc(4 * MIB, 'x'), 256],
        [Buffer.from('\n2'), 1],
      )) {
        peak = Math.max(peak, process.memoryUsage.rss());
        yield piece;
      }
    };
    expect(await count(watched())).toEqual({
      rows: 3,
      faults: [{ line: 3, class: 'too-long', rawLength: 1024 * MIB, raw: 65_536 }],
      lastLine: 4,
    });
    expect(peak - before).toBeLessThan(150 * MIB);
  });

  test('a carriage return between the pieces of a long line is seen with what follows it', async () => {
    const options = { max_record: 100_000 };
    for (const before of ['', 'a,"b",']) {
      const line: [Buffer, number][] = [
        [Buffer.from(`a\n${before}`), 1],
        [Buffer.alloc(700_000, 'x'), 1],
        [Buffer.from('\r'), 1],
      ];
      expect(await count(pieces(...line, [Buffer.from('\n2\r\n'), 1]), options)).toMatchObject({
        rows: 2,
        lastLine: 3,
      });
      expect(await count(pieces(...line, [Buffer.from('2\r\n'), 1]), options)).toMatchObject({ rows: 2, lastLine: 3 });
      expect(await count(pieces(...line), options)).toMatchObject({ rows: 1, lastLine: 2 });
    }
  });

  test('a record of exactly max_record is whole, one byte more is too long', async () => {
    const line = 'x'.repeat(1_000);
    expect(await cells(`a\r\n${line}\r\n${line}y\r\n${line}`, { max_record: 1_000 })).toEqual([
      [line],
      'too-long',
      [line],
    ]);
  });

  test('a quote that never closes in 100 MB costs one line', async () => {
    const line = Buffer.from('1,abcdefghijklmnopqrstuvwxyz\n');
    const many = Buffer.alloc(line.length * 36_000, line);
    expect(await count(pieces([Buffer.from('a,b\n0,"open\n'), 1], [many, 100]))).toEqual({
      rows: 3_600_001,
      faults: [{ line: 2, class: 'quote-error', rawLength: null, raw: 7 }],
      lastLine: 3_600_002,
    });
  });

  test('a line of 20 MB with an open quote costs this line', async () => {
    expect(
      await count(pieces([Buffer.from('a\n"'), 1], [Buffer.alloc(MIB, 'x'), 20], [Buffer.from('\n2\n'), 1])),
    ).toEqual({
      rows: 2,
      faults: [{ line: 2, class: 'quote-error', rawLength: 20 * MIB + 1, raw: 65_536 }],
      lastLine: 3,
    });
  });

  // Each of these would run out of time if a bad quote made the scanner read the rest of the file, or 16 MiB of it,
  // once a line.
  test.each([
    ['an open quote', '1,"open\n'],
    ['a quote that closes one and opens another', 'a","\n'],
    ['a lone quote', '"\n'],
    ['a doubled quote too few', '1,"""\n'],
    ['an odd quote behind text', 'x"y,"z\n'],
  ])('%s on each of 60,000 lines', async (_, line) => {
    const many = Buffer.alloc(line.length * 600, line);
    const counted = await count(pieces([Buffer.from('a,b,c\n'), 1], [many, 100]));
    expect(counted.rows).toBeGreaterThanOrEqual(30_000);
    expect(counted.lastLine).toBeGreaterThanOrEqual(59_999);
  });

  test('a quote that opens far before many that reopen stays within width + 1 passes', async () => {
    const block = Buffer.concat([Buffer.from('a","\n'), Buffer.alloc(300_000, 'plain line,2,3\n')]);
    expect((await count(pieces([Buffer.from('a,b,c\n'), 1], [block, 60]))).rows).toBe(60 * 20_001);
  });

  test('1 MB of commas is a row with too many cells, of which the empty ones do not count', async () => {
    expect(await read(`a,b\n${','.repeat(1_000_000)}\n${','.repeat(1_000_000)}x\n`)).toMatchObject([
      { cells: [null, null] },
      { cells: [null, null], found: 1_000_001 },
    ]);
  });

  test('1 MB of quotes', async () => {
    expect(await read(`a\n${'"'.repeat(1_000_000)}\n${'"'.repeat(999_999)}\n1\n`)).toMatchObject([
      { cells: ['"'.repeat(499_999)] },
      { fault: 'quote-error', line: 3 },
      { cells: ['1'] },
    ]);
  });

  test('1 MB of line ends', async () => {
    expect(await read(`a\n${'\n'.repeat(500_000)}${'\r'.repeat(500_000)}1\n`)).toMatchObject([
      { line: 1_000_002, cells: ['1'] },
    ]);
  });

  test('NUL and invalid UTF-8 make a batch that says so, and only that', async () => {
    for (const bad of [
      Buffer.from('a\n1\n\0\n2\n'),
      Buffer.from('a\n1\n\xff\n2\n', 'latin1'),
      Buffer.from([0x61, 10, 0xc3, 10, 0xa9, 10]),
      Buffer.from([0x61, 10, 0xed, 0xa0, 0x80, 10]),
    ]) {
      const reader = await openText(bad);
      expect((await reader.next())?.clean).toBe(false);
    }
    const reader = await openText('a\né\n𝄞\n');
    expect((await reader.next())?.clean).toBe(true);
  });

  test('a row of a batch is not blamed for the bytes of the next', async () => {
    const reader = await openText(Buffer.from('a\n1\n\xff\n', 'latin1'), {}, { batchRows: 1 });
    expect((await reader.next())?.clean).toBe(true);
    expect((await reader.next())?.clean).toBe(false);
  });

  test('a header like __proto__ or constructor is a name', async () => {
    const reader = await openText(
      '__proto__,constructor,toString\n1,2,3\n',
      {},
      { contract: [column('constructor'), column('toString'), column('__proto__')] },
    );
    expect(reader.layout).toMatchObject({ cellOf: [1, 2, 0], unknown: [], missing: [] });
  });
});
