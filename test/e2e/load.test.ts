import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FileDetail, FileReport } from '../../src/core/report.js';
import { start, tallyman, workspace, type Ended, type Workspace } from '../support/cli.js';
import { createDatabase, type TestDatabase } from '../support/postgres.js';
import { column, csv, ids, put, reportOf, until, type Listed } from './support.js';

/** docs/spec/commands.md, `tallyman load`. */
let db: TestDatabase;
let ws: Workspace;
let elsewhere: string;

beforeAll(async () => {
  db = await createDatabase();
  const columns = [
    { name: 'id', type: 'integer' },
    { name: 'v', type: 'text' },
  ];
  ws = workspace(
    db.url,
    {
      f: { columns, source: { ready: { marker: '{name}.done' }, settle: '1h' }, after: { loaded: 'delete' } },
      g: { columns, after: { rejected: 'delete' } },
      dup: { columns, on_duplicate: 'hold' },
      held: { columns, on_changed: 'hold' },
    },
    { daemon: { http: false, drain_timeout: '1s' } },
  );
  elsewhere = path.join(ws.dir, 'elsewhere');
  mkdirSync(elsewhere);
});
afterAll(async () => {
  await db.drop();
  ws.remove();
});

const make = (name: string, content: string): string => {
  const file = path.join(elsewhere, name);
  writeFileSync(file, content);
  return file;
};
const reports = (ended: Ended): readonly FileReport[] =>
  ended.stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as FileReport);
const load = (...args: string[]): Promise<Ended> => ws.run('load', '--json', ...args);

