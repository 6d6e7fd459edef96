import { parseTypeName } from '../../columns/type-name.js';
import type { PgType } from '../../core/codec.js';

/**
 * Which real column types are of the kind of which contract types; whether they have room for each value is another
 * question (room.ts):
 *
 * - text, varchar, char: into any type
 * - smallint, integer, bigint, numeric, real, double precision: into each other
 * - date, timestamp, timestamptz: into each other. time: into time
 * - boolean, uuid, bytea: into themselves. json, jsonb: into each other
 * - every type: into text, varchar, char, name, citext
 *
 * Anything else is a misfit. Types that the config has no word for (inet, arrays, enums ...) take text, or a contract
 * of the same name.
 */
export const FAMILIES: Readonly<Record<string, string>> = {
  int2: 'number',
  int4: 'number',
  int8: 'number',
  numeric: 'number',
  float4: 'number',
  float8: 'number',
  date: 'date',
  timestamp: 'date',
  timestamptz: 'date',
  time: 'time',
  bool: 'boolean',
  uuid: 'uuid',
  bytea: 'bytea',
  json: 'json',
  jsonb: 'json',
  text: 'text',
  varchar: 'text',
  bpchar: 'text',
  name: 'text',
  citext: 'text',
};

/** True when a column of that real type can take values of the contract's type (in the config's words). */
export function typeFits(contractType: string, real: PgType): boolean {
  const parsed = parseTypeName(contractType);
  if (parsed === null)
    return contractType.trim().toLowerCase() === real.formatted.toLowerCase() || FAMILIES[real.typname] === 'text';
  const family = FAMILIES[parsed.typname];
  if (family === 'text' || FAMILIES[real.typname] === 'text') return true;
  return family !== undefined && family === FAMILIES[real.typname];
}

/**
 * True for types whose every refusal our own codecs foresee (the config's types, and enums). What goes through text
 * COPY only PostgreSQL judges.
 */
export function codecJudges(real: PgType): boolean {
  return real.enumLabels !== null || (FAMILIES[real.typname] !== undefined && real.typname !== 'citext');
}
