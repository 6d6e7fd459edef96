import type { Codec } from '../../core/codec.js';
import { NOT_OF_TYPE, dropBlanks, skipBlanks } from '../cell.js';
import type { CodecOptions } from '../column-type.js';
import {
  explainAffix,
  hasAffixes,
  readWritten,
  styleOf,
  type NumberStyle,
  type WrittenNumber,
} from './number-style.js';
import { fitScratch, plainNumber } from './number-scratch.js';

export { plainNumber } from './number-scratch.js';

/**
 * `decimal`, `thousands`, `negative`, `currency` and `percent` of a column: rewrites `1.234,50` or `($1,234.50)` as a
 * plain number in front of a codec that reads those. Without these keys the codec stays as it is.
 */
export function localised(codec: Codec, options: CodecOptions): Codec {
  const style = styleOf(options);
  if (style === null) return codec;
  const read = hasAffixes(style) ? written(style) : separated(style);
  return {
    typeName: codec.typeName,
    maxSize: (length) => codec.maxSize(length),
    encode: read(codec.encode),
    encodeText: read(codec.encodeText),
    explain: (code) => explainAffix(code) ?? codec.explain(code),
    compare: codec.compare,
    identity: codec.identity,
  };
}

type Encode = Codec['encode'];

const written =
  (style: NumberStyle) =>
  (encode: Encode): Encode =>
  (bytes, start, end, out) => {
    const length = readWritten(bytes, start, end, style);
    return length < 0 ? -length : encode(plainNumber(), 0, length, out);
  };

/** Columns with other signs of decimals and thousands alone: nearly every cell is what the quick way takes. */
const separated =
  (style: NumberStyle) =>
  (encode: Encode): Encode => {
    const slow = written(style)(encode);
    return (bytes, start, end, out) => {
      const length = toPlain(bytes, start, end, style.decimal, style.thousands);
      const refusal = length < 0 ? NOT_OF_TYPE : encode(plainNumber(), 0, length, out);
      return refusal === NOT_OF_TYPE ? slow(bytes, start, end, out) : refusal;
    };
  };

/** Length of the plain number that the cell stands for, in `plainNumber()`; < 0 = it is none. null = plain already. */
export function numberReader(options: WrittenNumber): ((bytes: Buffer, start: number, end: number) => number) | null {
  const style = styleOf(options);
  return style === null ? null : (bytes, start, end) => readWritten(bytes, start, end, style);
}

/**
 * Writes the cell with `.` and without thousands to the scratch, returns its length; -1 = the separators stand wrongly.
 *
 * Groups are exactly three digits (the first one to three): with `thousands: ","` the cell `12,34` is refused, since it
 * is more likely a decimal comma, and 1234 would be a hundred times too much. Digits without any separator are fine.
 */
function toPlain(bytes: Buffer, start: number, end: number, decimal: Buffer, thousands: Buffer | null): number {
  let at = skipBlanks(bytes, start, end);
  const to = dropBlanks(bytes, at, end);
  const scratch = fitScratch(to - at + 1);
  let length = 0;
  if (at < to && (bytes[at] === 0x2d || bytes[at] === 0x2b)) scratch[length++] = bytes[at++]!;
  let group = 0;
  let separators = 0;
  while (at < to) {
    const byte = bytes[at]!;
    if (byte >= 0x30 && byte <= 0x39) {
      scratch[length++] = byte;
      group += 1;
      at += 1;
    } else if (thousands !== null && group > 0 && standsAt(thousands, bytes, at, to)) {
      if (separators === 0 ? group > 3 : group !== 3) return -1;
      separators += 1;
      group = 0;
      at += thousands.length;
    } else {
      break;
    }
  }
  if (separators > 0 && group !== 3) return -1;
  if (at < to && standsAt(decimal, bytes, at, to)) {
    scratch[length++] = 0x2e;
    at += decimal.length;
  }
  for (; at < to; at++) {
    // a point that is not the column's decimal sign; a second decimal sign is refused by the codec, which knows only
    // one
    if (bytes[at] === 0x2e) return -1;
    scratch[length++] = bytes[at]!;
  }
  return length;
}

function standsAt(word: Buffer, bytes: Buffer, at: number, end: number): boolean {
  if (at + word.length > end) return false;
  for (let i = 0; i < word.length; i++) if (bytes[at + i] !== word[i]) return false;
  return true;
}
