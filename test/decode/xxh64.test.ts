import { describe, expect, test } from 'vitest';
import { Xxh64 } from '../../src/decode/xxh64.js';

/** The test vectors of the xxHash project: bytes made by its generator (xxhsum sanity check), seed 0, low 32 bits. */
function sanity(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  let generator = 2654435761n;
  for (let i = 0; i < length; i++) {
    bytes[i] = Number(generator >> 56n);
    generator = BigInt.asUintN(64, generator * 11400714785074694797n);
  }
  return bytes;
}

const low32 = (parts: readonly Uint8Array[]): number => {
  const hash = new Xxh64();
  for (const part of parts) hash.update(part);
  return hash.low32();
};

describe('XXH64', () => {
  test.each([
    [0, 0xef46db3751d8e999n],
    [1, 0xe934a84adb052768n],
    [4, 0x9136a0dca57457een],
    [14, 0x8282dcc4994e35c8n],
    [222, 0xb641ae8cb691c174n],
  ])("meets the project's own value for %i bytes", (length, expected) => {
    expect(low32([sanity(length)])).toBe(Number(expected & 0xffffffffn));
  });

  test('is the same in any pieces', () => {
    const bytes = sanity(1_000);
    const whole = low32([bytes]);
    for (const size of [1, 7, 31, 32, 33, 100]) {
      const parts = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
        bytes.subarray(i * size, (i + 1) * size),
      );
      expect(low32(parts)).toBe(whole);
    }
  });
});
