import { TallymanError } from '../../core/errors.js';
import type { TargetSpec } from '../../core/feed/target.js';
import type { TargetColumn, TargetTable } from './catalog.js';
import { displayName, qualified, quoteIdentifier } from '../connect/identifiers.js';
import { columnSql, createTableSql, loadIndexSql, LOAD_ID, ROW_NUMBER, type StagingColumn } from './staging-sql.js';
import { hasRoom, roomFor } from './room.js';
import { codecJudges, typeFits } from './type-fit.js';

/** What has to be done to the staging table before a load. `sql` runs in one transaction. */
export type StagingPlan =
  | { readonly kind: 'ok' }
  | { readonly kind: 'create'; readonly sql: readonly string[] }
  | { readonly kind: 'alter'; readonly sql: readonly string[] }
  | { readonly kind: 'misfit'; readonly error: TallymanError };

/** What is wrong, and the statement that mends it; null = no statement can. */
interface Misfit {
  readonly what: string;
  readonly sql: string | null;
}

/**
 * What a load needs done first (docs/spec/postgresql.md#staging-tables). A missing table is created, and missing
 * columns that are not required are added, when target.create is true. A missing required column is a misfit: rows that
 * are there have no value for it. An index on _load_id is made only together with the table: on a large one it would
 * block writers.
 */
export function planStaging(
  target: TargetSpec,
  columns: readonly StagingColumn[],
  found: TargetTable | null,
): StagingPlan {
  if (found === null) return planCreation(target, columns);
  const right = missingRight(found);
  if (right !== null) return { kind: 'misfit', error: right };
  const table = qualified(target.schema, target.table);
  const present = new Map(found.columns.map((column) => [column.name, column]));
  const missing = columns.filter((column) => !present.has(column.name));
  const misfits = [
    ...tableMisfits(found, table),
    ...lineageMisfits(present, table),
    ...columns.flatMap((column) => columnMisfit(column, present.get(column.name), table)),
    ...missing
      .filter((column) => column.required || !target.create)
      .map((column) => ({
        what: `column ${column.name} is missing`,
        sql: `ALTER TABLE ${table} ADD COLUMN ${columnSql(column)}`,
      })),
    ...uncovered(found, columns).map((column) => ({
      what: `column ${column.name} is NOT NULL, has no default and is not in the contract`,
      sql: `ALTER TABLE ${table} ALTER COLUMN ${quoteIdentifier(column.name)} DROP NOT NULL`,
    })),
  ];
  if (misfits.length > 0) return { kind: 'misfit', error: misfitError(target, misfits) };
  if (missing.length === 0) return { kind: 'ok' };
  return {
    kind: 'alter',
    sql: [
      `ALTER TABLE ${table} ${missing.map((column) => `ADD COLUMN IF NOT EXISTS ${columnSql(column)}`).join(', ')}`,
    ],
  };
}

/**
 * True when PostgreSQL may refuse rows that the contract accepts: then chunks under savepoints, else one COPY
 * (docs/architecture.md#the-loads-transaction). Adds to TargetTable.onlyDatabaseCanRefuse what depends on the contract:
 * NOT NULL columns that are not required, and types that only PostgreSQL reads.
 */
export function refusesBeyond(table: TargetTable, columns: readonly StagingColumn[]): boolean {
  if (table.onlyDatabaseCanRefuse) return true;
  const required = new Map(columns.map((column) => [column.name, column.required]));
  return table.columns.some(
    (column) =>
      required.has(column.name) &&
      ((column.notNull && required.get(column.name) === false) || !codecJudges(column.type)),
  );
}

function planCreation(target: TargetSpec, columns: readonly StagingColumn[]): StagingPlan {
  const index = loadIndexSql(target);
  const sql = [createTableSql(target, columns), ...(index === null ? [] : [index])];
  if (target.create) return { kind: 'create', sql };
  const error = new TallymanError(
    'CONTRACT_MISFIT',
    `The staging table ${displayName(target.schema, target.table)} is not there and target.create is false. Run: ${sql.map((s) => `${s};`).join(' ')}`,
  );
  return { kind: 'misfit', error };
}

function missingRight(found: TargetTable): TallymanError | null {
  const lacking = [...(found.may.insert ? [] : ['INSERT']), ...(found.may.select ? [] : ['SELECT'])];
  if (lacking.length === 0 || !['r', 'p'].includes(found.relkind)) return null;
  const table = qualified(found.schema, found.name);
  const grant = `GRANT USAGE ON SCHEMA ${quoteIdentifier(found.schema)} TO ${found.role}; GRANT SELECT, INSERT, DELETE ON ${table} TO ${found.role};`;
  return new TallymanError(
    'DATABASE_RIGHTS',
    `The role ${found.role} may not ${lacking.join(' or ')} in ${displayName(found.schema, found.name)}. Run: ${grant}`,
    { fix: 'Run the GRANT in the message.' },
  );
}

