import { charsetOf } from './charset-names.js';
import { iconv } from './iconv.js';
import { readCjk, readWords, type Reading } from './plausible.js';

/** What the bytes of a text say about its encoding. */
export interface EncodingGuess {
  /** As `format.encoding` takes it. */
  readonly label: string;
  readonly mark: boolean;
  /** What is doubtful about it, for people; null = nothing. */
  readonly doubt: string | null;
}

export interface EightBitGuess extends EncodingGuess {
  /** windows-1252 gives the same text. */
  readonly same: boolean;
}

/** Bytes that are looked at for words above ASCII. */
const LOOK = 8 * 1024 * 1024;
/** Different words that are compared, and their bytes. */
const MOST_WORDS = 150;
const MOST_BYTES = 3000;
/** Longest word; what is longer is no cell that tells anything. */
const LONGEST = 120;
/** A reading that is no likelier than this, in bits a byte above ASCII, is no text. */
const NONSENSE = 21;
/** What another reading must be behind by, so that it need not be mentioned. */
const CLEAR = 12;

type CjkName = Parameters<typeof readCjk>[1];

interface Candidate {
  readonly label: string;
  /** Bits that it must be better by than windows-1252: the rarer, the more. */
  readonly rare: number;
  readonly cjk?: CjkName;
  /** Lead bytes of the characters that are usual. */
  readonly leads?: readonly [number, number];
}

/** The encodings that tables come in. Where two give the same text, the first one is meant. */
const CANDIDATES: readonly Candidate[] = [
  { label: 'windows-1252', rare: 0 },
  { label: 'windows-1251', rare: 2 },
  { label: 'windows-1250', rare: 4 },
  { label: 'shift_jis', rare: 3, cjk: 'Japanese', leads: [0x88, 0x97] },
  { label: 'gb18030', rare: 3, cjk: 'Chinese', leads: [0xb0, 0xd7] },
  { label: 'big5', rare: 4, cjk: 'Taiwanese', leads: [0xa4, 0xc6] },
  { label: 'euc-kr', rare: 3, cjk: 'Korean', leads: [0xb0, 0xc8] },
  { label: 'euc-jp', rare: 4, cjk: 'Japanese', leads: [0xb0, 0xcf] },
  { label: 'windows-1253', rare: 3 },
  { label: 'windows-1254', rare: 4 },
  { label: 'windows-1255', rare: 3 },
  { label: 'windows-1256', rare: 3 },
  { label: 'windows-1257', rare: 5 },
  { label: 'windows-1258', rare: 6 },
  { label: 'windows-874', rare: 3 },
  { label: 'koi8-r', rare: 4 },
  { label: 'koi8-u', rare: 5 },
  { label: 'iso-8859-2', rare: 5 },
  { label: 'iso-8859-15', rare: 5 },
  { label: 'iso-8859-5', rare: 7 },
  { label: 'iso-8859-7', rare: 4 },
  { label: 'iso-8859-8', rare: 6 },
  { label: 'iso-8859-6', rare: 6 },
  { label: 'iso-8859-4', rare: 9 },
  { label: 'iso-8859-13', rare: 7 },
  { label: 'iso-8859-16', rare: 8 },
  { label: 'macintosh', rare: 7 },
  { label: 'ibm866', rare: 5 },
  { label: 'cp850', rare: 6 },
  { label: 'cp437', rare: 7 },
  { label: 'cp852', rare: 7 },
  { label: 'cp737', rare: 9 },
  { label: 'cp775', rare: 10 },
  { label: 'cp855', rare: 10 },
  { label: 'cp857', rare: 9 },
  { label: 'cp862', rare: 9 },
  { label: 'x-mac-cyrillic', rare: 9 },
  { label: 'maccenteuro', rare: 10 },
  { label: 'macgreek', rare: 11 },
  { label: 'macturkish', rare: 11 },
];

interface Read extends Reading {
  readonly label: string;
  readonly text: string;
}

/**
 * Text that is no UTF-8: by what its words would be in each encoding, and how likely people write such words.
 * windows-1252 where nothing speaks for another. `text`: its beginning.
 */
