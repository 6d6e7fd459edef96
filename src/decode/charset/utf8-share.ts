/** How much of a text's bytes above ASCII is UTF-8. */
export interface Utf8Share {
  /** Characters of several bytes that are right. */
  readonly characters: number;
  /** Bytes, or beginnings of characters, that are none. */
  readonly bad: number;
  /** Runs of bytes above ASCII that are right from end to end. */
  readonly clean: number;
  /**
   * Runs that are not; without those that only a writer of UTF-8 leaves: a character cut by the end of the text, halves
   * of surrogate pairs.
   */
  readonly dirty: number;
  /** Line of the first bad one, from 1; 0 = there is none. */
  readonly line: number;
}

export const NO_SHARE: Utf8Share = { characters: 0, bad: 0, clean: 0, dirty: 0, line: 0 };

/** Counts them. Not `whole`: a character that the end of the sample cuts is not counted. */
export function utf8Share(bytes: Buffer, whole: boolean): Utf8Share {
  let [characters, bad, clean, dirty, first] = [0, 0, 0, 0, -1];
  for (let at = 0; at < bytes.length; at++) {
    if (bytes[at]! < 0x80) continue;
    const before = bad;
    let excused = 0;
    while ((bytes[at] ?? 0) >= 0x80) {
      const byte = bytes[at]!;
      const wanted = lengthOf(byte);
      let length = 1;
      while (length < wanted && fits(byte, length, bytes[at + length] ?? 0)) length++;
      const cut = wanted > length && at + length === bytes.length;
      if (length === wanted) characters++;
      else if (!cut || whole) {
        bad++;
        if (first < 0) first = at;
        if (isSurrogate(bytes, at)) length = 3;
        if (length > 1 && (cut || isSurrogate(bytes, at))) excused++;
      }
      at += length;
    }
    if (bad === before) clean++;
    else if (bad - before > excused) dirty++;
  }
  return { characters, bad, clean, dirty, line: first < 0 ? 0 : linesTo(bytes, first) };
}

/** Bytes of the character that begins with this one; 0 = none does. */
const lengthOf = (byte: number): number => (byte < 0xc2 ? 0 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : byte < 0xf5 ? 4 : 0);

/** May the byte stand there behind that first byte? RFC 3629, 4. */
function fits(first: number, place: number, byte: number): boolean {
  if ((byte & 0xc0) !== 0x80) return false;
  if (place > 1) return true;
  if (first === 0xe0) return byte >= 0xa0;
  if (first === 0xed) return byte < 0xa0;
  if (first === 0xf0) return byte >= 0x90;
  return first !== 0xf4 || byte < 0x90;
}

/** Half of a pair that stands for one character in UTF-16: written as such by CESU-8 and old Java and Oracle. */
const isSurrogate = (bytes: Buffer, at: number): boolean =>
  bytes[at] === 0xed &&
  (bytes[at + 1] ?? 0) >= 0xa0 &&
  fits(0xee, 1, bytes[at + 1] ?? 0) &&
  fits(0xee, 2, bytes[at + 2] ?? 0);

function linesTo(bytes: Buffer, end: number): number {
  let lines = 1;
  for (let at = bytes.indexOf(0x0a); at >= 0 && at < end; at = bytes.indexOf(0x0a, at + 1)) lines++;
  return lines;
}

/** Two parts of one text, the first one in front. */
export const united = (one: Utf8Share, other: Utf8Share): Utf8Share => ({
  characters: one.characters + other.characters,
  bad: one.bad + other.bad,
  clean: one.clean + other.clean,
  dirty: one.dirty + other.dirty,
  line: one.line,
});

/**
 * It is UTF-8 that was damaged, and not another encoding: in others hardly any run of bytes above ASCII happens to be
 * UTF-8 from end to end.
 */
export const isMostlyUtf8 = ({ clean, dirty }: Utf8Share): boolean => clean >= dirty;

/** For people: how much is no UTF-8. */
export function tellBad({ characters, bad, line }: Utf8Share, where: string): string {
  const none = bad === 1 ? '1 character above ASCII is' : `${bad} characters above ASCII are`;
  const place = line === 0 ? '' : bad === 1 ? ` (line ${line})` : ` (the first in line ${line})`;
  return `${none} no UTF-8${place}, ${characters} ${characters === 1 ? 'is' : 'are'} (in ${where})`;
}
