import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { start, workspace, type Workspace } from '../support/cli.js';
import { createDatabase, type TestDatabase } from '../support/postgres.js';
import { csv, ids, put, reportOf, until, type Listed } from './support.js';

/** What a person reads and asks at night (docs/spec/commands.md). */
const columns = [
  { name: 'id', type: 'integer' },
  { name: 'v', type: 'text' },
];
const LONG = 'a_feed_with_a_name_that_is_longer_than_anybody_would_like';

let db: TestDatabase;
let ws: Workspace;

beforeAll(async () => {
  db = await createDatabase();
  ws = workspace(db.url, {
    orders: { columns },
    marked: { columns, source: { ready: { marker: '{name}.done' } } },
    [LONG]: { columns },
    footed: { columns, format: { type: 'csv', footer: ['^Total', '^Made by'] } },
  });
});
afterAll(async () => {
  ws.remove();
  await db.drop();
});

interface Status {
  readonly daemon: { readonly pid: number; readonly version: string } | null;
  readonly total: { readonly files: number; readonly rows: { readonly read: number; readonly loaded: number } };
  readonly queue: number;
}
interface Asked {
  readonly items: readonly { readonly request_id: number; readonly state: string; readonly message: string }[];
}

describe('the books as they are shown', () => {
  test('a total is the sum of all lines, and an equation stands only where it holds', async () => {
    put(ws, 'orders', 'good.csv', csv('1,a', '2,b', 'x,c'));
    put(ws, 'orders', 'bad.csv', csv('3,a', 'x,b', 'y,c', 'z,d'));
    put(ws, LONG, 'a file with quite a long name that goes on and on and on until nobody reads it.csv', csv('1,a'));
    const { stdout } = await ws.run('run', '--once');
    expect(stdout).toMatch(/^total: 3 files +8 +3 +4 +- /m);
    expect(stdout).toMatch(/^of it loaded: 2 files +4 +3 +1 +0 /m);
    expect((await ws.run('files', 'show', 'good.csv')).stdout).toContain(
      'rows:        3 read = 2 loaded + 1 quarantined + 0 skipped',
    );
    const bad = (await ws.run('files', 'show', 'bad.csv')).stdout;
    expect(bad).toContain('rows:        4 read, 3 of them refused; the file was rejected, none loaded');
    expect(bad).not.toContain(' = ');
    const dry = (await ws.run('load', '--dry-run', '--feed', 'orders', 'drop/orders/good.csv', 'drop/orders/bad.csv'))
      .stdout;
    expect(dry).toMatch(/^total: 2 files +7 +2 +4 +- /m);
    expect(dry).toMatch(/^of it good: 1 file +3 +2 +1 +0 /m);
    expect((await ws.run('load', '--dry-run', '--feed', 'orders', 'drop/orders/bad.csv')).stdout).toMatch(
      /^of it good: 0 files +0 +0 +0 +0 /m,
    );
  });
});

describe('status', () => {
  test('fits 80 columns where it is no terminal, whatever the names are, with the sum of all feeds', async () => {
    const { stdout, code } = await ws.run('status');
    expect(code).toBe(0);
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
    expect(stdout).toMatch(/^no daemon runs/m);
    expect(stdout).toMatch(/^queue: no file waits$/m);
    expect(stdout).toMatch(/^total +3 +4 +3 +1 +4 +0 +1 rejected$/m);
  });

  test('--since and --until choose the time of the tally, of files and of the quarantine', async () => {
    const [past, future] = ['2020-01-01T00:00:00Z', '2099-01-01T00:00:00Z'];
    const files = async (...window: string[]): Promise<number> =>
      ((await ws.json('files', ...window)) as Listed).items.length;
    expect([await files('--until', future), await files('--until', past)]).toEqual([3, 0]);
    const tally = async (...window: string[]): Promise<number> =>
      ((await ws.json('status', ...window)) as Status).total.files;
    expect([await tally('--since', past, '--until', future), await tally('--since', past, '--until', '1d')]).toEqual([
      3, 0,
    ]);
    const open = async (...window: string[]): Promise<number> =>
      ((await ws.json('quarantine', ...window)) as Listed).items.length;
    expect([await open('--since', '1d'), await open('--until', '1d')]).toEqual([2, 0]);
    expect((await ws.run('files', '--since', '1d', '--until', '2d')).code).toBe(2);
  });

  test('says which daemon runs, and --watch looks again until it is ended', async () => {
    const daemon = start(['run', '-c', ws.config], { cwd: ws.dir });
    const watch = start(['status', '--watch', '500ms', '--json', '-c', ws.config], { cwd: ws.dir });
    try {
      const seen = (): readonly Status[] =>
        watch
          .output()
          .split('\n')
          .flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as Status] : []));
      await until(() => seen().some((document) => document.daemon?.pid === daemon.child.pid), 'the daemon in status');
      expect((await ws.run('status')).stdout).toMatch(
        new RegExp(`^tallyman \\S+ runs: pid ${daemon.child.pid!}, since \\S+ \\S+ \\(\\d+ s\\)$`, 'm'),
      );
      watch.child.kill('SIGINT');
      expect((await watch.ended).code).toBe(0);
    } finally {
      watch.child.kill('SIGKILL');
      daemon.child.kill('SIGTERM');
      await daemon.ended;
    }
    expect(((await ws.json('status')) as Status).daemon).toBeNull();
  });
});

