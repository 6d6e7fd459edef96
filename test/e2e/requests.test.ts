import { rmSync, writeFileSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { FileDetail } from '../../src/core/report.js';
import { workspace, type Ended, type Workspace } from '../support/cli.js';
import { createDatabase, type TestDatabase } from '../support/postgres.js';
import { column, csv, ids, put, reportOf, setTime, type Listed, type Round } from './support.js';

/** docs/spec/commands.md: reprocess, ledger clear, retry, release, ignore, without a running daemon. */
let db: TestDatabase;
let ws: Workspace;
let n = 0;

const columns = [
  { name: 'id', type: 'integer' },
  { name: 'v', type: 'text' },
];

beforeAll(async () => {
  db = await createDatabase();
  ws = workspace(db.url, { f: { columns }, h: { columns, on_changed: 'hold' } });
});
afterAll(async () => {
  await db.drop();
  ws.remove();
});

/** A fresh name for each test, so that they do not meet. */
let name = '';
beforeEach(() => {
  n++;
  name = `f${n}.csv`;
});

const show = async (id: number): Promise<FileDetail> => (await ws.json('files', 'show', String(id))) as FileDetail;
const errorOf = (ended: Ended): unknown => JSON.parse(ended.stderr.trim().split('\n').at(-1) ?? '');
const rowsOf = (loadId: number | null): Promise<readonly (string | null)[]> =>
  column(db, `select id from staging.f where _load_id = ${loadId} order by 1`);
const loaded = async (content: string, feed = 'f'): Promise<{ readonly id: number; readonly round: Round }> => {
  put(ws, feed, name, content);
  const round = await ws.once();
  return { id: reportOf(round, feed, name).file_id, round };
};

describe('reprocess', () => {
  test('keeps file_id, raises generation, replaces the earlier rows, supersedes the old receipt', async () => {
    const { id, round } = await loaded(csv('1,a', '2,b'));
    const old = reportOf(round, 'f', name).load_id;
    const asked = await ws.run('reprocess', String(id), '--reason', 'supplier called', '--json');
    expect(asked.code).toBe(0);
    expect((JSON.parse(asked.stdout) as { items: unknown[] }).items).toHaveLength(1);
    const again = reportOf(await ws.once(), 'f', name);
    expect(again).toMatchObject({ file_id: id, state: 'loaded', generation: 2, rows: { read: 2, loaded: 2 } });
    expect(await rowsOf(old)).toEqual([]);
    expect(await rowsOf(again.load_id)).toEqual(['1', '2']);
    expect(await column(db, `select status from tallyman.loads where path = $1 order by load_id`, name)).toEqual([
      'superseded',
      'loaded',
    ]);
    expect((await show(id)).history.map((h) => h.reason).join()).toContain('supplier called');
  });

  test('--dry-run says what would be asked for and changes nothing', async () => {
    const { id } = await loaded(csv('11,a'));
    const asked = await ws.run('reprocess', '--match', name, '--dry-run');
    expect(asked.code).toBe(0);
    expect(asked.stdout).toContain(name);
    expect((await ws.once()).reports).toEqual([]);
    expect((await show(id)).generation).toBe(1);
  });

  test('an ID may be load:N', async () => {
    const { id, round } = await loaded(csv('21,a'));
    expect((await ws.run('reprocess', `load:${reportOf(round, 'f', name).load_id}`)).code).toBe(0);
    expect(reportOf(await ws.once(), 'f', name).file_id).toBe(id);
  });

  test('if it is rejected, the old load stays live', async () => {
    const { id, round } = await loaded(csv('31,a', '32,b'));
    const old = reportOf(round, 'f', name).load_id;
    const config = readFileSync(ws.config, 'utf8');
    writeFileSync(ws.config, config.replace('"columns": [', '"limits": {"min_rows": 5}, "columns": ['));
    await ws.run('reprocess', String(id));
    const again = await ws.once();
    writeFileSync(ws.config, config);
    expect(reportOf(again, 'f', name)).toMatchObject({ state: 'rejected', error: { code: 'TOO_FEW_ROWS' } });
    expect(await rowsOf(old)).toEqual(['31', '32']);
    expect(await column(db, `select status from tallyman.loads where load_id = ${old}`)).toEqual(['loaded']);
    expect((await ws.run('ledger', 'verify')).code).toBe(0);
  });

  test('with a changed contract the new rows follow it', async () => {
    const { id } = await loaded(csv('41,a', 'x,b'));
    const config = readFileSync(ws.config, 'utf8');
    writeFileSync(
      ws.config,
      config.replace('"columns": [', '"on_missing_column": "fill_null", "columns": [ {"name":"extra","type":"text"},'),
    );
    await ws.run('reprocess', String(id));
    const again = reportOf(await ws.once(), 'f', name);
    writeFileSync(ws.config, config);
    expect(again).toMatchObject({ state: 'loaded', generation: 2, rows: { read: 2, loaded: 1, quarantined: 1 } });
    expect(
      await column(
        db,
        `select count(*) from tallyman.quarantine q join tallyman.loads l using (load_id) where l.path = $1 and q.status = 'open'`,
        name,
      ),
    ).toEqual(['1']);
  });

  test('bytes gone: refused, SOURCE_GONE, exit 1, nothing changed', async () => {
    const { id } = await loaded(csv('51,a'));
    rmSync(path.join(ws.drop, name));
    const refused = await ws.run('reprocess', String(id), '--json');
    expect(refused.code).toBe(1);
    expect(errorOf(refused)).toMatchObject({ message_type: 'error', code: 'SOURCE_GONE' });
    expect((await show(id)).state).toBe('loaded');
    expect((await ws.once()).reports).toEqual([]);
  });

  test('bytes different (the same size): refused, SOURCE_GONE', async () => {
    const { id } = await loaded(csv('61,a'));
    put(ws, 'f', name, csv('62,b'));
    const refused = await ws.run('reprocess', String(id), '--json');
    expect(refused.code).toBe(1);
    expect(errorOf(refused)).toMatchObject({ code: 'SOURCE_GONE' });
    await ws.once();
  });

  test('a touched file (the same bytes) is reprocessed all the same', async () => {
    const { id } = await loaded(csv('65,a'));
    setTime(path.join(ws.drop, name), 1_700_000_000);
    expect((await ws.run('reprocess', String(id))).code).toBe(0);
    expect(reportOf(await ws.once(), 'f', name)).toMatchObject({ file_id: id, state: 'loaded', generation: 2 });
    await ws.run('reprocess', String(id));
    setTime(path.join(ws.drop, name), 1_700_000_001);
    await ws.once();
    expect(await column(db, 'select count(*) from staging.f where id = 65')).toEqual(['1']);
    expect((await ws.run('ledger', 'verify')).code).toBe(0);
  });

  test('an older version whose content stands there again can be reprocessed', async () => {
    const { id } = await loaded(csv('67,a'));
    await loaded(csv('68,b'));
    const { round } = await loaded(csv('67,a'));
    expect(reportOf(round, 'f', name)).toMatchObject({ state: 'duplicate', duplicate_of: id });
    expect((await ws.run('reprocess', String(id))).code).toBe(0);
    expect(reportOf(await ws.once(), 'f', name)).toMatchObject({ file_id: id, state: 'loaded', generation: 2 });
    expect(await column(db, 'select id from staging.f where id in (67, 68) order by 1')).toEqual(['67', '68']);
  });

  test('of a duplicate it is refused and names the original, exit 2', async () => {
    const { id } = await loaded(csv('71,a'));
    put(ws, 'f', `dup-${name}`, csv('71,a'));
    const dup = reportOf(await ws.once(), 'f', `dup-${name}`);
    const refused = await ws.run('reprocess', String(dup.file_id), '--json');
    expect(refused.code).toBe(2);
    expect(errorOf(refused)).toMatchObject({ code: 'WRONG_STATE' });
    expect(refused.stderr).toContain(`file ${id}`);
    expect((await show(dup.file_id)).state).toBe('duplicate');
  });

  test('of a rejected file takes it again', async () => {
    const { id } = await loaded(csv('x,a', 'y,b'));
    expect((await ws.run('reprocess', String(id))).code).toBe(0);
    expect(reportOf(await ws.once(), 'f', name)).toMatchObject({ file_id: id, state: 'rejected' });
    expect(
      await column(
        db,
        `select count(*) from tallyman.quarantine q join tallyman.loads l using (load_id) where l.path = $1 and q.status = 'open'`,
        name,
      ),
    ).toEqual(['2']);
  });

  test('selectors without IDs need --yes where there is no terminal: exit 2, nothing changed', async () => {
    const { id } = await loaded(csv('81,a'));
    const refused = await ws.run('reprocess', '--feed', 'f', '--match', name, '--json');
    expect(refused.code).toBe(2);
    expect(errorOf(refused)).toMatchObject({ code: 'CONFIRM' });
    expect((await ws.once()).reports).toEqual([]);
    expect((await ws.run('reprocess', '--feed', 'f', '--match', name, '--yes')).code).toBe(0);
    expect(reportOf(await ws.once(), 'f', name).file_id).toBe(id);
  });
});

describe('ledger clear', () => {
  test('rows stay, the receipt says cleared, and the file is taken again by the next run, which replaces them', async () => {
    const { id, round } = await loaded(csv('101,a', '102,b'));
    const old = reportOf(round, 'f', name).load_id;
    expect((await ws.run('ledger', 'clear', String(id))).code).toBe(0);
    const again = reportOf(await ws.once(), 'f', name);
    expect(again.state).toBe('loaded');
    expect(again.load_id).not.toBe(old);
    expect(await column(db, `select count(*) from staging.f where id in (101, 102)`)).toEqual(['2']);
    expect(await column(db, `select status from tallyman.loads where load_id = ${old}`)).toEqual(['superseded']);
  });

  test('when the file is gone the rows stay until the same content comes under another name', async () => {
    const { id, round } = await loaded(csv('111,a'));
    const old = reportOf(round, 'f', name).load_id;
    rmSync(path.join(ws.drop, name));
    await ws.run('ledger', 'clear', String(id));
    await ws.once();
    expect((await show(id)).state).toBe('cleared');
    expect(await column(db, `select status from tallyman.loads where load_id = ${old}`)).toEqual(['cleared']);
    expect(await rowsOf(old)).toEqual(['111']);
    put(ws, 'f', `other-${name}`, csv('111,a'));
    expect(reportOf(await ws.once(), 'f', `other-${name}`)).toMatchObject({ state: 'loaded', generation: 2 });
    expect(await column(db, 'select count(*) from staging.f where id = 111')).toEqual(['1']);
    expect((await ws.run('ledger', 'verify')).code).toBe(0);
  });

  test('of a duplicate it is refused', async () => {
    await loaded(csv('121,a'));
    put(ws, 'f', `dup-${name}`, csv('121,a'));
    const dup = reportOf(await ws.once(), 'f', `dup-${name}`);
    expect((await ws.run('ledger', 'clear', String(dup.file_id))).code).toBe(2);
  });
});

describe('retry, release, ignore', () => {
  test('retry takes a rejected file again, with attempts from 0', async () => {
    const { id } = await loaded(csv('x,1', 'y,2'));
    expect((await ws.run('retry', String(id))).code).toBe(0);
    expect(reportOf(await ws.once(), 'f', name)).toMatchObject({ file_id: id, state: 'rejected', attempts: 1 });
  });
  test('retry of a loaded file is the wrong state: exit 2, nothing changed', async () => {
    const { id } = await loaded(csv('131,a'));
    const refused = await ws.run('retry', String(id), '--json');
    expect(refused.code).toBe(2);
    expect(errorOf(refused)).toMatchObject({ message_type: 'error', code: 'WRONG_STATE' });
    expect((await ws.once()).reports).toEqual([]);
  });
  test('release loads a held file', async () => {
    await loaded(csv('1,a'), 'h');
    const { id, round } = await loaded(csv('2,b'), 'h');
    expect(reportOf(round, 'h', name).state).toBe('held');
    expect((await ws.once()).code).toBe(0);
    expect((await ws.run('release', String(id))).code).toBe(0);
    expect(reportOf(await ws.once(), 'h', name)).toMatchObject({ file_id: id, state: 'loaded' });
    expect(await ids(db, 'h')).toEqual(['1', '2']);
  });
  test('ignore ends a held file, and content equal to it is not loaded from another path', async () => {
    await loaded(csv('5,a'), 'h');
    const { id } = await loaded(csv('6,b'), 'h');
    expect((await ws.run('ignore', String(id))).code).toBe(0);
    put(ws, 'h', `same-${name}`, csv('6,b'));
    const round = await ws.once();
    expect((await show(id)).state).toBe('ignored');
    expect(reportOf(round, 'h', `same-${name}`)).toMatchObject({ state: 'duplicate', duplicate_of: id });
  });
  test('unknown IDs are exit 2', async () => {
    for (const command of [
      ['retry', '99999'],
      ['files', 'show', '99999'],
      ['quarantine', 'show', 'load:99999'],
    ]) {
      const refused = await ws.run(...command, '--json');
      expect(refused.code).toBe(2);
      expect(errorOf(refused)).toMatchObject({ code: 'UNKNOWN_FILE' });
    }
  });
  test('one wrong ID among good ones: nothing at all is asked for', async () => {
    const { id } = await loaded(csv('x,1', 'y,3'));
    expect((await ws.run('retry', String(id), '99999')).code).toBe(2);
    expect((await ws.once()).reports).toEqual([]);
  });
});

test('files takes state, match and limit, newest first', async () => {
  const all = (await ws.json('files', '--limit', '0')) as Listed;
  expect(all.items.map((i) => i.file_id)).toEqual([...all.items.map((i) => i.file_id)].sort((a, b) => b - a));
  const rejected = (await ws.json(
    'files',
    '--state',
    'rejected',
    '--feed',
    'f',
    '--since',
    '7d',
    '--limit',
    '1',
  )) as Listed;
  expect(rejected.items.map((i) => i.state)).toEqual(['rejected']);
  expect((await ws.json('files', '--since', '2999-01-01T00:00:00Z')) as Listed).toEqual({ items: [] });
});
