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
