import { charsetOf } from '../../decode/charset/charset-names.js';
import { iconv } from '../../decode/charset/iconv.js';

/** How many bytes of the delivered file a character was, by its code point. */
export type ByteWidth = (code: number) => number;

/** Of the encoding with this label; null = UTF-8, whose bytes are those at hand. */
export function byteWidths(label: string): ByteWidth | null {
  const charset = charsetOf(label);
  if (charset === null || charset.kind === 'utf-8' || charset.kind === 'auto') return null;
  if (charset.kind === 'single-byte') return () => 1;
  if (charset.kind.startsWith('utf-16')) return (code) => (code > 0xffff ? 4 : 2);
  if (charset.kind.startsWith('utf-32')) return () => 4;
  const known = new Uint8Array(0x110000);
  return (code) => {
    if (code < 0x80) return 1;
    if (known[code] === 0) known[code] = iconv().encode(String.fromCodePoint(code), charset.table).length;
    return known[code]!;
  };
}

/** The character of valid UTF-8 that begins there. */
export function codeAt(bytes: Buffer, at: number): number {
  const first = bytes[at]!;
  const second = bytes[at + 1]! & 63;
  if (first < 0x80) return first;
  if (first < 0xe0) return ((first & 31) << 6) | second;
  const third = bytes[at + 2]! & 63;
  if (first < 0xf0) return ((first & 15) << 12) | (second << 6) | third;
  return ((first & 7) << 18) | (second << 12) | (third << 6) | (bytes[at + 3]! & 63);
}

/** Bytes of UTF-8 of the character that begins there; 1 for a byte that begins none. */
export function lengthAt(bytes: Buffer, at: number): number {
  const first = bytes[at]!;
  const wanted = first < 0xc2 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 1;
  for (let i = 1; i < wanted; i++) if ((bytes[at + i]! & 0xc0) !== 0x80) return 1;
  return wanted;
}