const KIND_WORDS: Readonly<Record<string, string>> = {
  v: 'a view',
  m: 'a materialized view',
  f: 'a foreign table',
  S: 'a sequence',
  c: 'a composite type',
};

function tableMisfits(found: TargetTable, table: string): readonly Misfit[] {
  const kind = KIND_WORDS[found.relkind];
  if (kind !== undefined) return [{ what: `it is ${kind}, not an ordinary or partitioned table`, sql: null }];
  return [
    ...(found.permanent
      ? []
      : [
          {
            what: 'it is not permanent (unlogged or temporary): after a crash it would be empty while the receipts say loaded',
            sql: found.relkind === 'r' ? `ALTER TABLE ${table} SET LOGGED` : null,
          },
        ]),
    ...found.foreignLeaves.map((leaf) => ({
      what: `its partition ${leaf} is a foreign table`,
      sql: `ALTER TABLE ${table} DETACH PARTITION ${qualified(found.schema, leaf)}`,
    })),
    ...found.unidentified.map((leaf) => ({
      what:
        `a publication publishes the deletes of ${displayName(leaf.schema, leaf.name)}, which has no replica ` +
        `identity: PostgreSQL refuses to delete the rows of a load that is replaced`,
      sql: `ALTER TABLE ${qualified(leaf.schema, leaf.name)} REPLICA IDENTITY FULL`,
    })),
    // NO FORCE helps the owner, BYPASSRLS everybody else; which it is the person sees best.
    ...(found.rowSecurity
      ? [
          {
            what: `it is under row level security for the role ${found.role}`,
            sql: `ALTER TABLE ${table} DISABLE ROW LEVEL SECURITY`,
          },
        ]
      : []),
  ];
}

function lineageMisfits(present: ReadonlyMap<string, TargetColumn>, table: string): readonly Misfit[] {
  return [LOAD_ID, ROW_NUMBER].flatMap((name): Misfit[] => {
    const column = present.get(name);
    // DEFAULT 0 fills the rows that are there; no load has the number 0.
    if (column === undefined)
      return [
        {
          what: `column ${name} is missing`,
          sql: `ALTER TABLE ${table} ADD COLUMN ${quoteIdentifier(name)} bigint NOT NULL DEFAULT 0`,
        },
      ];
    if (column.generated)
      return [
        {
          what: `column ${name} is generated`,
          sql: `ALTER TABLE ${table} ALTER COLUMN ${quoteIdentifier(name)} DROP EXPRESSION`,
        },
      ];
    if (column.type.typname !== 'int8')
      return [
        {
          what: `column ${name} is ${column.type.formatted}, not bigint`,
          sql: `ALTER TABLE ${table} ALTER COLUMN ${quoteIdentifier(name)} TYPE bigint`,
        },
      ];
    return [];
  });
}

function columnMisfit(column: StagingColumn, real: TargetColumn | undefined, table: string): readonly Misfit[] {
  if (real === undefined) return [];
  const name = quoteIdentifier(column.name);
  if (real.generated)
    return [
      {
        what: `column ${column.name} is generated by PostgreSQL and cannot be written`,
        sql: `ALTER TABLE ${table} ALTER COLUMN ${name} DROP EXPRESSION`,
      },
    ];
  const fits = typeFits(column.type, real.type);
  if (fits && (column.values === undefined || hasRoom(column.type, column.values, real.type))) return [];
  const what =
    `column ${column.name} is ${real.type.formatted}, the contract says ` +
    `${column.type}${fits ? ': values that the contract takes would be refused or changed' : ''}`;
  const type = fits ? roomFor(column.type, real.type) : column.type;
  return [{ what, sql: `ALTER TABLE ${table} ALTER COLUMN ${name} TYPE ${type} USING ${name}::text::${type}` }];
}

function uncovered(found: TargetTable, columns: readonly StagingColumn[]): readonly TargetColumn[] {
  const covered = new Set([LOAD_ID, ROW_NUMBER, ...columns.map((column) => column.name)]);
  return found.columns.filter(
    (column) => column.notNull && !column.hasDefault && !column.generated && !covered.has(column.name),
  );
}

function misfitError(target: TargetSpec, misfits: readonly Misfit[]): TallymanError {
  const statements = misfits.flatMap((misfit) => (misfit.sql === null ? [] : [`${misfit.sql};`]));
  const run = statements.length === 0 ? '' : ` Run: ${statements.join(' ')}`;
  return new TallymanError(
    'CONTRACT_MISFIT',
    `The staging table ${displayName(target.schema, target.table)} does not fit the contract: ${misfits.map((misfit) => misfit.what).join('; ')}.${run}`,
    {
      fix:
        statements.length === 0
          ? 'Use an ordinary or partitioned permanent table as target.table.'
          : 'Run the ALTER in the message, or change columns.',
    },
  );
}
