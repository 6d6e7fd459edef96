/**
 * One encoding to UTF-8, piece by piece. Bytes that the encoding does not have come out so that they are not valid
 * UTF-8: they cost their row, as bad bytes of a UTF-8 file do.
 */
export interface Transcoder {
  /** UTF-8 of what is complete of the bytes so far; valid until the call after the next. `bytes` are at most PIECE. */
  write(bytes: Buffer): Buffer;
  /** What is left, at the end of the stream. */
  end(): Buffer;
}

/** Bytes given to a transcoder in one go. */
export const PIECE = 64 * 1024;

/** A byte that no UTF-8 has anywhere. */
export const NEVER = 0xff;

/**
 * Three buffers in turn, because a receiver may keep a chunk until it asks for the one after the next (core/format.ts,
 * Bytes).
 */
export class OutputBuffers {
  readonly #held: Buffer[] = [];
  #turn = 0;

  /** A buffer of at least `size` bytes; the one before stays as it is. */
  next(size: number): Buffer {
    const turn = this.#turn++ % 3;
    const held = this.#held[turn];
    if (held !== undefined && held.length >= size) return held;
    const made = Buffer.allocUnsafeSlow(size);
    this.#held[turn] = made;
    return made;
  }
}

/**
 * Writes a code point as UTF-8 (of a lone surrogate: three bytes, which are not valid UTF-8); returns the place behind.
 */
export function putUtf8(out: Buffer, at: number, code: number): number {
  if (code < 0x80) {
    out[at] = code;
    return at + 1;
  }
  if (code < 0x800) {
    out[at] = 0xc0 | (code >>> 6);
    out[at + 1] = 0x80 | (code & 63);
    return at + 2;
  }
  if (code < 0x10000) {
    out[at] = 0xe0 | (code >>> 12);
    out[at + 1] = 0x80 | ((code >>> 6) & 63);
    out[at + 2] = 0x80 | (code & 63);
    return at + 3;
  }
  out[at] = 0xf0 | (code >>> 18);
  out[at + 1] = 0x80 | ((code >>> 12) & 63);
  out[at + 2] = 0x80 | ((code >>> 6) & 63);
  out[at + 3] = 0x80 | (code & 63);
  return at + 4;
}

/**
 * Writes an undecodable byte as it was delivered. Two of them could be valid UTF-8 by chance (D2 AA in windows-1253),
 * and one below 0x80 is: NEVER comes before those. `before` is the undecodable byte just before it, or 0.
 */
export function putUndecodable(out: Buffer, at: number, byte: number, before: number): number {
  if (byte < 0x80 || (byte < 0xc0 && before >= 0xc2)) out[at++] = NEVER;
  out[at] = byte;
  return at + 1;
}
