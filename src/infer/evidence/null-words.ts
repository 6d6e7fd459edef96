/**
 * Words that people and programs write for "nothing". One of them never keeps a column from being numbers or dates; in
 * a column that is text all the same it stays a value. MySQL's zero dates are among them: no calendar has the day.
 */
const NULL_WORDS: ReadonlySet<string> = new Set([
  ...[
    'NULL',
    'Null',
    'null',
    '(null)',
    '(NULL)',
    '<null>',
    '<NULL>',
    '[NULL]',
    '\\N',
    '#NULL!',
    'nil',
    'NIL',
    'None',
    'none',
    'NONE',
  ],
  ...[
    'NA',
    'N/A',
    'n/a',
    'N/a',
    'na',
    '#N/A',
    '#NA',
    'N.A.',
    'n.a.',
    '<NA>',
    'NaT',
    'NaN',
    'nan',
    'NAN',
    '#VALUE!',
    '#REF!',
    '#DIV/0!',
  ],
  ...['-', '--', '---', '\u2013', '\u2014', '.', '..', '...', '?', '*', 'missing', 'Missing', 'MISSING'],
  ...['0000-00-00', '0000-00-00 00:00:00', '00/00/0000', '00.00.0000', '00000000'],
]);

/** What programs write for an infinite number: a value of double precision, and of no other type. */
const INFINITE: ReadonlySet<string> = new Set([
  'inf',
  'Inf',
  'INF',
  '-inf',
  '-Inf',
  '-INF',
  '+inf',
  'Infinity',
  '-Infinity',
  'infinity',
  '-infinity',
]);

const LONGEST = 19;

/** Bytes that such a word begins with; a table, because it is asked for every cell. */
const FIRST = new Uint8Array(256);
for (const word of [...NULL_WORDS, ...INFINITE]) FIRST[Buffer.from(word)[0] ?? 0] = 1;

const ZERO = 0x30;

/**
 * The word for nothing, or for an infinite number, in this cell, or null. No string is made for cells that cannot be
 * one.
 */
export function nullWord(bytes: Buffer, start: number, end: number): string | null {
  const length = end - start;
  const first = bytes[start]!;
  if (length > LONGEST || FIRST[first] === 0) return null;
  // Numbers begin with these too.
  if (
    (first === 0x2d || first === 0x2e || first === 0x2b) &&
    length > 1 &&
    bytes[start + 1] !== first &&
    (bytes[start + 1]! | 0x20) !== 0x69
  )
    return null;
  if (first === ZERO && (length < 8 || bytes[start + 1] !== ZERO)) return null;
  const text = bytes.toString('utf8', start, end);
  return NULL_WORDS.has(text) || INFINITE.has(text) ? text : null;
}

/** Of these, the ones that a column of doubles can hold as they are. */
export const isNan = (word: string): boolean => word.toLowerCase() === 'nan';
export const isInfinite = (word: string): boolean => INFINITE.has(word);
