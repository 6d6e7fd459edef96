import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import type { FeedSpec } from '../../../src/core/feed/feed.js';
import { openCsv } from '../../../src/formats/csv/open.js';
import { csvOptions } from '../../../src/formats/csv/options.js';
import { writtenExpression } from '../../../src/base/expression/expression.js';
import { cutControlRecords, type ControlRecords } from '../../../src/load/control/control-stream.js';
import { column } from '../support.js';
import { check, controlOf, removeDir } from './support.js';

afterAll(removeDir);

const TRAILER = '^TRL,(?<rows>\\d+)';
const trailer = (change: Partial<FeedSpec> = {}): Partial<FeedSpec> => ({
  control: controlOf({ trailer: TRAILER }),
  ...change,
});
const read = (rows: number, declared: number | null = rows): object => ({
  error: null,
  rows: { read: rows, loaded: rows, quarantined: 0, declared, delta: 0 },
});
const rejected = (code: string, message?: unknown): object => ({
  error: message === undefined ? { code } : { code, message },
});

describe('a trailer', () => {
  test('is not data, and its number of rows joins the tally', async () => {
    expect(await check('id,name\n1,a\n2,b\nTRL,2\n', trailer())).toMatchObject(read(2));
  });

  test.each([
    ['no final newline', 'id,name\n1,a\n2,b\nTRL,2'],
    ['CRLF', 'id,name\r\n1,a\r\n2,b\r\nTRL,2\r\n'],
    ['CR', 'id,name\r1,a\r2,b\rTRL,2\r'],
    ['blank lines behind it', 'id,name\n1,a\n2,b\nTRL,2\n\n\n\r\n'],
    ['lines of blanks and a Ctrl-Z behind it', 'id,name\n1,a\n2,b\nTRL,2\n   \n\u001a'],
    ['blank lines before it', 'id,name\n1,a\n2,b\n\n\nTRL,2\n'],
    ['more cells than the data', 'id,name\n1,a\n2,b\nTRL,2,x,y,z\n'],
    ['fewer cells than the data', 'id,name\n1,a\n2,b\nTRL,0002\n'],
    ['quotes in it', 'id,name\n1,a\n2,b\nTRL,2,"x ""y"" z"\n'],
    ['a quoted cell of several lines before it', 'id,name\n1,"a\nb"\n2,"TRL,7\nb"\nTRL,2\n'],
    ['a byte order mark', '\uFEFFid,name\n1,a\n2,b\nTRL,2\n'],
  ])('with %s', async (_, content) => {
    expect(await check(content, trailer())).toMatchObject(read(2));
  });

  test('in UTF-16, and through gzip', async () => {
    const content = 'id,name\r\n1,ä\r\n2,b\r\nTRL,2\r\n';
    expect(
      await check(
        Buffer.from(`\uFEFF${content}`, 'utf16le'),
        trailer({ format: { type: 'csv', options: { encoding: 'utf-16' } } }),
      ),
    ).toMatchObject(read(2));
    expect(await check(gzipSync(content), trailer())).toMatchObject(read(2));
  });

  test('in a file cut off before it, the file is rejected', async () => {
    expect(await check('id,name\n1,a\n2,b\n', trailer())).toMatchObject(
      rejected('CONTROL_MISSING', expect.stringContaining('"2,b" does not match control.trailer')),
    );
    expect(await check('', trailer())).toMatchObject(rejected('CONTROL_MISSING'));
    expect(await check('\n\n', trailer())).toMatchObject(rejected('CONTROL_MISSING'));
  });

  test('one within a quoted cell is none', async () => {
    expect(await check('id,name\n1,a\n2,"b\nTRL,2"\n', trailer())).toMatchObject(
      rejected('CONTROL_MISSING', expect.stringContaining('ends a quoted cell')),
    );
  });

  test('of a wrong number, the file is rejected with both sides', async () => {
    expect(await check('id,name\n1,a\n2,b\nTRL,3\n', trailer())).toMatchObject({
      error: { code: 'DECLARED_ROWS_MISMATCH', message: 'the trailer says 3 rows; 2 were read' },
      rows: { read: 2, declared: 3, loaded: 0 },
    });
  });

  test('in the middle is an ordinary record', async () => {
    expect(await check('id,name\n1,a\n2,b\nTRL,2\n4,c\n5,d\nTRL,5\n', trailer())).toMatchObject({
      error: null,
      rows: { read: 5, loaded: 4, quarantined: 1, declared: 5 },
    });
  });

  test('alone is a file of no records, with a header line or without', async () => {
    expect(await check('id,name\nTRL,0\n', trailer())).toMatchObject(read(0));
    expect(await check('TRL,0\n', trailer())).toMatchObject(read(0));
    expect(
      await check(
        'TRL,0',
        trailer({
          format: { type: 'csv', options: { header: false } },
          columns: [
            column('a', 'integer', { from: [1] }),
            column('b', 'text', { from: [2] }),
            column('c', 'text', { from: [3] }),
          ],
        }),
      ),
    ).toMatchObject(read(0));
  });

  test('does not give the number of columns of a file without contract', async () => {
    expect(
      await check(
        '1,a,x\n2,b,y\nTRL,2,,,,,,\n',
        trailer({ format: { type: 'csv', options: { header: false } }, columns: null, onUnknownColumn: 'add' }),
      ),
    ).toMatchObject({ ...read(2), drift: [] });
  });

  test('counted with header line and trailer by its sender', async () => {
    expect(
      await check('id,name\n1,a\n2,b\nTRL,4\n', { control: controlOf({ trailer: TRAILER, rowsOffset: 2 }) }),
    ).toMatchObject(read(2));
  });

  test('may begin with the comment mark', async () => {
    expect(
      await check('id,name\n1,a\n#rows=1\n', {
        control: controlOf({ trailer: '^#rows=(?<rows>\\d+)$' }),
        format: { type: 'csv', options: { comment: '#' } },
      }),
    ).toMatchObject(read(1));
  });

  test('bad rows are counted by its sender, too', async () => {
    expect(await check('id,name\n1,a\nx,b\n3,c\nTRL,3\n', trailer())).toMatchObject({
      error: null,
      rows: { read: 3, loaded: 2, quarantined: 1, declared: 3 },
    });
  });

  test('behind JSON lines, pretty objects and an array', async () => {
    const json = trailer({ format: { type: 'json', options: {} }, onUnknownColumn: 'reject' });
    expect(await check('{"id":1,"name":"a"}\n{"id":2,"name":"b"}\nTRL,2\n', json)).toMatchObject(read(2));
    expect(await check('{\n"id":1,\n"name":"a"}\n{"id":2,"name":"b"}\nTRL,2\n', json)).toMatchObject(read(2));
    expect(await check('[{"id":1,"name":"a"},\n{"id":2,"name":"b"}]\nTRL,2\n', json)).toMatchObject(read(2));
    const object = trailer({
      format: { type: 'json', options: {} },
      onUnknownColumn: 'reject',
      control: controlOf({ trailer: '^\\{"count": ?(?<rows>\\d+)\\}$' }),
    });
    expect(await check('{"id":1,"name":"a"}\n{"count":1}', object)).toMatchObject({ ...read(1), drift: [] });
  });

  test('behind lines of fixed width', async () => {
    const columns = [column('id', 'integer', { start: 1, width: 3 }), column('name', 'text', { start: 4, width: 3 })];
    expect(
      await check('001abc\n002def\n99900000002\n', {
        format: { type: 'fixed', options: {} },
        columns,
        control: controlOf({ trailer: '^999(?<rows>\\d{8})' }),
      }),
    ).toMatchObject(read(2));
  });
});

