import { type Codec, type CopyBuffer, NULL_WRITTEN } from '../../core/codec.js';
import { NOT_OF_TYPE, compareBytes, dropBlanks, putInt32, skipBlanks } from '../cell.js';
import type { CodecOptions, ColumnType } from '../column-type.js';

/**
 * boolean: t, true, y, yes, on, 1 and f, false, n, no, off, 0 in any case. A list of the column's own takes the place
 * of that side's words and is meant as written: case counts. PostgreSQL also takes beginnings (`tru`, `of`); here they
 * are refused, a cut-off cell is damage.
 */
export const boolean: ColumnType = {
  typnames: ['bool'],
  build: (_type, options) => booleanCodec(options),
};

const TRUE_WORDS = ['t', 'true', 'y', 'yes', 'on', '1'];
const FALSE_WORDS = ['f', 'false', 'n', 'no', 'off', '0'];

interface Word {
  readonly bytes: Buffer;
  readonly anyCase: boolean;
  readonly value: number;
}

function booleanCodec(options: CodecOptions): Codec {
  const words = [
    // own lists first: true_values: [0] alone must win over the word 0
    ...wordsOf(options.trueValues, 1),
    ...wordsOf(options.falseValues, 0),
    ...(options.trueValues === null ? wordsOf(TRUE_WORDS, 1, true) : []),
    ...(options.falseValues === null ? wordsOf(FALSE_WORDS, 0, true) : []),
  ];
  const longest = Math.max(...words.map((word) => word.bytes.length));
  const byLength = Array.from({ length: longest + 1 }, (_, length) =>
    words.filter((word) => word.bytes.length === length),
  );
  // a blank cell is NULL unless a list names it: SAP writes X and nothing
  const blank = words.find((word) => word.bytes.length === 0)?.value ?? NULL_WRITTEN;
  const read = (bytes: Buffer, start: number, end: number): number => {
    const from = skipBlanks(bytes, start, end);
    const to = dropBlanks(bytes, from, end);
    if (from === to) return blank;
    const candidates = to - from < byLength.length ? byLength[to - from]! : NONE;
    for (let i = 0; i < candidates.length; i++)
      if (matches(candidates[i]!, bytes, from, to)) return candidates[i]!.value;
    return UNKNOWN;
  };
  // `t`, `0`: what nearly every cell is
  const byByte = Int8Array.from({ length: 256 }, (_, byte) => read(Buffer.of(byte), 0, 1));
  return {
    typeName: 'boolean',
    maxSize: () => 5,
    encode: (bytes, start, end, out) => {
      const value = end - start === 1 ? byByte[bytes[start]!]! : read(bytes, start, end);
      if (value < 0) return value === UNKNOWN ? NOT_OF_TYPE : NULL_WRITTEN;
      putInt32(out.buf, out.pos, 1);
      out.buf[out.pos + 4] = value;
      out.pos += 5;
      return 0;
    },
    encodeText: (bytes: Buffer, start: number, end: number, out: CopyBuffer) => {
      const value = read(bytes, start, end);
      if (value < 0) return value === UNKNOWN ? NOT_OF_TYPE : NULL_WRITTEN;
      out.buf[out.pos++] = value === 1 ? 0x74 : 0x66;
      return 0;
    },
    explain: () => 'not a boolean',
    compare: compareBytes,
    identity: null,
  };
}

const UNKNOWN = -2;
const NONE: readonly Word[] = [];

/** Words as bytes; blanks around them are ignored, as they are in cells. */
const wordsOf = (texts: readonly string[] | null, value: number, anyCase = false): Word[] =>
  (texts ?? []).map((text) => {
    const bytes = Buffer.from(text);
    const from = skipBlanks(bytes, 0, bytes.length);
    return { bytes: bytes.subarray(from, dropBlanks(bytes, from, bytes.length)), anyCase, value };
  });

/** For a word of the cell's length. */
function matches(word: Word, bytes: Buffer, start: number, end: number): boolean {
  const expected = word.bytes;
  for (let i = 0; i < end - start; i++) {
    const byte = bytes[start + i]!;
    if (byte !== expected[i] && !(word.anyCase && byte >= 0x41 && byte <= 0x5a && byte + 0x20 === expected[i]))
      return false;
  }
  return true;
}
