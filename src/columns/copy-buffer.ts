import type { CopyBuffer } from '../core/codec.js';

/** Makes room for `need` more bytes behind `pos`, by doubling. */
export function growTo(out: CopyBuffer, need: number): void {
  if (out.buf.length - out.pos >= need) return;
  const grown = Buffer.allocUnsafe(Math.max(2 * out.buf.length, out.pos + need));
  out.buf.copy(grown, 0, 0, out.pos);
  out.buf = grown;
}
