import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { bzip2Magic, contents } from './kinds.js';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { detect } from '../../src/decode/detect.js';
import { decode, open, problem } from './support.js';

const ROOT = path.resolve(import.meta.dirname, '../..');
const CSV = Buffer.from('id,v\n1,a\n');
const GZ = gzipSync(CSV);
const ZST = readFileSync(path.join(ROOT, 'fixtures/compressed/default.zst'));

describe('compression: auto', () => {
  test.each([
    ['gzip under a plain name', GZ, 'orders.csv', 'gzip'],
    ['zstd under the name of gzip', ZST, 'orders.csv.gz', 'zstd'],
    ['plain text', CSV, 'orders.csv', 'none'],
    ['plain text under the name of gzip', CSV, 'orders.csv.gz', 'none'],
    ['no bytes', Buffer.alloc(0), 'orders.csv', 'none'],
  ])('%s', async (_name, bytes, name, compression) => {
    expect((await open(bytes, { name, chunk: 1 })).compression).toBe(compression);
  });

  test.each(['gz', 'GZ', 'zst', 'zip'])('0 bytes as .%s are no empty file', async (ending) => {
    expect(await problem(() => open(Buffer.alloc(0), { name: `orders.csv.${ending}` }))).toContain('EMPTY_NOT_ALLOWED');
  });

  test('one byte as .gz is cut off', async () => {
    expect(await problem(() => decode(Buffer.of(0x1f), { name: 'a.gz' }))).toBe(
      'FILE_CORRUPT: The gzip file is cut off: it ends at byte 1.',
    );
  });

  test('zeros as .gz: FORMAT_MISMATCH', async () => {
    expect(await problem(() => open(Buffer.alloc(5_000), { name: 'a.csv.gz' }))).toBe(
      'FORMAT_MISMATCH: The file is named as gzip, but does not begin as one.',
    );
  });
});

describe('compression: a name', () => {
  test.each([
    ['gzip', CSV, 'not compressed, or damaged in its first bytes'],
    ['gzip', ZST, 'zstd'],
    ['zstd', GZ, 'gzip'],
    ['zip', GZ, 'gzip'],
  ])('%s: anything else is FORMAT_MISMATCH with what it is', async (compression, bytes, title) => {
    expect(await problem(() => open(bytes, { compression }))).toBe(
      `FORMAT_MISMATCH: The feed says compression: ${compression}; the file is ${title}.`,
    );
  });

  test('takes its own', async () => {
    expect((await decode(GZ, { compression: 'gzip' })).equals(CSV)).toBe(true);
  });

  test('0 bytes: EMPTY_NOT_ALLOWED', async () => {
    expect(await problem(() => open(Buffer.alloc(0), { compression: 'gzip' }))).toBe(
      'EMPTY_NOT_ALLOWED: a gzip file of 0 bytes',
    );
  });

  test('none, and the file is compressed: FORMAT_MISMATCH', async () => {
    expect(await problem(() => open(GZ, { compression: 'none' }))).toBe(
      'FORMAT_MISMATCH: The file is gzip, and the feed says csv.',
    );
  });
});

describe('content of another kind', () => {
  const unread = contents.filter(([title]) => title !== 'bzip2' && title !== 'xz');

  test.each(unread)('%s under a CSV feed: FORMAT_MISMATCH naming it', async (title, bytes) => {
    expect(await problem(() => open(bytes, { chunk: 7 }))).toBe(
      `FORMAT_MISMATCH: The file is ${title}, and the feed says csv.`,
    );
  });

  test('packed in a way that is not read: what to ask for', async () => {
    await expect(open(Buffer.from([4, 0x22, 0x4d, 0x18, 1, 2, 3, 4]))).rejects.toMatchObject({
      fix: 'lz4 is not unpacked: ask the supplier for gzip, zstd, bzip2, xz or zip.',
    });
  });

  test('gzip in gzip', async () => {
    expect(await problem(() => open(gzipSync(GZ)))).toBe(
      'FORMAT_MISMATCH: Inside the gzip stands gzip, and the feed says csv.',
    );
  });

  test('an error page in gzip', async () => {
    expect(await problem(() => open(gzipSync(Buffer.from('<html><body>502</body></html>'))))).toBe(
      'FORMAT_MISMATCH: Inside the gzip stands HTML (perhaps an error page), and the feed says csv.',
    );
  });

  test.each([
    'PAR1,PAR2\n1,2\n',
    'ORC,id\n',
    'MZ;x\n',
    'GIF8,b\n',
    'BZh,x\n',
    '%PDF\n',
    'Obj,x\n',
    '<b>,c\n',
    'PK,id\n',
    'a\x1bb\n',
    '',
  ])('%j is text', (text) => {
    expect(detect(Buffer.from(text))).toBeNull();
  });

  test('tar as its command writes it, and bzip2 of nothing', () => {
    const dir = mkdtempSync(path.join(tmpdir(), 'tallyman-kinds-'));
    try {
      writeFileSync(path.join(dir, 'a'), CSV);
      execFileSync('tar', ['-cf', path.join(dir, 'b.tar'), '-C', dir, 'a']);
      expect(detect(readFileSync(path.join(dir, 'b.tar')).subarray(0, 512))?.name).toBe('tar');
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
    expect(detect(bzip2Magic)?.name).toBe('bzip2');
  });

  test('no file of fixtures/csv is taken for another kind', () => {
    const folder = path.join(ROOT, 'fixtures/csv');
    const taken = readdirSync(folder).filter(
      (file) => file.endsWith('.csv') && detect(readFileSync(path.join(folder, file)).subarray(0, 512)) !== null,
    );
    expect(taken).toEqual([]);
  });
});
