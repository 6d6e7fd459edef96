import { isUtf8 } from 'node:buffer';

/** Bytes that are looked at. */
const LOOK = 4096;
/** Fewer pairs than this must all be Latin: one stray zero would decide. */
const FEW = 8;

/**
 * The byte order of UTF-16 without a byte order mark, by its zeros: texts of mostly Latin letters, digits and
 * delimiters have one in the same half of nearly each pair. null = it is something else. No other text holds a zero.
 */
export function zerosOfUtf16(head: Buffer): 'utf-16le' | 'utf-16be' | null {
  const { even, odd, pairs } = zeros(head);
  const enough = pairs < FEW ? Math.max(2, pairs) : pairs * 0.4;
  if (odd >= enough && even < pairs * 0.05) return 'utf-16le';
  return even >= enough && odd < pairs * 0.05 ? 'utf-16be' : null;
}

/** The least share of pairs with a zero where most letters are not Latin: delimiters, digits and line ends. */
const RARELY = 0.04;

/**
 * The same where most letters need both bytes (Japanese, Russian), and for UTF-32. Only for bytes of which nobody has
 * said what they are: these could also be a text with zeros in it, which has them anywhere.
 */
export function wideByZeros(head: Buffer): 'utf-16le' | 'utf-16be' | 'utf-32le' | 'utf-32be' | null {
  const sure = zerosOfUtf16(head);
  if (sure !== null) return sure;
  const fours = Math.min(head.length, LOOK) >> 2;
  if (fours > 1) {
    let little = 0;
    let big = 0;
    for (let at = 0; at < 4 * fours; at += 4) {
      if (isCharacter(head.readUInt32LE(at))) little++;
      if (isCharacter(head.readUInt32BE(at))) big++;
    }
    if (little === fours) return 'utf-32le';
    if (big === fours) return 'utf-32be';
  }
  const { even, odd, pairs } = zeros(head);
  // Scripts below U+2000 have upper bytes that no text has; others give bytes that are no UTF-8.
  const scripted = (upper: 0 | 1): boolean => controls(head, upper) >= pairs / 2 || !isUtf8(head.subarray(0, LOOK));
  const enough = Math.max(FEW, pairs * RARELY);
  // Few letters have a zero as their lower byte, and hardly any that a line end would be the other way round.
  if (odd >= enough && odd > even && hasLineEnd(head, 1) && !hasLineEnd(head, 0) && scripted(1)) return 'utf-16le';
  return even >= enough && even > odd && hasLineEnd(head, 0) && !hasLineEnd(head, 1) && scripted(0) ? 'utf-16be' : null;
}

/** Bytes of that half below the blank. */
function controls(head: Buffer, upper: 0 | 1): number {
  let count = 0;
  for (let at = upper; at < Math.min(head.length, LOOK); at += 2) if (head[at]! < 0x20) count++;
  return count;
}

const isCharacter = (code: number): boolean => code > 0 && code <= 0x10ffff;

/** A line feed as UTF-16 has it. `upper`: the place of the upper byte in a pair. */
function hasLineEnd(head: Buffer, upper: 0 | 1): boolean {
  for (let at = 0; at + 1 < Math.min(head.length, LOOK); at += 2)
    if (head[at + upper] === 0 && head[at + 1 - upper] === 0x0a) return true;
  return false;
}

/**
 * Delimiters, digits and line ends of any table have a zero as their upper byte. Equal: little endian, as the WHATWG
 * reads `utf-16`.
 */
export function bigEndian(head: Buffer): boolean {
  const { even, odd } = zeros(head);
  return even > odd;
}

function zeros(head: Buffer): { readonly even: number; readonly odd: number; readonly pairs: number } {
  const pairs = Math.min(head.length, LOOK) >> 1;
  let even = 0;
  let odd = 0;
  for (let at = 0; at < 2 * pairs; at += 2) {
    if (head[at] === 0) even++;
    if (head[at + 1] === 0) odd++;
  }
  return { even, odd, pairs };
}
