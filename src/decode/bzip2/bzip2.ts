import type { Decoder } from '../../core/decoder.js';
import { TallymanError } from '../../core/errors.js';
import type { Bytes } from '../../core/format.js';
import { Block, BitReader, Damaged } from './bzip2-block.js';

/** Output chunk; two in turn (core/format.ts, Bytes). */
const OUTPUT = 256 * 1024;
const BLOCK_MAGIC = [0x314159, 0x265359] as const;
const END_MAGIC = [0x177245, 0x385090] as const;

/**
 * bzip2 (Seward; the format has not changed since 1997), all streams of the file. The CRC of each block and of each
 * stream is proven, and nothing may stand behind the last one. Memory is one block: 4 to 6 MB. Our own: unbzip2-stream
 * 1.4.3 (2020) proves as much, but tells what is cut off as a TypeError and pushes instead of being asked; seek-bzip
 * 2.0.0 wants the whole file in memory.
 */
export const bzip2: Decoder = {
  name: 'bzip2',
  extensions: ['.bz2', '.bzip2', '.tbz2'],
  matches: (head) =>
    head.toString('latin1', 0, 3) === 'BZh' &&
    (head[3] ?? 0) >= 0x31 &&
    (head[3] ?? 0) <= 0x39 &&
    ['1AY&SY', '\x17\x72\x45\x38\x50\x90'].includes(head.toString('latin1', 4, 10)),
  decode,
};

async function* decode(input: Bytes): AsyncGenerator<Buffer> {
  const bits = new BitReader(input);
  const buffers = [0, 1, 2].map(() => Buffer.allocUnsafeSlow(OUTPUT));
  let turn = 0;
  try {
    for (let streams = 0; ; streams++) {
      if (streams > 0 && !(await bits.fill(4))) {
        if (bits.left > 0) throw new Damaged('holds other bytes behind its end');
        return;
      }
      const block = await streamHead(bits, streams);
      let combined = 0;
      for (;;) {
        // A block's head: magic and checksum; its body is fetched whole, which is at most some 1.2 MB.
        await bits.need(10);
        const [high, low] = [bits.read(24), bits.read(24)];
        const checksum = ((bits.read(16) << 16) | bits.read(16)) >>> 0;
        if (high === END_MAGIC[0] && low === END_MAGIC[1]) {
          if (checksum !== combined) throw new Damaged('is damaged (wrong checksum of a stream)');
          break;
        }
        if (high !== BLOCK_MAGIC[0] || low !== BLOCK_MAGIC[1]) throw new Damaged('is damaged (no such block)');
        await bits.fill(block.longest);
        block.read(bits);
        for (let more = true; more;) {
          const buffer = buffers[turn++ % 3]!;
          const length = block.write(buffer);
          more = length === buffer.length;
          if (length > 0) yield buffer.subarray(0, length);
        }
        if (block.checksum !== checksum) throw new Damaged('is damaged (wrong checksum of a block)');
        combined = (((combined << 1) | (combined >>> 31)) ^ checksum) >>> 0;
      }
      bits.align();
    }
  } catch (error) {
    if (error instanceof Damaged)
      throw new TallymanError('FILE_CORRUPT', `The bzip2 file ${error.message} at byte ${error.at ?? bits.position}.`, {
        cause: error,
      });
    throw error;
  } finally {
    await bits.close();
  }
}

async function streamHead(bits: BitReader, streams: number): Promise<Block> {
  await bits.need(4);
  const start = bits.position;
  if (bits.read(24) !== 0x425a68)
    throw new Damaged(streams === 0 ? 'does not begin as one' : 'holds other bytes behind its end', start);
  const level = bits.read(8) - 0x30;
  if (level < 1 || level > 9) throw new Damaged('does not begin as one');
  return new Block(level);
}
