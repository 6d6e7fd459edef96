import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { start, workspace, type Workspace } from '../support/cli.js';
import { createDatabase, type TestDatabase } from '../support/postgres.js';
import { csv, ids, until } from './support.js';

let db: TestDatabase;
const cleanups: (() => Promise<void> | void)[] = [];

beforeAll(async () => {
  db = await createDatabase();
});

afterAll(async () => {
  for (const clean of cleanups.reverse()) await clean();
  await db.drop();
});

/** A feed of its own name, so that all tests may use one database. */
function feedIn(
  name: string,
  feed: Readonly<Record<string, unknown>> = {},
  top: Readonly<Record<string, unknown>> = {},
): Workspace {
  const ws = workspace(db.url, { [name]: feed }, top);
  cleanups.push(() => ws.remove());
  return ws;
}

const loseDataDir = (ws: Workspace): void => rmSync(path.join(ws.dir, 'data'), { recursive: true });

describe('a path is known by feed, host and full path, whichever data_dir saw it', () => {
  test('data_dir lost: what stands as it was is known, a changed file replaces, a grown one too', async () => {
    const ws = feedIn('lost', { on_changed: 'replace' });
    const grown = feedIn('lost_grown');
    for (const one of [ws, grown]) {
      one.put('a.csv', csv('1,a', '2,b'));
      one.put('still.csv', csv('9,z'));
      expect((await one.once()).code).toBe(0);
      loseDataDir(one);
    }
    ws.put('a.csv', csv('7,x'));
    grown.put('a.csv', csv('1,a', '2,b', '3,c'));
    for (const one of [ws, grown]) {
      const round = await one.once();
      expect(round.reports.map(({ path: name, state, generation }) => [name, state, generation])).toEqual([
        ['a.csv', 'loaded', 2],
      ]);
      expect(await one.json('ledger', 'verify')).toEqual({ ok: true, differences: [] });
    }
    expect(await ids(db, 'lost')).toEqual(['7', '9']);
    expect(await ids(db, 'lost_grown')).toEqual(['1', '2', '3', '9']);
  });

  test('a second data_dir on the same drop goes on from what the first one loaded', async () => {
    const first = feedIn('second', { on_changed: 'replace' });
    const second = feedIn('second', { on_changed: 'replace', source: { dir: first.drop } });
    for (const [ws, content] of [
      [first, csv('1,a')],
      [second, csv('2,b')],
      [first, csv('3,c')],
    ] as const) {
      first.put('a.csv', content);
      expect((await ws.once()).code).toBe(0);
    }
    expect(await ids(db, 'second')).toEqual(['3']);
  });

  test('in a container the host has a name of its own each time: `host` names it', async () => {
    const one = feedIn('boxed', { on_changed: 'replace' }, { host: 'box' });
    const next = feedIn('boxed', { on_changed: 'replace', source: { dir: one.drop } }, { host: 'box' });
    one.put('a.csv', csv('1,a'));
    await one.once();
    one.put('a.csv', csv('2,b'));
    await next.once();
    expect(await ids(db, 'boxed')).toEqual(['2']);
    const { rows } = await db.client.query(`select distinct host from tallyman.loads where feed = 'boxed'`);
    expect(rows).toEqual([{ host: 'box' }]);
  });

  test('the same path on another host is another file', async () => {
    const [here, there] = ['h1', 'h2'].map((host) => feedIn('hosts', { on_changed: 'replace' }, { host }));
    here!.put('a.csv', csv('1,a'));
    await here!.once();
    there!.put('a.csv', csv('2,b'));
    expect((await there!.once()).reports[0]).toMatchObject({ state: 'loaded', generation: 1 });
    expect(await ids(db, 'hosts')).toEqual(['1', '2']);
    // The same content too: there it is a duplicate, never taken for the load of the other host.
    there!.put('a.csv', csv('1,a'));
    expect((await there!.once()).reports[0]).toMatchObject({ state: 'duplicate' });
    here!.put('a.csv', csv('1,a', '3,c'));
    await here!.once();
    expect(await ids(db, 'hosts')).toEqual(['1', '2', '3']);
  });

  test('feeds of the same host that are not in the config are no concern of ours, until they are', async () => {
    const theirs = feedIn('theirs', { on_changed: 'replace' }, { host: 'one' });
    const drop = { source: { dir: theirs.drop }, on_changed: 'replace' };
    const ours = feedIn('ours', {}, { host: 'one' });
    theirs.put('a.csv', csv('1,a'));
    await theirs.once();
    await ours.once();
    expect(await ours.json('files')).toEqual({ items: [] });
    const config = JSON.parse(readFileSync(ours.config, 'utf8')) as { feeds: Record<string, object> };
    const format = { type: 'csv' };
    config.feeds['theirs'] = {
      ...drop,
      format,
      source: { type: 'local', pattern: '*.csv', settle: '0s', ...drop.source },
    };
    writeFileSync(ours.config, JSON.stringify(config));
    theirs.put('a.csv', csv('2,b'));
    expect((await ours.once()).reports).toMatchObject([{ feed: 'theirs', state: 'loaded', generation: 2 }]);
    expect(await ids(db, 'theirs')).toEqual(['2']);
  });

  test('what another data_dir loads while a daemon runs is found out before the next version stands beside it', async () => {
    const other = feedIn('beside', { on_changed: 'replace' }, { host: 'shared' });
    // The daemon takes what its sender has released, the other one everything: only that one sees the first version.
    const source = { dir: other.drop, ready: { marker: '{name}.go' } };
    const ws = feedIn('beside', { on_changed: 'replace', source }, { host: 'shared' });
    const release = (name: string, content: string): void => {
      other.put(name, content);
      other.put(`${name}.go`, '');
    };
    release('first.csv', csv('100,z'));
    await ws.once();
    const daemon = start(['run', '-c', ws.config], { cwd: ws.dir });
    cleanups.push(async () => {
      daemon.child.kill('SIGTERM');
      await daemon.ended;
    });
    release('second.csv', csv('200,z'));
    await until(async () => (await ids(db, 'beside')).includes('200'), 'the daemon to work');
    other.put('a.csv', csv('1,a'));
    expect((await other.once()).code).toBe(0);
    release('a.csv', csv('2,b'));
    await until(async () => (await ids(db, 'beside')).includes('2'), 'the new version');
    expect(await ids(db, 'beside')).toEqual(['100', '2', '200']);
  });
});
