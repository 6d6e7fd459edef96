import { TallymanError } from '../../core/errors.js';
import type { ColumnSpec } from '../../core/feed/columns.js';
import type { TargetSpec } from '../../core/feed/target.js';
import type { DatabaseSpec } from '../../core/database.js';
import { inspectTarget, lookAtTable, type TargetTable } from './catalog.js';
import { databaseError } from '../connect/errors.js';
import { withConnection } from '../connect/connect.js';
import { displayName, quoteIdentifier } from '../connect/identifiers.js';
import { planStaging } from './staging-plan.js';
import { contractColumn } from './staging-sql.js';

/**
 * `check --connect`: would this feed's staging table do, and may our role do what is missing? Changes nothing. Throws
 * CONTRACT_MISFIT with the ALTER, DATABASE_RIGHTS with the GRANT.
 */
export async function checkStaging(
  database: DatabaseSpec,
  target: TargetSpec,
  columns: readonly ColumnSpec[] | null,
): Promise<void> {
  await withConnection(database, async (connection) => {
    let found: TargetTable | null;
    try {
      found = await lookAtTable(connection, () => inspectTarget(connection, target));
    } catch (error) {
      throw databaseError(error, `looking at ${displayName(target.schema, target.table)}`);
    }
    // Without a contract the first file names the columns: only what stands against any of them can be told.
    const plan = planStaging(target, (columns ?? []).map(contractColumn), found);
    if (plan.kind === 'misfit') throw plan.error;
    if (plan.kind !== 'create') return;
    const schema = quoteIdentifier(target.schema);
    const { rows } = await connection.query(
      `SELECT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = $1) AS there,
              EXISTS (SELECT FROM pg_catalog.pg_namespace n WHERE n.nspname = $1 AND pg_catalog.has_schema_privilege(n.oid, 'CREATE')) AS in_schema,
              pg_catalog.has_database_privilege(current_database(), 'CREATE') AS in_database`,
      [target.schema],
    );
    const [right] = rows;
    if (right?.['in_schema'] === true || (right?.['there'] === false && right['in_database'] === true)) return;
    throw new TallymanError(
      'DATABASE_RIGHTS',
      `${displayName(target.schema, target.table)} is not there, and the role ${database.user} may not create it`,
      {
        fix:
          right?.['there'] === true
            ? `GRANT USAGE, CREATE ON SCHEMA ${schema} TO ${quoteIdentifier(database.user)}`
            : `CREATE SCHEMA ${schema} AUTHORIZATION ${quoteIdentifier(database.user)}`,
      },
    );
  });
}