describe('load FILE', () => {
  test('loads now: pattern, settle, ready and after do not apply; path = absolute path', async () => {
    const file = make('any name.txt', csv('1,a', '2,b'));
    const ended = await load(file, '--feed', 'f');
    expect(ended.code).toBe(0);
    expect(reports(ended)).toMatchObject([
      {
        message_type: 'file',
        feed: 'f',
        path: file,
        uri: `file://${elsewhere}/any%20name.txt`,
        state: 'loaded',
        rows: { read: 2, loaded: 2 },
      },
    ]);
    expect(existsSync(file)).toBe(true);
    expect(await ids(db, 'f')).toEqual(['1', '2']);
    expect(await column(db, `select path from tallyman.loads where feed = 'f' and status = 'loaded'`)).toEqual([file]);
  });
  test('the same file twice: the second time there is nothing to do', async () => {
    const file = make('twice.csv', csv('3,c'));
    await load(file, '--feed', 'f');
    const again = await load(file, '--feed', 'f');
    expect([again.code, again.stdout]).toEqual([0, '']);
    expect(again.stderr).toContain('loaded');
    expect(await column(db, 'select count(*) from staging.f where id = 3')).toEqual(['1']);
  });
  test('a relative name is the same path', async () => {
    make('relative.csv', csv('4,d'));
    const ended = await tallyman(['load', 'relative.csv', '--feed', 'f', '--json', '-c', ws.config], {
      cwd: elsewhere,
    });
    expect(reports(ended)[0]?.path).toBe(path.join(elsewhere, 'relative.csv'));
    expect((await load(path.join(elsewhere, 'relative.csv'), '--feed', 'f')).stdout).toBe('');
  });
  test('two files of one content: the second is a duplicate of the first', async () => {
    const [one, two] = [make('one.csv', csv('5,e')), make('two.csv', csv('5,e'))];
    const [first, second] = reports(await load(one, two, '--feed', 'f'));
    expect(first?.state).toBe('loaded');
    expect(second).toMatchObject({ state: 'duplicate', duplicate_of: first?.file_id });
  });
  test('content that the drop has loaded is a duplicate too', async () => {
    put(ws, 'g', 'drop.csv', csv('7,g'));
    const original = reportOf(await ws.once('--feed', 'g'), 'g', 'drop.csv');
    expect(reports(await load(make('copy.csv', csv('7,g')), '--feed', 'g'))).toMatchObject([
      { state: 'duplicate', duplicate_of: original.file_id },
    ]);
  });
  test('a changed file is a further version, a rejected one exits 1, a quarantined row exits 3, a held one exits 3', async () => {
    const file = make('changing.csv', csv('10,a'));
    expect((await load(file, '--feed', 'g')).code).toBe(0);
    make('changing.csv', csv('11,b', 'x,c'));
    expect((await load(file, '--feed', 'g')).code).toBe(3);
    make('changing.csv', csv('x,b', 'y,c'));
    const rejected = await load(file, '--feed', 'g');
    expect(rejected.code).toBe(1);
    expect(reports(rejected)).toMatchObject([
      { state: 'rejected', rows: { read: 2, loaded: 0, quarantined: 2, delta: null } },
    ]);
    await load(make('h1.csv', csv('1,h')), '--feed', 'dup');
    expect((await load(make('h2.csv', csv('1,h')), '--feed', 'dup')).code).toBe(3);
  });
  test('a rejected file named again is tried again', async () => {
    const file = make('again.csv', csv('x,b', 'y,c'));
    const [first] = reports(await load(file, '--feed', 'g'));
    const [second] = reports(await load(file, '--feed', 'g'));
    expect(second).toMatchObject({ file_id: first?.file_id, state: 'rejected' });
  });
  test('--replaces ID: the rows of that file go in the same transaction, generation rises', async () => {
    const [old] = reports(await load(make('wrong.csv', csv('20,a', '21,b')), '--feed', 'g'));
    const [fixed] = reports(
      await load(make('fixed.csv', csv('22,c')), '--feed', 'g', '--replaces', String(old?.file_id)),
    );
    expect(fixed).toMatchObject({ state: 'loaded', generation: 2 });
    expect(await column(db, 'select id from staging.g where id between 20 and 29')).toEqual(['22']);
    expect(((await ws.json('files', 'show', String(old?.file_id))) as FileReport).state).toBe('superseded');
    const back = await load(
      make('wrong.csv', csv('20,a', '21,b')),
      '--feed',
      'g',
      '--replaces',
      `load:${fixed?.load_id}`,
    );
    expect(back.code).toBe(0);
    expect(await column(db, 'select id from staging.g where id between 20 and 29 order by 1')).toEqual(['20', '21']);
  });
  test('--replaces of an unknown ID or of another feed is exit 2, nothing is loaded', async () => {
    const [other] = reports(await load(make('of-f.csv', csv('30,a')), '--feed', 'f'));
    const file = make('nobody.csv', csv('31,b'));
    for (const id of ['99999', String(other?.file_id)])
      expect((await load(file, '--feed', 'g', '--replaces', id)).code).toBe(2);
    expect(await column(db, 'select count(*) from staging.g where id = 31')).toEqual(['0']);
  });
  test('one name that is not there, a folder, a symbolic link: exit 2, nothing is loaded', async () => {
    const good = make('good.csv', csv('40,a'));
    symlinkSync(good, path.join(elsewhere, 'link.csv'));
    for (const bad of ['none.csv', 'link.csv', '.']) {
      const ended = await load(good, path.join(elsewhere, bad), '--feed', 'g');
      expect(ended.code).toBe(2);
      expect(ended.stdout).toBe('');
    }
    expect(await column(db, 'select count(*) from staging.g where id = 40')).toEqual(['0']);
  });
  test('a loaded file can be reprocessed from its absolute path by the next run', async () => {
    const [first] = reports(await load(make('later.csv', csv('50,a')), '--feed', 'g'));
    expect((await ws.run('reprocess', String(first?.file_id))).code).toBe(0);
    expect(reportOf(await ws.once('--feed', 'g'), 'g', path.join(elsewhere, 'later.csv'))).toMatchObject({
      state: 'loaded',
      generation: 2,
    });
  });
  test('works beside a running daemon', async () => {
    const daemon = start(['run', '-c', ws.config], { cwd: ws.dir });
    try {
      await until(() => daemon.output().includes('watching'), 'the daemon to watch');
      expect(reports(await load(make('beside.csv', csv('60,a')), '--feed', 'g'))).toMatchObject([{ state: 'loaded' }]);
    } finally {
      daemon.child.kill('SIGTERM');
    }
    expect((await daemon.ended).code).toBe(0);
    expect(await column(db, 'select count(*) from staging.g where id = 60')).toEqual(['1']);
  });
});

