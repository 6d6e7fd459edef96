import { isUtf8 } from 'node:buffer';

/** Most bytes of a cell that a report or the quarantine shows. */
export const VALUE_LIMIT = 1024;

/**
 * Bytes as text that any reader and any jsonb column takes: valid UTF-8 stays, NUL and bytes that are no UTF-8 become
 * `\xHH`. At most `limit` bytes of UTF-8, cut between characters.
 */
export function visibleText(bytes: Buffer, start: number, end: number, limit: number): string {
  // No input byte takes less room than itself, so bytes past the limit are not looked at; three more keep the last
  // character whole.
  const stop = Math.min(end, start + limit + 3);
  return isPlain(bytes, start, stop) ? cut(bytes, start, stop, limit) : escaped(bytes, start, stop, limit);
}

function isPlain(bytes: Buffer, start: number, end: number): boolean {
  const part = bytes.subarray(start, end);
  return isUtf8(part) && !part.includes(0);
}

function escaped(bytes: Buffer, start: number, end: number, limit: number): string {
  let text = '';
  let size = 0;
  for (let at = start; at < end;) {
    const length = bytes[at] === 0 ? 0 : characterAt(bytes, at, end);
    size += length === 0 ? 4 : length;
    if (size > limit) break;
    text +=
      length === 0
        ? `\\x${bytes[at]!.toString(16).toUpperCase().padStart(2, '0')}`
        : bytes.toString('utf8', at, at + length);
    at += Math.max(1, length);
  }
  return text;
}

/** Length in bytes of the character that begins here; 0 = none does. */
function characterAt(bytes: Buffer, at: number, end: number): number {
  const first = bytes[at]!;
  const length = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  return length > 0 && at + length <= end && isUtf8(bytes.subarray(at, at + length)) ? length : 0;
}

/** Valid UTF-8 up to the limit, the character that would pass it left out. */
function cut(bytes: Buffer, start: number, end: number, limit: number): string {
  let stop = Math.min(end, start + limit);
  if (stop < end) while (stop > start && (bytes[stop]! & 0xc0) === 0x80) stop--;
  return bytes.toString('utf8', start, stop);
}
