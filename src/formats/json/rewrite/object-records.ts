import type { Bytes } from '../../../core/format.js';
import {
  BACKSLASH,
  CLOSE_ARRAY,
  CLOSE_OBJECT,
  COLON,
  COMMA,
  LF,
  OPEN_ARRAY,
  OPEN_OBJECT,
  QUOTE,
  SPACE,
} from '../bytes.js';

/** Last step of a `root` whose records are the values of an object. */
const VALUES = '$values';

/** `data.$values`: the path of the object, [] for the document itself; null = the root means an array. */
export function objectPath(root: string | null): readonly string[] | null {
  if (root === null) return null;
  const steps = root.split('.');
  return steps.pop() === VALUES ? steps : null;
}

/** Longest key that could be a step. */
const LONGEST_KEY = 64 * 1024;

/**
 * The object at the path as an array of its values: its braces become brackets, its keys and their colons blanks. Byte
 * for byte as long, so that places and records stay what they are. What is no JSON stays so, and is reported by the
 * scanner.
 */
export class ObjectRecords {
  readonly bytes: Bytes;
  readonly #path: readonly string[];
  /** Opening bytes of the containers around. */
  readonly #open: number[] = [];
  /** How many of the outermost containers are on the path. */
  #onPath = 0;
  /** Depth of the object whose values are the records; 0 = not in it. */
  #within = 0;
  #inString = false;
  #escaped = false;
  /** A string at hand is a key. */
  #atKey = false;
  /** The key at hand, as far as it may be a step of the path; null = none is wanted. */
  #key: number[] | null = null;
  /** The value that comes belongs to the next step. */
  #meant = false;

  constructor(bytes: Bytes, path: readonly string[]) {
    this.#path = path;
    this.bytes = this.#rewritten(bytes);
  }

  async *#rewritten(bytes: Bytes): AsyncGenerator<Buffer> {
    this.#meant = true;
    for await (const chunk of bytes) {
      const out = Buffer.from(chunk);
      for (let at = 0; at < out.length; at++) out[at] = this.#byte(out[at]!);
      yield out;
    }
  }

  #byte(byte: number): number {
    const inRecords = this.#within > 0 && this.#open.length === this.#within;
    if (this.#inString) {
      const dropped = inRecords && this.#atKey;
      this.#string(byte);
      return dropped && byte !== LF ? SPACE : byte;
    }
    if (byte === QUOTE) {
      this.#inString = true;
      if (this.#atKey && this.#open.length === this.#onPath && this.#within === 0) this.#key = [];
      return inRecords && this.#atKey ? SPACE : byte;
    }
    if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) return this.#enter(byte);
    if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) {
      this.#open.pop();
      this.#onPath = Math.min(this.#onPath, this.#open.length);
      this.#atKey = false;
      if (!inRecords) return byte;
      this.#within = 0;
      return byte === CLOSE_OBJECT ? CLOSE_ARRAY : byte;
    }
    if (byte === COLON) {
      this.#atKey = false;
      return inRecords ? SPACE : byte;
    }
    if (byte === COMMA) {
      this.#atKey = this.#open.at(-1) === OPEN_OBJECT;
      this.#meant = false;
    }
    return byte;
  }

  #string(byte: number): void {
    if (this.#escaped) this.#escaped = false;
    else if (byte === BACKSLASH) this.#escaped = true;
    else if (byte === QUOTE) {
      this.#inString = false;
      if (this.#key !== null) this.#meant = textOf(this.#key) === this.#path[this.#onPath - 1];
      this.#key = null;
      return;
    }
    if (this.#key !== null && this.#key.length < LONGEST_KEY) this.#key.push(byte);
  }

  #enter(byte: number): number {
    const onPath = this.#meant && this.#open.length === this.#onPath && this.#within === 0;
    this.#meant = false;
    this.#open.push(byte);
    this.#atKey = byte === OPEN_OBJECT;
    if (!onPath) return byte;
    this.#onPath = this.#open.length;
    if (byte !== OPEN_OBJECT || this.#open.length <= this.#path.length) return byte;
    this.#within = this.#open.length;
    return OPEN_ARRAY;
  }
}

function textOf(inside: readonly number[]): string | null {
  try {
    return String(JSON.parse(`"${Buffer.from(inside).toString()}"`));
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
