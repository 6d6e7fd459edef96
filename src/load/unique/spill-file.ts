import { closeSync, mkdirSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { TallymanError, messageOf } from '../../core/errors.js';

/** Bytes of an entry: 64 bits of hash and the tag as a double. */
const ENTRY = 16;
const BLOCK_ENTRIES = 1024;
const BLOCK = BLOCK_ENTRIES * ENTRY;

/**
 * Hashes on disk, divided into parts, in one private file that has no name (unlinked at once: a crash leaves nothing
 * behind). 16 KiB a part are gathered before they are written. Synchronous: it is fed from the row loop of a worker
 * thread, and the page cache takes the writes.
 */
export class SpillFile {
  readonly #fd: number;
  readonly #open: DataView[];
  readonly #filled: Int32Array;
  /** Numbers of the full blocks of each part. */
  readonly #blocks: number[][];
  #written = 0;

  constructor(dir: string, parts: number) {
    const name = path.join(dir, `unique-${randomUUID()}`);
    try {
      mkdirSync(dir, { recursive: true, mode: 0o700 });
      this.#fd = openSync(name, 'wx+', 0o600);
      unlinkSync(name);
    } catch (error) {
      throw new TallymanError('DISK_FULL', `${dir}: ${messageOf(error)}`, { cause: error });
    }
    this.#open = Array.from({ length: parts }, () => new DataView(new ArrayBuffer(BLOCK)));
    this.#filled = new Int32Array(parts);
    this.#blocks = Array.from({ length: parts }, () => []);
  }

  /** Throws DISK_FULL. */
  add(part: number, high: number, low: number, tag: number): void {
    const block = this.#open[part]!;
    const filled = this.#filled[part]!;
    block.setInt32(filled * ENTRY, high);
    block.setInt32(filled * ENTRY + 4, low);
    block.setFloat64(filled * ENTRY + 8, tag);
    this.#filled[part] = filled + 1;
    if (filled + 1 < BLOCK_ENTRIES) return;
    this.#write(block);
    this.#blocks[part]!.push(this.#written++);
    this.#filled[part] = 0;
  }

  /** Entries of a part. */
  count(part: number): number {
    return this.#blocks[part]!.length * BLOCK_ENTRIES + this.#filled[part]!;
  }

  /** All entries of a part. */
  read(part: number, visit: (high: number, low: number, tag: number) => void): void {
    const block = new DataView(new ArrayBuffer(BLOCK));
    for (const number of this.#blocks[part]!) {
      let at = 0;
      while (at < BLOCK) {
        const got = readSync(this.#fd, block, at, BLOCK - at, number * BLOCK + at);
        if (got === 0)
          throw new TallymanError('INTERNAL', 'the spill file of unique keys is shorter than what was written');
        at += got;
      }
      visitEntries(block, BLOCK_ENTRIES, visit);
    }
    visitEntries(this.#open[part]!, this.#filled[part]!, visit);
  }

  close(): void {
    closeSync(this.#fd);
  }

  #write(block: DataView): void {
    try {
      for (let at = 0; at < BLOCK;) at += writeSync(this.#fd, block, at, BLOCK - at, this.#written * BLOCK + at);
    } catch (error) {
      throw new TallymanError('DISK_FULL', `unique keys cannot be written to disk: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }
}

function visitEntries(block: DataView, entries: number, visit: (high: number, low: number, tag: number) => void): void {
  for (let i = 0; i < entries; i++)
    visit(block.getInt32(i * ENTRY), block.getInt32(i * ENTRY + 4), block.getFloat64(i * ENTRY + 8));
}
