import {
  BACKSLASH,
  COLON,
  COMMA,
  ESCAPES,
  HEX,
  LF,
  OPEN_ARRAY,
  OPEN_OBJECT,
  QUOTE,
  SPACE,
  STRING_STOP,
} from './bytes.js';

/**
 * Deepest nesting of a record, its own braces counted. The same limit as the json and jsonb columns have
 * (columns/types/json-syntax.ts): PostgreSQL's own parser ends the whole statement beyond 15,000 to 20,000 levels.
 */
export const MAX_DEPTH = 1000;

/** Why a value is refused. Constant texts, because the reports group by them. */
export const REASONS = {
  value: 'not valid JSON: a value was expected',
  key: 'not valid JSON: a key in quotes was expected',
  colon: 'not valid JSON: a colon was expected behind the key',
  next: 'not valid JSON: a comma or the closing bracket was expected',
  control: 'not valid JSON: a control character stands in a string',
  escape: 'not valid JSON: an unknown escape stands in a string',
  number: 'not valid JSON: a number of no valid form',
  deep: `nested deeper than ${MAX_DEPTH} levels`,
  surrogate: 'half a surrogate pair',
  behind: 'text stands behind the object on its line',
  noObject: 'not an object',
  lineEnd: 'the line ends within the record',
  fileEnd: 'the file ends within the record',
} as const;
export type Reason = keyof typeof REASONS;

const WORDS = [Buffer.from('true'), Buffer.from('false'), Buffer.from('null')];

/**
 * Strict JSON (RFC 8259) over bytes, without recursion and without a string. Every method takes an index and gives the
 * index behind what it read, or -1: then `failAt` tells where and `reason` why.
 *
 * The caller plants a NUL at `bytes[end]`: no token goes over it, so that no loop asks for the end. A failure at `end`
 * or behind means "more bytes are needed".
 */
export class ValueScanner {
  bytes: Buffer = Buffer.alloc(0);
  end = 0;
  /**
   * Physical line of the last place that was passed over; counted at line feeds between tokens (inside strings they are
   * faults).
   */
  line = 1;
  failAt = 0;
  reason: Reason = 'value';
  /** The last string held escapes. */
  escaped = false;
  /** Levels around the value at hand. */
  depth = 0;
  /** A line feed ends the record, so it is no space. */
  readonly oneLine: boolean;
  readonly #open = new Uint8Array(MAX_DEPTH);

  constructor(oneLine: boolean) {
    this.oneLine = oneLine;
  }

  fail(at: number, reason: Reason): number {
    this.failAt = at;
    this.reason = reason;
    return -1;
  }

  /** JSON's own white space; no \v or \f. Never fails. */
  space(start: number): number {
    const { bytes } = this;
    let at = start;
    for (;;) {
      const byte = bytes[at]!;
      if (byte > SPACE) return at;
      if (byte === LF) {
        if (this.oneLine) return at;
        this.line += 1;
      } else if (byte !== SPACE && byte !== 0x09 && byte !== 0x0d) {
        return at;
      }
      at += 1;
    }
  }

  /** From behind the opening quote to behind the closing one. */
  string(start: number): number {
    const { bytes } = this;
    let at = start;
    let escaped = false;
    for (;;) {
      while (STRING_STOP[bytes[at]!] === 0) at += 1;
      const byte = bytes[at]!;
      if (byte === QUOTE) {
        this.escaped = escaped;
        return at + 1;
      }
      if (byte !== BACKSLASH) return this.fail(at, 'control');
      escaped = true;
      const letter = bytes[at + 1]!;
      if (letter !== 0x75) {
        if (ESCAPES[letter] === 0) return this.fail(at + 1, 'escape');
        at += 2;
        continue;
      }
      for (let i = at + 2; i < at + 6; i++) if (HEX[bytes[i]!] === 255) return this.fail(i, 'escape');
      at += 6;
    }
  }

  number(start: number): number {
    const { bytes } = this;
    let at = bytes[start] === 0x2d ? start + 1 : start;
    const whole = at;
    at = digits(bytes, at);
    if (at === whole) return this.fail(at, 'number');
    if (bytes[whole] === 0x30 && at > whole + 1) return this.fail(whole + 1, 'number');
    if (bytes[at] === 0x2e) {
      const fraction = at + 1;
      at = digits(bytes, fraction);
      if (at === fraction) return this.fail(at, 'number');
    }
    if ((bytes[at]! | 0x20) === 0x65) {
      at += 1;
      if (bytes[at] === 0x2b || bytes[at] === 0x2d) at += 1;
      const exponent = at;
      at = digits(bytes, exponent);
      if (at === exponent) return this.fail(at, 'number');
    }
    return at;
  }

  /** Anything but strings, objects and arrays. */
  plain(start: number): number {
    const { bytes } = this;
    const first = bytes[start]!;
    if (first === 0x2d || (first >= 0x30 && first <= 0x39)) return this.number(start);
    const word = first === 0x74 ? WORDS[0]! : first === 0x66 ? WORDS[1]! : WORDS[2]!;
    for (let i = 0; i < word.length; i++) if (bytes[start + i] !== word[i]) return this.fail(start + i, 'value');
    return start + word.length;
  }

  /** From a key's opening quote to behind its colon. */
  key(start: number): number {
    if (this.bytes[start] !== QUOTE) return this.fail(start, 'key');
    const behind = this.string(start + 1);
    return behind < 0 ? behind : this.colon(behind);
  }

  colon(start: number): number {
    const at = this.bytes[start] === COLON ? start : this.space(start);
    return this.bytes[at] === COLON ? at + 1 : this.fail(at, 'colon');
  }

  /** Any value, from its first byte or the space before it. */
  skip(start: number): number {
    const { bytes } = this;
    const open = this.#open;
    const most = MAX_DEPTH - this.depth;
    let depth = 0;
    let at = start;
    for (;;) {
      at = this.space(at);
      const byte = bytes[at]!;
      if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
        if (depth >= most) return this.fail(at, 'deep');
        open[depth++] = byte;
        at = this.space(at + 1);
        // { is followed by } two further on in ASCII, [ by ]
        if (bytes[at] !== byte + 2) {
          if (byte === OPEN_OBJECT) at = this.key(at);
          if (at < 0) return at;
          continue;
        }
        depth -= 1;
        at += 1;
      } else {
        at = byte === QUOTE ? this.string(at + 1) : this.plain(at);
        if (at < 0) return at;
      }
      // behind a value: close what ends here, then a comma or the end
      for (;;) {
        if (depth === 0) return at;
        at = this.space(at);
        const next = bytes[at]!;
        const kind = open[depth - 1]!;
        if (next === kind + 2) {
          at += 1;
          depth -= 1;
          continue;
        }
        if (next !== COMMA) return this.fail(at, 'next');
        at += 1;
        if (kind === OPEN_OBJECT) at = this.key(this.space(at));
        if (at < 0) return at;
        break;
      }
    }
  }
}

function digits(bytes: Buffer, start: number): number {
  let at = start;
  while (bytes[at]! >= 0x30 && bytes[at]! <= 0x39) at += 1;
  return at;
}
