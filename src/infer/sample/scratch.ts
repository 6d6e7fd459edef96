import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Decoder } from '../../core/decoder.js';
import { messageOf, TallymanError } from '../../core/errors.js';
import { Expansion } from '../../decode/expansion.js';
import { unpacked, type Sample } from './sample.js';

/** As max_expansion by default: bytes in all, and as a multiple of the delivered ones. */
const LIMIT = { ratio: 200, bytes: 100_000_000_000 };

/**
 * A private folder for unpacked copies, which formats that read here and there need. Made when it is first asked for;
 * `remove` takes it away with all that is in it.
 */
export class Scratch {
  #dir: string | null = null;
  #copies = 0;

  /**
   * Unpacks the file that the sample was taken of, of an archive its first member. Returns the copy's path. Throws what
   * decoders throw, EXPANSION_LIMIT, and DISK_FULL.
   */
  async unpack(sample: Sample, decoders: readonly Decoder[]): Promise<string> {
    this.#dir ??= await mkdtemp(path.join(tmpdir(), 'tallyman-infer-'));
    const file = path.join(this.#dir, String(++this.#copies));
    const expansion = new Expansion(LIMIT);
    expansion.deliveredWhole(sample.size);
    const handle = await open(file, 'wx', 0o600);
    try {
      for await (const chunk of expansion.limited(unpacked(sample, decoders))) {
        await handle.writeFile(chunk).catch((error: unknown) => {
          throw new TallymanError('DISK_FULL', `${file}: ${messageOf(error)}`, { cause: error });
        });
      }
    } finally {
      await handle.close();
    }
    return file;
  }

  async remove(): Promise<void> {
    if (this.#dir !== null) await rm(this.#dir, { recursive: true, force: true });
    this.#dir = null;
  }
}
