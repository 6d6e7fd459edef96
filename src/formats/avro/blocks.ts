import { TallymanError } from '../../core/errors.js';
import type { Bytes } from '../../core/format.js';
import { ByteReader } from '../../decode/byte-reader.js';
import { Expansion } from '../../decode/expansion.js';
import type { ExpansionSpec } from '../../core/feed/input.js';
import { codecOf, LARGEST_BLOCK, reasonOf, type BlockCodec } from './codecs.js';

/** What stands before the first block. */
export interface FileHeader {
  readonly schema: string;
  readonly codec: string;
}

/** Records of one block, unpacked. */
export interface Block {
  readonly bytes: Buffer;
  readonly records: number;
  /** Byte at which the block begins in the file. */
  readonly offset: number;
  /** Where its records begin in the file, when they are not packed; else null. */
  readonly plainAt: number | null;
}

const MAGIC = Buffer.from('Obj\x01', 'latin1');
const SYNC = 16;
/** Metadata in all. The largest schemas of real systems have a few hundred KiB. */
const LARGEST_HEADER = 16 * 2 ** 20;
const LARGEST_SCHEMA = 4 * 2 ** 20;
const MOST_ENTRIES = 1_000;

/**
 * The blocks of an object container file (Avro specification, 1.12), one at a time. Throws FILE_CORRUPT,
 * FORMAT_MISMATCH, EMPTY_NOT_ALLOWED and EXPANSION_LIMIT.
 */
export class BlockReader {
  readonly #reader: ByteReader;
  readonly #expansion: Expansion;
  #codec: BlockCodec | null = null;
  #packed = false;
  #sync: Buffer = Buffer.alloc(0);

  constructor(bytes: Bytes, maxExpansion: ExpansionSpec) {
    this.#reader = new ByteReader(bytes);
    this.#expansion = new Expansion(maxExpansion);
  }

  async header(): Promise<FileHeader> {
    const magic = await this.#reader.take(MAGIC.length);
    if (magic.length === 0) throw new TallymanError('EMPTY_NOT_ALLOWED', 'an avro file of 0 bytes');
    if (!magic.equals(MAGIC))
      throw new TallymanError('FORMAT_MISMATCH', 'The file does not begin as an Avro object container file.', {
        fix: 'Correct format.type. Avro messages without a container (a schema registry has their schema) are not read.',
      });
    const metadata = await this.#metadata();
    this.#sync = Buffer.from(await this.#exactly(SYNC));
    const schema = metadata.get('avro.schema');
    if (schema === undefined) throw this.#corrupt('has no schema in its header', 0);
    const codec = metadata.get('avro.codec')?.toString() ?? 'null';
    this.#codec = codecOf(codec);
    this.#packed = codec !== 'null';
    return { schema: schema.toString(), codec };
  }

  /** The next block, or null at the end of the file. */
  async next(): Promise<Block | null> {
    const reader = this.#reader;
    const offset = reader.position;
    const records = await this.#long(true);
    if (records === null) return null;
    const size = await this.#long(false);
    if (size === null || size < 0 || size > LARGEST_BLOCK)
      throw this.#corrupt(`has a block of ${size ?? 0} bytes; ${LARGEST_BLOCK} is the most that is read`, offset);
    if (records < 0) throw this.#corrupt(`has a block of ${records} records`, offset);
    const start = reader.position;
    const packed = await this.#exactly(size);
    const bytes = await this.#unpack(packed, offset);
    const sync = await this.#exactly(SYNC);
    if (!sync.equals(this.#sync)) throw this.#corrupt('has a block without the right mark behind it', offset);
    return { bytes, records, offset, plainAt: this.#packed ? null : start };
  }

  async close(): Promise<void> {
    await this.#reader.close();
  }

  async #unpack(packed: Buffer, offset: number): Promise<Buffer> {
    // The reader's bytes are valid until it is asked for more, which is next.
    if (!this.#packed || this.#codec === null) return Buffer.from(packed);
    let bytes: Buffer;
    try {
      bytes = await this.#codec(packed);
    } catch (error) {
      throw this.#corrupt(`has a block that cannot be unpacked (${reasonOf(error)})`, offset);
    }
    this.#expansion.took(packed.length);
    this.#expansion.gave(bytes.length);
    return bytes;
  }

  async #metadata(): Promise<ReadonlyMap<string, Buffer>> {
    const metadata = new Map<string, Buffer>();
    const from = this.#reader.position;
    const bounded = async (most: number): Promise<number> => {
      const length = await this.#long(false);
      if (length === null || length < 0 || length > most || this.#reader.position - from > LARGEST_HEADER)
        throw this.#corrupt('has a header of senseless lengths', 0);
      return length;
    };
    for (let entries = 0; ;) {
      const count = await this.#long(false);
      if (count === 0) return metadata;
      // A negative count has the bytes of its entries behind it.
      if (count !== null && count < 0) await bounded(LARGEST_HEADER);
      for (let left = Math.abs(count ?? 0); left > 0; left--) {
        if (++entries > MOST_ENTRIES) throw this.#corrupt(`has a header of more than ${MOST_ENTRIES} entries`, 0);
        const key = (await this.#exactly(await bounded(LARGEST_SCHEMA))).toString();
        metadata.set(key, Buffer.from(await this.#exactly(await bounded(LARGEST_SCHEMA))));
      }
    }
  }

  /** A number between blocks; null at the end of the file, where that may be. */
  async #long(mayEnd: boolean): Promise<number | null> {
    const offset = this.#reader.position;
    let value = 0;
    for (let factor = 1, group = 0; group < 7; group++, factor *= 128) {
      const byte = (await this.#reader.take(1))[0];
      if (byte === undefined) {
        if (mayEnd && group === 0) return null;
        throw this.#cut();
      }
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
    }
    throw this.#corrupt('has a senseless number', offset);
  }

  async #exactly(count: number): Promise<Buffer> {
    const bytes = await this.#reader.take(count);
    if (bytes.length < count) throw this.#cut();
    return bytes;
  }

  #cut(): TallymanError {
    return new TallymanError('FILE_CORRUPT', `The Avro file is cut off: it ends at byte ${this.#reader.position}.`);
  }

  #corrupt(what: string, offset: number): TallymanError {
    return new TallymanError('FILE_CORRUPT', `The Avro file ${what}, at byte ${offset}.`);
  }
}
