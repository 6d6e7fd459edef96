import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FileDetail } from '../../src/core/report.js';
import { csv, put, until } from '../e2e/support.js';
import { start, workspace, type Workspace } from '../support/cli.js';
import { ownServer, type OwnServer } from './support/own-server.js';
import { hasPgbouncer, startPgbouncer, type Pooler } from './support/pgbouncer.js';

/**
 * pgbouncer in front of PostgreSQL: it has one code for all that is the matter (08P01). Whatever it says while
 * PostgreSQL is away is an outage, which uses no attempt of any file.
 */
const columns = [
  { name: 'id', type: 'integer' },
  { name: 'v', type: 'text' },
];
const files = async (ws: Workspace): Promise<readonly FileDetail[]> =>
  ((await ws.json('files', '--limit', '1000')) as { readonly items: readonly FileDetail[] }).items;

describe.skipIf(!hasPgbouncer()).each(['session', 'transaction'] as const)('pool_mode = %s', (mode) => {
  let server: OwnServer;
  let pooler: Pooler;
  let ws: Workspace;
  beforeAll(async () => {
    server = await ownServer();
    // Waits of minutes in seconds: each of its answers is met within the outage.
    pooler = await startPgbouncer(server.port, mode, { query_wait_timeout: '3', server_login_retry: '1' });
    ws = workspace(pooler.url, { f: { columns } });
  }, 60_000);
  afterAll(async () => {
    await pooler.close();
    await server.remove();
    ws.remove();
  });

  test('PostgreSQL stops, is killed and comes back under a daemon at work: no attempt is used, nothing is lost or doubled', async () => {
    const daemon = start(['run', '-c', ws.config], { cwd: ws.dir });
    let n = 0;
    const arrive = (count: number): void => {
      for (let i = 0; i < count; i++) {
        n++;
        put(ws, 'f', `f${n}.csv`, csv(...Array.from({ length: 200 }, (_, row) => `${row},file ${n}`)));
      }
    };
    try {
      arrive(20);
      await until(async () => (await files(ws)).some((file) => file.state === 'loaded'), 'the first files', 60);
      for (const how of ['fast', 'immediate'] as const) {
        arrive(20);
        await sleep(300);
        await server.stop(how);
        arrive(10);
        // Long enough for a wait of the pooler to end, and for it to refuse at once afterwards.
        await sleep(8_000);
        await server.start();
      }
      await until(
        async () => (await files(ws)).filter((file) => file.state === 'loaded').length === n,
        'all files to be loaded',
        120,
      );
      expect((await files(ws)).filter((file) => file.attempts !== 1 || file.error !== null)).toEqual([]);
      expect(daemon.output()).not.toContain('INTERNAL');
    } finally {
      daemon.child.kill('SIGTERM');
    }
    expect((await daemon.ended).code).toBe(0);
    expect(await server.query('select count(*)::int as rows, count(distinct v)::int as files from staging.f')).toEqual([
      { rows: n * 200, files: n },
    ]);
    expect((await ws.run('ledger', 'verify')).code).toBe(0);
  }, 300_000);
});

describe.skipIf(!hasPgbouncer())('pool_mode = statement', () => {
  test('is told by check --connect and by a run, with what to do; files stay as they are', async () => {
    const server = await ownServer();
    const pooler = await startPgbouncer(server.port, 'statement');
    const ws = workspace(pooler.url, { f: { columns } });
    try {
      put(ws, 'f', 'a.csv', csv('1,a'));
      for (const args of [
        ['check', '--connect'],
        ['run', '--once'],
      ]) {
        const { code, stdout, stderr } = await ws.run(...args);
        expect(code).not.toBe(0);
        expect(stdout + stderr).toContain('statement pooling');
        expect(stdout + stderr).toContain('pool_mode = transaction or session');
        expect(stdout + stderr).not.toContain('INTERNAL');
      }
    } finally {
      await pooler.close();
      await server.remove();
      ws.remove();
    }
  }, 120_000);
});
