import { createHash } from 'node:crypto';
import { type Codec, type CopyBuffer, NULL_WRITTEN } from '../../core/codec.js';
import { copyBytes, copyEscaped, dropBlanks, putInt32, skipBlanks } from '../cell.js';
import type { ColumnType } from '../column-type.js';
import { JSON_NUL, JSON_NUMBER, JSON_SURROGATE, JSON_TOO_DEEP, MAX_DEPTH, checkJson } from './json-syntax.js';

/** json and jsonb: the text is checked and sent as it stands, jsonb behind its version byte. Neither has an order. */
export const json: ColumnType = {
  typnames: ['json', 'jsonb'],
  build: (type) => (type.typname === 'jsonb' ? JSONB : JSON_TEXT),
};

const JSONB_VERSION = 1;

const JSON_TEXT = jsonCodec('json', false);
const JSONB = jsonCodec('jsonb', true);

function jsonCodec(typeName: string, binary: boolean): Codec {
  const check = (bytes: Buffer, from: number, to: number): number =>
    from === to ? NULL_WRITTEN : checkJson(bytes, from, to, binary);
  return {
    typeName,
    maxSize: (length) => 5 + 2 * length,
    encode: (bytes, start, end, out) => {
      const from = skipBlanks(bytes, start, end);
      const to = dropBlanks(bytes, from, end);
      const refusal = check(bytes, from, to);
      if (refusal === 0) write(bytes, from, to, out, binary);
      return refusal;
    },
    encodeText: (bytes, start, end, out) => {
      const from = skipBlanks(bytes, start, end);
      const to = dropBlanks(bytes, from, end);
      const refusal = check(bytes, from, to);
      if (refusal === 0) copyEscaped(bytes, from, to, out);
      return refusal;
    },
    explain: (code) => REASONS.get(code) ?? `not valid JSON`,
    compare: null,
    identity: binary ? jsonbIdentity : null,
  };
}

const REASONS: ReadonlyMap<number, string> = new Map([
  [JSON_TOO_DEEP, `JSON nested deeper than ${MAX_DEPTH} levels`],
  [JSON_NUL, 'JSON with \\u0000, which jsonb cannot hold'],
  [JSON_SURROGATE, 'JSON with half a surrogate pair, which jsonb cannot hold'],
  [JSON_NUMBER, 'JSON with a number out of range for jsonb'],
]);

function write(bytes: Buffer, start: number, end: number, out: CopyBuffer, binary: boolean): void {
  const head = binary ? 1 : 0;
  putInt32(out.buf, out.pos, end - start + head);
  if (binary) out.buf[out.pos + 4] = JSONB_VERSION;
  out.pos = copyBytes(bytes, start, end, out.buf, out.pos + 4 + head);
}

/**
 * SHA-256 of the value without spacing, order of keys and repeated keys (the last counts), as jsonb compares it.
 * Numbers go through a double here: two that differ past 17 digits look equal, never the other way round; what looks
 * equal is compared once more in SQL.
 */
function jsonbIdentity(encoded: Buffer, start: number, end: number, out: Buffer, at: number): number {
  const value: unknown = JSON.parse(encoded.toString('utf8', start + 1, end));
  return at + createHash('sha256').update(canonical(value)).digest().copy(out, at);
}

/** At most MAX_DEPTH calls deep: the text was checked. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return Object.is(value, -0) ? '0' : JSON.stringify(value);
  const members = Object.entries(value).map(([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`);
  return `{${members.sort().join(',')}}`;
}
