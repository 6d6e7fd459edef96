/** Whose letters stand behind a backslash for control characters: MySQL's or PostgreSQL's. */
export const ESCAPE_LETTERS = ['mysql', 'postgresql'] as const;
export type EscapeLetters = (typeof ESCAPE_LETTERS)[number];

const COMMON: readonly (readonly [string, number])[] = [
  ['b', 0x08],
  ['n', 0x0a],
  ['r', 0x0d],
  ['t', 0x09],
];

/** Byte that a letter stands for, by the letter; 0xffff = itself. */
const tableOf = (letters: readonly (readonly [string, number])[]): Uint16Array => {
  const table = new Uint16Array(256).fill(0xffff);
  for (const [letter, byte] of letters) table[letter.charCodeAt(0)] = byte;
  return table;
};

const TABLES: Readonly<Record<EscapeLetters, Uint16Array>> = {
  mysql: tableOf([...COMMON, ['0', 0], ['Z', 0x1a]]),
  postgresql: tableOf([...COMMON, ['f', 0x0c], ['v', 0x0b]]),
};

/**
 * Writes the value of a cell with escapes to `out` from `at`; returns the end. PostgreSQL also writes bytes by number:
 * one to three octal digits, or x and one or two hexadecimal ones.
 */
export function unescapeLetters(
  escape: Buffer,
  letters: EscapeLetters,
  bytes: Buffer,
  start: number,
  end: number,
  out: Buffer,
  at: number,
): number {
  const table = TABLES[letters];
  const first = escape[0]!;
  for (let from = start; from < end;) {
    const next = from + escape.length;
    if (bytes[from] !== first || next >= end || !bytes.subarray(from, next).equals(escape)) {
      out[at++] = bytes[from++]!;
      continue;
    }
    const byte = bytes[next]!;
    const digits = letters === 'postgresql' ? numberAt(bytes, next, end) : 0;
    if (digits > 0) {
      const hex = byte === 0x78;
      out[at++] = Number.parseInt(bytes.toString('latin1', hex ? next + 1 : next, next + digits), hex ? 16 : 8) & 0xff;
      from = next + digits;
    } else {
      const stands = table[byte]!;
      out[at++] = stands === 0xffff ? byte : stands;
      from = next + 1;
    }
  }
  return at;
}

/** Bytes of the number at `at`; 0 = there is none. */
function numberAt(bytes: Buffer, at: number, end: number): number {
  const text = bytes.toString('latin1', at, Math.min(end, at + 3));
  return (/^(?:[0-7]{1,3}|x[0-9a-fA-F]{1,2})/.exec(text)?.[0] ?? '').length;
}