describe('a header record', () => {
  const HEADER = '^HDR\\|(?<rows>\\d+)';
  const both = { control: controlOf({ header: HEADER, trailer: TRAILER }) };

  test('is not data, and its number of rows joins the tally', async () => {
    expect(await check('HDR|2\nid,name\n1,a\n2,b\n', { control: controlOf({ header: HEADER }) })).toMatchObject(
      read(2),
    );
    expect(await check('\uFEFF\r\nHDR|2\r\nid,name\r\n1,a\r\n2,b\r\nTRL,2\r\n', both)).toMatchObject(read(2));
  });

  test('stands behind skip_lines and comments', async () => {
    expect(
      await check('title\n# made by x\nHDR|1\nid,name\n1,a\n', {
        control: controlOf({ header: HEADER }),
        format: { type: 'csv', options: { skip_lines: 1, comment: '#' } },
      }),
    ).toMatchObject(read(1));
  });

  test('that is not there, the file is rejected', async () => {
    expect(await check('id,name\n1,a\n', { control: controlOf({ header: HEADER }) })).toMatchObject(
      rejected('CONTROL_MISSING', expect.stringContaining('"id,name" does not match control.header')),
    );
    expect(await check('', { control: controlOf({ header: HEADER }) })).toMatchObject(rejected('CONTROL_MISSING'));
  });

  test('and a trailer that disagree: rejected, with both', async () => {
    expect(await check('HDR|3\nid,name\n1,a\n2,b\nTRL,2\n', both)).toMatchObject(
      rejected('DECLARED_ROWS_MISMATCH', 'the header record says 3 rows, the trailer says 2 rows; 2 were read'),
    );
  });

  test('and a record that takes too long to hold against its expression is told so, not waited for', async () => {
    const slow = { ...PLAIN, trailer: writtenExpression('^(a+)+(b+)\\2+(c)\\1$') };
    await expect(cutAll(Buffer.from(`1,a\n${'a'.repeat(60)}bb\n`), [65_536], slow)).rejects.toMatchObject({
      code: 'CONTROL_MISSING',
      message: expect.stringContaining('it took too long to hold the last record') as string,
    });
    const many = { ...PLAIN, trailer: writtenExpression('^(?<all>(a+)+);$') };
    await expect(cutAll(Buffer.from(`1,a\n${'a'.repeat(100_000)}\n`), [65_536], many)).rejects.toMatchObject({
      message: expect.stringContaining('does not match') as string,
    });
    expect(await cutAll(Buffer.from(`1,a\n${'a'.repeat(50)};\n`), [65_536], many)).toMatchObject({
      trailer: 'a'.repeat(50),
    });
  });

  test('lines and bytes of bad rows are those of the file', async () => {
    const cut = cutControlRecords(chunks(Buffer.from('HDR|2\nid,name\nx,a\n')), {
      ...PLAIN,
      header: writtenExpression('^HDR'),
    });
    const reader = await openCsv({ bytes: cut.bytes, path: null, contract: null }, csvOptions.parse({}));
    const batch = await reader.next();
    expect(batch).toMatchObject({ kind: 'spans', rows: 1 });
    expect(batch?.kind === 'spans' ? [batch.lines[0], batch.offsets[0]! + cut.shift()] : null).toEqual([3, 14]);
    await reader.close();
  });
});

