import { guessEightBit, type EncodingGuess } from '../../decode/charset/eight-bit.js';
import { ESCAPES, hasEscapes } from '../../decode/charset/escapes.js';
import { isMostlyUtf8, tellBad, united, utf8Share } from '../../decode/charset/utf8-share.js';
import { wideByZeros } from '../../decode/charset/utf16.js';
import type { Sample } from './sample.js';

export type { EncodingGuess } from '../../decode/charset/eight-bit.js';

const sure = (label: string, mark = false): EncodingGuess => ({ label, mark, doubt: null });

/**
 * By byte order mark, then zeros where UTF-16 and UTF-32 have them, then as UTF-8, of which some bytes may be damaged,
 * then by what the bytes above ASCII would be in other encodings.
 */
export function guessEncoding({ head, whole, parts }: Pick<Sample, 'head' | 'whole' | 'parts'>): EncodingGuess {
  const marked = head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf;
  if (head[0] === 0xff && head[1] === 0xfe)
    return sure(head.length >= 4 && head[2] === 0 && head[3] === 0 ? 'utf-32' : 'utf-16', true);
  if (head[0] === 0xfe && head[1] === 0xff) return sure('utf-16', true);
  if (head.length >= 4 && head.readUInt32BE(0) === 0xfeff) return sure('utf-32', true);
  const wide = marked ? null : wideByZeros(head);
  if (wide !== null)
    return { label: wide, mark: false, doubt: 'there is no byte order mark; judged by its zero bytes' };
  const middles = parts.map(aligned);
  const share = middles
    .map((part, index) => ({ ...utf8Share(part, index === middles.length - 1), line: 0 }))
    .reduce(united, utf8Share(head, whole));
  // The mark says UTF-8, whatever else there is.
  if (!marked && !isMostlyUtf8(share)) {
    // The head may be all ASCII, and the first umlaut come late.
    const late = parts.find((part) => part.some((byte) => byte >= 0x80));
    return guessEightBit(late === undefined ? head : Buffer.concat([head, Buffer.of(0x0a), late]));
  }
  const doubt =
    share.bad > 0
      ? `${tellBad(share, 'the sample')}. Read as UTF-8; rows with the others are refused as encoding-error`
      : hasEscapes(head)
        ? ESCAPES
        : null;
  return { label: 'utf-8', mark: marked, doubt };
}

/** From the first byte that begins a character. */
function aligned(part: Buffer): Buffer {
  let at = 0;
  while (at < 4 && at < part.length && (part[at]! & 0xc0) === 0x80) at++;
  return part.subarray(at);
}
