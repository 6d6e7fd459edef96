import { TallymanError } from '../../core/errors.js';
import type { Bytes } from '../../core/format.js';
import { richText } from './rich-text.js';
import { readPart, type Shape } from './xml.js';

/** Texts that a workbook shares between its cells stay in memory, in UTF-8. */
const MOST_BYTES = 128 * 2 ** 20;
const MOST_TEXTS = 4_000_000;

/** The texts that cells name by number: one buffer and where each ends, outside the JavaScript heap. */
export class SharedStrings {
  #bytes: Buffer = Buffer.alloc(0);
  #ends: Float64Array = new Float64Array(1024);
  #count = 0;
  #length = 0;

  static async read(bytes: Bytes, part: string): Promise<SharedStrings> {
    const strings = new SharedStrings();
    const { shape, take } = richText();
    const item: Shape = {
      ...shape,
      item: true,
      close: () => {
        strings.#add(take());
      },
    };
    await readPart(bytes, 'sst', { children: new Map([['si', item]]) }, part);
    return strings;
  }

  /** null: there is no such text. */
  get(index: number): string | null {
    if (!Number.isInteger(index) || index < 0 || index >= this.#count) return null;
    // UTF-16, because a text may hold half a surrogate pair.
    return this.#bytes.toString('utf16le', index === 0 ? 0 : this.#ends[index - 1], this.#ends[index]);
  }

  #add(text: string): void {
    const size = 2 * text.length;
    if (this.#length + size > MOST_BYTES || this.#count === MOST_TEXTS) {
      throw new TallymanError(
        'EXPANSION_LIMIT',
        `The workbook shares more than ${MOST_BYTES} bytes of text between its cells, or more than ${MOST_TEXTS} texts.`,
        { fix: 'Ask the supplier for CSV, or for several smaller workbooks.' },
      );
    }
    if (this.#length + size > this.#bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(2 * this.#bytes.length, this.#length + size, 65_536));
      this.#bytes.copy(larger, 0, 0, this.#length);
      this.#bytes = larger;
    }
    this.#length += this.#bytes.write(text, this.#length, 'utf16le');
    if (this.#count === this.#ends.length) {
      const larger = new Float64Array(2 * this.#ends.length);
      larger.set(this.#ends);
      this.#ends = larger;
    }
    this.#ends[this.#count++] = this.#length;
  }
}