const PLAIN: ControlRecords = { header: null, trailer: null, skipLines: 0, comment: null, quote: '"', escape: null };

async function* chunks(bytes: Buffer, sizes: readonly number[] = []): AsyncGenerator<Buffer, void, undefined> {
  await Promise.resolve();
  const slots = [0, 1, 2].map(() => Buffer.alloc(bytes.length));
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = sizes.length === 0 ? bytes.length : sizes[turn % sizes.length]!;
    // A chunk may be used again when the one after the next is asked for (core/format.ts): here it is, at once.
    const slot = slots[turn % 3]!;
    yield slot.subarray(0, bytes.copy(slot, 0, at, at + size));
    at += size;
  }
}

async function cutAll(
  bytes: Buffer,
  sizes: readonly number[],
  records: ControlRecords,
): Promise<{ readonly text: string; readonly trailer: string | undefined }> {
  const cut = cutControlRecords(chunks(bytes, sizes), records);
  const parts: Buffer[] = [];
  for await (const chunk of cut.bytes) parts.push(Buffer.from(chunk));
  return { text: Buffer.concat(parts).toString(), trailer: cut.trailer()?.get('all') };
}

describe('cutting', () => {
  const END = fc.constantFrom('\n', '\r\n', '\r', '\n\n', '\r\n \t\r\n');
  const LINE = fc.string({ unit: fc.constantFrom('a', ',', ' ', 'ä', '7'), maxLength: 12 });

  test('what is left and the trailer are the file, however it comes in chunks', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(LINE, END), { maxLength: 12 }),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 }),
        fc.constantFrom('', '\n', '\r\n', '\n\n  \r\n'),
        async (lines, sizes, tail) => {
          const before = lines.map(([line, end]) => line + end).join('');
          const { text, trailer: all } = await cutAll(Buffer.from(`${before}T 5 x${tail}`), sizes, {
            ...PLAIN,
            trailer: writtenExpression('^(?<all>.*)$'),
          });
          expect({ text, all }).toEqual({ text: before, all: 'T 5 x' });
        },
      ),
      { numRuns: 300 },
    );
  });

  test('a last line longer than a trailer can be is none', async () => {
    const long = Buffer.concat([Buffer.from('a\n'), Buffer.alloc(3 * 1024 * 1024, 0x62)]);
    await expect(cutAll(long, [65_536], { ...PLAIN, trailer: writtenExpression('b') })).rejects.toMatchObject({
      code: 'CONTROL_MISSING',
    });
    const before = await cutAll(Buffer.concat([long, Buffer.from('\nT 1\n')]), [65_536], {
      ...PLAIN,
      trailer: writtenExpression('^(?<all>T 1)$'),
    });
    expect(before).toMatchObject({ trailer: 'T 1' });
    expect(before.text.length).toBe(long.length + 1);
  });
});
