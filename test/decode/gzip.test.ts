import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { decode, problem } from './support.js';

const TEXT = Buffer.from(Array.from({ length: 5_000 }, (_, i) => `${i},name ${i * 7919},${i / 3}\n`).join(''));
const GZ = gzipSync(TEXT);

describe('gzip', () => {
  test('gives the bytes that went in', async () => {
    expect((await decode(GZ)).equals(TEXT)).toBe(true);
  });

  test('gives the same one byte at a time', async () => {
    const small = gzipSync(TEXT.subarray(0, 3_000));
    expect((await decode(small, { chunk: 1 })).equals(TEXT.subarray(0, 3_000))).toBe(true);
  });

  test.each([1, 9, 64 * 1024, 65_537])('all members are read, whatever the chunks (%i)', async (chunk) => {
    const parts = [TEXT.subarray(0, 900), Buffer.alloc(0), TEXT.subarray(900, 2_000), TEXT.subarray(2_000, 2_001)];
    const members = Buffer.concat(parts.map((part) => gzipSync(part)));
    expect((await decode(members, { chunk })).equals(TEXT.subarray(0, 2_001))).toBe(true);
  });

  test('bytes that do not shrink come through, many chunks of them', async () => {
    const noise = randomBytes(3_000_000);
    expect((await decode(gzipSync(noise), { chunk: 100_000 })).equals(noise)).toBe(true);
  });

  test.each([1, 4, 5, 8, 9, 2_000, GZ.length - 11, GZ.length - 4])(
    'cut off by %i bytes: FILE_CORRUPT with the byte where it ends',
    async (missing) => {
      const cut = GZ.subarray(0, GZ.length - missing);
      expect(await problem(() => decode(cut))).toBe(
        `FILE_CORRUPT: The gzip file is cut off: it ends at byte ${cut.length}.`,
      );
    },
  );

  test('a wrong checksum: FILE_CORRUPT, between which bytes', async () => {
    const wrong = Buffer.from(GZ);
    wrong[wrong.length - 6]! ^= 1;
    expect(await problem(() => decode(wrong))).toBe(
      `FILE_CORRUPT: The gzip file is damaged (incorrect data check) between bytes 0 and ${GZ.length}.`,
    );
  });

  test('a wrong length: FILE_CORRUPT', async () => {
    const wrong = Buffer.from(GZ);
    wrong[wrong.length - 1]! ^= 1;
    expect(await problem(() => decode(wrong))).toContain(
      'FILE_CORRUPT: The gzip file is damaged (incorrect length check)',
    );
  });

  test.each([1, 1_000, 65_536])(
    'zeros and another member behind: no row is lost in silence (chunks of %i)',
    async (chunk) => {
      const padded = Buffer.concat([GZ.subarray(), Buffer.alloc(16), GZ]);
      expect(await problem(() => decode(padded, { chunk }))).toBe(
        `FILE_CORRUPT: The gzip file holds other bytes behind its end at byte ${GZ.length}.`,
      );
    },
  );

  test('zeros alone behind are refused too', async () => {
    expect(await problem(() => decode(Buffer.concat([GZ, Buffer.alloc(512)])))).toContain(
      'holds other bytes behind its end',
    );
  });

  test('other bytes behind: FILE_CORRUPT', async () => {
    expect(await problem(() => decode(Buffer.concat([GZ, Buffer.from('a,b\n1,2\n')])))).toContain(
      `FILE_CORRUPT: The gzip file holds other bytes behind its end between bytes 0 and ${GZ.length + 8}.`,
    );
  });

  test.each([1, 7, 1_000_000])('a line end behind a whole file is no cut (chunks of %i)', async (chunk) => {
    expect(await problem(() => decode(Buffer.concat([GZ, Buffer.from('\n')]), { chunk }))).toBe(
      `FILE_CORRUPT: The gzip file holds other bytes behind its end at byte ${GZ.length}.`,
    );
  });

  test('a second member that is cut off is a cut, and so is the first', async () => {
    for (const part of [Buffer.concat([GZ, GZ.subarray(0, 1)]), GZ.subarray(0, -3)])
      expect(await problem(() => decode(part))).toBe(
        `FILE_CORRUPT: The gzip file is cut off: it ends at byte ${part.length}.`,
      );
  });

  test('any single bit turned in the middle is told', async () => {
    for (let at = 30; at < GZ.length; at += 997) {
      const wrong = Buffer.from(GZ);
      wrong[at]! ^= 4;
      expect(await problem(() => decode(wrong))).toContain('FILE_CORRUPT');
    }
  });

  test('an error of the source comes through as it is', async () => {
    const { openDecoded } = await import('../../src/decode/open.js');
    const { gzip } = await import('../../src/decode/gzip.js');
    async function* broken(): AsyncGenerator<Buffer> {
      yield await Promise.resolve(GZ.subarray(0, 5_000));
      throw new Error('the source broke');
    }
    const plan = {
      decoders: [gzip],
      compression: 'auto',
      maxExpansion: { ratio: 200, bytes: 1e9 },
      members: null,
      format: 'csv',
      encoding: null,
    };
    const file = { name: 'a', size: 1, read: () => Promise.resolve(0) };
    const run = async (): Promise<void> => {
      const decoded = await openDecoded(broken(), file, plan);
      if (decoded.kind === 'stream') for await (const chunk of decoded.bytes) expect(chunk.length).toBeGreaterThan(0);
    };
    await expect(run()).rejects.toThrow('the source broke');
  });

  test('who stops early ends the source', async () => {
    let ended = false;
    async function* source(): AsyncGenerator<Buffer> {
      try {
        for (;;) yield await Promise.resolve(GZ);
      } finally {
        ended = true;
      }
    }
    const { gzip } = await import('../../src/decode/gzip.js');
    for await (const chunk of gzip.decode(source())) {
      expect(chunk.length).toBeGreaterThan(0);
      break;
    }
    expect(ended).toBe(true);
  });
});

describe('max_expansion', () => {
  test('zeros at 1029:1 stop early: EXPANSION_LIMIT', async () => {
    const bomb = gzipSync(Buffer.alloc(100 * 2 ** 20));
    expect(await problem(() => decode(bomb, { encoding: null }))).toMatch(
      /^EXPANSION_LIMIT: The first \d+ bytes expand to more than (1\d|2\d)\d{6} bytes: over 200 times/,
    );
  });

  test('10 MB may come of anything', async () => {
    expect(await decode(gzipSync(Buffer.alloc(10_000_000)), { encoding: null })).toHaveLength(10_000_000);
  });

  test('a larger ratio is taken when the feed says so', async () => {
    expect(
      await decode(gzipSync(Buffer.alloc(20_000_000)), { encoding: null, maxExpansion: { ratio: 2_000, bytes: 1e9 } }),
    ).toHaveLength(20_000_000);
  });

  test('the size holds for any ratio', async () => {
    const noise = gzipSync(randomBytes(50_000));
    expect(await problem(() => decode(noise, { encoding: null, maxExpansion: { ratio: 200, bytes: 40_000 } }))).toBe(
      'EXPANSION_LIMIT: The file expands to more than 40000 bytes (max_expansion.size).',
    );
  });
});
