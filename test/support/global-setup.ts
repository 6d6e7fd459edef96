import { spawn, spawnSync } from 'node:child_process';
import { chownSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TestProject } from 'vitest/node';
import { embeddedBinaries } from '../../src/postgres/embedded/binaries.js';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Superuser URL of the run's own PostgreSQL. */
    postgresUrl: string;
  }
}

const NOBODY = 65534;

/**
 * Starts one real PostgreSQL for the whole run, out of the npm package, on a loopback port; TALLYMAN_TEST_PG names
 * another one instead.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env['TALLYMAN_TEST_PG'];
  if (given !== undefined && given !== '') {
    project.provide('postgresUrl', given);
    return () => Promise.resolve();
  }
  const dir = mkdtempSync(path.join(tmpdir(), 'tallyman-pg-'));
  const user = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
  if ('uid' in user) chownSync(dir, NOBODY, NOBODY);
  const programs = embeddedBinaries('uid' in user ? NOBODY : null);
  const data = path.join(dir, 'data');
  const init = spawnSync(
    programs.initdb,
    ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'],
    { ...user, cwd: dir, encoding: 'utf8' },
  );
  if (init.status !== 0) throw new Error(`initdb failed: ${init.stderr}`);
  const port = await freePort();
  const settings = {
    listen_addresses: '127.0.0.1',
    port: String(port),
    unix_socket_directories: dir,
    max_connections: '200',
    fsync: 'off',
    max_prepared_transactions: '10',
  };
  const args = ['-D', data, ...Object.entries(settings).flatMap(([k, v]) => ['-c', `${k}=${v}`])];
  const server = spawn(programs.postgres, args, { ...user, cwd: dir, stdio: 'ignore' });
  const url = `postgresql://postgres@127.0.0.1:${port}/postgres`;
  await ready(url);
  project.provide('postgresUrl', url);
  return async () => {
    server.kill('SIGINT');
    await new Promise((resolve) => server.once('exit', resolve));
    rmSync(dir, { recursive: true, force: true });
  };
}

async function ready(url: string): Promise<void> {
  const { default: pg } = await import('pg');
  for (let i = 0; ; i++) {
    const client = new pg.Client({ connectionString: url });
    client.on('error', () => undefined);
    try {
      await client.connect();
      await client.end();
      return;
    } catch (error) {
      if (i >= 200) throw error;
      await sleep(50);
    }
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => {
        if (address === null || typeof address === 'string') reject(new Error('no port'));
        else resolve(address.port);
      });
    });
  });
}
