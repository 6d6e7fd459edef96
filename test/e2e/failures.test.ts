import { appendFileSync, rmSync, utimesSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { FileDetail } from '../../src/core/report.js';
import { start, tallyman, workspace, type Workspace } from '../support/cli.js';
import { createDatabase, type TestDatabase } from '../support/postgres.js';
import { column, csv, ids, put, reportOf, states, until, type Round } from './support.js';

/**
 * docs/spec/states.md: attempts, backoff, failed, vanished, superseded; the tally in the transaction; a ledger that is
 * lost.
 */
let db: TestDatabase;
let ws: Workspace;
const rounds: Round[] = [];

beforeAll(async () => {
  db = await createDatabase();
  const columns = [
    { name: 'id', type: 'integer' },
    { name: 'v', type: 'text' },
  ];
  await db.client
    .query(`create schema staging; create table staging.eats (_load_id bigint not null, _row bigint not null, id integer, v text);
    create function staging.eat() returns trigger language plpgsql as 'begin if new.id = 2 then return null; end if; return new; end';
    create trigger eat before insert on staging.eats for each row execute function staging.eat()`);
  ws = workspace(db.url, { eats: { columns, retry: { attempts: 2, backoff: '1h' } }, f: { columns } });
  put(ws, 'eats', 'a.csv', csv('1,a', '2,b'));
  put(ws, 'f', 'late.csv', csv('x,a', 'y,b'));
  for (let i = 0; i < 3; i++) rounds.push(await ws.once());
});
afterAll(async () => {
  await db.drop();
  ws.remove();
});

const show = async (id: number): Promise<FileDetail> => (await ws.json('files', 'show', String(id))) as FileDetail;

test('rows that a trigger takes away: the tally does not balance, nothing is committed, exit 4 wins over 1', async () => {
  expect(reportOf(rounds[0]!, 'eats', 'a.csv')).toMatchObject({
    state: 'discovered',
    attempts: 1,
    error: { code: 'TALLY_MISMATCH' },
  });
  expect(rounds[0]!.code).toBe(4);
  expect(await ids(db, 'eats')).toEqual([]);
});
test('a pending backoff is tried now by run --once; the last attempt ends as failed', () => {
  expect(reportOf(rounds[1]!, 'eats', 'a.csv')).toMatchObject({
    state: 'failed',
    attempts: 2,
    error: { code: 'TALLY_MISMATCH' },
  });
  expect(rounds[1]!.summary.files).toMatchObject({ failed: 1 });
});
test('failed files out of attempts are left alone: not reported, exit 0; status --check says 6', async () => {
  expect([rounds[2]!.reports, rounds[2]!.code]).toEqual([[], 0]);
  expect((await ws.run('status', '--check')).code).toBe(6);
});
test('retry takes it again with attempts from 0, and every change is in its history', async () => {
  await db.client.query('drop trigger eat on staging.eats');
  const { file_id: id } = reportOf(rounds[1]!, 'eats', 'a.csv');
  expect((await ws.run('retry', String(id), '--reason', 'trigger dropped')).code).toBe(0);
  expect(reportOf(await ws.once(), 'eats', 'a.csv')).toMatchObject({
    file_id: id,
    state: 'loaded',
    attempts: 1,
    error: null,
  });
  const { history } = await show(id);
  expect(history.map((entry) => entry.to)).toEqual([
    'discovered',
    'loading',
    'discovered',
    'loading',
    'failed',
    'discovered',
    'loading',
    'loaded',
  ]);
  for (const [i, entry] of history.entries()) {
    expect(entry.from).toBe(i === 0 ? null : history[i - 1]!.to);
    expect([entry.actor, entry.reason, entry.at].every((text) => text !== '')).toBe(true);
  }
});
test('a later loaded version turns the rejected one of its path into superseded', async () => {
  const bad = reportOf(rounds[0]!, 'f', 'late.csv');
  expect(bad.state).toBe('rejected');
  put(ws, 'f', 'late.csv', csv('5,right'));
  expect(reportOf(await ws.once(), 'f', 'late.csv').state).toBe('loaded');
  expect((await show(bad.file_id)).state).toBe('superseded');
  expect(await column(db, `select status from tallyman.loads where load_id = ${bad.load_id}`)).toEqual(['superseded']);
  expect(await column(db, `select distinct status from tallyman.quarantine where load_id = ${bad.load_id}`)).toEqual([
    'superseded',
  ]);
  expect(await ws.json('ledger', 'verify')).toEqual({ ok: true, differences: [] });
});
test('rejected again, after a retry and as a touched file: one rejection is open, and ledger and database agree', async () => {
  const file = put(ws, 'f', 'again.csv', csv('x,a', 'y,b'));
  const first = reportOf(await ws.once(), 'f', 'again.csv');
  expect((await ws.run('retry', String(first.file_id), '--reason', 'once more')).code).toBe(0);
  expect(reportOf(await ws.once(), 'f', 'again.csv')).toMatchObject({ file_id: first.file_id, state: 'rejected' });
  expect(await ws.json('ledger', 'verify')).toEqual({ ok: true, differences: [] });
  utimesSync(file, 1_000_000_000, 1_000_000_000);
  const touched = reportOf(await ws.once(), 'f', 'again.csv');
  expect(touched).toMatchObject({ state: 'rejected' });
  expect([(await show(first.file_id)).state, (await show(touched.file_id)).state]).toEqual(['superseded', 'rejected']);
  expect(await ws.json('ledger', 'verify')).toEqual({ ok: true, differences: [] });
  expect(await column(db, `select status from tallyman.loads where path = 'again.csv' order by load_id`)).toEqual([
    'superseded',
    'superseded',
    'rejected',
  ]);
});
test('a file gone before it was read is vanished', async () => {
  // Discovered while the table cannot be used, gone when it can.
  await db.client.query('alter table staging.f rename to away; create table staging.f (id integer)');
  const file = put(ws, 'f', 'gone.csv', csv('6,gone'));
  expect((await ws.once()).code).toBe(78);
  rmSync(file);
  await db.client.query('drop table staging.f; alter table staging.away rename to f');
  const round = await ws.once();
  expect(reportOf(round, 'f', 'gone.csv').state).toBe('vanished');
  expect([round.code, round.summary.files['vanished']]).toEqual([0, 1]);
});
test('a file that grows while runs come by is loaded whole and once', async () => {
  const file = put(ws, 'f', 'grows.csv', 'id,v\n');
  const running = start(['run', '-c', ws.config], { cwd: ws.dir });
  await until(() => running.output().includes('"watching"'), 'the daemon');
  for (let i = 100; i < 140; i++) {
    appendFileSync(file, `${i},g\n`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await until(
    async () => (await column(db, 'select count(*) from staging.f where id between 100 and 139'))[0] === '40',
    'all its rows',
  );
  running.child.kill('SIGTERM');
  await running.ended;
  expect(
    await column(db, 'select count(*) || $1 || count(distinct id) from staging.f where id between 100 and 139', ' '),
  ).toEqual(['40 40']);
});
test('a ledger that is lost is rebuilt from the receipts: nothing is loaded again', async () => {
  const before = await ids(db, 'f');
  for (const name of ['ledger.db', 'ledger.db-wal', 'ledger.db-shm'])
    rmSync(path.join(ws.dir, 'data', name), { force: true });
  const round = await ws.once();
  expect([round.reports, round.code]).toEqual([[], 0]);
  expect(await ids(db, 'f')).toEqual(before);
  expect(await ws.json('ledger', 'verify')).toEqual({ ok: true, differences: [] });
});
test('a data_dir that is lost: the file is known from its receipt and is not loaded again', async () => {
  const before = await ids(db, 'eats');
  rmSync(path.join(ws.dir, 'data'), { recursive: true });
  expect(states(await ws.once(), 'eats')).toEqual([]);
  expect(await ids(db, 'eats')).toEqual(before);
});
test('init makes a workspace that runs: embedded PostgreSQL, one sample file', { timeout: 120_000 }, async () => {
  const dir = path.join(ws.dir, 'fresh');
  await tallyman(['init', dir]);
  const ended = await tallyman(['run', '--once', '--json', '--settle-timeout', '20s'], { cwd: dir });
  const lines = ended.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { state?: string; exit_code?: number });
  expect(lines.at(-1)).toMatchObject({ exit_code: ended.code });
  expect(lines[0]).toMatchObject({ state: 'loaded' });
  expect([0, 3]).toContain(ended.code);
});
