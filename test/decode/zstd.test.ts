import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { decode, problem } from './support.js';

/** Made by the zstd command 1.5.4: see fixtures/compressed/NOTE.md. */
const FOLDER = path.resolve(import.meta.dirname, '../../fixtures/compressed');
const fixture = (name: string): Buffer => readFileSync(path.join(FOLDER, name));
const ORDERS = fixture('orders.csv');
const DEFAULT = fixture('default.zst');

describe('zstd', () => {
  test.each(['default.zst', 'level19.zst', 'no-check.zst', 'stream.zst', 'two-frames.zst', 'skippable.zst'])(
    '%s gives the bytes that went in, in any chunks',
    async (name) => {
      for (const chunk of [1, 1_000, 1_000_000])
        expect((await decode(fixture(name), { chunk })).equals(ORDERS)).toBe(true);
    },
  );

  test('a frame of no bytes and a frame of one', async () => {
    expect(await decode(fixture('nothing.zst'))).toHaveLength(0);
    expect((await decode(fixture('one-byte.zst'), { chunk: 1 })).toString()).toBe('a');
  });

  test('a block of one byte repeated comes through, and through the limit', async () => {
    expect((await decode(fixture('zeros.zst'), { encoding: null })).equals(Buffer.alloc(3_000_000))).toBe(true);
  });

  test('repeated frames of zeros stop early: EXPANSION_LIMIT', async () => {
    const bomb = Buffer.concat(Array.from({ length: 50 }, () => fixture('zeros.zst')));
    expect(await problem(() => decode(bomb, { encoding: null }))).toMatch(
      /^EXPANSION_LIMIT: The first 5550 bytes expand to more than 9917504 bytes/,
    );
  });

  test.each([1, 3, 4, 5, 9_000, DEFAULT.length - 5])(
    'cut off by %i bytes: FILE_CORRUPT with the byte where it ends',
    async (missing) => {
      const cut = DEFAULT.subarray(0, DEFAULT.length - missing);
      expect(await problem(() => decode(cut, { chunk: 777 }))).toBe(
        `FILE_CORRUPT: The zstd file is cut off: it ends at byte ${cut.length}.`,
      );
    },
  );

  test('a wrong checksum: FILE_CORRUPT', async () => {
    const wrong = Buffer.from(DEFAULT);
    wrong[wrong.length - 1]! ^= 1;
    expect(await problem(() => decode(wrong))).toBe(
      `FILE_CORRUPT: The zstd file is damaged (wrong checksum) at byte ${DEFAULT.length - 4}.`,
    );
  });

  test('any byte turned is told', async () => {
    // Bit 4 of byte 4 means nothing (RFC 8878, 3.1.1.1.1).
    for (let at = 5; at < DEFAULT.length; at += 211) {
      const wrong = Buffer.from(DEFAULT);
      wrong[at]! ^= 0x10;
      expect(await problem(() => decode(wrong))).toContain('FILE_CORRUPT');
    }
  });

  test.each([
    ['zeros', Buffer.alloc(16)],
    ['text', Buffer.from('a,b\n1,2\n')],
    ['one byte', Buffer.of(7)],
  ])('%s behind the end: FILE_CORRUPT', async (_name, tail) => {
    expect(await problem(() => decode(Buffer.concat([DEFAULT, tail])))).toBe(
      `FILE_CORRUPT: The zstd file holds other bytes behind its end at byte ${DEFAULT.length}.`,
    );
  });

  test('a window of 256 MiB is refused before it is made, with what to do', async () => {
    expect(await problem(() => decode(fixture('long28.zst')))).toBe(
      'FILE_CORRUPT: The zstd file at byte 0 needs a window of 268435456 bytes; at most 134217728 are given.',
    );
  });

  test('a frame that needs a dictionary is refused', async () => {
    expect(
      await problem(() =>
        decode(Buffer.concat([Buffer.of(0x28, 0xb5, 0x2f, 0xfd, 0x21, 0x07, 0x01, 0x09, 0, 0, 0x61)])),
      ),
    ).toContain('FILE_CORRUPT: The zstd file was made with a dictionary');
  });
});
