import { iconv } from './iconv.js';

/** How an encoding is turned into UTF-8. */
export type CharsetKind =
  | 'utf-8'
  | 'utf-16'
  | 'utf-16le'
  | 'utf-16be'
  | 'utf-32'
  | 'utf-32le'
  | 'utf-32be'
  | 'single-byte'
  | 'multi-byte'
  | 'auto';

export interface Charset {
  readonly kind: CharsetKind;
  /** The name that is stored with the load: `windows-1252`, `shift_jis` ... */
  readonly name: string;
  /** What iconv-lite calls it, for the last two kinds. */
  readonly table: string;
}

const UNICODE: ReadonlyMap<string, CharsetKind> = new Map([
  ['auto', 'auto'],
  ['utf-16', 'utf-16'],
  ['utf16', 'utf-16'],
  ['ucs-2', 'utf-16'],
  ['ucs2', 'utf-16'],
  ['unicode', 'utf-16'],
  ['utf-16le', 'utf-16le'],
  ['utf16le', 'utf-16le'],
  ['utf-16be', 'utf-16be'],
  ['utf16be', 'utf-16be'],
  ['utf-32', 'utf-32'],
  ['utf32', 'utf-32'],
  ['ucs-4', 'utf-32'],
  ['utf-32le', 'utf-32le'],
  ['utf32le', 'utf-32le'],
  ['utf-32be', 'utf-32be'],
  ['utf32be', 'utf-32be'],
]);

/** Names of the WHATWG that iconv-lite writes otherwise. */
const TABLES: Readonly<Record<string, string>> = { 'iso-8859-8-i': 'iso-8859-8', 'x-mac-cyrillic': 'maccyrillic' };

/**
 * The encoding that a label means, null when there is none or it cannot be read (utf-7, iso-2022-jp: they have states,
 * so that a bad byte would cost more than its row). Labels of the WHATWG Encoding Standard have its meaning, so
 * `latin1`, `iso-8859-1` and `ascii` are windows-1252; others are iconv-lite's.
 */
export function charsetOf(label: string): Charset | null {
  const plain = label.trim().toLowerCase();
  const unicode = UNICODE.get(plain);
  if (unicode !== undefined) return { kind: unicode, name: unicode, table: '' };
  const name = whatwgName(plain) ?? plain;
  if (name === 'utf-8' || name === 'utf8') return { kind: 'utf-8', name: 'utf-8', table: '' };
  if (name === 'utf-16le' || name === 'utf-16be') return { kind: name, name, table: '' };
  const table = TABLES[name] ?? name;
  if (!iconv().encodingExists(table)) return null;
  const codec: object = iconv().getCodec(table);
  if ('decodeTables' in codec) return { kind: 'multi-byte', name, table };
  return 'decodeBuf' in codec ? { kind: 'single-byte', name, table } : null;
}

function whatwgName(label: string): string | null {
  try {
    return new TextDecoder(label).encoding;
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}
