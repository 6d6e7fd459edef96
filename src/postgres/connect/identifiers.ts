import { TallymanError } from '../../core/errors.js';

/** NAMEDATALEN - 1: PostgreSQL cuts longer names silently, and two of them may then collide. */
const MAX_IDENTIFIER_BYTES = 63;

/**
 * A name as SQL takes it, whatever it holds. Throws CONTRACT_MISFIT for a name that PostgreSQL cannot have: empty, with
 * NUL, past 63 bytes.
 */
export function quoteIdentifier(name: string): string {
  const bytes = Buffer.byteLength(name);
  if (bytes === 0) throw unusable(name, 'it is empty');
  if (name.includes('\0')) throw unusable(name, 'it holds a NUL');
  if (/\p{Surrogate}/u.test(name)) throw unusable(name, 'it is not valid Unicode');
  if (bytes > MAX_IDENTIFIER_BYTES)
    throw unusable(name, `it has ${bytes} bytes, PostgreSQL takes ${MAX_IDENTIFIER_BYTES}`);
  return `"${name.replaceAll('"', '""')}"`;
}

/** `"schema"."name"`. */
export function qualified(schema: string, name: string): string {
  return `${quoteIdentifier(schema)}.${quoteIdentifier(name)}`;
}

/**
 * `schema.name` for people and for `loads.target`, quoted only where a name is not a plain lower-case word.
 * `to_regclass` reads it back.
 */
export function displayName(schema: string, name: string): string {
  return `${plainOrQuoted(schema)}.${plainOrQuoted(name)}`;
}

/**
 * A string literal that means the same under both settings of standard_conforming_strings. Throws for NUL, which no
 * PostgreSQL text holds.
 */
export function quoteLiteral(text: string): string {
  if (text.includes('\0')) throw unusable(text, 'a text in SQL cannot hold a NUL');
  const quoted = `'${text.replaceAll("'", "''").replaceAll('\\', '\\\\')}'`;
  return text.includes('\\') ? `E${quoted}` : quoted;
}

function plainOrQuoted(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) && Buffer.byteLength(name) <= MAX_IDENTIFIER_BYTES
    ? name
    : quoteIdentifier(name);
}

function unusable(name: string, why: string): TallymanError {
  const shown = JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}...` : name);
  return new TallymanError('CONTRACT_MISFIT', `The name ${shown} cannot be used in PostgreSQL: ${why}.`, {
    fix: 'Choose another name for the column, table or schema.',
  });
}
