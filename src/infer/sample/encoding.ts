import { isUtf8 } from 'node:buffer';
import { guessEightBit, type EncodingGuess } from '../../decode/charset/eight-bit.js';
import { zerosOfUtf16 } from '../../decode/charset/utf16.js';

export type { EncodingGuess } from '../../decode/charset/eight-bit.js';

const sure = (label: string, mark = false): EncodingGuess => ({ label, mark, doubt: null });

/**
 * By byte order mark, then zeros where UTF-16 has them, then as UTF-8, then by what the bytes above ASCII would be in
 * other encodings.
 */
export function guessEncoding(head: Buffer, whole: boolean): EncodingGuess {
  if (head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf) return sure('utf-8', true);
  if (head[0] === 0xff && head[1] === 0xfe)
    return sure(head.length >= 4 && head[2] === 0 && head[3] === 0 ? 'utf-32' : 'utf-16', true);
  if (head[0] === 0xfe && head[1] === 0xff) return sure('utf-16', true);
  if (head.length >= 4 && head.readUInt32BE(0) === 0xfeff) return sure('utf-32', true);
  const wide = zerosOfUtf16(head);
  if (wide !== null)
    return { label: wide, mark: false, doubt: 'there is no byte order mark; every other byte is zero' };
  if (isUtf8(head) || (!whole && [1, 2, 3].some((cut) => isUtf8(head.subarray(0, head.length - cut)))))
    return sure('utf-8');
  return guessEightBit(head);
}
