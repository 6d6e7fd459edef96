import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { giveToLogin, startSshd, type Sshd } from '../../servers/sshd.js';
import { start, workspace, type Workspace } from '../../support/cli.js';
import { createDatabase, type TestDatabase } from '../../support/postgres.js';

let sshd: Sshd;
let db: TestDatabase;
let ws: Workspace;
let folder: string;
let folders = 0;
const workspaces: Workspace[] = [];

beforeAll(async () => {
  [sshd, db] = await Promise.all([startSshd(), createDatabase()]);
}, 300_000);
afterAll(async () => {
  for (const one of workspaces) one.remove();
  await Promise.all([sshd.close(), db.drop()]);
});
beforeEach(async () => {
  ws = await open({});
});

/** A workspace with one SFTP feed over a fresh folder on the server. */
async function open(
  feed: Readonly<Record<string, unknown>>,
  top: Readonly<Record<string, unknown>> = {},
  connection: Readonly<Record<string, unknown>> = {},
): Promise<Workspace> {
  const name = `e2e${++folders}`;
  folder = path.join(sshd.upload, name);
  mkdirSync(folder);
  giveToLogin(folder);
  const acme = {
    type: 'sftp',
    host: sshd.host,
    port: sshd.port,
    user: sshd.user,
    password: sshd.password,
    host_key: await sshd.hostKey(),
    ...connection,
  };
  const made = workspace(
    db.url,
    { [name]: { source: { type: 'sftp', connection: 'acme', dir: `upload/${name}`, settle: '0s' }, ...feed } },
    { connections: { acme }, ...top },
  );
  workspaces.push(made);
  return made;
}

/** A file of an hour ago: what is seconds old is looked at twice. */
function put(name: string, text: string, ageSeconds = 3_600): void {
  writeFileSync(path.join(folder, `.${name}`), text);
  const at = Math.floor(Date.now() / 1_000) - ageSeconds;
  utimesSync(path.join(folder, `.${name}`), at, at);
  giveToLogin(path.join(folder, `.${name}`));
  renameSync(path.join(folder, `.${name}`), path.join(folder, name));
}
const landed = (): string[] => readdirSync(path.join(ws.dir, 'data/landing'));
const loads = async (): Promise<{ n: number; live: number; rows: number }> =>
  (
    await db.client.query<{ n: number; live: number; rows: number }>(
      "select count(*)::int n, (count(*) filter (where status = 'loaded'))::int live, coalesce(sum(rows_loaded) filter (where status = 'loaded'), 0)::int as rows from tallyman.loads where feed = $1",
      [path.basename(folder)],
    )
  ).rows[0]!;

