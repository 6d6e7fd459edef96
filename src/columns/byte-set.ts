/**
 * A fixed set of texts, asked by bytes: no string a question (a Map of strings would need one). Open addressing, at
 * most half full.
 */
export class ByteSet {
  readonly #slots: (Buffer | null)[];
  readonly #mask: number;

  constructor(texts: readonly string[]) {
    let size = 4;
    while (size < texts.length * 2) size *= 2;
    this.#mask = size - 1;
    this.#slots = new Array<Buffer | null>(size).fill(null);
    for (const text of texts) {
      const bytes = Buffer.from(text);
      this.#slots[this.#find(bytes, 0, bytes.length)] = bytes;
    }
  }

  has(bytes: Buffer, start: number, end: number): boolean {
    return this.#slots[this.#find(bytes, start, end)] !== null;
  }

  /** The slot that holds these bytes, or the free one where they would stand. */
  #find(bytes: Buffer, start: number, end: number): number {
    // FNV-1a: texts here are short.
    let hash = 0x811c9dc5;
    for (let at = start; at < end; at++) hash = Math.imul(hash ^ bytes[at]!, 0x01000193);
    for (let slot = hash & this.#mask; ; slot = (slot + 1) & this.#mask) {
      const entry = this.#slots[slot] ?? null;
      if (entry === null || equals(entry, bytes, start, end)) return slot;
    }
  }
}

function equals(entry: Buffer, bytes: Buffer, start: number, end: number): boolean {
  if (entry.length !== end - start) return false;
  for (let i = 0; i < entry.length; i++) if (entry[i] !== bytes[start + i]) return false;
  return true;
}
