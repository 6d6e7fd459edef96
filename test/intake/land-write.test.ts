import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { partWriter } from '../../src/intake/land/part-writer.js';

const MIB = 1024 * 1024;

/**
 * A file that takes at most `most` bytes in one go, and refuses all after `full`. What comes past `keeps` is only
 * counted.
 */
function fakeFile({ most = Infinity, full = Infinity, keeps = 5 * MIB } = {}) {
  const store = Buffer.alloc(keeps);
  const file = { size: 0, writes: 0, syncs: 0, under: 0, overlapped: false, bytes: () => store.subarray(0, file.size) };
  return {
    file,
    target: {
      writev: async <T extends readonly NodeJS.ArrayBufferView[]>(
        buffers: T,
        position = 0,
      ): Promise<{ bytesWritten: number; buffers: T }> => {
        file.writes++;
        if (++file.under > 1) file.overlapped = true;
        let at = position;
        for (const { buffer, byteOffset, byteLength } of buffers) {
          const taken = Math.min(byteLength, position + most - at);
          Buffer.from(buffer, byteOffset, taken).copy(store, at);
          at += taken;
        }
        await Promise.resolve();
        file.under--;
        if (at > full) throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
        file.size = Math.max(file.size, at);
        return { bytesWritten: at - position, buffers };
      },
      datasync: async (): Promise<void> => {
        file.syncs++;
        await Promise.resolve();
      },
    },
  };
}

describe('writing what comes', () => {
  test('every piece is in its place, whatever the sizes and however little the disk takes at once', async () => {
    const pieces = fc.array(fc.integer({ min: 0, max: 500_000 }), { maxLength: 10 });
    await fc.assert(
      fc.asyncProperty(pieces, fc.integer({ min: 1_000, max: 900_000 }), async (lengths, most) => {
        const { file, target } = fakeFile({ most });
        const writer = partWriter(target, 0);
        const all = lengths.map((length, i) => Buffer.alloc(length, i + 1));
        for (const piece of all) await writer.add(piece);
        await writer.end();
        expect(file.bytes().equals(Buffer.concat(all))).toBe(true);
        expect(file.overlapped).toBe(false);
      }),
      { numRuns: 60 },
    );
  });

  test('small pieces are gathered: a write a MiB', async () => {
    const { file, target } = fakeFile();
    const writer = partWriter(target, 0);
    for (let i = 0; i < 64; i++) await writer.add(Buffer.alloc(64 * 1024, i));
    await writer.end();
    expect([file.size, file.writes]).toEqual([4 * MIB, 4]);
  });

  test('it goes on behind what is there', async () => {
    const { file, target } = fakeFile();
    const writer = partWriter(target, 3);
    await writer.add(Buffer.from('def'));
    await writer.end();
    expect(file.bytes().toString()).toBe('\0\0\0def');
  });

  test('a disk that is full is told with the next run or at the end, never passed over', async () => {
    const { target } = fakeFile({ full: MIB });
    const writer = partWriter(target, 0);
    const write = async (): Promise<void> => {
      for (let i = 0; i < 4; i++) await writer.add(Buffer.alloc(MIB));
    };
    await expect(write()).rejects.toMatchObject({ code: 'ENOSPC' });
    await expect(writer.end()).rejects.toMatchObject({ code: 'ENOSPC' });
    const late = partWriter(fakeFile({ full: 10 }).target, 0);
    await late.add(Buffer.alloc(11));
    await expect(late.end()).rejects.toMatchObject({ code: 'ENOSPC' });
  });

  test('what was written is handed to the disk on the way, not all at the end', async () => {
    const { file, target } = fakeFile({ keeps: 0 });
    const writer = partWriter(target, 0);
    const piece = Buffer.alloc(8 * MIB);
    for (let i = 0; i < 16; i++) await writer.add(piece);
    await writer.end();
    expect(file.syncs).toBe(2);
  });
});
