import { iconv } from './iconv.js';
import { OutputBuffers, putUndecodable, putUtf8, type Transcoder } from './transcoder.js';

/** Marks a byte that the encoding does not have. No code point. */
const NONE = -1;

/** Encodings of one byte a character, by a table of 256 code points. */
export class SingleByte implements Transcoder {
  readonly #codes: Int32Array;
  readonly #buffers = new OutputBuffers();
  /** The undecodable byte that was written last, or 0. */
  #before = 0;

  /** `table`: iconv-lite's name. */
  constructor(table: string) {
    this.#codes = Int32Array.from({ length: 256 }, (_, byte) => {
      const code = iconv().decode(Buffer.of(byte), table).codePointAt(0);
      return code === undefined || code === 0xfffd ? NONE : code;
    });
  }

  write(bytes: Buffer): Buffer {
    const codes = this.#codes;
    const out = this.#buffers.next(3 * bytes.length);
    let before = this.#before;
    let put = 0;
    for (let at = 0; at < bytes.length; at++) {
      const byte = bytes[at]!;
      const code = codes[byte]!;
      if (code === NONE) {
        put = putUndecodable(out, put, byte, before);
        before = byte;
        continue;
      }
      before = 0;
      if (code < 0x80) out[put++] = code;
      else put = putUtf8(out, put, code);
    }
    this.#before = before;
    return out.subarray(0, put);
  }

  end(): Buffer {
    return Buffer.alloc(0);
  }
}
