import type { DriftNote } from '../core/format.js';
import type { PassedLine } from './window.js';

/** Bits of a scanner's `lineEnds`: the kinds of line end that it has met. */
export const SAW_LF = 1;
export const SAW_CRLF = 2;
export const SAW_CR = 4;

/** The bit of a line that was passed over. */
export const sawBit = (end: PassedLine['end']): number =>
  end === 'lf' ? SAW_LF : end === 'crlf' ? SAW_CRLF : end === 'cr' ? SAW_CR : 0;

/** A note of how many lines were passed over on purpose; none of none. */
export const passedNotes = (lines: number): readonly DriftNote[] =>
  lines === 0 ? [] : [{ kind: 'passed', column: '', message: 'comments and lines of skip_lines', lines }];

const TOLD: ReadonlyMap<number, string | null> = new Map([
  [0, null],
  [SAW_LF, 'lf'],
  [SAW_CRLF, 'crlf'],
  [SAW_CR, 'cr'],
]);

/** `line_ends` of a file's dialect; null = it has none. */
export function toldLineEnds(bits: number): string | null {
  const told = TOLD.get(bits);
  return told === undefined ? 'mixed' : told;
}

const LF = 0x0a;
const CR = 0x0d;

/** Physical line ends in bytes[from..to). */
export function lineEndsIn(bytes: Buffer, from: number, to: number): number {
  let count = 0;
  for (let at = from; at < to; at++) {
    if (bytes[at] === LF || (bytes[at] === CR && bytes[at + 1] !== LF)) count++;
  }
  return count;
}

export function hasLineEnd(bytes: Buffer, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if (bytes[at] === LF || bytes[at] === CR) return true;
  return false;
}
