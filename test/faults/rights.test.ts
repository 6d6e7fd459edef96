import { readFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { csv, put, reportOf } from '../e2e/support.js';
import { workspace, type Workspace } from '../support/cli.js';
import { connect, createDatabase, type TestDatabase } from '../support/postgres.js';
import { tell } from './support/counts.js';

/**
 * The least rights of the role that loads: docs/reference/database-rights.md names them as SQL; a role with just those
 * does everything, and each right that is missing is named by the error.
 */
const PAGE = path.resolve(import.meta.dirname, '../../docs/reference/database-rights.md');
const role = `loader_${process.pid}`;
let db: TestDatabase;
let ws: Workspace;
let rounds = 0;

/** The SQL block of the page, for our role. */
const grants = (): readonly string[] =>
  (/```sql\n([\s\S]*?)```/.exec(readFileSync(PAGE, 'utf8'))?.[1] ?? '')
    .split('\n')
    .filter((line) => line.startsWith('GRANT'))
    .map((line) => line.replace(/--.*$/, '').trim().replaceAll('the_role', role));

beforeAll(async () => {
  db = await createDatabase();
  const url = new URL(db.url);
  url.username = role;
  await db.client.query(`create role ${role} login`);
  const columns = [
    { name: 'id', type: 'integer' },
    { name: 'v', type: 'text' },
  ];
  // The tables are made by their owner, from what `tallyman ddl` prints; the role only loads.
  ws = workspace(url.href, {
    f: { columns, target: { create: false }, on_changed: 'replace', limits: { bad_ratio: 1 } },
  });
  await db.client.query((await ws.run('ddl')).stdout);
  await giveAll();
});
afterAll(async () => {
  await db.client.query(`drop owned by ${role}`);
  await db.drop();
  const admin = await connect(db.url.replace(db.name, 'postgres'));
  await admin.query(`drop role ${role}`);
  await admin.end();
  ws.remove();
});

async function giveAll(): Promise<void> {
  for (const grant of grants()) await db.client.query(grant);
}

/** A new version of the path: deletes, copies, quarantines, writes a receipt and marks the one before. */
async function fullRun(): Promise<Awaited<ReturnType<Workspace['once']>>> {
  put(ws, 'f', 'a.csv', csv(`${++rounds},a`, 'x,b'));
  return await ws.once();
}

test('the page names rights, and no superuser, owner or CREATE among them', () => {
  expect(grants().length).toBeGreaterThanOrEqual(5);
  expect(grants().join('\n')).not.toMatch(/ALL PRIVILEGES|CREATE|SUPERUSER|OWNER/);
});

test('a role with just these loads, quarantines, replaces, clears, reprocesses and verifies', async () => {
  expect(reportOf(await fullRun(), 'f', 'a.csv')).toMatchObject({
    state: 'loaded',
    rows: { loaded: 1, quarantined: 1 },
  });
  const second = reportOf(await fullRun(), 'f', 'a.csv');
  expect(second).toMatchObject({ state: 'loaded', rows: { loaded: 1, quarantined: 1 } });
  expect((await ws.run('reprocess', String(second.file_id))).code).toBe(0);
  expect(reportOf(await ws.once(), 'f', 'a.csv')).toMatchObject({ state: 'loaded', generation: 3 });
  expect(await ws.json('ledger', 'verify')).toEqual({ ok: true, differences: [] });
  expect((await ws.run('quarantine')).code).toBe(0);
  expect((await ws.run('check', '--connect')).code).toBe(0);
});

/** Those without which no load is made. */
const needed = grants().filter((grant) => !grant.includes('quarantine_summary'));

describe('one right less', () => {
  test('without the views `quarantine` says which', async () => {
    await db.client.query(`revoke select on tallyman.quarantine_summary from ${role}`);
    const ended = await ws.run('quarantine');
    await giveAll();
    expect([ended.code, ended.stderr]).toEqual([78, expect.stringContaining('quarantine_summary')]);
  });
  test.each(needed.map((grant) => [grant.replaceAll(role, 'the_role')]))(
    '%s: nothing is lost, and the error names what to grant',
    async (named) => {
      const grant = named.replaceAll('the_role', role);
      await db.client.query(grant.replace(/^GRANT/, 'REVOKE').replace(/ TO (\S+);$/, ' FROM $1;'));
      try {
        const round = await fullRun();
        expect(round.reports.filter(({ state }) => state === 'loaded')).toEqual([]);
        expect(round.reports.filter(({ state }) => state === 'failed' || state === 'rejected')).toEqual([]);
        expect(round.code === 78 || round.code === 5).toBe(true);
        expect(round.stderr).toMatch(/DATABASE_RIGHTS|permission denied|GRANT/);
        const relation =
          / ON (?:ALL (?:TABLES|SEQUENCES) IN )?(?:SCHEMA |SEQUENCE )?([\w.]+)[, ]/.exec(grant)?.[1] ?? '';
        expect(round.stderr).toContain(relation.split('.').at(-1));
      } finally {
        await giveAll();
      }
      expect(reportOf(await ws.once(), 'f', 'a.csv')).toMatchObject({ state: 'loaded' });
      tell('Secrets and rights', 'a right that is missing', 1);
    },
  );
});