describe('load and the daemon', () => {
  const lock = (table: string): Promise<unknown> =>
    db.client.query(`begin; lock table staging.${table} in access exclusive mode`);
  const show = async (match: string): Promise<FileDetail | null> => {
    const [item] = ((await ws.json('files', '--match', match)) as Listed).items;
    return item === undefined ? null : ((await ws.json('files', 'show', String(item.file_id))) as FileDetail);
  };
  const inState = (match: string, state: string): Promise<FileDetail> =>
    until(async () => [await show(match)].find((shown) => shown?.state === state), `${match} to be ${state}`);

  test('what the daemon is loading at the moment is not disturbed', async () => {
    const daemon = start(['run', '-c', ws.config], { cwd: ws.dir });
    try {
      await until(() => daemon.output().includes('"watching"'), 'the daemon to watch');
      await lock('g');
      put(ws, 'g', 'slow.csv', csv('70,a'));
      await inState('slow.csv', 'loading');
      expect((await load(make('quick.csv', csv('71,a')), '--feed', 'f')).code).toBe(0);
      await db.client.query('rollback');
      expect((await inState('slow.csv', 'loaded')).history.map((entry) => `${entry.to} by ${entry.actor}`)).toEqual([
        'discovered by daemon',
        'loading by daemon',
        'loaded by daemon',
      ]);
    } finally {
      await db.client.query('rollback');
      daemon.child.kill('SIGTERM');
      await daemon.ended;
    }
  });
  test('a load that was killed is taken over by the next run, once', async () => {
    await lock('g');
    const killed = start(['load', make('killed.csv', csv('72,a')), '--feed', 'g', '-c', ws.config]);
    await inState('**/killed.csv', 'loading');
    killed.child.kill('SIGKILL');
    await killed.ended;
    await db.client.query('rollback');
    expect(reportOf(await ws.once('--feed', 'g'), 'g', path.join(elsewhere, 'killed.csv')).state).toBe('loaded');
    expect(await column(db, 'select count(*) from staging.g where id = 72')).toEqual(['1']);
  });
  test('a load that was killed goes on when it is named again', async () => {
    await lock('g');
    const file = make('killed2.csv', csv('73,a'));
    const killed = start(['load', file, '--feed', 'g', '-c', ws.config]);
    await inState('**/killed2.csv', 'loading');
    killed.child.kill('SIGKILL');
    await killed.ended;
    await db.client.query('rollback');
    expect(reports(await load(file, '--feed', 'g'))).toMatchObject([{ state: 'loaded' }]);
    expect(await column(db, 'select count(*) from staging.g where id = 73')).toEqual(['1']);
  });
  test('a load that a person interrupted ends with 130, is rolled back, and nobody goes on with it', async () => {
    await lock('g');
    const interrupted = start(['load', make('oops.csv', csv('74,a')), '--feed', 'g', '--json', '-c', ws.config]);
    await inState('**/oops.csv', 'loading');
    interrupted.child.kill('SIGINT');
    const ended = await interrupted.ended;
    expect(ended.code).toBe(130);
    await db.client.query('rollback');
    expect((await ws.once('--feed', 'g')).reports).toEqual([]);
    expect(await column(db, 'select count(*) from staging.g where id = 74')).toEqual(['0']);
    expect(reports(await load(path.join(elsewhere, 'oops.csv'), '--feed', 'g'))).toMatchObject([{ state: 'loaded' }]);
  });
  test('a rejected one that is retried by the run still gets no after action', async () => {
    const file = make('retried.csv', csv('x,a', 'y,b'));
    const [first] = reports(await load(file, '--feed', 'g'));
    expect((await ws.run('retry', String(first?.file_id))).code).toBe(0);
    expect(reportOf(await ws.once('--feed', 'g'), 'g', file).state).toBe('rejected');
    expect(existsSync(file)).toBe(true);
    expect((await show('**/retried.csv'))?.actions).toEqual([]);
  });
  test('content that is held under another name waits for a person: exit 3', async () => {
    await load(make('o1.csv', csv('80,a')), '--feed', 'dup');
    await load(make('o2.csv', csv('80,a')), '--feed', 'dup');
    await load(make('p1.csv', csv('81,a')), '--feed', 'held');
    make('p1.csv', csv('82,a'));
    expect((await load(path.join(elsewhere, 'p1.csv'), '--feed', 'held')).code).toBe(3);
    const waits = await load(make('p2.csv', csv('82,a')), '--feed', 'held');
    expect(waits.code).toBe(3);
    expect(waits.stderr).toMatch(/waits for file \d+/);
  });
});

describe('load --dry-run', () => {
  test('needs no database: state checked, same counts and exit codes, nothing is written', async () => {
    const offline = path.join(ws.dir, 'offline.yaml');
    writeFileSync(
      offline,
      readFileSync(ws.config, 'utf8').replace(db.url, 'postgresql://x@127.0.0.1:1/x').replace('"data"', '"data-dry"'),
    );
    const dry = async (name: string, content: string): Promise<[number | null, FileReport | undefined]> => {
      const ended = await tallyman(['load', make(name, content), '--feed', 'f', '--dry-run', '--json', '-c', offline]);
      return [ended.code, reports(ended)[0]];
    };
    expect(await dry('ok.csv', csv('1,a'))).toMatchObject([
      0,
      { state: 'checked', rows: { read: 1, loaded: 1, quarantined: 0, delta: 0 }, error: null },
    ]);
    expect(await dry('some.csv', csv('1,a', 'x,b'))).toMatchObject([
      3,
      {
        state: 'checked',
        rows: { read: 2, loaded: 1, quarantined: 1 },
        errors: [{ class: 'type-error', column: 'id' }],
      },
    ]);
    expect(await dry('bad.csv', csv('1,a', 'x,b', 'y,c'))).toMatchObject([
      1,
      { state: 'checked', error: { code: 'TOO_MANY_BAD_ROWS' } },
    ]);
    expect(existsSync(path.join(ws.dir, 'data-dry', 'ledger.db'))).toBe(false);
    expect(((await ws.json('files', '--match', 'ok.csv')) as Listed).items).toEqual([]);
  });
});