export function guessEightBit(text: Buffer): EightBitGuess {
  const words = wordsOf(text.subarray(0, LOOK));
  const bytes = Buffer.from(words.join('\n'), 'latin1');
  const high = bytes.filter((byte) => byte >= 0x80).length;
  const reads = CANDIDATES.map((candidate) => readAs(candidate, bytes)).sort((a, b) => a.cost - b.cost);
  const usual = reads.find(({ label }) => label === 'windows-1252')!;
  const first = reads[0]!;
  if (first.cost > high * NONSENSE)
    return {
      label: 'windows-1252',
      mark: false,
      same: true,
      doubt:
        `it is no UTF-8, and in no encoding do its bytes above ASCII make words` +
        `${shown(usual, usual, words)}. windows-1252 was taken: ask the sender`,
    };
  const best = first.text === usual.text ? usual : first;
  const second = reads.find((one) => one.text !== best.text && one.cost < best.cost + CLEAR);
  const rival = best === usual ? second : usual;
  const language = best.language === null ? '' : ` (${best.language}?)`;
  return {
    label: best.label,
    mark: false,
    same: best === usual,
    doubt: `it is no UTF-8; judged by its words${language}${shown(best, rival ?? best, words)}${
      rival === undefined ? '' : `, which ${rival.label} would read as ${quoted(differing(rival, best), rival)}`
    }. Look at a few names before trusting it`,
  };
}

/** An example of what comes out. */
const shown = (read: Read, other: Read, words: readonly string[]): string =>
  words.length === 0 ? '' : `, such as ${quoted(differing(read, other), read)}`;
const quoted = (at: number, read: Read): string => JSON.stringify(visible(read.text.split('\n')[at] ?? ''));

/** Nothing that a terminal or a comment would stumble over. */
const visible = (text: string): string => text.replace(/[\p{C}\ufffd]/gu, '?');

/** Which word of the two readings differs first. */
function differing(one: Read, other: Read): number {
  const others = other.text.split('\n');
  return Math.max(
    0,
    one.text.split('\n').findIndex((word, at) => word !== others[at]),
  );
}

/** Different words with bytes above ASCII, in which no character of several bytes is cut. */
function wordsOf(text: Buffer): readonly string[] {
  const words = new Set<string>();
  let bytes = 0;
  let start = 0;
  let high = false;
  for (let at = 0; at <= text.length && words.size < MOST_WORDS && bytes < MOST_BYTES; at++) {
    const byte = text[at] ?? 0;
    if (byte >= 0x80) high = true;
    else if (SEPARATES[byte] === 1) {
      if (high && at - start <= LONGEST) {
        const word = text.toString('latin1', start, at);
        if (!words.has(word)) bytes += word.length;
        words.add(word);
      }
      high = false;
      start = at + 1;
    }
  }
  return [...words];
}

/** None of them is part of a character of several bytes. */
const SEPARATES = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte <= 0x20 || ',;":<=>?!*+'.includes(String.fromCharCode(byte)) ? 1 : 0,
);

function readAs({ label, rare, cjk, leads }: Candidate, bytes: Buffer): Read {
  const table = charsetOf(label)?.table ?? label;
  const text = iconv().decode(bytes, table, { stripBOM: false });
  const { cost, language } =
    cjk === undefined || leads === undefined ? readWords(text) : readCjk(text, cjk, ordinaryOf(table, leads));
  return { label, text, language, cost: cost + rare };
}

const ordinaries = new Map<string, ReadonlySet<string>>();

/** Characters with these lead bytes: the part of the standard that is sorted by sound or strokes, and in use. */
function ordinaryOf(table: string, [from, to]: readonly [number, number]): (character: string) => boolean {
  let found = ordinaries.get(table);
  if (found === undefined) {
    const bytes: number[] = [];
    for (let lead = from; lead <= to; lead++)
      for (let trail = 0x40; trail <= 0xfe; trail++) if (trail !== 0x7f) bytes.push(lead, trail, 0x0a);
    found = new Set(iconv().decode(Buffer.from(bytes), table));
    ordinaries.set(table, found);
  }
  const set = found;
  return (character) => set.has(character);
}
