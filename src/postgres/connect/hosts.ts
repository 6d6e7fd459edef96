import { messageOf, TallymanError } from '../../core/errors.js';
import type { DatabaseSpec, SessionAttrs } from '../../core/database.js';
import type { Row } from './result-rows.js';

interface Asked {
  query(text: string): Promise<{ readonly rows: readonly Row[] }>;
  close(): Promise<void>;
}

/**
 * Tries the hosts in turn and keeps the first session that target_session_attrs takes, as libpq does: a host that
 * refuses the login ends it, because the same login would be refused, and counted, by each of the others. Throws what
 * one host gave; DATABASE_UNREACHABLE with all of them when there are several.
 */
export async function firstThatFits<C extends Asked>(
  spec: DatabaseSpec,
  open: (one: DatabaseSpec) => Promise<C>,
): Promise<C> {
  const places = [{ host: spec.host, port: spec.port }, ...(spec.others ?? [])];
  const attrs = spec.sessionAttrs ?? 'any';
  const refused: string[] = [];
  let last: Error | null = null;
  for (const wanted of attrs === 'prefer-standby' ? (['standby', 'any'] as const) : [attrs]) {
    for (const at of places) {
      try {
        const connection = await open({ ...spec, ...at });
        const mismatch = await misfit(connection, wanted);
        if (mismatch === null) return connection;
        await connection.close();
        refused.push(`${at.host}:${at.port}: ${mismatch}`);
      } catch (error) {
        if (error instanceof TallymanError && error.code === 'DATABASE_LOGIN') throw error;
        last = error instanceof Error ? error : new Error(messageOf(error));
        refused.push(`${at.host}:${at.port}: ${messageOf(error)}`);
      }
    }
  }
  if (places.length === 1 && last !== null) throw last;
  throw new TallymanError(
    'DATABASE_UNREACHABLE',
    `no host of database.url will do (target_session_attrs=${attrs}): ${[...new Set(refused)].join('; ')}`,
    { cause: last },
  );
}

/** Why this server is none of the wanted kind; null = it is. */
async function misfit(connection: Asked, wanted: SessionAttrs): Promise<string | null> {
  if (wanted === 'any') return null;
  const { rows } = await connection.query(
    "select pg_is_in_recovery() as standby, current_setting('transaction_read_only') = 'on' as closed",
  );
  const standby = rows[0]?.['standby'] === true;
  const closed = rows[0]?.['closed'] === true;
  switch (wanted) {
    case 'read-write':
      return closed ? 'it takes no writes' : null;
    case 'read-only':
      return closed ? null : 'it takes writes';
    case 'primary':
      return standby ? 'it is a standby' : null;
    case 'standby':
    case 'prefer-standby':
      return standby ? null : 'it is no standby';
  }
}
