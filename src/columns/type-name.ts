import type { PgType } from '../core/codec.js';

/** A column type as the config writes it, taken apart. */
export interface TypeName {
  /** pg_type.typname, for example `int4`. */
  readonly typname: string;
  /** What PostgreSQL keeps as atttypmod; -1 = none. */
  readonly typmod: number;
  /** The one spelling used in messages and DDL, for example `numeric(12,2)`. */
  readonly canonical: string;
}

/**
 * The types that a contract can name (docs/spec/rows-and-values.md#types): spelling, pg_type.typname, oid, and the
 * other names PostgreSQL knows them by.
 */
const TYPES: readonly (readonly [word: string, typname: string, oid: number, ...aliases: string[]])[] = [
  ['text', 'text', 25],
  ['varchar', 'varchar', 1043, 'character varying'],
  ['char', 'bpchar', 1042, 'character'],
  ['smallint', 'int2', 21],
  ['integer', 'int4', 23, 'int'],
  ['bigint', 'int8', 20],
  ['numeric', 'numeric', 1700, 'decimal', 'dec'],
  ['real', 'float4', 700],
  ['double precision', 'float8', 701, 'float'],
  ['boolean', 'bool', 16],
  ['date', 'date', 1082],
  ['time', 'time', 1083, 'time without time zone'],
  ['timestamp', 'timestamp', 1114, 'timestamp without time zone'],
  ['timestamptz', 'timestamptz', 1184, 'timestamp with time zone'],
  ['uuid', 'uuid', 2950],
  ['json', 'json', 114],
  ['jsonb', 'jsonb', 3802],
  ['bytea', 'bytea', 17],
];

const wordOf = new Map(TYPES.map(([word, typname]) => [typname, word]));
const oidOf = new Map(TYPES.map(([, typname, oid]) => [typname, oid]));
const typnameOf = new Map(
  TYPES.flatMap(([word, typname, , ...aliases]) => [word, typname, ...aliases].map((name) => [name, typname] as const)),
);

/** The config's spellings of types, for "did you mean" and the config's JSON Schema. */
export const TYPE_WORDS: readonly string[] = TYPES.map(([word]) => word);

/** Longest varchar and char: PostgreSQL's MaxAttrSize, 10 MiB. */
const MAX_LENGTH = 10_485_760;
const MAX_PRECISION = 1000;
/** PostgreSQL adds 4 (the old length word) to the typmods of numeric, varchar and char. */
const HEADER = 4;

/**
 * Reads a type as people write it: the config's words and PostgreSQL's other names for the same types, in any case,
 * with precision, scale or length in brackets (`timestamp(3) with time zone` too). null = unknown, or its numbers are
 * out of range.
 */
export function parseTypeName(text: string): TypeName | null {
  const found = /^([a-z][a-z0-9 ]*?) ?(?:\( ?(\d{1,8}) ?(?:, ?(-?\d{1,4}) ?)?\))?((?: with| without) time zone)?$/.exec(
    text.trim().toLowerCase().replace(/\s+/g, ' '),
  );
  if (found === null) return null;
  const typname = typnameOf.get(`${found[1] ?? ''}${found[4] ?? ''}`);
  if (typname === undefined) return null;
  const first = found[2] === undefined ? null : Number(found[2]);
  const second = found[3] === undefined ? null : Number(found[3]);
  if (found[1] === 'char' && first === null) return named('bpchar', HEADER + 1);
  if (found[1] === 'character' && first === null) return named('bpchar', HEADER + 1);
  if (found[1] === 'float' && first !== null) return second === null ? floatOf(first) : null;
  const typmod = first === null ? -1 : typmodOf(typname, first, second);
  return typmod === null ? null : named(typname, typmod);
}

/**
 * The type as the catalog would show it, where there is no database to ask (`--dry-run`, config validation). null as
 * parseTypeName.
 */
export function pgTypeNamed(text: string): PgType | null {
  const name = parseTypeName(text);
  if (name === null) return null;
  return {
    oid: oidOf.get(name.typname) ?? 0,
    typname: name.typname,
    typmod: name.typmod,
    formatted: name.canonical,
    enumLabels: null,
  };
}

/**
 * The config's spelling of a type of the catalog, for example `numeric(12,2)`; types that the config has no word for as
 * `format_type()` spells them.
 */
export function typeNameOf(type: PgType): string {
  return wordOf.has(type.typname) ? named(type.typname, type.typmod).canonical : type.formatted;
}

/**
 * Most digits of a numeric and digits after its point (may be negative, or more than the precision, from PostgreSQL 15
 * on). null = no limit.
 */
export function numericLimits(typmod: number): { readonly precision: number; readonly scale: number } | null {
  if (typmod < HEADER) return null;
  const packed = typmod - HEADER;
  // 11 bits, signed: numeric_typmod_scale() in PostgreSQL's numeric.c
  return { precision: (packed >> 16) & 0xffff, scale: ((packed & 0x7ff) ^ 1024) - 1024 };
}

/** Most characters of a varchar or char; null = no limit. */
export function lengthLimit(typmod: number): number | null {
  return typmod < HEADER ? null : typmod - HEADER;
}

const floatOf = (bits: number): TypeName | null =>
  bits < 1 || bits > 53 ? null : named(bits <= 24 ? 'float4' : 'float8', -1);

function typmodOf(typname: string, first: number, second: number | null): number | null {
  switch (typname) {
    case 'numeric': {
      const scale = second ?? 0;
      if (first < 1 || first > MAX_PRECISION || Math.abs(scale) > MAX_PRECISION) return null;
      return HEADER + ((first << 16) | (scale & 0x7ff));
    }
    case 'varchar':
    case 'bpchar':
      return second !== null || first < 1 || first > MAX_LENGTH ? null : HEADER + first;
    case 'time':
    case 'timestamp':
    case 'timestamptz':
      return second !== null || first > 6 ? null : first;
    default:
      return null;
  }
}

function named(typname: string, typmod: number): TypeName {
  return { typname, typmod, canonical: `${wordOf.get(typname) ?? typname}${brackets(typname, typmod)}` };
}

function brackets(typname: string, typmod: number): string {
  switch (typname) {
    case 'numeric': {
      const limits = numericLimits(typmod);
      return limits === null ? '' : `(${limits.precision},${limits.scale})`;
    }
    case 'varchar':
    case 'bpchar': {
      const limit = lengthLimit(typmod);
      return limit === null ? '' : `(${limit})`;
    }
    default:
      return typmod < 0 ? '' : `(${typmod})`;
  }
}
