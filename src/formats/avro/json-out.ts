/** What is kept of a record past max_record (docs/spec/postgresql.md#quarantine). */
const KEPT = 64 * 1024;
/** More bytes than any number has digits. */
const SMALL = 64;
const QUOTE = 0x22;
const MINUS = 0x2d;
const BACKSLASH = 0x5c;
const HEX = Buffer.from('0123456789abcdef');

/** `\b \t \n \f \r` have letters of their own. */
const LETTERS: ReadonlyMap<number, number> = new Map([
  [8, 0x62],
  [9, 0x74],
  [10, 0x6e],
  [12, 0x66],
  [13, 0x72],
]);

/**
 * The JSON text of rows, one behind the other, in one buffer that is filled anew for every batch. A row past `longest`
 * bytes is still counted, while only its beginning is kept: so memory is bounded by `longest` whatever a row expands
 * to.
 */
export class JsonOut {
  buf: Buffer = Buffer.allocUnsafeSlow(256 * 1024);
  pos = 0;
  /** Bytes of the present row that were dropped; 0 = it is all there. */
  dropped = 0;
  readonly #longest: number;
  #row = 0;

  constructor(longest: number) {
    this.#longest = longest;
  }

  /** Empty again. */
  clear(): void {
    this.pos = 0;
    this.dropped = 0;
  }

  /** A row begins here. */
  begin(): void {
    this.#row = this.pos;
    this.dropped = 0;
  }

  /** The row ends; returns its whole length. One that is too long keeps its first 64 KiB. */
  end(): number {
    const length = this.pos - this.#row + this.dropped;
    if (length > this.#longest) this.pos = Math.min(this.pos, this.#row + KEPT);
    return length;
  }

  byte(byte: number): void {
    if (this.pos === this.buf.length) this.#room(1);
    this.buf[this.pos++] = byte;
  }

  /** A little ASCII. */
  ascii(text: string): void {
    this.#room(text.length);
    this.pos += this.buf.write(text, this.pos, 'latin1');
  }

  /** Text as it stands: JSON already. */
  text(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; at += KEPT) {
      const part = bytes.subarray(at, at + KEPT);
      this.#room(part.length);
      this.pos += part.copy(this.buf, this.pos);
    }
  }

  /** The inside of a JSON string: the bytes, escaped where they must be. True when there were escapes. */
  string(bytes: Buffer, start: number, end: number): boolean {
    let escaped = false;
    for (let from = start; from < end;) {
      const to = Math.min(end, from + KEPT);
      this.#room(6 * (to - from));
      const { buf } = this;
      let at = this.pos;
      for (; from < to; from++) {
        const byte = bytes[from]!;
        if (byte >= 0x20 && byte !== QUOTE && byte !== BACKSLASH) {
          buf[at++] = byte;
          continue;
        }
        escaped = true;
        buf[at++] = BACKSLASH;
        const letter = byte >= 0x20 ? byte : LETTERS.get(byte);
        if (letter !== undefined) {
          buf[at++] = letter;
          continue;
        }
        buf[at++] = 0x75;
        buf[at++] = 0x30;
        buf[at++] = 0x30;
        buf[at++] = HEX[byte >> 4]!;
        buf[at++] = HEX[byte & 15]!;
      }
      this.pos = at;
    }
    return escaped;
  }

  /** Two hex digits a byte. */
  hex(bytes: Buffer, start: number, end: number): void {
    for (let from = start; from < end;) {
      const to = Math.min(end, from + KEPT);
      this.#room(2 * (to - from));
      for (; from < to; from++) {
        this.buf[this.pos++] = HEX[bytes[from]! >> 4]!;
        this.buf[this.pos++] = HEX[bytes[from]! & 15]!;
      }
    }
  }

  /** A number below 10 ** count as so many digits. */
  digits(value: number, count: number): void {
    this.#room(SMALL);
    let rest = value;
    for (let at = this.pos + count - 1; at >= this.pos; at--) {
      const tenth = Math.floor(rest / 10);
      this.buf[at] = 0x30 + rest - tenth * 10;
      rest = tenth;
    }
    this.pos += count;
  }

  /** A whole number that a double holds exactly. */
  whole(value: number): void {
    this.#room(SMALL);
    let rest = value;
    if (rest < 0) {
      this.buf[this.pos++] = MINUS;
      rest = -rest;
    }
    let count = 1;
    for (let limit = 10; limit <= rest; limit *= 10) count++;
    this.digits(rest, count);
  }

  #room(count: number): void {
    if (this.pos + count <= this.buf.length) return;
    if (this.pos - this.#row > this.#longest) {
      // Only counted from here on.
      const kept = Math.min(this.pos, this.#row + KEPT);
      this.dropped += this.pos - kept;
      this.pos = kept;
      if (this.pos + count <= this.buf.length) return;
    }
    const larger = Buffer.allocUnsafeSlow(Math.max(this.pos + count, 2 * this.buf.length));
    this.buf.copy(larger, 0, 0, this.pos);
    this.buf = larger;
  }
}
