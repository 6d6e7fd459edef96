/** Which cells mean NULL: bytes compared with a few words, without a string or a copy a cell. */
export class NullWords {
  /**
   * Bit n is set when a word of length n (mod 32) exists, so that nearly every cell is told by one shift: `(mask >>>
   * length) & 1`. Zero: the cell is no word. One: ask `has`.
   */
  readonly mask: number;
  readonly #words: readonly Buffer[];

  constructor(words: readonly string[]) {
    this.#words = words.map((word) => Buffer.from(word));
    this.mask = this.#words.reduce((mask, word) => mask | (1 << (word.length & 31)), 0);
  }

  has(bytes: Buffer, start: number, end: number): boolean {
    for (const word of this.#words) {
      if (word.length !== end - start) continue;
      let same = 0;
      while (same < word.length && bytes[start + same] === word[same]) same++;
      if (same === word.length) return true;
    }
    return false;
  }
}
