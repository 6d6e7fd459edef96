import { isUtf8 } from 'node:buffer';
import { visibleText } from '../base/text/visible-text.js';

/** Bytes looked at in one go: only blocks that hold something undecodable take the slow way, character by character. */
const BLOCK = 64 * 1024;

/**
 * All of the bytes as text. NUL and bytes that are no UTF-8 stand as `\xHH`, as everywhere in reports; other text stays
 * as it is.
 */
export function readable(bytes: Buffer): string {
  let text = '';
  for (let at = 0; at < bytes.length;) {
    const end = characterEnd(bytes, Math.min(at + BLOCK, bytes.length));
    text += visibleText(bytes, at, end, Infinity);
    at = end;
  }
  return text;
}

/**
 * The beginning of it: at most so many bytes, whole characters, and a sign that there is more. Nothing of the rest is
 * held.
 */
export function readableStart(bytes: Buffer, most: number): string {
  return bytes.length <= most ? readable(bytes) : `${readable(bytes.subarray(0, characterEnd(bytes, most)))} …`;
}

/** The text itself, NUL included, or null when the bytes are no UTF-8. */
export const exactText = (bytes: Buffer): string | null => (isUtf8(bytes) ? bytes.toString('utf8') : null);

/** `end`, or up to three bytes before it, so that no character is cut in two. */
function characterEnd(bytes: Buffer, end: number): number {
  for (let back = 0; back < 4; back++) {
    const byte = bytes[end - back];
    if (byte === undefined || (byte & 0xc0) !== 0x80) return end - back;
  }
  return end;
}
