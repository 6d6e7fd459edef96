import { isUtf8 } from 'node:buffer';
import { TallymanError } from '../../core/errors.js';
import type { Bytes } from '../../core/format.js';
import { MultiByte } from './charset-multi-byte.js';
import { charsetOf, type Charset } from './charset-names.js';
import { SingleByte } from './charset-single-byte.js';
import { Utf16, Utf32 } from './charset-unicode.js';
import { guessEightBit } from './eight-bit.js';
import { ESCAPES, hasEscapes } from './escapes.js';
import { abandon, peek } from '../peek.js';
import { PIECE, type Transcoder } from './transcoder.js';
import { bigEndian, wideByZeros, zerosOfUtf16 } from './utf16.js';
import { isMostlyUtf8, NO_SHARE, tellBad, united, utf8Share, type Utf8Share } from './utf8-share.js';

/** How much `encoding: auto` looks at. */
const SAMPLE = 2 ** 20;
/** What tells the byte order of UTF-16 without a mark. */
const ORDER_SAMPLE = 4096;

type Mark = 'utf-8' | 'utf-16le' | 'utf-16be' | 'utf-32le' | 'utf-32be';

export interface Utf8 {
  /** UTF-8; undecodable bytes in a form that is not valid UTF-8. */
  readonly bytes: Bytes;
  /** The encoding that was used: never `auto`, and `utf-16` with its byte order. */
  readonly encoding: string;
  /** Of `auto`: why what was used may be wrong. Omitted: nothing speaks against it. */
  readonly doubt?: string;
}

/**
 * Text in the encoding that the label says, as UTF-8. UTF-8 itself passes untouched, its byte order mark too; those of
 * UTF-16 and UTF-32 are dropped. Throws FORMAT_MISMATCH when the file begins with the byte order mark of another
 * encoding, or is UTF-16 where UTF-8 is declared, and UNKNOWN_ENCODING for a label that nobody knows (config/ refuses
 * it before).
 */
export async function toUtf8(source: Bytes, label: string): Promise<Utf8> {
  const charset = charsetOf(label);
  if (charset === null) throw new TallymanError('UNKNOWN_ENCODING', `There is no encoding ${label} that can be read.`);
  const { head, bytes } = await peek(
    source,
    charset.kind === 'auto' ? SAMPLE : charset.kind === 'utf-16' || charset.kind === 'utf-8' ? ORDER_SAMPLE : 4,
  );
  const mark = markOf(head);
  if (mark !== null && !agrees(charset, mark)) {
    await abandon(bytes);
    throw new TallymanError(
      'FORMAT_MISMATCH',
      `The file begins with the byte order mark of ${mark}, and format.encoding says ${charset.name}.`,
      { fix: `Set format.encoding to ${mark} or auto.` },
    );
  }
  const wide = mark === null && charset.kind === 'utf-8' ? zerosOfUtf16(head) : null;
  if (wide !== null) {
    await abandon(bytes);
    throw new TallymanError(
      'FORMAT_MISMATCH',
      `The file is ${wide} by its bytes (every other one is zero), and format.encoding says ${charset.name}.`,
      { fix: `Set format.encoding to ${wide} or auto.` },
    );
  }
  const used = settled(charset, mark, head);
  const sample = head.subarray(0, SAMPLE);
  const guessed = charset.kind === 'auto' && mark === null;
  const doubt = guessed ? doubtOf(used, sample, head.length < SAMPLE) : null;
  if (used.kind === 'utf-8') return { bytes, encoding: used.name, ...(doubt === null ? {} : { doubt }) };
  const skip =
    mark === null || used.kind === 'single-byte' || used.kind === 'multi-byte'
      ? 0
      : used.kind.startsWith('utf-16')
        ? 2
        : 4;
  return {
    bytes: transcoded(
      guessed && used.kind === 'single-byte' ? watched(bytes, sample.length) : bytes,
      transcoderOf(used),
      skip,
    ),
    encoding: used.name,
    ...(doubt === null ? {} : { doubt }),
  };
}

/** Counted only where there is something to count. */
const shareOf = (sample: Buffer, whole: boolean): Utf8Share => (isUtf8(sample) ? NO_SHARE : utf8Share(sample, whole));

