import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { workspace, type Workspace } from '../support/cli.js';
import { createDatabase, type TestDatabase } from '../support/postgres.js';
import { column, csv, ids, put, reportOf, states, type Listed } from './support.js';

/**
 * docs/spec/configuration.md#renaming-a-feed: "A new feed name over the source and table of a feed that has gone is an
 * error until it says `formerly: old_name` or `formerly: none`."
 */
let db: TestDatabase;
let ws: Workspace;
let config: string;

beforeAll(async () => {
  db = await createDatabase();
  ws = workspace(db.url, {
    old: {
      columns: [
        { name: 'id', type: 'integer' },
        { name: 'v', type: 'text' },
      ],
      target: { table: 't' },
    },
    other: {},
  });
  config = readFileSync(ws.config, 'utf8');
  put(ws, 'old', 'a.csv', csv('1,a'));
  put(ws, 'old', 'b.csv', csv('2,b'));
  await ws.once();
});
afterAll(async () => {
  await db.drop();
  ws.remove();
});

/** The config with feed `old` under another name. */
const renamed = (name: string, formerly: string | null): void =>
  writeFileSync(
    ws.config,
    config.replace('"old": {', `"${name}": {${formerly === null ? '' : `"formerly": "${formerly}",`}`),
  );

test('without formerly nothing runs: exit 78, the message names both feeds and what to say', async () => {
  renamed('fresh', null);
  const ended = await ws.run('run', '--once', '--json');
  expect(ended.code).toBe(78);
  expect(JSON.parse(ended.stderr)).toMatchObject({ message_type: 'error', code: 'CONFIG_INVALID' });
  expect(ended.stderr).toMatch(/feed fresh .* feed old/);
  expect(ended.stderr).toContain('formerly: old');
  expect((await ws.run('load', put(ws, 'old', 'a.csv', csv('1,a')), '--feed', 'fresh')).code).toBe(78);
  expect((await ws.run('ledger', 'adopt', '--feed', 'fresh')).code).toBe(78);
  expect((await ws.run('check')).code).toBe(78);
  expect(await ids(db, 't')).toEqual(['1', '2']);
});

test('formerly: old_name carries ledger and receipts over: nothing is loaded again', async () => {
  renamed('fresh', 'old');
  expect((await ws.run('check')).code).toBe(0);
  const round = await ws.once();
  expect([round.code, round.reports]).toEqual([0, []]);
  expect(
    ((await ws.json('files', '--feed', 'fresh')) as Listed).items.map((item) => `${item.path}:${item.state}`).sort(),
  ).toEqual(['a.csv:loaded', 'b.csv:loaded']);
  expect(await column(db, `select distinct feed from tallyman.loads where status = 'loaded'`)).toEqual(['fresh']);
  expect(await ws.json('ledger', 'verify')).toEqual({ ok: true, differences: [] });
});

test('the feed goes on from there: the key may stay, changed files replace and duplicates are known', async () => {
  put(ws, 'old', 'a.csv', csv('1,a', '3,grown'));
  put(ws, 'old', 'copy.csv', csv('2,b'));
  const round = await ws.once();
  expect(states(round, 'fresh')).toEqual(['a.csv:loaded', 'copy.csv:duplicate']);
  expect(await ids(db, 't')).toEqual(['1', '2', '3']);
});

test('formerly: none begins anew', async () => {
  renamed('newer', 'none');
  const round = await ws.once();
  // b.csv and copy.csv hold the same rows and come in one round: whichever is looked at first is loaded.
  expect([reportOf(round, 'newer', 'b.csv').state, reportOf(round, 'newer', 'copy.csv').state].sort()).toEqual([
    'duplicate',
    'loaded',
  ]);
  expect((await ws.run('check')).code).toBe(0);
});

test('formerly of a feed that is still in the config is a mistake', async () => {
  renamed('newer', 'other');
  expect((await ws.run('check')).code).toBe(78);
});
