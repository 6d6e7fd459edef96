import { iconv } from './iconv.js';
import { PIECE, putUndecodable, type Transcoder } from './transcoder.js';

/**
 * No multi-byte character of these encodings (shift_jis, gbk, gb18030, big5, euc-*) has a byte below this one but
 * alone.
 */
const ALONE = 0x30;
/** Longest character in bytes (gb18030). */
const LONGEST = 4;
/** What iconv-lite gives for what it cannot decode. */
const REPLACEMENT = '\uFFFD';
/** The one place in these encodings where the file itself may say U+FFFD. */
const GB18030_REPLACEMENT = Buffer.of(0x84, 0x31, 0xa4, 0x37);

/**
 * Encodings of one to four bytes a character, through iconv-lite. Decoded in pieces that end behind a byte that stands
 * alone, so no character is cut. Where a replacement character comes out, the piece is taken apart: runs between such
 * bytes, and in a run that holds it, character by character, because iconv-lite does not say which bytes it could not
 * decode.
 */
export class MultiByte implements Transcoder {
  readonly #table: string;
  #kept: Buffer = Buffer.alloc(0);
  /** The undecodable byte that was written last, or 0. */
  #before = 0;

  /** `table`: iconv-lite's name. */
  constructor(table: string) {
    this.#table = table;
  }

  write(bytes: Buffer): Buffer {
    const all = this.#kept.length === 0 ? bytes : Buffer.concat([this.#kept, bytes]);
    let end = all.length;
    while (end > 0 && all[end - 1]! >= ALONE) end--;
    if (end === 0 && all.length > PIECE) {
      // Nothing stands alone in 64 KiB: no text that a table could come of, but it must not pile up.
      const { out, used } = this.#walked(all, false);
      this.#kept = Buffer.from(all.subarray(used));
      return out;
    }
    this.#kept = Buffer.from(all.subarray(end));
    return this.#decoded(all.subarray(0, end));
  }

  end(): Buffer {
    const kept = this.#kept;
    this.#kept = Buffer.alloc(0);
    return this.#decoded(kept);
  }

  /** Whole characters only. */
  #decoded(bytes: Buffer): Buffer {
    const text = iconv().decode(bytes, this.#table, { stripBOM: false });
    if (!text.includes(REPLACEMENT)) {
      if (bytes.length > 0) this.#before = 0;
      return Buffer.from(text);
    }
    const parts: Buffer[] = [];
    for (let start = 0; start < bytes.length;) {
      let end = start;
      while (end < bytes.length && bytes[end]! >= ALONE) end++;
      end = Math.min(end + 1, bytes.length);
      const run = bytes.subarray(start, end);
      const decoded = iconv().decode(run, this.#table, { stripBOM: false });
      if (decoded.includes(REPLACEMENT)) parts.push(this.#walked(run, true).out);
      else {
        this.#before = 0;
        parts.push(Buffer.from(decoded));
      }
      start = end;
    }
    return Buffer.concat(parts);
  }

  /** Character by character; not `final`: leaves what may be the beginning of a character. */
  #walked(bytes: Buffer, final: boolean): { readonly out: Buffer; readonly used: number } {
    // A character of one byte gives at most 3, an undecodable byte 2.
    const out = Buffer.allocUnsafe(3 * bytes.length);
    let put = 0;
    let at = 0;
    while (final ? at < bytes.length : at + LONGEST <= bytes.length) {
      const length = this.#characterAt(bytes, at);
      if (length > 0) {
        put += out.write(iconv().decode(bytes.subarray(at, at + length), this.#table, { stripBOM: false }), put);
        this.#before = 0;
        at += length;
      } else {
        const byte = bytes[at++]!;
        put = putUndecodable(out, put, byte, this.#before);
        this.#before = byte;
      }
    }
    return { out: out.subarray(0, put), used: at };
  }

  /** Length of the character that begins there, 0 when none does. */
  #characterAt(bytes: Buffer, at: number): number {
    for (let length = 1; length <= LONGEST && at + length <= bytes.length; length++) {
      const part = bytes.subarray(at, at + length);
      const text = iconv().decode(part, this.#table, { stripBOM: false });
      if (
        text !== '' &&
        (!text.includes(REPLACEMENT) || (this.#table === 'gb18030' && part.equals(GB18030_REPLACEMENT)))
      )
        return length;
    }
    return 0;
  }
}
