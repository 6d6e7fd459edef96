import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { tallyman, workspace, type Ended, type Workspace } from '../support/cli.js';
import { createDatabase, type TestDatabase } from '../support/postgres.js';
import { csv, put, reportOf, type Round } from './support.js';

/** docs/spec/commands.md: the commands, their flags, their shapes, where they write, what they end with. */
let db: TestDatabase;
let ws: Workspace;
let first: Round;

beforeAll(async () => {
  db = await createDatabase();
  ws = workspace(db.url, {
    orders: {
      columns: [
        { name: 'id', type: 'integer' },
        { name: 'amount', type: 'numeric(12,2)' },
      ],
    },
  });
  put(ws, 'orders', 'good.csv', 'id,amount\n1,1.50\n2,2.50\n');
  put(ws, 'orders', 'some bad.csv', 'id,amount\n1,1.5\n2,"1.234,50"\n3,\n4,4\n');
  put(ws, 'orders', 'rejected.csv', 'id,amount\nx,1\ny,2\n');
  put(ws, 'orders', 'same.csv', 'id,amount\n1,1.50\n2,2.50\n');
  put(ws, 'orders', '=cmd.csv', 'id,amount\n5,=1+1\n6,+7\n7,-8\n8,9\n9,10\n');
  first = await ws.once();
});
afterAll(async () => {
  await db.drop();
  ws.remove();
});

const errorOf = (ended: Ended): Record<string, unknown> =>
  JSON.parse(ended.stderr.trim().split('\n').at(-1) ?? '') as Record<string, unknown>;
const REPORT = [
  'message_type',
  'file_id',
  'feed',
  'uri',
  'path',
  'size',
  'mtime',
  'sha256',
  'content_sha256',
  'state',
  'attempts',
  'load_id',
  'duplicate_of',
  'generation',
  'rows',
  'lines_skipped',
  'rows_skipped',
  'errors',
  'error',
  'drift',
  'discovered_at',
  'finished_at',
  'seconds',
];

describe('the file report', () => {
  test('has exactly the fields of the page, in its order', () => {
    for (const report of first.reports) {
      expect(Object.keys(report)).toEqual(REPORT);
      expect(Object.keys(report.rows)).toEqual(['read', 'loaded', 'quarantined', 'skipped', 'declared', 'delta']);
      expect(Object.keys(report.seconds)).toEqual(['settle', 'land', 'load']);
    }
  });
  test('of a loaded file with refused rows', () => {
    const report = reportOf(first, 'orders', 'some bad.csv');
    expect(report).toMatchObject({
      message_type: 'file',
      feed: 'orders',
      path: 'some bad.csv',
      state: 'loaded',
      attempts: 1,
      generation: 1,
      duplicate_of: null,
      error: null,
      rows: { read: 4, loaded: 3, quarantined: 1, skipped: 0, declared: null, delta: 0 },
      errors: [
        {
          class: 'type-error',
          column: 'amount',
          rows: 1,
          first_row: 2,
          first_line: 3,
          example: '1.234,50',
          message: 'not a numeric(12,2)',
        },
      ],
    });
    expect(report.uri).toBe(`file://${ws.drop}/some%20bad.csv`);
    expect(report.mtime).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(report.sha256).toMatch(/^[0-9a-f]{64}$/);
  });
  test('of a rejected file has rows, error {code, message, fix} and its receipt', () => {
    const report = reportOf(first, 'orders', 'rejected.csv');
    expect(report).toMatchObject({ state: 'rejected', rows: { read: 2, loaded: 0, quarantined: 2, delta: null } });
    expect(Object.keys(report.error!)).toEqual(['code', 'message', 'fix']);
    expect(report.load_id).not.toBeNull();
  });
  test('of a duplicate names the original and has rows of zeros', () => {
    const [a, b] = ['good.csv', 'same.csv'].map((name) => reportOf(first, 'orders', name)) as [
      Round['reports'][number],
      Round['reports'][number],
    ];
    const [original, duplicate] = a.state === 'loaded' ? [a, b] : [b, a];
    expect(duplicate).toMatchObject({
      state: 'duplicate',
      duplicate_of: original.file_id,
      rows: { read: 0, loaded: 0, quarantined: 0, skipped: 0, declared: null, delta: 0 },
    });
  });
});

