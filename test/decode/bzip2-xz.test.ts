import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { collect, chunks, decode, problem } from './support.js';
import { bzip2 } from '../../src/decode/bzip2/bzip2.js';
import { xz } from '../../src/decode/xz.js';

const fixture = (name: string): Buffer => readFileSync(path.resolve(import.meta.dirname, '../../fixtures', name));

/** What python3's bz2 and lzma packed. */
const lines = Buffer.from(Array.from({ length: 60_000 }, (_, i) => `${i},${(i * 7919) % 10_007}\n`).join(''));
const every = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
const runs = Buffer.concat([
  Buffer.alloc(300_000, 'a'),
  Buffer.alloc(255, 'b'),
  Buffer.alloc(4, 'c'),
  Buffer.alloc(5, 'd'),
  Buffer.alloc(259 + 4, 'e'),
  ...Array.from({ length: 20 }, () => every),
  Buffer.from('dddd\0'.repeat(9)),
]);
const through = async (decoder: typeof bzip2, bytes: Buffer, chunk = bytes.length): Promise<Buffer> =>
  await collect(decoder.decode(chunks(bytes, chunk)));
const refused = (decoder: typeof bzip2, bytes: Buffer): Promise<string> => problem(() => through(decoder, bytes, 4096));

describe('bzip2', () => {
  test.each([
    ['lines', lines],
    ['level1', lines],
    ['runs', runs],
    ['two', lines.subarray(0, 20_000)],
    ['empty', Buffer.alloc(0)],
  ])('%s, as Python packed it', async (name, plain) => {
    expect((await through(bzip2, fixture(`bzip2/${name}.bz2`))).equals(plain)).toBe(true);
  });

  test('one byte at a time', async () => {
    expect((await through(bzip2, fixture('bzip2/two.bz2'), 1)).equals(lines.subarray(0, 20_000))).toBe(true);
  });

  test('cut off anywhere: FILE_CORRUPT, but between two streams', async () => {
    const file = fixture('bzip2/two.bz2');
    const second = file.indexOf('BZh3');
    for (let end = 4; end < file.length; end += 97)
      expect(await refused(bzip2, file.subarray(0, end))).toMatch(/^FILE_CORRUPT: The bzip2 file /);
    expect(await refused(bzip2, file.subarray(0, second))).toBe('no error');
    for (const end of [0, 3, file.length - 1, second + 1, second + 4, second + 9])
      expect(await refused(bzip2, file.subarray(0, end))).toMatch(/^FILE_CORRUPT/);
  });

  test('any changed bit: FILE_CORRUPT', async () => {
    const file = fixture('bzip2/two.bz2');
    for (let at = 0; at < file.length; at += 61) {
      const changed = Buffer.from(file);
      changed[at]! ^= 1 << (at % 8);
      const told = await refused(bzip2, changed);
      // The level is only how much memory is taken, and the last bits are padding.
      if (told === 'no error') expect(at === 3 || at === file.length - 1).toBe(true);
      else expect(told).toMatch(/^FILE_CORRUPT: The bzip2 file .* at byte \d+\.$/);
    }
  });

  test('other bytes behind the last stream: FILE_CORRUPT', async () => {
    for (const more of ['x', '\n', 'hello, world', '\0\0\0\0'])
      expect(await refused(bzip2, Buffer.concat([fixture('bzip2/runs.bz2'), Buffer.from(more)]))).toBe(
        `FILE_CORRUPT: The bzip2 file holds other bytes behind its end at byte ${fixture('bzip2/runs.bz2').length}.`,
      );
  });
});

describe('xz', () => {
  test.each([
    ['crc32', lines],
    ['crc64', lines],
    ['none', lines],
    ['padded-streams', lines.subarray(0, 20_000)],
    ['empty', Buffer.alloc(0)],
  ])('%s, as Python packed it', async (name, plain) => {
    for (const chunk of [1 << 20, 1009])
      expect((await through(xz, fixture(`xz/${name}.xz`), chunk)).equals(plain)).toBe(true);
  });

  test('filters and checks that are not read: FORMAT_MISMATCH', async () => {
    for (const name of ['sha256', 'delta'])
      expect(await refused(xz, fixture(`xz/${name}.xz`))).toMatch(/^FORMAT_MISMATCH: The xz file cannot be read: /);
  });

  test('cut off anywhere: FILE_CORRUPT', async () => {
    const file = fixture('xz/crc64.xz');
    for (let end = 1; end < file.length; end += Math.ceil(file.length / 40))
      expect(await refused(xz, file.subarray(0, end))).toMatch(/^FILE_CORRUPT: The xz file /);
    expect(await refused(xz, file.subarray(0, -1))).toMatch(/^FILE_CORRUPT/);
  });

  test('any changed byte: FILE_CORRUPT or FORMAT_MISMATCH', async () => {
    const file = fixture('xz/crc64.xz');
    for (let at = 0; at < file.length; at += Math.ceil(file.length / 60)) {
      const changed = Buffer.from(file);
      changed[at]! ^= 0x10;
      expect(await refused(xz, changed)).toMatch(/^(FILE_CORRUPT|FORMAT_MISMATCH): The xz file /);
    }
  });

  test('other bytes behind it: FILE_CORRUPT', async () => {
    const file = fixture('xz/crc64.xz');
    for (const more of ['x', '\n', 'hello, world', '\0\0'])
      for (const chunk of [7, 1 << 20])
        expect(await problem(() => through(xz, Buffer.concat([file, Buffer.from(more)]), chunk))).toBe(
          `FILE_CORRUPT: The xz file holds other bytes behind its end at byte ${file.length}.`,
        );
    // The beginning of another stream is a cut.
    expect(await refused(xz, Buffer.concat([file, file.subarray(0, 3)]))).toMatch(
      /^FILE_CORRUPT: The xz file is cut off/,
    );
  });

  test('an error of the source comes through', async () => {
    async function* broken(): AsyncGenerator<Buffer> {
      yield await Promise.resolve(fixture('xz/crc64.xz').subarray(0, 1000));
      throw new RangeError('the source broke');
    }
    await expect(collect(xz.decode(broken()))).rejects.toThrow('the source broke');
  });
});

test.each(['bzip2/lines.bz2', 'xz/crc64.xz'])('%s is found out by its first bytes', async (name) => {
  expect((await decode(fixture(name), { name: 'a.csv' })).equals(lines)).toBe(true);
});
