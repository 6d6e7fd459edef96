/** What the bytes of a text say about its encoding. */
export interface EncodingGuess {
  /** As `format.encoding` takes it. */
  readonly label: string;
  readonly mark: boolean;
  /** What is doubtful about it, for people; null = nothing. */
  readonly doubt: string | null;
}

/** Bytes that are looked at where every byte would be too many. */
const LOOK = 256 * 1024;

interface Rival {
  readonly label: string;
  /** Characters that texts in it are made of. */
  readonly usual: RegExp;
  /**
   * Least share of usual ones among all above ASCII, and of bytes above ASCII to characters: accents before plain
   * letters read as rare characters of half as many.
   */
  readonly share: number;
  readonly bytes: number;
}

/**
 * Encodings of several bytes, tried strictly: one byte that is impossible in one rules it out. Ordinary words only:
 * rare characters are what a wrong guess gives.
 */
const RIVALS: readonly Rival[] = [
  { label: 'shift_jis', usual: /[\u3040-\u30ff]/gu, share: 0.5, bytes: 1 },
  { label: 'euc-jp', usual: /[\u3040-\u30ff]/gu, share: 0.5, bytes: 1.6 },
  // Common Chinese characters read as Korean syllables, about every second one.
  { label: 'euc-kr', usual: /[\uac00-\ud7a3]/gu, share: 0.85, bytes: 1.6 },
  { label: 'gb18030', usual: /[\u4e00-\u9fa5\u3001\u3002\uff0c]/gu, share: 0.95, bytes: 1.6 },
  { label: 'big5', usual: /[\u4e00-\u9fa5\u3001\u3002\uff0c]/gu, share: 0.95, bytes: 1.3 },
];

/**
 * Text that is no UTF-8: by what its bytes above ASCII would be in other encodings; windows-1252 where nothing speaks
 * for another. `text`: its beginning.
 */
export function guessEightBit(text: Buffer): EncodingGuess {
  const head = text.subarray(0, LOOK);
  const high = head.filter((byte) => byte >= 0x80).length;
  const rival = RIVALS.find((one) => fits(head, one, high));
  if (rival !== undefined)
    return {
      label: rival.label,
      mark: false,
      doubt: 'it is no UTF-8; judged by its characters. Look at a few names before trusting it',
    };
  const letters = head.filter((byte) => (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a)).length;
  const upper = head.filter((byte) => byte >= 0xc0).length;
  // Cyrillic, Greek and the like are words of letters above ASCII; accents are a few among many.
  if (upper > 20 && upper > letters && upper > high * 0.9)
    return {
      label: 'windows-1251',
      mark: false,
      doubt:
        'it is no UTF-8, and most of its letters are above ASCII: Cyrillic? It may be windows-1253 (Greek) or another as well',
    };
  const undefinedBytes = head.some(
    (byte) => byte === 0x81 || byte === 0x8d || byte === 0x8f || byte === 0x90 || byte === 0x9d,
  );
  const doubt = undefinedBytes
    ? 'it is no UTF-8, and has bytes that windows-1252 does not know: perhaps cp850 or another'
    : 'it is no UTF-8; nothing in the bytes tells windows-1252 from iso-8859-15 and its like';
  return { label: 'windows-1252', mark: false, doubt };
}

/** The sample is valid in it, and what is above ASCII becomes usual characters. */
function fits(head: Buffer, { label, usual, share, bytes }: Rival, high: number): boolean {
  if (high < 8) return false;
  let text: string;
  try {
    text = new TextDecoder(label, { fatal: true }).decode(head.subarray(0, cutOf(head)));
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError) return false;
    throw error;
  }
  const foreign = text.match(/[^\0-\x7f]/gu)?.length ?? 0;
  return foreign > 0 && (text.match(usual)?.length ?? 0) >= foreign * share && high >= foreign * bytes;
}

/** At a line end, where no character is cut. */
const cutOf = (head: Buffer): number => {
  const at = head.lastIndexOf(0x0a);
  return at > 0 ? at + 1 : head.length;
};
