import type { Readable } from 'node:stream';
import { HEAD, MOST_FRAME } from './frames.js';

export interface Frame {
  readonly kind: number;
  /** A buffer of its own, its first byte at a multiple of 8 in memory: numbers in it can be looked at as such. */
  readonly body: Buffer;
}

/**
 * Takes frames out of a stream of bytes, one when it is asked for one: what is not asked for stays in the pipe, and
 * holds its writer back.
 */
export class FrameStream {
  readonly #stream: Readable;
  readonly #head = Buffer.alloc(HEAD);
  #rest: Buffer = Buffer.alloc(0);
  #ended = false;
  #wake: (() => void) | null = null;

  constructor(stream: Readable) {
    this.#stream = stream;
    const end = (): void => {
      this.#ended = true;
      this.#wake?.();
    };
    stream.on('readable', () => this.#wake?.());
    stream.on('end', end);
    stream.on('close', end);
    stream.on('error', end);
  }

  /** The next frame; `end`: the writer is gone; `late`: nothing came for `patienceMs`. */
  async next(patienceMs: number): Promise<Frame | 'end' | 'late'> {
    const head = await this.#fill(this.#head, patienceMs);
    if (head !== null) return head;
    const length = this.#head.readUInt32LE(0);
    const kind = this.#head.readUInt32LE(4);
    // Nobody sends that much: the process is out of its mind.
    if (length > MOST_FRAME) return 'end';
    const body = Buffer.allocUnsafeSlow(length);
    return (await this.#fill(body, patienceMs)) ?? { kind, body };
  }

  /** null = full. */
  async #fill(into: Buffer, patienceMs: number): Promise<'end' | 'late' | null> {
    for (let done = 0; done < into.length;) {
      if (this.#rest.length === 0) {
        const chunk: unknown = this.#stream.read();
        if (Buffer.isBuffer(chunk)) this.#rest = chunk;
        else if (this.#ended) return 'end';
        else if (!(await this.#readable(patienceMs))) return 'late';
      }
      const count = Math.min(this.#rest.length, into.length - done);
      this.#rest.copy(into, done, 0, count);
      this.#rest = this.#rest.subarray(count);
      done += count;
    }
    return null;
  }

  /** False when nothing came in time. */
  async #readable(patienceMs: number): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const woken = await new Promise<boolean>((resolve) => {
      this.#wake = (): void => resolve(true);
      timer = setTimeout(() => resolve(false), patienceMs);
      // What came between the read and now.
      if (this.#ended || this.#stream.readableLength > 0) resolve(true);
    });
    clearTimeout(timer);
    this.#wake = null;
    return woken;
  }
}
