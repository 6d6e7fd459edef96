import { iconv } from './iconv.js';

/**
 * A question about one character: does the encoding have it? `table`: iconv-lite's name. `both`: of two bytes none may
 * be ASCII, which tells a national standard from the larger code page that iconv-lite has under its name.
 */
export function charactersOf(table: string, both: boolean): (character: string) => boolean {
  const known = new Map<string, boolean>();
  return (character) => {
    const before = known.get(character);
    if (before !== undefined) return before;
    const bytes = iconv().encode(character, table);
    const whole = !both || bytes.every((byte) => byte >= 0x80);
    // What an unused byte is read as is no character.
    const held = character !== '\ufffd' && whole && iconv().decode(bytes, table, { stripBOM: false }) === character;
    if (known.size < MOST_KNOWN) known.set(character, held);
    return held;
  };
}

const MOST_KNOWN = 10_000;
