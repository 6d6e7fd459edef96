import type { DatabaseSpec } from '../../src/core/database.js';
import { connect, type Connection } from '../../src/postgres/connect/connect.js';
import { parseDatabaseUrl } from '../../src/postgres/connect/url.js';

/** A spec from a test URL, blind to the PG* variables of whoever runs the tests. */
export function specOf(url: string, change: Partial<DatabaseSpec> = {}): DatabaseSpec {
  return { ...parseDatabaseUrl(url, null, undefined, { PGPASSFILE: '/nowhere' }), ...change };
}

export async function withSpec<T>(spec: DatabaseSpec, work: (connection: Connection) => Promise<T>): Promise<T> {
  const connection = await connect(spec);
  try {
    return await work(connection);
  } finally {
    await connection.close();
  }
}
