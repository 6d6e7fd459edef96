import type { Bytes } from '../../core/format.js';
import { ByteReader } from '../byte-reader.js';

/** What is wrong, within a sentence. */
export class Damaged extends Error {
  /** The byte, where it is not the one that is read next. */
  readonly at: number | null;

  constructor(message: string, at: number | null = null) {
    super(message);
    this.at = at;
  }
}

const CUT = 'is cut off: it ends';
const GROUP = 50;
const LONGEST_CODE = 20;
const MOST_TABLES = 6;
const RUN_A = 0;
const RUN_B = 1;

/** Bits out of a stream, the highest first. Bytes are fetched ahead (`fill`), so that `read` never waits. */
export class BitReader {
  readonly #source: ByteReader;
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;
  #held = 0;
  #count = 0;

  constructor(source: Bytes) {
    this.#source = new ByteReader(source);
  }

  /** Bytes of the file that were used up, the last one perhaps in part. */
  get position(): number {
    return this.#source.position - this.left;
  }

  /** Whole bytes that are there. */
  get left(): number {
    return this.#bytes.length - this.#at;
  }

  /** Fetches until so many bytes are there; false: the file ends before. */
  async fill(count: number): Promise<boolean> {
    const rest = this.left;
    if (rest >= count) return true;
    const kept = Buffer.from(this.#bytes.subarray(this.#at));
    this.#bytes = Buffer.concat([kept, await this.#source.take(count - rest)]);
    this.#at = 0;
    return this.#bytes.length >= count;
  }

  async need(count: number): Promise<void> {
    if (!(await this.fill(count))) throw new Damaged(CUT);
  }

  /** 1 to 24 bits. */
  read(bits: number): number {
    while (this.#count < bits) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) throw new Damaged(CUT);
      this.#held = ((this.#held << 8) | byte) >>> 0;
      this.#count += 8;
    }
    this.#count -= bits;
    return (this.#held >>> this.#count) & ((1 << bits) - 1);
  }

  /** To the next whole byte. */
  align(): void {
    this.#count = 0;
  }

  async close(): Promise<void> {
    await this.#source.close();
  }
}

/** CRC-32 of bzip2: the usual polynomial, highest bit first. */
const CRC: Int32Array = Int32Array.from({ length: 256 }, (_, byte) => {
  let value = byte << 24;
  for (let bit = 0; bit < 8; bit++) value = value < 0 ? (value << 1) ^ 0x04c11db7 : value << 1;
  return value;
});

/**
 * One block at a time: Huffman codes, move to front, runs (`read`); then the Burrows-Wheeler transform backwards, and
 * the first runs (`write`).
 */
export class Block {
  /** More bytes than a block of this size can be packed into: 20 bits a symbol, and the tables. */
  readonly longest: number;
  readonly #size: number;
  readonly #links: Int32Array;
  readonly #starts = new Int32Array(257);
  readonly #symbols = new Uint8Array(256);
  readonly #tables: readonly Table[] = Array.from({ length: MOST_TABLES }, () => new Table());
  #selectors: Uint8Array = new Uint8Array(0);
  #crc = -1;
  #count = 0;
  #link = 0;
  #left = 0;
  #last = -1;
  #run = 0;
  #repeat = 0;

  /** `level`: 1 to 9, hundreds of thousands of bytes. */
  constructor(level: number) {
    this.#size = level * 100_000;
    this.longest = Math.ceil(this.#size * (LONGEST_CODE / 8)) + 64 * 1024;
    this.#links = new Int32Array(this.#size);
  }

  /** Checksum of what `write` has given. */
  get checksum(): number {
    return ~this.#crc >>> 0;
  }

  /** Reads a block's body. Throws Damaged. */
  read(bits: BitReader): void {
    if (bits.read(1) === 1) throw new Damaged('is of a version before 1.0 (randomised)');
    const origin = bits.read(24);
    const used = this.#readSymbols(bits);
    const tables = bits.read(3);
    if (tables < 2 || tables > MOST_TABLES) throw new Damaged('is damaged (number of tables)');
    this.#readSelectors(bits, tables);
    for (let table = 0; table < tables; table++) this.#tables[table]!.read(bits, used + 2);
    this.#readBytes(bits, used);
    if (origin >= this.#count) throw new Damaged('is damaged (origin)');
    this.#prepare(origin);
  }

  /** Writes what the block holds, on from the last call; returns the number of bytes. Fewer than fit: that was all. */
  write(out: Buffer): number {
    const links = this.#links;
    const end = out.length;
    let at = 0;
    let crc = this.#crc;
    let last = this.#last;
    let run = this.#run;
    let repeat = this.#repeat;
    while (at < end) {
      if (repeat > 0) {
        repeat--;
        out[at++] = last;
        crc = (crc << 8) ^ CRC[((crc >>> 24) ^ last) & 255]!;
        continue;
      }
      if (this.#left === 0) break;
      this.#left--;
      this.#link = links[this.#link]!;
      const byte = this.#link & 255;
      this.#link >>>= 8;
      if (run === 4) {
        // Behind four equal bytes stands how many more there are.
        repeat = byte;
        run = 0;
        continue;
      }
      run = byte === last ? run + 1 : 1;
      last = byte;
      out[at++] = byte;
      crc = (crc << 8) ^ CRC[((crc >>> 24) ^ byte) & 255]!;
    }
    this.#crc = crc;
    this.#last = last;
    this.#run = run;
    this.#repeat = repeat;
    return at;
  }

  /** Which bytes the block has; returns how many. */
  #readSymbols(bits: BitReader): number {
    const groups = bits.read(16);
    let count = 0;
    for (let group = 0; group < 16; group++) {
      if ((groups & (0x8000 >> group)) === 0) continue;
      const members = bits.read(16);
      for (let i = 0; i < 16; i++) if ((members & (0x8000 >> i)) !== 0) this.#symbols[count++] = group * 16 + i;
    }
    if (count === 0) throw new Damaged('is damaged (no symbols)');
    return count;
  }

  #readSelectors(bits: BitReader, tables: number): void {
    const count = bits.read(15);
    if (count === 0) throw new Damaged('is damaged (no selectors)');
    const order = [0, 1, 2, 3, 4, 5].slice(0, tables);
    if (this.#selectors.length < count) this.#selectors = new Uint8Array(32_768);
    for (let i = 0; i < count; i++) {
      let place = 0;
      while (bits.read(1) === 1) if (++place >= tables) throw new Damaged('is damaged (selector)');
      const [table] = order.splice(place, 1);
      order.unshift(table!);
      this.#selectors[i] = table!;
    }
    this.#selectors.fill(255, count);
  }

  /** The symbols of the block: runs of the byte in front, or the byte at a place, which moves to front. */
  #readBytes(bits: BitReader, used: number): void {
    const links = this.#links;
    const order = this.#symbols;
    const size = this.#size;
    const starts = this.#starts.fill(0);
    const last = used + 1;
    let count = 0;
    let run = 0;
    let weight = 1;
    let table = this.#tables[0]!;
    for (let group = 0, left = 0; ; left--) {
      if (left === 0) {
        const chosen = this.#tables[this.#selectors[group++] ?? 255];
        if (chosen === undefined) throw new Damaged('is damaged (too few selectors)');
        table = chosen;
        left = GROUP;
      }
      const symbol = table.next(bits);
      if (symbol <= RUN_B) {
        if (weight > size) throw new Damaged('is damaged (a run is too long)');
        run += weight << (symbol === RUN_A ? 0 : 1);
        weight <<= 1;
        continue;
      }
      if (run > 0) {
        if (count + run > size) throw new Damaged('is damaged (a run is too long)');
        const byte = order[0]!;
        starts[byte + 1]! += run;
        links.fill(byte, count, count + run);
        count += run;
        run = 0;
      }
      weight = 1;
      if (symbol === last) break;
      if (count >= size) throw new Damaged('is damaged (a block is too long)');
      const byte = order[symbol - 1]!;
      order.copyWithin(1, 0, symbol - 1);
      order[0] = byte;
      starts[byte + 1]!++;
      links[count++] = byte;
    }
    this.#count = count;
  }

  /** links[i]: in its upper 24 bits the place of what comes next, in the lower 8 the byte. */
  #prepare(origin: number): void {
    const links = this.#links;
    const starts = this.#starts;
    for (let byte = 1; byte <= 256; byte++) starts[byte]! += starts[byte - 1]!;
    for (let at = 0; at < this.#count; at++) {
      const byte = links[at]! & 255;
      links[starts[byte]!++]! |= at << 8;
    }
    this.#link = links[origin]! >>> 8;
    this.#left = this.#count;
    this.#crc = -1;
    this.#last = -1;
    this.#run = 0;
    this.#repeat = 0;
  }
}

/** A Huffman code by its lengths: canonical, so that a code's length and value give its symbol. */
class Table {
  readonly #limits = new Int32Array(LONGEST_CODE + 2);
  readonly #bases = new Int32Array(LONGEST_CODE + 2);
  readonly #symbols = new Uint16Array(258);
  readonly #lengths = new Uint8Array(258);
  #shortest = 1;
  #longest = LONGEST_CODE;

  read(bits: BitReader, count: number): void {
    let length = bits.read(5);
    for (let symbol = 0; symbol < count; symbol++) {
      for (;;) {
        if (length < 1 || length > LONGEST_CODE) throw new Damaged('is damaged (length of a code)');
        if (bits.read(1) === 0) break;
        length += bits.read(1) === 0 ? 1 : -1;
      }
      this.#lengths[symbol] = length;
    }
    const lengths = this.#lengths.subarray(0, count);
    this.#shortest = Math.min(...lengths);
    this.#longest = Math.max(...lengths);
    let code = 0;
    let index = 0;
    for (let at = this.#shortest; at <= this.#longest; at++) {
      this.#bases[at] = index - code;
      for (let symbol = 0; symbol < count; symbol++) {
        if (lengths[symbol] !== at) continue;
        this.#symbols[index++] = symbol;
        code++;
      }
      // Codes of this length are below the limit.
      this.#limits[at] = code;
      code <<= 1;
    }
  }

  next(bits: BitReader): number {
    let length = this.#shortest;
    let code = bits.read(length);
    while (code >= this.#limits[length]!) {
      if (++length > this.#longest) throw new Damaged('is damaged (no such code)');
      code = (code << 1) | bits.read(1);
    }
    const index = this.#bases[length]! + code;
    if (index < 0 || index >= 258) throw new Damaged('is damaged (no such code)');
    return this.#symbols[index]!;
  }
}
