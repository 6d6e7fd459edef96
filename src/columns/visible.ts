import { isUtf8 } from 'node:buffer';

/** Most bytes of a cell that a report or the quarantine shows (SPEC 6). */
export const VALUE_LIMIT = 1024;

/**
 * Bytes as text that any reader and any jsonb column takes: valid UTF-8 stays, NUL and bytes that are no UTF-8 become `\xHH`. At most `limit`
 * bytes of UTF-8, cut between characters.
 */
export function visibleText(bytes: Buffer, start: number, end: number, limit: number): string {
  // One character may become four (\xHH), so more than `limit` input bytes are never needed; three more keep the last character whole.
  const stop = Math.min(end, start + limit + 3);
  const text = isPlain(bytes, start, stop) ? bytes.toString('utf8', start, stop) : escaped(bytes, start, stop);
  return cut(text, limit);
}

function isPlain(bytes: Buffer, start: number, end: number): boolean {
  const part = bytes.subarray(start, end);
  return isUtf8(part) && !part.includes(0);
}

function escaped(bytes: Buffer, start: number, end: number): string {
  let text = '';
  for (let at = start; at < end; ) {
    const length = characterAt(bytes, at, end);
    if (length > 0 && bytes[at] !== 0) {
      text += bytes.toString('utf8', at, at + length);
      at += length;
    } else {
      text += `\\x${bytes[at]!.toString(16).toUpperCase().padStart(2, '0')}`;
      at += 1;
    }
  }
  return text;
}

/** Length in bytes of the character that begins here; 0 = none does. */
function characterAt(bytes: Buffer, at: number, end: number): number {
  const first = bytes[at]!;
  const length = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  return length > 0 && at + length <= end && isUtf8(bytes.subarray(at, at + length)) ? length : 0;
}

function cut(text: string, limit: number): string {
  if (Buffer.byteLength(text) <= limit) return text;
  let size = 0;
  let length = 0;
  for (const character of text) {
    size += Buffer.byteLength(character);
    if (size > limit) break;
    length += character.length;
  }
  return text.slice(0, length);
}
