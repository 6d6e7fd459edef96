import { randomInt } from 'node:crypto';
import { RowSet } from './row-set.js';
import { SpillFile } from './spill-file.js';

/** Bytes of a slot: two 32-bit halves of the hash and the tagged row as a double. */
const SLOT = 16;
/** Memory for hashes, in bytes; past it they go to disk. */
const MEMORY = 32 * 1024 * 1024;
const FIRST_SLOTS = 1 << 10;
/** The spilled hashes are divided by their low bits, so that each part fits into the memory again. */
const PARTS = 256;

/**
 * Finds rows that may repeat a unique key, by 64-bit hashes of the keys of accepted rows, in bounded memory: an
 * open-addressed table of 32 MiB, and when that is full (1.5 million keys) a private spill file. Equal keys are never
 * missed; a false alarm (one in 2^64 a pair) costs a comparison in SQL. It tells every row but the first of each key.
 */
export class UniqueTracker {
  readonly #keys: number;
  readonly #workDir: string;
  readonly #memory: number;
  /** A seed of its own for each load, so that no file can be made to collide. */
  readonly #seed = randomInt(2 ** 32);
  readonly #repeats: readonly RowSet[];
  #table: HashTable;
  #spill: SpillFile | null = null;

  /** `keys`: how many unique keys the feed has. */
  constructor(keys: number, workDir: string, memory = MEMORY) {
    this.#keys = keys;
    this.#workDir = workDir;
    this.#memory = memory;
    this.#repeats = Array.from({ length: keys }, () => new RowSet());
    this.#table = new HashTable(FIRST_SLOTS);
  }

  /** Key number `key` of row `row` is these bytes. */
  add(key: number, row: number, bytes: Buffer, start: number, end: number): void {
    let a = (this.#seed ^ key) | 0;
    let b = (~this.#seed ^ Math.imul(key + 1, 0x9e3779b1)) | 0;
    for (let i = start; i < end; i++) {
      const byte = bytes[i]!;
      a = Math.imul(a ^ byte, 0x85ebca6b);
      a = (a << 13) | (a >>> 19);
      b = Math.imul(b ^ byte, 0xc2b2ae35);
      b = (b << 17) | (b >>> 15);
    }
    const length = end - start;
    const high = mix(a ^ length ^ Math.imul(b, 0x27d4eb2f));
    const low = mix(b ^ Math.imul(high, 0x165667b1));
    this.#insert(high, low, row * this.#keys + key);
  }

  /** For each key the rows whose hash an earlier row has. Ends the tracking. */
  finish(): readonly RowSet[] {
    if (this.#spill !== null) {
      this.#table = new HashTable(FIRST_SLOTS);
      for (let part = 0; part < PARTS; part++) this.#mergePart(this.#spill, part);
    }
    this.close();
    return this.#repeats;
  }

  close(): void {
    this.#spill?.close();
    this.#spill = null;
  }

  #insert(high: number, low: number, tag: number): void {
    if (this.#spill !== null) {
      this.#spill.add(low & (PARTS - 1), high, low, tag);
      return;
    }
    if (this.#table.full && !this.#enlarge()) {
      this.#spill = new SpillFile(this.#workDir, PARTS);
      const spill = this.#spill;
      this.#table.each((h, l, t) => spill.add(l & (PARTS - 1), h, l, t));
      this.#table = new HashTable(1);
      spill.add(low & (PARTS - 1), high, low, tag);
      return;
    }
    if (!this.#table.add(high, low, tag)) this.#repeat(tag);
  }

  /** False when the table may not grow any more. */
  #enlarge(): boolean {
    const slots = this.#table.slots * 2;
    if (slots * SLOT > this.#memory) return false;
    const larger = new HashTable(slots);
    this.#table.each((high, low, tag) => larger.add(high, low, tag));
    this.#table = larger;
    return true;
  }

  #repeat(tag: number): void {
    const key = tag % this.#keys;
    this.#repeats[key]!.add((tag - key) / this.#keys);
  }

  /**
   * Equal hashes lie in the same part, in the order of their rows. A part too large for the memory is read several
   * times, each time for one share of it.
   */
  #mergePart(spill: SpillFile, part: number): void {
    const room = Math.floor((this.#memory / SLOT) * HashTable.LOAD);
    const shares = Math.max(1, Math.ceil(spill.count(part) / room));
    for (let share = 0; share < shares; share++) {
      this.#table.clear();
      spill.read(part, (high, low, tag) => {
        if (shares > 1 && (low >>> 8) % shares !== share) return;
        if (this.#table.full) this.#enlarge();
        if (!this.#table.add(high, low, tag)) this.#repeat(tag);
      });
    }
  }
}

const mix = (h: number): number => {
  let x = h ^ (h >>> 16);
  x = Math.imul(x, 0x7feb352d);
  x ^= x >>> 15;
  x = Math.imul(x, 0x846ca68b);
  return x ^ (x >>> 16);
};

/** Hash -> tagged row, open addressing. A tag of 0 is an empty slot: rows count from 1. */
class HashTable {
  static readonly LOAD = 0.75;
  readonly slots: number;
  readonly #hashes: Int32Array;
  readonly #tags: Float64Array;
  readonly #most: number;
  #count = 0;

  constructor(slots: number) {
    this.slots = slots;
    this.#hashes = new Int32Array(2 * slots);
    this.#tags = new Float64Array(slots);
    this.#most = Math.max(1, Math.floor(slots * HashTable.LOAD));
  }

  get full(): boolean {
    return this.#count >= this.#most;
  }

  /** False when the hash is there already. */
  add(high: number, low: number, tag: number): boolean {
    const mask = this.slots - 1;
    const hashes = this.#hashes;
    // The low bits choose the spill part, so the slot comes from the high half.
    for (let slot = high & mask; ; slot = (slot + 1) & mask) {
      if (this.#tags[slot] === 0) {
        hashes[2 * slot] = high;
        hashes[2 * slot + 1] = low;
        this.#tags[slot] = tag;
        this.#count++;
        return true;
      }
      if (hashes[2 * slot] === high && hashes[2 * slot + 1] === low) return false;
    }
  }

  each(visit: (high: number, low: number, tag: number) => void): void {
    for (let slot = 0; slot < this.slots; slot++) {
      if (this.#tags[slot] !== 0) visit(this.#hashes[2 * slot]!, this.#hashes[2 * slot + 1]!, this.#tags[slot]!);
    }
  }

  clear(): void {
    this.#tags.fill(0);
    this.#count = 0;
  }
}
