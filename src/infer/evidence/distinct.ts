/** Values that are kept as text, for enumerations and booleans. */
export const MOST_LISTED = 40;
/** Hashes that are kept for uniqueness: past it the answer is "not known". */
const MOST_HASHED = 1_000_000;

/** How often which values stand in a column, as long as they are few; and whether one came twice. */
export class Distinct {
  /** Texts with their counts; null once there are more than MOST_LISTED. */
  listed: Map<number, { readonly text: string; count: number }> | null = new Map();
  /** null = too many to tell. */
  unique: boolean | null = true;
  readonly #seen = new Set<number>();

  get done(): boolean {
    return this.listed === null && this.unique !== true;
  }

  add(bytes: Buffer, start: number, end: number): void {
    if (this.done) return;
    const hash = hashOf(bytes, start, end);
    if (this.listed !== null) {
      const known = this.listed.get(hash);
      if (known !== undefined) known.count++;
      else if (this.listed.size === MOST_LISTED) this.listed = null;
      else this.listed.set(hash, { text: bytes.toString('utf8', start, Math.min(end, start + 200)), count: 1 });
    }
    if (this.unique !== true) return;
    if (this.#seen.has(hash)) this.#end(false);
    else if (this.#seen.size === MOST_HASHED) this.#end(null);
    else this.#seen.add(hash);
  }

  /** `unique` is by file (docs/spec/rows-and-values.md#unique): a value may come again in the next one. */
  nextFile(): void {
    this.#seen.clear();
  }

  #end(unique: false | null): void {
    this.unique = unique;
    this.#seen.clear();
  }
}

/** 53 bits of two FNV-1a: with a million values a false repeat is rarer than one in ten thousand. */
function hashOf(bytes: Buffer, start: number, end: number): number {
  let a = 0x811c9dc5;
  let b = 0x9e3779b9;
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!;
    a = Math.imul(a ^ byte, 0x01000193);
    b = Math.imul(b ^ byte, 0x85ebca6b);
    b ^= b >>> 15;
  }
  return (a >>> 0) * 0x200000 + ((b >>> 0) >>> 11);
}
