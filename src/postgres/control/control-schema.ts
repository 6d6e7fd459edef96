import { TallymanError } from '../../core/errors.js';
import type { Connection } from '../connect/connect.js';
import { classify, databaseError, definitionError } from '../connect/errors.js';
import { displayName, qualified, quoteIdentifier, quoteLiteral } from '../connect/identifiers.js';
import { ADDITIONS, MIGRATIONS } from './migrations/index.js';
import { integer, integerOrNull, text } from '../connect/result-rows.js';
import type { Migration } from './migrations/migration.js';
import { changeTables } from '../connect/transaction.js';

/**
 * Unique (feed, file_sha256) for live loads with rows that are not allowed duplicates. A 23505 by this name is a lost
 * race for the content.
 */
export const LIVE_CONTENT_INDEX = 'loads_live_content';
/** The same by content_sha256, where the receipt says it. */
export const LIVE_DECODED_INDEX = 'loads_live_decoded';
/** Unique (feed, path, file_sha256) for all live loads. A 23505 by this name is a lost race for the path. */
export const LIVE_PATH_INDEX = 'loads_live_path';

const CURRENT = MIGRATIONS.length;

/** Names of the control schema as SQL, quoted. */
export interface ControlNames {
  readonly loads: string;
  readonly quarantine: string;
  readonly meta: string;
  readonly targets: string;
  readonly tally: string;
  readonly quarantineSummary: string;
  /** As a literal for `nextval(...)`. */
  readonly loadIdSequence: string;
}

export function controlNames(schema: string): ControlNames {
  return {
    loads: qualified(schema, 'loads'),
    quarantine: qualified(schema, 'quarantine'),
    meta: qualified(schema, 'meta'),
    targets: qualified(schema, 'targets'),
    tally: qualified(schema, 'tally'),
    quarantineSummary: qualified(schema, 'quarantine_summary'),
    loadIdSequence: quoteLiteral(qualified(schema, 'loads_load_id_seq')),
  };
}

export interface ControlState {
  /** tallyman.meta.database_id. */
  readonly databaseId: string;
  /** Of the migrations; 0 never stands here. */
  readonly version: number;
  /** How many of the steps are done that programs of the version before work beside. */
  readonly additions: number;
}

/**
 * What stands in meta; null when there is no control schema yet. Changes nothing. Throws DATABASE_RIGHTS when it may
 * not be read.
 */
export async function readControlState(connection: Connection, schema: string): Promise<ControlState | null> {
  try {
    const { rows: found } = await connection.query('SELECT to_regclass($1)::oid::bigint AS oid', [
      qualified(schema, 'meta'),
    ]);
    if (found[0]?.['oid'] === null) return null;
    const { rows } = await connection.query(
      `SELECT database_id::text AS database_id, version, (pg_catalog.to_jsonb(m) ->> 'additions')::integer AS additions FROM ${qualified(schema, 'meta')} AS m`,
    );
    const row = rows[0];
    if (row === undefined)
      throw new TallymanError(
        'DATABASE_CHANGED',
        `${displayName(schema, 'meta')} is empty: somebody deleted the database's own id.`,
        { fix: `Restore the row of ${displayName(schema, 'meta')}, or point database.control_schema at a new schema.` },
      );
    const additions = integerOrNull(row, 'additions') ?? 0;
    return { databaseId: text(row, 'database_id'), version: integer(row, 'version'), additions };
  } catch (error) {
    const fix = classify(error) === 'rights' ? readFix(schema) : undefined;
    throw databaseError(error, `reading ${displayName(schema, 'meta')}`, fix);
  }
}

/** True when the receipts are gone: somebody dropped them, or this is another database. */
export async function receiptsAreGone(connection: Connection, schema: string): Promise<boolean> {
  const { rows } = await connection.query('SELECT pg_catalog.to_regclass($1) IS NULL AS gone', [
    controlNames(schema).loads,
  ]);
  return rows[0]?.['gone'] === true;
}

/**
 * Creates the control schema or brings it up to date, each migration in a short transaction under the DDL lock, so that
 * two processes may do it at once. Does nothing, and needs no right to create, when it is up to date. Throws
 * DATABASE_RIGHTS with the GRANT, CONTRACT_MISFIT when a newer tallyman has been here whose tables this one cannot use.
 */
