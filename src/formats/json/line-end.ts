import { LF } from './bytes.js';
import { UNSURE } from './element-end.js';

/** Looks for the end of a line that is refused: the same questions as ElementEnd answers. */
export class LineEnd {
  readonly lines = 0;
  readonly lost = false;
  readonly lostAt = 0;

  /** Index of the line feed, or UNSURE. */
  feed(bytes: Buffer, from: number, end: number): number {
    const at = bytes.subarray(from, end).indexOf(LF);
    return at < 0 ? UNSURE : from + at;
  }
}