/** `auto` never takes another 8-bit encoding than windows-1252: a guess would change from file to file. */
function doubtOf(used: Charset, head: Buffer, whole: boolean): string | null {
  if (used.kind === 'utf-8') {
    const share = shareOf(head, whole);
    if (share.bad > 0)
      return `encoding: auto took utf-8: ${tellBad(share, 'the first MiB')}. Such rows are refused as encoding-error`;
    return hasEscapes(head) ? `encoding: auto took utf-8, and ${ESCAPES}` : null;
  }
  if (used.kind !== 'single-byte') return null;
  const { label, same } = guessEightBit(head);
  return same
    ? null
    : `encoding: auto took windows-1252; by its characters the file looks like ${label}. If it is, declare it`;
}

/**
 * Behind the sample the text may be UTF-8 after all: its letters would become others without a word. Throws
 * FORMAT_MISMATCH at the end.
 */
async function* watched(bytes: Bytes, sample: number): AsyncGenerator<Buffer> {
  let rest = NO_SHARE;
  let left = sample;
  for await (const chunk of bytes) {
    const behind = chunk.subarray(Math.min(left, chunk.length));
    left = Math.max(0, left - chunk.length);
    if (behind.length > 0) rest = united(rest, utf8Share(behind, false));
    yield chunk;
  }
  if (rest.clean > MOST_BY_CHANCE && isMostlyUtf8(rest))
    throw new TallymanError(
      'FORMAT_MISMATCH',
      `encoding: auto took windows-1252 by the first MiB of the file, which is no UTF-8; behind it ` +
        `${rest.characters} characters above ASCII are UTF-8 and ${rest.bad} are not.`,
      { fix: 'Set format.encoding: utf-8 refuses the rows that are none, windows-1252 takes them all as they stand.' },
    );
}

/** Bytes of another encoding that happen to be characters of UTF-8. */
const MOST_BY_CHANCE = 2;

async function* transcoded(bytes: Bytes, transcoder: Transcoder, skip: number): AsyncGenerator<Buffer> {
  let left = skip;
  for await (const chunk of bytes) {
    const passed = Math.min(left, chunk.length);
    left -= passed;
    for (let at = passed; at < chunk.length; at += PIECE) {
      const piece = transcoder.write(chunk.subarray(at, at + PIECE));
      if (piece.length > 0) yield piece;
    }
  }
  const last = transcoder.end();
  if (last.length > 0) yield last;
}

function markOf(head: Buffer): Mark | null {
  if (head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf) return 'utf-8';
  if (head[0] === 0xff && head[1] === 0xfe)
    return head.length >= 4 && head[2] === 0 && head[3] === 0 ? 'utf-32le' : 'utf-16le';
  if (head[0] === 0xfe && head[1] === 0xff) return 'utf-16be';
  return head.length >= 4 && head.readUInt32BE(0) === 0xfeff ? 'utf-32be' : null;
}

const agrees = ({ kind }: Charset, mark: Mark): boolean =>
  kind === 'auto' ||
  kind === mark ||
  (kind === 'utf-16' && mark.startsWith('utf-16')) ||
  (kind === 'utf-32' && mark.startsWith('utf-32'));

/** `auto`, `utf-16` and `utf-32` made up: mark first, then the bytes. */
function settled(charset: Charset, mark: Mark | null, head: Buffer): Charset {
  const { kind } = charset;
  if (mark !== null) return { kind: mark, name: mark, table: '' };
  if (kind === 'utf-32') return { kind: 'utf-32be', name: 'utf-32be', table: '' };
  if (kind === 'utf-16') {
    const name = bigEndian(head) ? 'utf-16be' : 'utf-16le';
    return { kind: name, name, table: '' };
  }
  if (kind !== 'auto') return charset;
  const wide = wideByZeros(head);
  if (wide !== null) return { kind: wide, name: wide, table: '' };
  return isMostlyUtf8(shareOf(head.subarray(0, SAMPLE), head.length < SAMPLE))
    ? { kind: 'utf-8', name: 'utf-8', table: '' }
    : { kind: 'single-byte', name: 'windows-1252', table: 'windows-1252' };
}

function transcoderOf({ kind, table }: Charset): Transcoder {
  if (kind === 'single-byte') return new SingleByte(table);
  if (kind === 'multi-byte') return new MultiByte(table);
  return kind.startsWith('utf-16') ? new Utf16(kind === 'utf-16le') : new Utf32(kind === 'utf-32le');
}
