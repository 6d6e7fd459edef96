import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import fc from 'fast-check';
import type pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { expect } from 'vitest';
import { type CodecOptions, PLAIN_OPTIONS } from '../../src/columns/column-type.js';
import { pgTypeNamed } from '../../src/columns/type-name.js';
import { codecFor } from '../../src/columns/types/index.js';
import { type Codec, type CopyBuffer, NULL_WRITTEN, type PgType } from '../../src/core/codec.js';

/**
 * What a codec made of a cell: the value's bytes (behind the length word, or escaped text), NULL, or the reason of the
 * refusal.
 */
export type Outcome = { readonly value: Buffer } | { readonly refused: string } | 'NULL';

/** The codec of a type in the config's words. */
export function codecOf(typeName: string, options: Partial<CodecOptions> = {}): Codec {
  const type = pgTypeNamed(typeName);
  const codec = type === null ? null : codecFor(type, { ...PLAIN_OPTIONS, ...options });
  if (codec === null) throw new Error(`no codec for ${typeName}`);
  return codec;
}

/** A type of the catalog that the config has no word for. */
export const catalogType = (typname: string, more: Partial<PgType> = {}): PgType => ({
  oid: 0,
  typname,
  typmod: -1,
  formatted: typname,
  enumLabels: null,
  ...more,
});

/** Any one of these characters. */
export const oneOf = (characters: string): fc.Arbitrary<string> => fc.constantFrom(...Array.from(characters));

const GUARD = 0xa5;
const BEFORE = 3;
const BEHIND = 64;

/**
 * Encodes one cell and holds the codec to its contract: maxSize, the length word, out.pos, and no byte touched outside
 * its room.
 */
export function encode(codec: Codec, cell: string | Buffer, mode: 'binary' | 'text' = 'binary'): Outcome {
  const bytes = Buffer.isBuffer(cell) ? cell : Buffer.from(cell);
  // the cell stands in the middle of other bytes that look like more of it
  const around = Buffer.concat([Buffer.from('19'), bytes, Buffer.from('91')]);
  const room = codec.maxSize(bytes.length);
  const out: CopyBuffer = { buf: Buffer.alloc(BEFORE + room + BEHIND, GUARD), pos: BEFORE };
  const run = mode === 'binary' ? codec.encode.bind(codec) : codec.encodeText.bind(codec);
  const result = run(around, 2, 2 + bytes.length, out);
  expect(out.buf.subarray(0, BEFORE).every((byte) => byte === GUARD)).toBe(true);
  expect(out.buf.subarray(BEFORE + room).every((byte) => byte === GUARD)).toBe(true);
  if (result !== 0) {
    expect(out.pos).toBe(BEFORE);
    if (result === NULL_WRITTEN) return 'NULL';
    expect(result).toBeGreaterThan(0);
    return { refused: codec.explain(result) };
  }
  expect(out.pos - BEFORE).toBeLessThanOrEqual(room);
  const written = out.buf.subarray(BEFORE, out.pos);
  if (mode === 'text') return { value: written };
  expect(written.readInt32BE(0)).toBe(written.length - 4);
  return { value: written.subarray(4) };
}

/** Reason of a refusal in both modes. */
export function refusal(codec: Codec, cell: string): string | null {
  const binary = encode(codec, cell);
  expect(encode(codec, cell, 'text')).toEqual(
    typeof binary === 'object' && 'value' in binary ? expect.anything() : binary,
  );
  return typeof binary === 'object' && 'refused' in binary ? binary.refused : null;
}

export interface Differential {
  readonly client: pg.Client;
  /** The column's type in SQL. */
  readonly sqlType: string;
  /** PostgreSQL's send function of the type. */
  readonly send: string;
  readonly codec: Codec;
  readonly cells: readonly string[];
  /** How the cell is spelled for PostgreSQL; as it stands when omitted. */
  readonly spelled?: (cell: string) => string;
  /** false: the payload need not be byte for byte what `send` gives (char(n) padding, jsonb spacing). */
  readonly canonical?: boolean;
}

/**
 * The codec and PostgreSQL refuse the same cells; and what PostgreSQL holds after a binary COPY, and after a text COPY,
 * of the codec's bytes is what it makes of the literal itself.
 */
