import { PLAIN_OPTIONS } from '../../columns/column-type.js';
import { dropBlanks, skipBlanks } from '../../columns/cell.js';
import { pgTypeNamed } from '../../columns/type-name.js';
import { codecFor } from '../../columns/types/index.js';
import type { Codec, CopyBuffer } from '../../core/codec.js';
import { Distinct } from './distinct.js';
import { MomentEvidence } from './moment-evidence.js';
import { nullWord } from './null-words.js';
import { looksNumeric, NumberEvidence } from './number-evidence.js';

/** A value that does not fit what all before it were. */
export interface Break {
  /** Values that fitted. */
  readonly after: number;
  readonly example: string;
  readonly line: number;
}

/** Values whose look is counted when a column is no numbers. */
const LOOKS = 5_000;
const MOST_EXAMPLES = 3;
const UUID_LENGTH = 36;
const SCRATCH: CopyBuffer = { buf: Buffer.allocUnsafe(4_096), pos: 0 };

const codecOf = (name: string): Codec | null => {
  const type = pgTypeNamed(name);
  return type === null ? null : codecFor(type, PLAIN_OPTIONS);
};
const UUID = codecOf('uuid');
const JSONB = codecOf('jsonb');

/**
 * What the values of one column in a sample are like. Fed cell by cell; no string is made for a cell that is not told
 * of.
 */
export class ColumnProfile {
  /** Values that are neither NULL nor empty nor a word for nothing. */
  values = 0;
  /** Absent, NULL by the format, or without a character. */
  empty = 0;
  /** Only blanks. */
  blank = 0;
  /** Empty, but in quotes: an empty string, if the column is text. */
  quotedEmpty = 0;
  /** Values in quotes (JSON: strings). */
  quoted = 0;
  /** Words for nothing, and how often each stood in quotes. */
  readonly words = new Map<string, { count: number; quoted: number }>();
  readonly numbers = new NumberEvidence();
  readonly moments = new MomentEvidence();
  readonly distinct = new Distinct();
  readonly examples: string[] = [];
  uuid = UUID !== null;
  json = JSONB !== null;
  /** Characters of the shortest and the longest value. */
  shortest = Infinity;
  longest = 0;
  /** Values with blanks around them. */
  padded = 0;
  /** Where the column stopped being numbers, dates. */
  noNumber: Break | null = null;
  noMoment: Break | null = null;
  looked = 0;
  lookedNumeric = 0;

  /** A cell that is not NULL: its text without quotes and escapes. */
  add(bytes: Buffer, start: number, end: number, quoted: boolean, line: number): void {
    if (start === end) {
      this.empty++;
      if (quoted) this.quotedEmpty++;
      return;
    }
    const word = nullWord(bytes, start, end);
    if (word !== null) {
      const entry = this.words.get(word) ?? { count: 0, quoted: 0 };
      entry.count++;
      if (quoted) entry.quoted++;
      this.words.set(word, entry);
      return;
    }
    const from = skipBlanks(bytes, start, end);
    const to = dropBlanks(bytes, from, end);
    if (from === to) {
      this.blank++;
      return;
    }
    this.values++;
    if (quoted) this.quoted++;
    if (to - from !== end - start) this.padded++;
    this.#measure(bytes, start, end);
    if (this.examples.length < MOST_EXAMPLES) this.#keepExample(bytes, start, end);
    if (!this.distinct.done) this.distinct.add(bytes, from, to);
    this.#judge(bytes, from, to, line);
  }

  absent(): void {
    this.empty++;
  }

  #judge(bytes: Buffer, from: number, to: number, line: number): void {
    if (this.numbers.isAlive()) {
      this.numbers.add(bytes, from, to);
      if (!this.numbers.isAlive()) this.noNumber = { after: this.values - 1, example: shown(bytes, from, to), line };
    }
    if (!this.numbers.isAlive() && this.looked < LOOKS) {
      this.looked++;
      if (looksNumeric(bytes, from, to)) this.lookedNumeric++;
    }
    if (this.moments.isAlive()) {
      this.moments.add(bytes, from, to);
      if (!this.moments.isAlive()) this.noMoment = { after: this.values - 1, example: shown(bytes, from, to), line };
    }
    if (this.uuid) this.uuid = to - from === UUID_LENGTH && encodes(UUID, bytes, from, to);
    if (this.json) this.json = (bytes[from] === 0x7b || bytes[from] === 0x5b) && encodes(JSONB, bytes, from, to);
  }

  #measure(bytes: Buffer, start: number, end: number): void {
    if (end - start > this.longest || end - start < this.shortest) {
      let characters = 0;
      for (let at = start; at < end; at++) if ((bytes[at]! & 0xc0) !== 0x80) characters++;
      if (characters > this.longest) this.longest = characters;
      if (characters < this.shortest) this.shortest = characters;
    }
  }

  #keepExample(bytes: Buffer, start: number, end: number): void {
    const text = shown(bytes, start, end);
    if (!this.examples.includes(text)) this.examples.push(text);
  }
}

function encodes(codec: Codec | null, bytes: Buffer, start: number, end: number): boolean {
  if (codec === null) return false;
  const need = codec.maxSize(end - start);
  if (SCRATCH.buf.length < need) SCRATCH.buf = Buffer.allocUnsafe(2 * need);
  SCRATCH.pos = 0;
  return codec.encode(bytes, start, end, SCRATCH) === 0;
}

/** Bytes of a value that are shown. */
const SHOWN = 60;

export function shown(bytes: Buffer, start: number, end: number): string {
  const text = bytes.toString('utf8', start, Math.min(end, start + SHOWN));
  return end - start > SHOWN ? `${text} ...` : text;
}