export async function ensureControlSchema(connection: Connection, schema: string): Promise<ControlState> {
  let state = await readControlState(connection, schema);
  while (state === null || isBehind(state)) {
    const found = state;
    try {
      await changeTables(connection, () => migrateOnce(connection, schema));
    } catch (error) {
      throw definitionError(
        error,
        `creating the control schema ${quoteIdentifier(schema)}`,
        classify(error) === 'rights' ? (found === null ? createFix(schema) : upgradeFix(schema, found)) : undefined,
      );
    }
    state = await readControlState(connection, schema);
  }
  if (state.version > CURRENT) {
    throw new TallymanError(
      'CONTRACT_MISFIT',
      `The control schema ${quoteIdentifier(schema)} is of version ${state.version}; this tallyman knows ${CURRENT}.`,
      { fix: 'Use the newer tallyman that made it, or another database.control_schema.' },
    );
  }
  return state;
}

const isBehind = ({ version, additions }: ControlState): boolean =>
  version < CURRENT || (version === CURRENT && additions < ADDITIONS.length);

/** The next migration that is missing, looked up again under the lock. */
async function migrateOnce(connection: Connection, schema: string): Promise<void> {
  const state = await readControlState(connection, schema);
  const next = MIGRATIONS[state?.version ?? 0];
  if (next === undefined) {
    const added = state === null || !isBehind(state) ? undefined : ADDITIONS[state.additions];
    if (added !== undefined) for (const statement of additionOf(schema, added)) await connection.query(statement);
    return;
  }
  if (state === null) {
    const { rows } = await connection.query('SELECT 1 AS one FROM pg_catalog.pg_namespace WHERE nspname = $1', [
      schema,
    ]);
    // Asked first: IF NOT EXISTS wants the right to create even when the schema is there.
    if (rows.length === 0) await connection.query(`CREATE SCHEMA ${quoteIdentifier(schema)}`);
  }
  for (const statement of [...next.statements(schema), setVersion(schema, next.version)])
    await connection.query(statement);
}

/** Its number stands in a column that is an addition itself. */
function additionOf(schema: string, added: Migration): readonly string[] {
  const meta = qualified(schema, 'meta');
  return [
    `ALTER TABLE ${meta} ADD COLUMN IF NOT EXISTS additions integer NOT NULL DEFAULT 0`,
    ...added.statements(schema),
    `UPDATE ${meta} SET additions = ${added.version}`,
  ];
}

function setVersion(schema: string, version: number): string {
  const meta = qualified(schema, 'meta');
  return version === 1 ? `INSERT INTO ${meta} (version) VALUES (1)` : `UPDATE ${meta} SET version = ${version}`;
}

function createFix(schema: string): string {
  const s = quoteIdentifier(schema);
  return `As an administrator: GRANT CREATE ON DATABASE the_database TO the_role; or run the SQL of \`tallyman ddl\` and GRANT USAGE ON SCHEMA ${s}, SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA ${s}, USAGE ON ALL SEQUENCES IN SCHEMA ${s} TO the_role.`;
}

/** The SQL that brings it up to date: not that of `tallyman ddl`, which makes it anew. */
function upgradeFix(schema: string, { version, additions }: ControlState): string {
  const missing = [
    ...MIGRATIONS.slice(version).flatMap((one) => [...one.statements(schema), setVersion(schema, one.version)]),
    ...ADDITIONS.slice(additions).flatMap((one) => additionOf(schema, one)),
  ];
  return `As the owner of its tables, who may also be the role of this program for as long as this takes: BEGIN; ${missing.join('; ')}; COMMIT;`;
}

function readFix(schema: string): string {
  const s = quoteIdentifier(schema);
  return `As its owner: GRANT USAGE ON SCHEMA ${s} TO the_role; GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA ${s} TO the_role; GRANT USAGE ON ALL SEQUENCES IN SCHEMA ${s} TO the_role;`;
}

/** The whole control schema as one script, for `tallyman ddl`. */
export function controlSchemaSql(schema: string): string {
  const statements = [
    ...MIGRATIONS.flatMap((migration) => [...migration.statements(schema), setVersion(schema, migration.version)]),
    ...ADDITIONS.flatMap((added) => additionOf(schema, added)),
  ];
  const s = quoteIdentifier(schema);
  return [
    `BEGIN;`,
    `CREATE SCHEMA IF NOT EXISTS ${s};`,
    ...statements.map((statement) => `${statement};`),
    `COMMIT;`,
    `-- The role that loads, when it is not the owner:`,
    `-- GRANT USAGE ON SCHEMA ${s} TO the_role; GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA ${s} TO the_role; GRANT USAGE ON ALL SEQUENCES IN SCHEMA ${s} TO the_role;`,
    `-- Whoever reads it (quarantine holds refused rows as they came):`,
    `-- GRANT USAGE ON SCHEMA ${s} TO readers; GRANT SELECT ON ALL TABLES IN SCHEMA ${s} TO readers;`,
    '',
  ].join('\n');
}
