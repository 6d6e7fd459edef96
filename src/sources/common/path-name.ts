import { isUtf8 } from 'node:buffer';
import { pathToFileURL } from 'node:url';

/**
 * Names of files are bytes; paths in the ledger, in reports and in PostgreSQL are text. The rule, part by part between
 * the slashes:
 *
 * - a part that is valid UTF-8 stands as it is, a `%` in it too;
 * - in a part that is not, every byte outside valid UTF-8 stands as `%XX` (upper-case hex, always 80 to FF) and every
 *   literal `%` as `%25`;
 * - a valid part that could be mistaken for such a one, because after folding `%25` to `%` it holds `%80` to `%FF`, has
 *   its `%` written as `%25` too. `100%.csv`, `a%20b.csv` stay as they are; `a%FF.csv` becomes `a%25FF.csv`.
 *
 * So decodeName(encodeName(b)) is b for every b, and two names never become one path.
 */
const ENCODED = /%(?:25)*[89A-F][0-9A-F]/;
const ESCAPE = /%(25|[89A-F][0-9A-F])/g;
const SLASH = 0x2f;
const PERCENT = 0x25;

/** The text for a name or a path of bytes. */
export function encodeName(bytes: Buffer): string {
  if (isUtf8(bytes)) {
    const text = bytes.toString('utf8');
    // Nearly every path ends here.
    if (!ENCODED.test(text)) return text;
  }
  return split(bytes).map(encodePart).join('/');
}

/** The bytes that a path stands for. Never fails: a text that encodeName does not make is taken as it stands. */
export function decodeName(text: string): Buffer {
  if (!ENCODED.test(text)) return Buffer.from(text, 'utf8');
  return joinBytes(text.split('/').map(decodePart));
}

/** `file:///...` of an absolute path. Bytes that are not UTF-8 stand in it as %XX, as in any URL. */
export function fileUri(absolute: Buffer): string {
  if (isUtf8(absolute)) return pathToFileURL(absolute.toString('utf8')).href;
  const parts = split(absolute).map((part) =>
    [...part].map((byte) => (isUnreserved(byte) ? String.fromCharCode(byte) : hex(byte))).join(''),
  );
  return `file://${parts.join('/')}`;
}

/** True for a path that names something below its folder: relative, no empty part, no `.` or `..`, no NUL. */
export function isBelow(path: string): boolean {
  return (
    path !== '' && !path.includes('\0') && path.split('/').every((part) => part !== '' && part !== '.' && part !== '..')
  );
}

/** Parts of a path with slashes between them. */
export function joinBytes(parts: readonly Buffer[]): Buffer {
  const joined: Buffer[] = [];
  parts.forEach((part, i) => joined.push(...(i === 0 ? [part] : [Buffer.of(SLASH), part])));
  return Buffer.concat(joined);
}

function split(bytes: Buffer): Buffer[] {
  const parts: Buffer[] = [];
  let from = 0;
  for (let at = bytes.indexOf(SLASH); at !== -1; at = bytes.indexOf(SLASH, from)) {
    parts.push(bytes.subarray(from, at));
    from = at + 1;
  }
  parts.push(bytes.subarray(from));
  return parts;
}

function encodePart(part: Buffer): string {
  if (isUtf8(part)) {
    const text = part.toString('utf8');
    return ENCODED.test(text) ? text.replaceAll('%', '%25') : text;
  }
  let text = '';
  for (let at = 0; at < part.length;) {
    const length = characterLength(part, at);
    if (length === 0) text += hex(part[at]!);
    else text += part[at] === PERCENT ? '%25' : part.toString('utf8', at, at + length);
    at += Math.max(1, length);
  }
  return text;
}

function decodePart(text: string): Buffer {
  if (!ENCODED.test(text)) return Buffer.from(text, 'utf8');
  const pieces: Buffer[] = [];
  let from = 0;
  for (const match of text.matchAll(ESCAPE)) {
    pieces.push(Buffer.from(text.slice(from, match.index), 'utf8'), Buffer.from(match[1] ?? '', 'hex'));
    from = match.index + match[0].length;
  }
  pieces.push(Buffer.from(text.slice(from), 'utf8'));
  return Buffer.concat(pieces);
}

/** Bytes of the valid UTF-8 character at `at`; 0 when none begins there. */
function characterLength(bytes: Buffer, at: number): number {
  const lead = bytes[at]!;
  const length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  return at + length <= bytes.length && isUtf8(bytes.subarray(at, at + length)) ? length : 0;
}

const hex = (byte: number): string => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;

/** RFC 3986: letters, digits and - . _ ~ */
const isUnreserved = (byte: number): boolean => /^[A-Za-z0-9._~-]$/.test(String.fromCharCode(byte));

/** Bytes of a path at most: with the feed's name and a hash it must fit into an index of PostgreSQL (2,704). */
const MOST_PATH_BYTES = 2_000;

/** Why no file can be taken under such a path; null = one can. */
export function pathRefused(path: string): string | null {
  // A UTF-16 unit is at most 3 bytes of UTF-8.
  if (path.length * 3 <= MOST_PATH_BYTES || Buffer.byteLength(path) <= MOST_PATH_BYTES) return null;
  return `its path is longer than ${MOST_PATH_BYTES.toLocaleString('en')} bytes, which no receipt can hold`;
}