export async function expectAsPostgres(given: Differential): Promise<void> {
  const { client, sqlType, send, codec, cells } = given;
  const literals = cells.map(given.spelled ?? ((cell) => cell));
  await client.query(`drop table if exists literals, by_binary, by_text`);
  await client.query(`create temp table literals (id int, x text)`);
  await client.query(`insert into literals select ord - 1, x from unnest($1::text[]) with ordinality u(x, ord)`, [
    literals,
  ]);
  const { rows } = await client.query<{ valid: boolean; value: Buffer | null }>(
    `select pg_input_is_valid(x, $1) as valid, case when pg_input_is_valid(x, $1) then ${send}(x::${sqlType}) end as value from literals order by id`,
    [sqlType],
  );
  const binary = cells.map((cell) => encode(codec, cell));
  const text = cells.map((cell) => encode(codec, cell, 'text'));
  const accepted = (outcome: Outcome): boolean => typeof outcome === 'object' && 'value' in outcome;
  const shown = (i: number): string => `${literals[i]?.slice(0, 120) ?? ''} (${literals[i]?.length ?? 0})`;
  const differing = cells.flatMap((_, i) =>
    accepted(binary[i]!) === rows[i]!.valid && accepted(text[i]!) === rows[i]!.valid
      ? []
      : [{ cell: shown(i), postgres: rows[i]!.valid, codec: binary[i] }],
  );
  expect(differing).toEqual([]);
  if (given.canonical !== false) {
    const unequal = binary.flatMap((outcome, i) =>
      typeof outcome === 'object' && 'value' in outcome && !outcome.value.equals(rows[i]!.value!)
        ? [{ cell: shown(i), postgres: rows[i]!.value!.toString('hex'), codec: outcome.value.toString('hex') }]
        : [],
    );
    expect(unequal).toEqual([]);
  }
  await client.query(
    `create temp table by_binary (id int, v ${sqlType}); create temp table by_text (id int, v ${sqlType})`,
  );
  await copy(client, `copy by_binary from stdin (format binary)`, binaryCopy(binary));
  await copy(client, `copy by_text from stdin`, textCopy(text));
  for (const table of ['by_binary', 'by_text']) {
    const { rows: wrong } = await client.query(
      `select x, ${send}(v) as stored from literals left join ${table} using (id) where pg_input_is_valid(x, $1) and ${send}(v) is distinct from ${send}(x::${sqlType})`,
      [sqlType],
    );
    expect(wrong, table).toEqual([]);
  }
}

/**
 * compare gives PostgreSQL's order, and identity is equal exactly where PostgreSQL's values are. All cells must be
 * valid.
 */
export async function expectOrderOfPostgres(
  client: pg.Client,
  sqlType: string,
  codec: Codec,
  cells: readonly string[],
): Promise<void> {
  const { rows } = await client.query<{ rank: number }>(
    `select rank() over (order by x::${sqlType})::int as rank from unnest($1::text[]) with ordinality u(x, ord) order by ord`,
    [cells],
  );
  const values = cells.map((cell) => {
    const outcome = encode(codec, cell);
    if (typeof outcome !== 'object' || !('value' in outcome)) throw new Error(`refused: ${cell}`);
    return outcome.value;
  });
  const identities = values.map((value) => {
    const out = Buffer.alloc(value.length + 32);
    return codec.identity === null ? value : out.subarray(0, codec.identity(value, 0, value.length, out, 0));
  });
  const wrong: string[] = [];
  for (let a = 0; a < cells.length; a++) {
    for (let b = 0; b < cells.length; b++) {
      const expected = Math.sign(rows[a]!.rank - rows[b]!.rank);
      const [left, right] = [values[a]!, values[b]!];
      const order = codec.compare === null ? expected : codec.compare(left, 0, left.length, right, 0, right.length);
      if (Math.sign(order) !== expected) wrong.push(`order of ${cells[a]!} and ${cells[b]!}`);
      if (identities[a]!.equals(identities[b]!) !== (expected === 0))
        wrong.push(`identity of ${cells[a]!} and ${cells[b]!}`);
    }
  }
  expect(wrong).toEqual([]);
}

async function copy(client: pg.Client, sql: string, data: Buffer): Promise<void> {
  await pipeline(Readable.from([data]), client.query(copyFrom(sql)));
}

function binaryCopy(outcomes: readonly Outcome[]): Buffer {
  const tuples = outcomes.flatMap((outcome, id) => {
    if (typeof outcome !== 'object' || !('value' in outcome)) return [];
    const head = Buffer.alloc(14);
    head.writeInt16BE(2, 0);
    head.writeInt32BE(4, 2);
    head.writeInt32BE(id, 6);
    head.writeInt32BE(outcome.value.length, 10);
    return [head, outcome.value];
  });
  return Buffer.concat([
    Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1'),
    Buffer.alloc(8),
    ...tuples,
    Buffer.from([0xff, 0xff]),
  ]);
}

function textCopy(outcomes: readonly Outcome[]): Buffer {
  return Buffer.concat(
    outcomes.flatMap((outcome, id) =>
      typeof outcome === 'object' && 'value' in outcome
        ? [Buffer.from(`${id}\t`), outcome.value, Buffer.from('\n')]
        : [],
    ),
  );
}
