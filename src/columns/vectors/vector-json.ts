import { isUtf8 } from 'node:buffer';
import { isThere, type Vector, type VectorBatch } from '../../core/batch.js';
import type { CopyBuffer } from '../../core/codec.js';
import { copyBytes, putAscii } from '../cell.js';
import { growTo } from '../copy-buffer.js';
import { putText } from './vector-text.js';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN = 0x7b;
const CLOSE = 0x7d;
const HEX = Buffer.from('0123456789abcdef');

/**
 * The row as one JSON object: the columns that were read, in file order; digits are kept, bytes are `"\\x.."`. What the
 * quarantine holds of a row without text of its own (docs/spec/postgresql.md#quarantine).
 */
export function putRowJson(batch: VectorBatch, row: number, out: CopyBuffer): void {
  const cells = batch.columns.flatMap((vector, cell) => (vector === null ? [] : [cell]));
  putCellsJson(
    batch,
    row,
    cells,
    cells.map((cell) => batch.names[cell]!),
    out,
  );
}

/** Some cells of the row as one JSON object. */
export function putCellsJson(
  batch: VectorBatch,
  row: number,
  cells: readonly number[],
  names: readonly string[],
  out: CopyBuffer,
): void {
  putByte(out, OPEN);
  for (const [i, cell] of cells.entries()) {
    if (i > 0) putByte(out, COMMA);
    putString(out, names[i]!);
    putByte(out, COLON);
    const vector = batch.columns[cell] ?? null;
    if (vector === null) putWord(out, 'null');
    else putJson(vector, row, out);
  }
  putByte(out, CLOSE);
}

/** Types whose text is JSON. */
const NESTED: ReadonlySet<string> = new Set(['list', 'map', 'struct']);

/**
 * A value that is there as a cell's text: what is nested as JSON, all else as putText has it. What the codecs make of
 * it decides whether it fits the column.
 */
export function putCell(vector: Vector, row: number, out: CopyBuffer): void {
  if (NESTED.has(vector.type.kind)) putJson(vector, row, out);
  else putText(vector, row, out);
}

/** A value as JSON: numbers with all their digits, nested values as objects and arrays, all else in quotes. */
export function putJson(vector: Vector, row: number, out: CopyBuffer): void {
  if (!isThere(vector, row)) {
    putWord(out, 'null');
    return;
  }
  const { type, children } = vector;
  switch (type.kind) {
    case 'struct':
      putByte(out, OPEN);
      for (const [i, field] of type.fields.entries()) {
        if (i > 0) putByte(out, COMMA);
        putString(out, field.name);
        putByte(out, COLON);
        putJson(children[i]!, row, out);
      }
      putByte(out, CLOSE);
      return;
    case 'list':
      putByte(out, 0x5b);
      for (let at = vector.words[row]!; at < vector.words[row + 1]!; at++) {
        if (at > vector.words[row]!) putByte(out, COMMA);
        putJson(children[0]!, at, out);
      }
      putByte(out, 0x5d);
      return;
    case 'map':
      putByte(out, OPEN);
      for (let at = vector.words[row]!; at < vector.words[row + 1]!; at++) {
        if (at > vector.words[row]!) putByte(out, COMMA);
        putKey(children[0]!, at, out);
        putByte(out, COLON);
        putJson(children[1]!, at, out);
      }
      putByte(out, CLOSE);
      return;
    case 'text':
      putQuoted(vector, vector.words[row]!, vector.words[row + 1]!, out);
      return;
    case 'blob': {
      // its text begins with a backslash, which JSON doubles
      putByte(out, QUOTE);
      putByte(out, BACKSLASH);
      putText(vector, row, out);
      putByte(out, QUOTE);
      return;
    }
    case 'real':
    case 'double': {
      const value = type.kind === 'real' ? vector.bytes.readFloatLE(4 * row) : vector.bytes.readDoubleLE(8 * row);
      // JSON has no NaN and no Infinity
      if (Number.isFinite(value)) putText(vector, row, out);
      else putString(out, String(value));
      return;
    }
    case 'bool':
    case 'int':
    case 'decimal':
    case 'digits':
      putText(vector, row, out);
      return;
    default:
      putByte(out, QUOTE);
      putText(vector, row, out);
      putByte(out, QUOTE);
  }
}

/** JSON's keys are strings: the key's text, or the JSON of a nested one. */
function putKey(vector: Vector, row: number, out: CopyBuffer): void {
  if (vector.type.kind === 'text') {
    putQuoted(vector, vector.words[row]!, vector.words[row + 1]!, out);
    return;
  }
  const text: CopyBuffer = { buf: Buffer.allocUnsafe(256), pos: 0 };
  if (isThere(vector, row)) putText(vector, row, text);
  else putWord(text, 'null');
  putString(out, text.buf.toString('utf8', 0, text.pos));
}

/**
 * Bytes of a text in quotes. Those that are no UTF-8 become U+FFFD: the row is refused for them, this is only its
 * picture.
 */
function putQuoted(vector: Vector, from: number, to: number, out: CopyBuffer): void {
  let { bytes } = vector;
  let start = from;
  let end = to;
  if (!vector.clean && !isUtf8(bytes.subarray(start, end))) {
    bytes = Buffer.from(bytes.toString('utf8', start, end));
    start = 0;
    end = bytes.length;
  }
  let escapes = 0;
  for (let i = start; i < end; i++) if (bytes[i]! < 0x20 || bytes[i] === QUOTE || bytes[i] === BACKSLASH) escapes++;
  // one byte becomes at most six (\u001f)
  growTo(out, end - start + 5 * escapes + 2);
  const { buf } = out;
  let at = out.pos;
  buf[at++] = QUOTE;
  if (escapes === 0) {
    at = copyBytes(bytes, start, end, buf, at);
    buf[at++] = QUOTE;
    out.pos = at;
    return;
  }
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    if (byte === QUOTE || byte === BACKSLASH) {
      buf[at++] = BACKSLASH;
      buf[at++] = byte;
    } else if (byte < 0x20) {
      at += buf.write('\\u00', at, 'latin1');
      buf[at++] = HEX[byte >> 4]!;
      buf[at++] = HEX[byte & 15]!;
    } else {
      buf[at++] = byte;
    }
  }
  buf[at++] = QUOTE;
  out.pos = at;
}

function putString(out: CopyBuffer, text: string): void {
  const json = JSON.stringify(text);
  growTo(out, 3 * json.length);
  out.pos += out.buf.write(json, out.pos);
}

function putWord(out: CopyBuffer, word: string): void {
  growTo(out, word.length);
  putAscii(out, word);
}

function putByte(out: CopyBuffer, byte: number): void {
  growTo(out, 1);
  out.buf[out.pos++] = byte;
}