describe('an SFTP feed from outside', () => {
  test('a file is landed, loaded once, and its copy goes; a second run reads nothing', async () => {
    put('a.csv', 'id\n1\n2\n');
    const { code, reports, stderr } = await ws.once();
    expect(stderr).toBe('');
    expect([code, reports.length]).toEqual([0, 1]);
    expect(reports[0]).toMatchObject({
      state: 'loaded',
      path: 'a.csv',
      uri: `sftp://127.0.0.1:${sshd.port}/upload/${path.basename(folder)}/a.csv`,
      sha256: createHash('sha256').update('id\n1\n2\n').digest('hex'),
      attempts: 1,
      rows: { read: 2, loaded: 2, delta: 0 },
    });
    expect(reports[0]!.seconds.land).toBeGreaterThan(0);
    expect(landed()).toEqual([]);
    expect((await ws.once()).reports).toEqual([]);
    const shown = (await ws.json('files', 'show', String(reports[0]!.file_id))) as { history: { to: string }[] };
    expect(shown.history.map((one) => one.to)).toEqual(['discovered', 'landing', 'landed', 'loading', 'loaded']);
  });

  test('the same content under another name is a duplicate; other content under the same name is loaded', async () => {
    put('a.csv', 'id\n1\n');
    await ws.once();
    put('b.csv', 'id\n1\n');
    put('a.csv', 'id\n3\n', 60);
    const { reports } = await ws.once();
    expect(Object.fromEntries(reports.map((one) => [one.path, one.state]))).toEqual({
      'a.csv': 'loaded',
      'b.csv': 'duplicate',
    });
    expect(await loads()).toMatchObject({ live: 2, rows: 2 });
  });

  test('a file written this very second is looked at once more, and the other content of that second is loaded', async () => {
    // A server whose clock is a little ahead, so that the first run sees it young however busy this host is.
    const now = Math.floor(Date.now() / 1_000) + 6;
    const write = (text: string): void => {
      put('a.csv', text);
      utimesSync(path.join(folder, 'a.csv'), now, now);
    };
    write('id\n1\n');
    expect((await ws.once()).reports.map((one) => one.state)).toEqual(['loaded']);
    // The supplier writes again within the second: same size, same mtime.
    write('id\n2\n');
    await sleep(now * 1_000 + 2_500 - Date.now());
    expect((await ws.once()).reports.map((one) => one.state)).toEqual(['loaded']);
    await ws.once();
    expect(await loads()).toMatchObject({ n: 2, rows: 2 });
  });

  test('a file that was rejected within seconds of its writing is looked at once more, and not rejected twice', async () => {
    ws = await open({ columns: [{ name: 'id', type: 'bigint' }] });
    const now = Math.floor(Date.now() / 1_000) + 6;
    put('a.csv', 'id\nx\n');
    utimesSync(path.join(folder, 'a.csv'), now, now);
    expect((await ws.once()).reports.map((one) => one.state)).toEqual(['rejected']);
    await sleep(now * 1_000 + 2_500 - Date.now());
    const again = await ws.once();
    expect([again.code, again.reports, landed()]).toEqual([0, [], []]);
    expect(await loads()).toMatchObject({ n: 1, live: 0 });
    // Dropped again it is tried again.
    put('a.csv', 'id\nx\n');
    expect((await ws.once()).reports.map((one) => one.state)).toEqual(['rejected']);
    expect(await ws.json('ledger', 'verify')).toEqual({ ok: true, differences: [] });
  });

  test('after: move and delete act on the server', async () => {
    ws = await open({
      after: { loaded: { move: 'done' }, rejected: 'delete' },
      limits: { bad_ratio: 0 },
      columns: [{ name: 'id', type: 'bigint' }],
    });
    put('good.csv', 'id\n1\n');
    put('bad.csv', 'id\nx\n');
    const { code } = await ws.once();
    expect([code, readdirSync(folder), readdirSync(path.join(folder, 'done'))]).toEqual([1, ['done'], ['good.csv']]);
    expect(landed()).toEqual([]);
    // It is known where the file is now.
    const { items } = (await ws.json('files', '--match', 'good.csv')) as { items: { file_id: number }[] };
    expect((await ws.run('reprocess', String(items[0]!.file_id))).code).toBe(0);
    expect((await ws.once()).reports.map((one) => [one.state, one.generation])).toEqual([['loaded', 2]]);
    expect(await loads()).toMatchObject({ live: 1, rows: 1 });
  });

  test('a ready marker on the server is waited for', async () => {
    ws = await open({
      source: {
        type: 'sftp',
        connection: 'acme',
        dir: `upload/e2e${folders + 1}`,
        settle: '0s',
        ready: { marker: '{name}.done' },
      },
    });
    put('a.csv', 'id\n1\n');
    expect((await ws.once('--settle-timeout', '1s')).summary.files['waiting']).toBe(1);
    put('a.csv.done', '');
    expect((await ws.once()).reports.map((one) => one.state)).toEqual(['loaded']);
  });

  test('a file that was taken seconds after it was written is looked at once more, under the marker that released it', async () => {
    ws = await open({
      source: {
        type: 'sftp',
        connection: 'acme',
        dir: `upload/e2e${folders + 1}`,
        settle: '0s',
        ready: { marker: '{name}.done' },
      },
    });
    put('a.csv', 'id\n1\n', -2);
    // Its own token must not change meanwhile: it is old enough.
    put('a.csv.done', '');
    expect((await ws.once()).reports.map((one) => one.state)).toEqual(['loaded']);
    // Older than two seconds, it is told by another token: not a change that waits for a new marker for ever.
    await new Promise((resolve) => setTimeout(resolve, 4_500));
    const { summary, reports } = await ws.once('--settle-timeout', '1s');
    expect([summary.files['waiting'], reports]).toEqual([0, []]);
    expect(await loads()).toMatchObject({ n: 1, live: 1, rows: 1 });
  });

  test('a server that is away: exit 5, and the file loads when it is back', async () => {
    put('a.csv', 'id\n1\n');
    await sshd.kill();
    try {
      const away = await ws.run('run', '--once');
      expect([away.code, away.stderr]).toEqual([5, expect.stringContaining('ECONNREFUSED')]);
    } finally {
      await sshd.start();
    }
    expect((await ws.once()).reports.map((one) => one.state)).toEqual(['loaded']);
  });

  test('another host key: the feed stops with both fingerprints, nothing is logged in with', async () => {
    const other = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKnDxBR9QQ0QnS8m3fo8UyPjPXz0kX1bPzjqYmyqVCMk';
    ws = await open({}, {}, { host_key: other });
    const { code, stderr } = await ws.run('run', '--once');
    expect(code).toBe(5);
    expect(stderr.match(/SHA256:/g)?.length).toBeGreaterThanOrEqual(2);
    const checked = await ws.run('check', '--connect');
    expect(checked.stdout + checked.stderr).toContain(`host_key: "${await sshd.hostKey()}"`);
  });

  test('no secret is printed, whatever fails', async () => {
    ws = await open({}, {}, { password: 'canary-password' });
    const outputs = [
      await ws.run('run', '--once', '-v'),
      await ws.run('check', '--connect'),
      await ws.run('config', 'print'),
    ];
    expect(outputs[0]!.code).toBe(5);
    for (const { stdout, stderr } of outputs) expect(stdout + stderr).not.toContain('canary');
  });

  test('landing.keep: the copy stays, and reprocess takes it after the supplier deleted the file', async () => {
    ws = await open({}, { landing: { keep: '1d' } });
    put('a.csv', 'id\n1\n');
    const { reports } = await ws.once();
    expect(landed()).toHaveLength(1);
    rmSync(path.join(folder, 'a.csv'));
    const id = String(reports[0]!.file_id);
    expect((await ws.run('reprocess', id, '--from-landing')).code).toBe(0);
    expect((await ws.once()).reports.map((one) => [one.state, one.generation])).toEqual([['loaded', 2]]);
    expect(await loads()).toMatchObject({ live: 1, rows: 1 });
  });

  test('without a kept copy a deleted file cannot be taken again: SOURCE_GONE', async () => {
    put('a.csv', 'id\n1\n');
    const { reports } = await ws.once();
    const id = String(reports[0]!.file_id);
    expect((await ws.run('reprocess', id, '--from-landing', '--json')).stderr).toContain('SOURCE_GONE');
    rmSync(path.join(folder, 'a.csv'));
    expect((await ws.run('reprocess', id, '--json')).stderr).toContain('SOURCE_GONE');
  });
});