test(
  'run --once does not wait for a marker that is not there, and says what lacks it',
  { timeout: 30_000 },
  async () => {
    put(ws, 'marked', 'm.csv', csv('1,a'));
    const { stdout, code } = await ws.run('run', '--once');
    expect(code).toBe(0);
    expect(stdout).toContain('m.csv waits: its marker m.csv.done is not there');
  },
);

describe('requests without a daemon', () => {
  const bad = async (): Promise<string> => {
    const { items } = (await ws.json('files', '--match', 'bad.csv')) as Listed;
    return String(items[0]!.file_id);
  };

  test('are listed, and can be cancelled while they are open', async () => {
    const id = await bad();
    expect((await ws.run('retry', id)).stderr).toContain('no daemon runs');
    const [open] = ((await ws.json('requests')) as Asked).items;
    expect(open).toMatchObject({ kind: 'retry', file_id: Number(id), path: 'bad.csv', state: 'open' });
    expect((await ws.run('requests')).stdout).toMatch(/retry +\d+ +open/);
    expect((await ws.run('requests', 'cancel', String(open!.request_id))).code).toBe(0);
    expect(((await ws.json('requests')) as Asked).items[0]).toMatchObject({
      state: 'refused',
      message: expect.stringMatching(/^cancelled by cli:/) as string,
    });
    for (const again of [String(open!.request_id), '999', 'x'])
      expect((await ws.run('requests', 'cancel', again)).code).toBe(2);
    expect(
      reportOf({ reports: ((await ws.json('files')) as Listed).items, stderr: '' }, 'orders', 'bad.csv').state,
    ).toBe('rejected');
    expect((await ws.once()).reports).toEqual([]);
  });

  test('--wait acts in this process, for what was asked', async () => {
    const good = ((await ws.json('files', '--match', 'good.csv')) as Listed).items[0]!;
    const again = await ws.run('reprocess', String(good.file_id), '--wait');
    expect(again.stderr).toContain('no daemon runs: acting in this process');
    expect(again.code).toBe(3);
    expect(((await ws.json('files', 'show', String(good.file_id))) as { readonly generation: number }).generation).toBe(
      2,
    );
    expect(await ids(db, 'orders')).toEqual(['1', '2']);
    expect((await ws.run('retry', await bad(), '--wait')).code).toBe(1);
    expect((await ws.run('ledger', 'clear', String(good.file_id), '--wait')).code).toBe(0);
    expect(((await ws.json('requests')) as Asked).items.map(({ state }) => state)).toEqual([
      'done',
      'done',
      'done',
      'refused',
    ]);
  });
});

describe('the books of a file with footers', () => {
  test('rows that were skipped as asked are named where they are missing in the sum', async () => {
    put(ws, 'footed', 'a.csv', `${csv('1,a', 'x,b')}Total,1\nMade by,nobody\n`);
    put(ws, 'footed', 'b.csv', `${csv('2,a')}Total,1\n`);
    const { stdout } = await ws.run('run', '--once', '--feed', 'footed');
    expect(stdout).toMatch(/a\.csv +4 +1 +1 +0 .*\n {2}2 rows were skipped as asked \(footer 2\)\n/);
    expect(stdout).toMatch(/b\.csv +2 +1 +0 +0 .*\n {2}1 row was skipped as asked \(footer 1\)\n/);
    expect(stdout).toMatch(/^total: 2 files +6 +2 +1 +0 .*\nof what was read 3 rows were skipped as asked\n/m);
  });
});
