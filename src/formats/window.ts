import type { Bytes } from '../core/format.js';

const LF = 0x0a;
const CR = 0x0d;

/** Room behind the last byte: the scanner plants a line feed there. */
const ROOM = 8;
/**
 * Searched natively in one go: long enough to be fast, short enough that files with one kind of line end do not pay for
 * the other.
 */
const BLOCK = 16 * 1024;

/** How a physical line was passed over. */
export interface PassedLine {
  /** Bytes of the line, its end not counted. */
  readonly length: number;
  readonly end: 'lf' | 'crlf' | 'cr' | 'none';
}

/**
 * The part of the stream that is in memory: bytes[0..end), of which bytes[0] stands at `base` in the stream. Grows when
 * a record needs it, never past what is asked for.
 */
export class Window {
  bytes: Buffer;
  end = 0;
  base = 0;
  /** Nothing comes behind `end`. */
  last = false;
  readonly #source: AsyncIterator<Buffer>;
  /** What did not fit of the latest chunk. */
  #rest: Buffer = Buffer.alloc(0);

  constructor(source: Bytes, size: number) {
    this.#source = source[Symbol.asyncIterator]();
    this.bytes = Buffer.allocUnsafeSlow(size + ROOM);
  }

  /**
   * Drops what stands before `from` (which becomes index 0) and reads until `wanted` bytes are there, or the stream
   * ends.
   */
  async fill(from: number, wanted: number): Promise<void> {
    if (from > 0) this.bytes.copyWithin(0, from, this.end);
    this.base += from;
    this.end -= from;
    this.#grow(wanted);
    while (this.end < wanted && !this.last) await this.#take(wanted);
  }

  /**
   * Passes over the physical line that begins at `from`, however long it is, keeping its first `keep` bytes: they
   * become bytes[0..kept). Returns also `next`, the index of the byte behind the line. The line end is looked for from
   * `search` on. Rows that point into the window are lost.
   */
  async passLine(
    from: number,
    keep: number,
    search = from,
  ): Promise<PassedLine & { readonly kept: number; readonly next: number }> {
    await this.fill(from, 0);
    let unseen = search - from;
    let dropped = 0;
    for (;;) {
      const at = lineEnd(this.bytes, unseen, this.end, this.last);
      if (at !== -1 || this.last) {
        const stop = at === -1 ? this.end : at;
        const { next, end } = behindLine(this.bytes, stop, this.end);
        return { length: stop + dropped, end, kept: Math.min(keep, stop), next };
      }
      // No line end yet, or a carriage return as the last byte, which stays to be looked at with the byte behind it.
      const sure = this.end > 0 && this.bytes[this.end - 1] === CR ? this.end - 1 : this.end;
      const kept = Math.min(keep, sure);
      unseen = kept;
      this.bytes.copyWithin(kept, sure, this.end);
      this.end -= sure - kept;
      this.base += sure - kept;
      dropped += sure - kept;
      this.#grow(kept + ROOM);
      await this.#take(this.bytes.length - ROOM);
    }
  }

  /** Tells the source that no more is wanted. */
  async close(): Promise<void> {
    this.#rest = Buffer.alloc(0);
    this.last = true;
    await this.#source.return?.();
  }

  #grow(size: number): void {
    if (size + ROOM <= this.bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(size + ROOM);
    this.bytes.copy(larger, 0, 0, this.end);
    this.bytes = larger;
  }

  /** At least one more byte up to `limit`, or `last`. */
  async #take(limit: number): Promise<void> {
    while (this.#rest.length === 0) {
      const next = await this.#source.next();
      if (next.done === true) {
        this.last = true;
        return;
      }
      this.#rest = next.value;
    }
    const count = Math.min(this.#rest.length, limit - this.end);
    this.#rest.copy(this.bytes, this.end, 0, count);
    this.end += count;
    this.#rest = this.#rest.subarray(count);
  }
}

/**
 * Index of the first line end from `from` on, or -1. A carriage return that the window ends with is told only once its
 * next byte is there.
 */
export function lineEnd(bytes: Buffer, from: number, end: number, last: boolean): number {
  for (let at = from; at < end; at += BLOCK) {
    const block = bytes.subarray(at, Math.min(end, at + BLOCK));
    const feed = block.indexOf(LF);
    const carriage = (feed === -1 ? block : block.subarray(0, feed)).indexOf(CR);
    if (carriage !== -1 && (at + carriage + 1 < end || last)) return at + carriage;
    if (feed !== -1) return at + feed;
  }
  return -1;
}

/** The index behind the line end at `at`, and its kind. */
export function behindLine(
  bytes: Buffer,
  at: number,
  end: number,
): { readonly next: number; readonly end: PassedLine['end'] } {
  if (at >= end) return { next: end, end: 'none' };
  if (bytes[at] === LF) return { next: at + 1, end: 'lf' };
  return at + 1 < end && bytes[at + 1] === LF ? { next: at + 2, end: 'crlf' } : { next: at + 1, end: 'cr' };
}
