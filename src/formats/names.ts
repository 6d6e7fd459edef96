/**
 * Bytes of a PostgreSQL identifier. Longer ones are cut by the server without a word, so that two long names collide
 * there.
 */
const MAX_BYTES = 63;

/** Names that a column cannot have: PostgreSQL's system columns and our own lineage columns. */
const RESERVED: ReadonlySet<string> = new Set([
  'tableoid',
  'xmin',
  'cmin',
  'xmax',
  'cmax',
  'ctid',
  '_load_id',
  '_row',
  '_rescued',
]);

/**
 * Column names made from headers, in order (docs/spec/rows-and-values.md#names-made-from-headers). Every name is
 * non-empty, distinct, not reserved and at most 63 bytes. `keep` leaves the letters and signs of the header as they
 * are; the other rules hold there too, because the table needs them.
 */
export function columnNames(headers: readonly string[], mode: 'snake' | 'keep'): string[] {
  const taken = new Set<string>();
  return headers.map((header, index) => {
    const wished = mode === 'snake' ? snake(header) : header;
    const base = cut(wished === '' ? `column_${index + 1}` : wished, MAX_BYTES);
    let name = base;
    for (let n = 2; taken.has(name) || RESERVED.has(name); n++) {
      const suffix = `_${n}`;
      name = cut(base, MAX_BYTES - suffix.length) + suffix;
    }
    taken.add(name);
    return name;
  });
}

/** A letter keeps the marks that stand on it where NFC has no single character for both (Devanagari vowel signs). */
const SIGNS = /(?:(?![\p{L}\p{Nd}])\P{M}|(?<![\p{L}\p{Nd}]\p{M}*)\p{M})+/gu;

function snake(header: string): string {
  const name = header
    .normalize('NFC')
    .replace(/([\p{Ll}\p{Nd}])(?=\p{Lu})/gu, '$1_')
    .toLowerCase()
    .normalize('NFC')
    .replace(SIGNS, '_')
    .replace(/^_+|_+$/g, '');
  return /^\p{Nd}/u.test(name) ? `_${name}` : name;
}

/** The longest beginning of whole characters within `bytes` bytes of UTF-8. */
function cut(name: string, bytes: number): string {
  if (Buffer.byteLength(name) <= bytes) return name;
  let length = 0;
  let kept = '';
  for (const character of name) {
    length += Buffer.byteLength(character);
    if (length > bytes) break;
    kept += character;
  }
  return kept;
}
