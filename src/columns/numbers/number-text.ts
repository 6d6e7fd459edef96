import type { Codec } from '../../core/codec.js';
import { NOT_OF_TYPE, dropBlanks, skipBlanks } from '../cell.js';
import type { CodecOptions } from '../column-type.js';

/**
 * `decimal` and `thousands` of a column: rewrites `1.234,50` as `1234.50` in front of a codec that reads plain numbers.
 * Without these keys the codec stays as it is.
 *
 * Groups are exactly three digits (the first one to three): with `thousands: ","` the cell `12,34` is refused, since it
 * is more likely a decimal comma, and 1234 would be a hundred times too much. Digits without any separator are fine.
 */
export function localised(codec: Codec, options: CodecOptions): Codec {
  if (options.decimal === '.' && options.thousands === null) return codec;
  const decimal = Buffer.from(options.decimal);
  const thousands = options.thousands === null ? null : Buffer.from(options.thousands);
  return {
    typeName: codec.typeName,
    maxSize: (length) => codec.maxSize(length),
    encode: (bytes, start, end, out) => {
      const length = toPlain(bytes, start, end, decimal, thousands);
      return length < 0 ? NOT_OF_TYPE : codec.encode(scratch, 0, length, out);
    },
    encodeText: (bytes, start, end, out) => {
      const length = toPlain(bytes, start, end, decimal, thousands);
      return length < 0 ? NOT_OF_TYPE : codec.encodeText(scratch, 0, length, out);
    },
    explain: (code) => codec.explain(code),
    compare: codec.compare,
    identity: codec.identity,
  };
}

/** Grows to the longest cell, at most max_record. One a worker: codecs are never re-entered. */
let scratch = Buffer.allocUnsafe(256);

/** What the last `toPlain` wrote; good until the next one. */
export const plainNumber = (): Buffer => scratch;

/**
 * Writes the cell with `.` and without thousands to `scratch`, returns its length; -1 = the separators stand wrongly.
 */
export function toPlain(bytes: Buffer, start: number, end: number, decimal: Buffer, thousands: Buffer | null): number {
  let at = skipBlanks(bytes, start, end);
  const to = dropBlanks(bytes, at, end);
  if (to - at + 1 > scratch.length) scratch = Buffer.allocUnsafe(2 * (to - at + 1));
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
