import { isUtf8 } from 'node:buffer';
import { TallymanError } from '../../core/errors.js';
import type { Bytes } from '../../core/format.js';
import { MultiByte } from './charset-multi-byte.js';
import { charsetOf, type Charset } from './charset-names.js';
import { SingleByte } from './charset-single-byte.js';
import { Utf16, Utf32 } from './charset-unicode.js';
import { guessEightBit } from './eight-bit.js';
import { abandon, peek } from '../peek.js';
import { PIECE, type Transcoder } from './transcoder.js';
import { bigEndian, zerosOfUtf16 } from './utf16.js';

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
  if (used.kind === 'utf-8') return { bytes, encoding: used.name };
  const skip =
    mark === null || used.kind === 'single-byte' || used.kind === 'multi-byte'
      ? 0
      : used.kind.startsWith('utf-16')
        ? 2
        : 4;
  const doubt = charset.kind === 'auto' && used.kind === 'single-byte' ? doubtOf(head) : null;
  return {
    bytes: transcoded(bytes, transcoderOf(used), skip),
    encoding: used.name,
    ...(doubt === null ? {} : { doubt }),
  };
}

/** `auto` never takes another 8-bit encoding than windows-1252: a guess would change from file to file. */
function doubtOf(head: Buffer): string | null {
  const { label } = guessEightBit(head);
  return label === 'windows-1252'
    ? null
    : `encoding: auto took windows-1252; by its characters the file looks like ${label}. If it is, declare it`;
}

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
  const wide = zerosOfUtf16(head);
  if (wide !== null) return { kind: wide, name: wide, table: '' };
  return beginsAsUtf8(head.subarray(0, SAMPLE))
    ? { kind: 'utf-8', name: 'utf-8', table: '' }
    : { kind: 'single-byte', name: 'windows-1252', table: 'windows-1252' };
}

/** Valid UTF-8, the last character perhaps cut by the end of the sample. */
function beginsAsUtf8(head: Buffer): boolean {
  const cuts = head.length < SAMPLE ? 0 : 3;
  for (let cut = 0; cut <= cuts; cut++) {
    if (isUtf8(head.subarray(0, Math.max(0, head.length - cut))))
      return cut === 0 || lengthOf(head[head.length - cut] ?? 0) > cut;
  }
  return false;
}

/** Bytes of the UTF-8 character that this byte begins, 0 when it begins none. */
const lengthOf = (byte: number): number =>
  byte >= 0xc2 && byte < 0xe0 ? 2 : byte >= 0xe0 && byte < 0xf0 ? 3 : byte >= 0xf0 && byte < 0xf5 ? 4 : 0;

function transcoderOf({ kind, table }: Charset): Transcoder {
  if (kind === 'single-byte') return new SingleByte(table);
  if (kind === 'multi-byte') return new MultiByte(table);
  return kind.startsWith('utf-16') ? new Utf16(kind === 'utf-16le') : new Utf32(kind === 'utf-32le');
}
