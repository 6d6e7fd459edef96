import type { Bytes, DriftNote } from '../core/format.js';

/** Ctrl-Z: where a text ends for DOS and CP/M, whose writers fill the last block with it. */
const CTRL_Z = 0x1a;
/** What may stand behind it: more of them, line ends, zeros. */
const BEHIND = new Set([CTRL_Z, 0x0a, 0x0d, 0]);
/** Longest such end; what is longer is no end. */
const MOST = 64 * 1024;

/** Index of the Ctrl-Z that ends the text, or -1. */
export function dosEnd(bytes: Buffer): number {
  let mark = -1;
  for (let at = bytes.length - 1; at >= 0 && BEHIND.has(bytes[at]!); at--) if (bytes[at] === CTRL_Z) mark = at;
  return mark;
}

/** A text without the Ctrl-Z that stands at its end. */
export class DosText {
  readonly bytes: Bytes;
  #seen = false;

  constructor(bytes: Bytes) {
    this.bytes = this.#cut(bytes);
  }

  /** For the report, once the text was read to its end. */
  notes(): readonly DriftNote[] {
    return this.#seen
      ? [{ kind: 'ignored', column: '', message: 'Ctrl-Z (0x1A) ends the file, as DOS programs write it: not data' }]
      : [];
  }

  async *#cut(bytes: Bytes): AsyncGenerator<Buffer> {
    let held: Buffer = Buffer.alloc(0);
    for await (const chunk of bytes) {
      const all = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
      const at = dosEnd(all);
      const end = at < 0 || all.length - at > MOST ? all.length : at;
      held = end === all.length ? Buffer.alloc(0) : Buffer.from(all.subarray(end));
      if (end > 0) yield all.subarray(0, end);
    }
    this.#seen = held.length > 0;
  }
}
