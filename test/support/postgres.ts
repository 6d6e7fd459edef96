import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';

export interface TestDatabase {
  readonly url: string;
  readonly name: string;
  /** A connected client; closed by drop(). */
  readonly client: pg.Client;
  drop(): Promise<void>;
}

/**
 * A fresh database on the test run's server (real PostgreSQL, started by global-setup.ts). One per test file is the
 * rule. `encoding`: LATIN1, WIN1251 ... in place of UTF8.
 */
export async function createDatabase(encoding?: string): Promise<TestDatabase> {
  const admin = inject('postgresUrl');
  const name = `t_${randomBytes(6).toString('hex')}`;
  const as = encoding === undefined ? '' : ` encoding '${encoding}' template template0 lc_collate 'C' lc_ctype 'C'`;
  await withClient(admin, (c) => c.query(`create database ${name}${as}`));
  const url = new URL(admin);
  url.pathname = `/${name}`;
  const client = await connect(url.href);
  return {
    url: url.href,
    name,
    client,
    async drop() {
      await client.end();
      await withClient(admin, (c) => c.query(`drop database if exists ${name} with (force)`));
    },
  };
}

/** A connected client with an error listener, so that a killed backend fails the test and not the process. */
export async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', (error) => {
    process.stderr.write(`test client: ${error.message}\n`);
  });
  await client.connect();
  return client;
}

async function withClient(url: string, work: (client: pg.Client) => Promise<unknown>): Promise<void> {
  const client = await connect(url);
  try {
    await work(client);
  } finally {
    await client.end();
  }
}