/** How many times the process is killed; `npm run test:crash` does 200. */
const KILLS = Math.min(Number(process.env['TALLYMAN_CRASH_ROUNDS'] ?? '8'), 50);

describe('SIGKILL at random moments while remote files come', () => {
  test(`after ${KILLS} kills every file is loaded once, row for row`, { timeout: 60_000 + KILLS * 6_000 }, async () => {
    const files = 12;
    let rows = 0;
    let given = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      for (; given < Math.ceil(((kill + 1) * files) / KILLS); given++) {
        const n = given % 4 === 0 ? 100_000 : 100;
        rows += n;
        put(`f${given}.csv`, `id,file\n${Array.from({ length: n }, (_, i) => `${i},f${given}\n`).join('')}`);
      }
      const { child, ended } = start(['run', '-c', ws.config], { cwd: ws.dir });
      await sleep(400 + Math.random() * 1_200);
      child.kill('SIGKILL');
      expect((await ended).signal).toBe('SIGKILL');
    }
    const { summary } = await ws.once();
    expect(summary.files['failed']).toBe(0);
    expect(await loads()).toEqual({ n: files, live: files, rows });
    const staged = await db.client.query<{ n: number; distinct: number }>(
      `select count(*)::int n, count(distinct (id, file))::int "distinct" from staging.${path.basename(folder)}`,
    );
    expect(staged.rows[0]).toEqual({ n: rows, distinct: rows });
    expect(await ws.json('ledger', 'verify')).toEqual({ ok: true, differences: [] });
    expect(landed().filter((name) => !name.endsWith('.part'))).toEqual([]);
  });
});
