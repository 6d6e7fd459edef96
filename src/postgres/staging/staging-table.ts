import { TallymanError } from '../../core/errors.js';
import type { TargetSpec } from '../../core/feed/target.js';
import { inspectTable, inspectTarget, lookAtTable, type TargetTable } from './catalog.js';
import type { Connection } from '../connect/connect.js';
import { classify, definitionError } from '../connect/errors.js';
import { displayName, qualified, quoteIdentifier } from '../connect/identifiers.js';
import { planStaging, type StagingPlan } from './staging-plan.js';
import type { StagingColumn } from './staging-sql.js';
import { changeTables } from '../connect/transaction.js';

/**
 * The staging table as it has to be for this feed: looked at, created or given its missing columns in a short
 * transaction of its own where needed, looked at again. Call it before the load's BEGIN, never inside. Throws
 * CONTRACT_MISFIT with the ALTER, DATABASE_RIGHTS with the GRANT, DATABASE_BUSY when the table was locked for long.
 */
export async function ensureStaging(
  connection: Connection,
  target: TargetSpec,
  columns: readonly StagingColumn[],
): Promise<TargetTable> {
  const name = displayName(target.schema, target.table);
  const running: string[] = [];
  const run = async (statement: string): Promise<void> => {
    running.push(statement);
    await connection.query(statement);
  };
  try {
    const found = await lookAtTable(connection, () => inspectTarget(connection, target));
    const ready = settled(planStaging(target, columns, found), found);
    if (ready !== null) return ready;
    await changeTables(connection, () => change(connection, target, columns, run));
    const changed = await lookAtTable(connection, () => inspectTarget(connection, target));
    const done = settled(planStaging(target, columns, changed), changed);
    if (done !== null) return done;
  } catch (error) {
    throw definitionError(
      error,
      running.length === 0 ? `looking at ${name}` : `preparing ${name} with ${running.at(-1)!}`,
      classify(error) === 'rights' ? rightsFix(target) : undefined,
    );
  }
  throw new TallymanError(
    'DATABASE_BUSY',
    `${name} changed while it was prepared: another session altered or dropped it.`,
    { reach: 'table' },
  );
}

/** The table when nothing is left to do, null when something is; throws a misfit. */
function settled(plan: StagingPlan, found: TargetTable | null): TargetTable | null {
  if (plan.kind === 'misfit') throw plan.error;
  return plan.kind === 'ok' ? found : null;
}

/** Under the DDL lock: another process may have been faster, so the plan is made anew. */
async function change(
  connection: Connection,
  target: TargetSpec,
  columns: readonly StagingColumn[],
  run: (statement: string) => Promise<void>,
): Promise<void> {
  const plan = planStaging(target, columns, await inspectTarget(connection, target));
  if (plan.kind === 'misfit') throw plan.error;
  if (plan.kind === 'ok') return;
  if (plan.kind === 'create') {
    const { rows } = await connection.query('SELECT 1 AS one FROM pg_catalog.pg_namespace WHERE nspname = $1', [
      target.schema,
    ]);
    if (rows.length === 0) await run(`CREATE SCHEMA ${quoteIdentifier(target.schema)}`);
  }
  for (const statement of plan.sql) await run(statement);
  if (plan.kind !== 'create') return;
  // Ours from its first moment on: under a publication of all tables it could not be deleted from.
  const made = await inspectTable(connection, target.schema, target.table);
  for (const { schema, name } of made?.unidentified ?? [])
    await run(`ALTER TABLE ${qualified(schema, name)} REPLICA IDENTITY FULL`);
}

function rightsFix(target: TargetSpec): string {
  const schema = quoteIdentifier(target.schema);
  return `Run the statement in the message as the owner; or, to let the program do it: CREATE SCHEMA IF NOT EXISTS ${schema}; GRANT USAGE, CREATE ON SCHEMA ${schema} TO the_role. \`tallyman ddl\` prints all of it.`;
}