describe('run --once --json', () => {
  test('ends with the summary line, exit code in it and of the process', () => {
    expect(Object.keys(first.summary)).toEqual(['message_type', 'files', 'rows', 'unmatched', 'exit_code']);
    expect(first.summary.files).toMatchObject({ loaded: 3, duplicate: 1, rejected: 1, failed: 0, held: 0, waiting: 0 });
    expect(first.summary.rows).toEqual({ read: 11, loaded: 9, quarantined: 2, skipped: 0, delta: 0 });
    expect([first.summary.exit_code, first.code]).toEqual([1, 1]);
  });
  test('for people: one line a file, a total, then the next command worth running', async () => {
    put(ws, 'orders', 'people.csv', 'id,amount\n50,1\nx,2\n');
    const ended = await ws.run('run', '--once');
    expect(ended.code).toBe(3);
    expect(ended.stdout).toMatch(/people\.csv +2 +1 +1 +0 /);
    expect(ended.stdout).toMatch(/total: 1 file/);
    expect(ended.stdout + ended.stderr).toMatch(/tallyman quarantine show \d+/);
    expect(ended.stdout).not.toMatch(/\u001b/);
  });
});

describe('lists and documents', () => {
  test('files --json is {"items": [reports]}', async () => {
    const { items } = (await ws.json('files')) as { items: object[] };
    expect(items.length).toBeGreaterThanOrEqual(5);
    for (const item of items) expect(Object.keys(item)).toEqual(REPORT);
  });
  test('files show --json is the report with history, actions and drift', async () => {
    const id = reportOf(first, 'orders', 'good.csv').file_id;
    const shown = (await ws.json('files', 'show', String(id))) as { history: object[] };
    expect(Object.keys(shown)).toEqual([...REPORT, 'history', 'actions']);
    for (const entry of shown.history) expect(Object.keys(entry)).toEqual(['at', 'from', 'to', 'actor', 'reason']);
  });
  test('quarantine --json groups by file, column and reason with an example', async () => {
    const { items } = (await ws.json('quarantine', '--feed', 'orders')) as { items: Record<string, unknown>[] };
    expect(items).toContainEqual(
      expect.objectContaining({
        feed: 'orders',
        path: 'some bad.csv',
        column: 'amount',
        class: 'type-error',
        rows: 1,
        first_row: 2,
        first_line: 3,
        example: '1.234,50',
        message: 'not a numeric(12,2)',
      }),
    );
  });
  test('quarantine show --json: items {quarantine_id, row, line, byte_offset, errors, raw}', async () => {
    const { items } = (await ws.json(
      'quarantine',
      'show',
      String(reportOf(first, 'orders', 'some bad.csv').file_id),
    )) as { items: Record<string, unknown>[] };
    expect(items).toHaveLength(1);
    expect(Object.keys(items[0]!).slice(0, 6)).toEqual([
      'quarantine_id',
      'row',
      'line',
      'byte_offset',
      'errors',
      'raw',
    ]);
    expect(items[0]).toMatchObject({
      row: 2,
      line: 3,
      byte_offset: 16,
      raw: '2,"1.234,50"',
      errors: [
        { column: 'amount', class: 'type-error', rule: null, message: 'not a numeric(12,2)', value: '1.234,50' },
      ],
    });
  });
  test("quarantine export csv: UTF-8 with BOM, the file's header order, then _row,_reason,_raw; formulas harmless, plain numbers plain", async () => {
    const ended = await ws.run('quarantine', 'export', String(reportOf(first, 'orders', '=cmd.csv').file_id));
    expect(ended.code).toBe(0);
    const lines = ended.stdout.split(/\r?\n/);
    expect(lines[0]!.replaceAll('"', '')).toBe('\uFEFFid,amount,_row,_reason,_raw');
    expect(lines[1]).toContain(`'=1+1`);
    expect(lines[1]!.replace(/"5,=1\+1"$/, '')).not.toMatch(/(^|,)"?=/);
  });
  test('quarantine export jsonl and html, -o writes a file', async () => {
    const id = String(reportOf(first, 'orders', 'some bad.csv').file_id);
    const jsonl = await ws.run('quarantine', 'export', id, '--format', 'jsonl');
    for (const line of jsonl.stdout.trim().split('\n')) expect(() => JSON.parse(line) as unknown).not.toThrow();
    const html = path.join(ws.dir, 'refused.html');
    expect((await ws.run('quarantine', 'export', id, '--format', 'html', '-o', html)).stdout).toBe('');
    expect(readFileSync(html, 'utf8')).toMatch(/^<!doctype html>/i);
    expect(readFileSync(html, 'utf8')).not.toMatch(/https?:\/\/(?!www\.w3\.org)/);
  });
  test('status --json: one item a feed with last file, tally of today, open quarantine', async () => {
    const { items } = (await ws.json('status')) as {
      items: { feed: string; open_quarantine: number; today: { rows: { loaded: number } } }[];
    };
    expect(items.map((item) => item.feed)).toEqual(['orders']);
    expect(items[0]!.open_quarantine).toBeGreaterThanOrEqual(2);
    expect(items[0]!.today.rows.loaded).toBeGreaterThanOrEqual(9);
  });
  test('status --check is 6 while a file is rejected', async () => {
    expect((await ws.run('status')).code).toBe(0);
    expect((await ws.run('status', '--check')).code).toBe(6);
  });
  test('ledger verify --json is {ok, differences}; rows taken away in part are a difference and exit 4', async () => {
    expect(await ws.json('ledger', 'verify')).toEqual({ ok: true, differences: [] });
    await db.client.query('begin');
    await db.client.query('commit');
    const { rows } = await db.client.query<{ id: string }>(
      `delete from staging.orders where id = 2 and amount = 2.5 returning _load_id as id`,
    );
    const ended = await ws.run('ledger', 'verify', '--json');
    expect(ended.code).toBe(4);
    expect(JSON.parse(ended.stdout)).toMatchObject({
      ok: false,
      differences: [{ load_id: Number(rows[0]!.id), feed: 'orders' }],
    });
    await db.client.query(`delete from staging.orders where _load_id = ${rows[0]!.id}`);
    const emptied = await ws.run('ledger', 'verify', '--json');
    expect(emptied.code).toBe(0);
    expect(JSON.parse(emptied.stdout)).toMatchObject({ ok: true, differences: [{ kind: 'emptied' }] });
  });
  test('ddl prints SQL that PostgreSQL takes, without running it', async () => {
    const ended = await ws.run('ddl');
    expect(ended.code).toBe(0);
    expect(ended.stdout).toMatch(/create table/i);
    expect((await ws.run('ddl', '--feed', 'orders')).stdout).toContain('numeric(12,2)');
  });
  test('config print masks secrets, config schema is a JSON Schema', async () => {
    const schema = (await ws.json('config', 'schema')) as Record<string, unknown>;
    expect(schema['$schema']).toMatch(/json-schema/);
    const secret = path.join(ws.dir, 'secret.yaml');
    writeFileSync(secret, readFileSync(ws.config, 'utf8').replace('"url"', '"password": "hunter2hunter2", "url"'));
    const printed = await tallyman(['config', 'print', '-c', secret]);
    expect(printed.stdout + printed.stderr).not.toContain('hunter2');
  });
});

describe('where it writes', () => {
  test('stdout holds data only, stderr messages only', async () => {
    const listed = await ws.run('files', '--json');
    expect(listed.stderr).toBe('');
    const wrong = await ws.run('files', 'show', '4711');
    expect(wrong.stdout).toBe('');
    expect(wrong.stderr).not.toBe('');
  });
  test('a command that fails says {message_type: "error", code, message, fix} on stderr', async () => {
    const ended = await ws.run('run', '--once', '--feed', 'nowhere', '--json');
    expect(ended.code).toBe(2);
    expect(Object.keys(errorOf(ended))).toEqual(['message_type', 'code', 'message', 'fix']);
    expect(errorOf(ended)['code']).toBe('UNKNOWN_FEED');
  });
  test('--json, -c, -q and -v are taken before and after the command', async () => {
    const before = await tallyman(['--json', '-c', ws.config, 'files', '--limit', '1']);
    const after = await tallyman(['files', '--limit', '1', '--json', '--config', ws.config]);
    expect(before.stdout).toBe(after.stdout);
    expect(before.code).toBe(0);
    const nested = await tallyman(['-q', 'ledger', '-c', ws.config, 'verify', '-v', '--json']);
    expect(nested.code).toBe(0);
    expect(JSON.parse(nested.stdout)).toHaveProperty('ok');
  });
  test('the config is found by -c, then $TALLYMAN_CONFIG, then ./tallyman.yaml', async () => {
    const elsewhere = mkdtempSync(path.join(tmpdir(), 'tallyman-cwd-'));
    expect((await tallyman(['check'], { cwd: elsewhere })).code).toBe(78);
    expect((await tallyman(['check'], { cwd: elsewhere, env: { TALLYMAN_CONFIG: ws.config } })).code).toBe(0);
    expect((await tallyman(['check'], { cwd: ws.dir })).code).toBe(0);
    expect((await tallyman(['check', '-c', path.join(elsewhere, 'none.yaml')], { cwd: ws.dir })).code).toBe(78);
    rmSync(elsewhere, { recursive: true });
  });
});

describe('wrong usage is exit 2', () => {
  const cases: readonly (readonly string[])[] = [
    ['nonsense'],
    ['run', '--nonsense'],
    ['load', '--feed', 'orders'],
    ['load', 'x.csv'],
    ['load', 'nowhere.csv', '--feed', 'orders'],
    ['load', 'x.csv', '--feed', 'nowhere'],
    ['files', '--state', 'nonsense'],
    ['files', '--limit', '-1'],
    ['files', '--since', 'yesterday-ish'],
    ['files', '--feed', 'nowhere'],
    ['files', 'show', 'abc'],
    ['reprocess'],
    ['run', '--once', '--settle-timeout', 'long'],
    ['quarantine', '--feed', 'nowhere'],
    ['ddl', '--feed', 'nowhere'],
    ['ledger', 'adopt', '--feed', 'nowhere'],
    ['quarantine', 'export', '1', '--format', 'pdf'],
  ];
  test.each(cases.map((args) => [args.join(' '), args] as const))('%s', async (_name, args) => {
    const ended = await ws.run(...args, '--json');
    expect(ended.code).toBe(2);
    expect(errorOf(ended)).toMatchObject({ message_type: 'error' });
    expect(ended.stdout).toBe('');
  });
});

describe('init and check', () => {
  test('init writes a config, a drop folder and one sample file; a second init changes nothing', async () => {
    const dir = path.join(ws.dir, 'fresh');
    expect((await tallyman(['init', dir])).code).toBe(0);
    expect(existsSync(path.join(dir, 'tallyman.yaml'))).toBe(true);
    expect((await tallyman(['check', '-c', path.join(dir, 'tallyman.yaml')])).code).toBe(0);
    expect((await tallyman(['init', dir])).code).toBe(2);
  });
  test('check --json of a right config is {ok: true, problems: []}', async () => {
    expect(await ws.json('check')).toMatchObject({ ok: true, problems: [] });
  });
  test('every mistake at once, each with file, line, column, key, code, message and hint; exit 78', async () => {
    const wrong = path.join(ws.dir, 'wrong.yaml');
    writeFileSync(
      wrong,
      'version: 1\ndata_dri: x\ndatabase:\n  embedded: true\nfeeds:\n  a:\n    source: { type: local, dri: x }\n    format: { type: cvs }\n    on_duplicate: skipp\n',
    );
    const ended = await tallyman(['check', '-c', wrong, '--json']);
    expect(ended.code).toBe(78);
    const { ok, problems } = JSON.parse(ended.stdout) as { ok: boolean; problems: Record<string, unknown>[] };
    expect(ok).toBe(false);
    expect(problems.length).toBeGreaterThanOrEqual(4);
    for (const problem of problems)
      expect(Object.keys(problem).sort()).toEqual(['code', 'column', 'file', 'hint', 'key', 'line', 'message']);
    expect(problems).toContainEqual(expect.objectContaining({ line: 2, column: 1, key: 'data_dri' }));
    expect((await tallyman(['run', '--once', '-c', wrong])).code).toBe(78);
  });
  test('check warns of a pattern without wildcard whose on_changed is unset, and is still right', async () => {
    const fixed = path.join(ws.dir, 'fixed.yaml');
    writeFileSync(
      fixed,
      JSON.stringify({
        version: 1,
        data_dir: 'd',
        database: { url: db.url },
        feeds: { a: { source: { type: 'local', dir: 'drop/orders', pattern: 'one.csv' }, format: { type: 'csv' } } },
      }),
    );
    const ended = await tallyman(['check', '-c', fixed]);
    expect(ended.code).toBe(0);
    expect(ended.stdout + ended.stderr).toContain('on_changed');
  });
  test('check --connect reaches sources, database and tables', async () => {
    expect((await ws.run('check', '--connect')).code).toBe(0);
    const down = path.join(ws.dir, 'down.yaml');
    writeFileSync(down, readFileSync(ws.config, 'utf8').replace(db.url, 'postgresql://x@127.0.0.1:1/x'));
    const ended = await tallyman(['check', '--connect', '--json', '-c', down]);
    expect(ended.code).toBe(5);
    expect(JSON.parse(ended.stdout)).toMatchObject({
      ok: false,
      problems: [{ key: 'database', code: 'DATABASE_UNREACHABLE' }],
    });
  });
});

describe('exit codes', () => {
  test('5: the database cannot be reached', async () => {
    const down = path.join(ws.dir, 'down2.yaml');
    writeFileSync(
      down,
      readFileSync(ws.config, 'utf8').replace(db.url, 'postgresql://x@127.0.0.1:1/x').replace('"data"', '"data-down"'),
    );
    const ended = await tallyman(['run', '--once', '--json', '-c', down]);
    expect(ended.code).toBe(5);
    expect(ended.stdout).toContain('"exit_code":5');
    expect(errorOf(ended)).toMatchObject({ code: 'DATABASE_UNREACHABLE' });
    // It did not look, so it does not say that nothing is new.
    expect((await tallyman(['run', '--once', '-c', down])).stdout).toMatch(/^no file was handled$/m);
  });
  test('5: a source cannot be reached; the other feeds are handled', async () => {
    const two = workspace(db.url, { lost: {}, fine: {} });
    rmSync(two.drop, { recursive: true });
    put(two, 'fine', 'a.csv', csv('1,a'));
    const round = await two.once();
    expect(round.code).toBe(5);
    expect(reportOf(round, 'fine', 'a.csv').state).toBe('loaded');
    two.remove();
  });
  test('78: a contract that does not fit its table stops that feed with the ALTER, its files stay discovered', async () => {
    await db.client.query('create table staging.misfit (id integer)');
    const two = workspace(db.url, { misfit: { columns: [{ name: 'id', type: 'integer' }] }, well: {} });
    put(two, 'misfit', 'a.csv', 'id\n1\n');
    put(two, 'well', 'a.csv', csv('1,a'));
    const round = await two.once();
    expect(round.code).toBe(78);
    expect(reportOf(round, 'well', 'a.csv').state).toBe('loaded');
    expect(round.stderr).toMatch(/ALTER TABLE/);
    expect(
      ((await two.json('files', '--feed', 'misfit')) as { items: { state: string; attempts: number }[] }).items,
    ).toMatchObject([{ state: 'discovered', attempts: 0 }]);
    two.remove();
  });
  test('0: nothing to do', async () => {
    const empty = workspace(db.url, { nothing: {} });
    const round = await empty.once();
    expect(round.code).toBe(0);
    expect(round.summary.files).toMatchObject({ loaded: 0, waiting: 0 });
    empty.remove();
  });
  test('a file still being written is waiting, without an entry, and does not change the exit code', async () => {
    const slow = workspace(db.url, { slow: { source: { settle: '1h' } } });
    put(slow, 'slow', 'a.csv', csv('1,a'));
    const round = await slow.once('--settle-timeout', '200ms');
    expect(round.code).toBe(0);
    expect(round.summary.files).toMatchObject({ waiting: 1, loaded: 0 });
    expect(await slow.json('files')).toEqual({ items: [] });
    slow.remove();
  });
});

describe('ledger adopt', () => {
  test('records what is there as ignored, in the ledger and as receipts; new files are loaded', async () => {
    const old = workspace(db.url, { old: {} });
    mkdirSync(path.join(old.drop, 'sub'));
    put(old, 'old', 'a.csv', csv('1,a'));
    put(old, 'old', 'b.csv', csv('2,b'));
    put(old, 'old', 'keep.csv', csv('3,c'));
    expect((await old.run('ledger', 'adopt', '--feed', 'old', '--match', '{a,b}.csv')).code).toBe(0);
    const round = await old.once();
    expect(round.reports.map((report) => `${report.path}:${report.state}`)).toEqual(['keep.csv:loaded']);
    const { rows } = await db.client.query(
      `select path, status from tallyman.loads where feed = 'old' and status = 'ignored' order by path`,
    );
    expect(rows).toEqual([
      { path: 'a.csv', status: 'ignored' },
      { path: 'b.csv', status: 'ignored' },
    ]);
    put(old, 'old', 'a.csv', csv('1,changed'));
    expect(reportOf(await old.once(), 'old', 'a.csv').state).toBe('loaded');
    old.remove();
  });
});
