import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, renameSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startS3, type S3Server } from '../servers/s3.js';
import { giveToLogin, startSshd, type Sshd } from '../servers/sshd.js';
import { start, workspace, type Workspace } from '../support/cli.js';
import { createDatabase, type TestDatabase } from '../support/postgres.js';

/** How many times the process is killed. 100 and more by hand: TALLYMAN_CRASH_ROUNDS. */
const KILLS = Number(process.env['TALLYMAN_CRASH_ROUNDS'] ?? '8');
/** Contents that arrive at each of the three places over the whole time. */
const CONTENTS = Math.max(10, Math.ceil(KILLS / 2));
const FEEDS = ['disk', 'server', 'bucket'] as const;
type Feed = (typeof FEEDS)[number];

interface Content {
  /** What stands in its rows. */
  readonly id: string;
  readonly text: string;
  readonly sha256: string;
  readonly good: number;
  readonly bad: number;
  /** md5 over the rows that are to be found in the table, in order. */
  readonly rows: string;
}

/**
 * Mixed sizes: mostly small, some of tens of thousands of rows; every 97th row is bad. The first row differs, so that
 * none begins with another.
 */
function contentOf(id: string, rows: number): Content {
  let text = 'id,file,v\n';
  const good: string[] = [];
  for (let i = 1; i <= rows; i++) {
    const isBad = i % 97 === 0;
    text += `${isBad ? 'x' : ''}${i},${id},${i % 1000}.25\n`;
    if (!isBad) good.push(`${i},${id},${i % 1000}.25,${i}`);
  }
  const hash = (name: string, of: string): string => createHash(name).update(of).digest('hex');
  return {
    id,
    text,
    sha256: hash('sha256', text),
    good: good.length,
    bad: rows - good.length,
    rows: hash('md5', good.join('\n')),
  };
}

/** Something that arrives. `after`: only once that content of the name is loaded, or nobody could have seen it. */
interface Drop {
  readonly feed: Feed;
  readonly name: string;
  readonly content: Content;
  readonly after: Content | null;
}

let sshd: Sshd;
let s3: S3Server;
let db: TestDatabase;
let ws: Workspace;
let upload: string;

beforeAll(async () => {
  [sshd, s3, db] = await Promise.all([startSshd(), startS3(), createDatabase()]);
  upload = path.join(sshd.upload, 'mixed');
  mkdirSync(upload);
  giveToLogin(upload);
  await s3.client.createBucket({ Bucket: 'mixed' });
  const more = {
    columns: [
      { name: 'id', type: 'bigint', required: true },
      { name: 'file', type: 'text' },
      { name: 'v', type: 'numeric(12,2)' },
    ],
    limits: { bad_ratio: 0.9 },
  };
  const remote = { type: 'sftp', dir: 'upload/mixed', settle: '0s', poll: '1s', pattern: '*.csv' };
  const feeds = {
    disk: {
      source: { type: 'local', dir: 'drop/disk', pattern: '*.csv', settle: '0s', poll: '1s' },
      format: { type: 'csv' },
      ...more,
    },
    server: {
      source: { ...remote, connection: 'acme' },
      format: { type: 'csv' },
      after: { loaded: { move: 'done' } },
      ...more,
    },
    bucket: {
      source: {
        type: 's3',
        connection: 'lake',
        bucket: 'mixed',
        prefix: 'in/',
        pattern: '*.csv',
        poll: '1s',
        ready: { marker: '{name}.ok' },
      },
      format: { type: 'csv' },
      ...more,
    },
  };
  const connections = {
    acme: {
      type: 'sftp',
      host: sshd.host,
      port: sshd.port,
      user: sshd.user,
      password: sshd.password,
      host_key: await sshd.hostKey(),
    },
    lake: {
      type: 's3',
      endpoint: s3.endpoint,
      force_path_style: true,
      access_key_id: s3.accessKeyId,
      secret_access_key: s3.secretAccessKey,
    },
  };
  ws = workspace(db.url, { disk: {} }, { connections, feeds });
}, 300_000);
afterAll(async () => {
  ws.remove();
  await Promise.all([sshd.close(), s3.close(), db.drop()]);
});

let puts = 0;

async function give({ feed, name, content }: Drop): Promise<void> {
  if (feed === 'bucket') {
    await s3.client.putObject({ Bucket: 'mixed', Key: `in/${name}`, Body: content.text });
    // The marker of an earlier version counts no more.
    await s3.client.putObject({ Bucket: 'mixed', Key: `in/${name}.ok`, Body: `${++puts}` });
    return;
  }
  const folder = feed === 'disk' ? ws.drop : upload;
  writeFileSync(path.join(folder, `.${name}`), content.text);
  if (feed === 'server') {
    // A time of its own for each upload: what is written twice within a second is another test's matter.
    const at = Math.floor(Date.now() / 1_000) - 7_200 + ++puts;
    utimesSync(path.join(folder, `.${name}`), at, at);
    giveToLogin(path.join(folder, `.${name}`));
  }
  renameSync(path.join(folder, `.${name}`), path.join(folder, name));
}

/**
 * All that is to arrive, in order: new names; other content under a name that was loaded; the same content again under
 * its own name; the same under another.
 */
function plan(): Drop[] {
  const drops: Drop[] = [];
  const shared = contentOf('shared', 700);
  for (const feed of FEEDS) drops.push({ feed, name: 'shared.csv', content: shared, after: null });
  for (let n = 1; n <= CONTENTS; n++) {
    for (const feed of FEEDS) {
      const name = `f${n}.csv`;
      const content = contentOf(`${feed}${n}`, n % 10 === 0 ? 60_000 : n % 3 === 0 ? 8_000 : 60);
      drops.push({ feed, name, content, after: null });
      if (n % 4 === 1)
        drops.push({ feed, name, content: contentOf(`${feed}${n}b`, n % 8 === 1 ? 9_000 : 40), after: content });
      if (n % 4 === 2) drops.push({ feed, name: `again${n}.csv`, content, after: null });
      if (n % 4 === 3) drops.push({ feed, name, content, after: content });
    }
  }
  return drops;
}

/** `feed sha256` of all that was ever loaded. */
async function loaded(): Promise<Set<string>> {
  const { rows: there } = await db.client.query<{ there: boolean }>(
    "select to_regclass('tallyman.loads') is not null there",
  );
  if (there[0]?.there !== true) return new Set();
  const { rows } = await db.client.query<{ key: string }>(
    "select feed || ' ' || file_sha256 as key from tallyman.loads where status <> 'rejected'",
  );
  return new Set(rows.map((row) => row.key));
}

describe('one daemon with a folder, an SFTP server and a bucket', () => {
  test(
    `after ${KILLS} kills at random every content is loaded once, row for row`,
    { timeout: 120_000 + KILLS * 8_000 },
    async () => {
      const drops = plan();
      let waiting = drops;
      /** Returns the next ones up to a number, and those whose content before them is in by now. */
      const giveUntil = async (count: number): Promise<void> => {
        const done = await loaded();
        const left: Drop[] = [];
        for (const drop of waiting) {
          const isDue =
            drops.indexOf(drop) < count && (drop.after === null || done.has(`${drop.feed} ${drop.after.sha256}`));
          if (isDue) await give(drop);
          else left.push(drop);
        }
        waiting = left;
      };
      for (let kill = 0; kill < KILLS; kill++) {
        await giveUntil(Math.ceil(((kill + 1) * drops.length) / KILLS));
        const { child, ended } = start(['run', '-c', ws.config], { cwd: ws.dir });
        await sleep(300 + Math.random() * 1_700);
        child.kill('SIGKILL');
        expect((await ended).signal).toBe('SIGKILL');
      }
      for (let pass = 0; waiting.length > 0; pass++) {
        expect(pass).toBeLessThan(5);
        await giveUntil(drops.length);
        expect((await ws.once()).summary.files['failed']).toBe(0);
      }
      const { stderr } = await ws.once();
      expect(stderr).toBe('');
      expect((await ws.once()).reports).toEqual([]);

      for (const feed of FEEDS) {
        const expected = new Map(
          drops.filter((drop) => drop.feed === feed).map(({ content }) => [content.sha256, content]),
        );
        const receipts = await db.client.query<{ sha: string; n: number; rows: number; bad: number }>(
          "select file_sha256 sha, count(*)::int n, max(rows_loaded)::int as rows, max(rows_quarantined)::int bad from tallyman.loads where feed = $1 and status = 'loaded' group by 1",
          [feed],
        );
        const sorted = (list: readonly { readonly sha: string }[]): unknown[] =>
          [...list].sort((a, b) => a.sha.localeCompare(b.sha));
        expect(sorted(receipts.rows)).toEqual(
          sorted([...expected.values()].map((one) => ({ sha: one.sha256, n: 1, rows: one.good, bad: one.bad }))),
        );
        const staged = await db.client.query<{ file: string; rows: string }>(
          `select file, md5(string_agg(concat_ws(',', id, file, v, _row), E'\\n' order by _row)) as rows from staging.${feed} group by 1`,
        );
        expect(Object.fromEntries(staged.rows.map((row) => [row.file, row.rows]))).toEqual(
          Object.fromEntries([...expected.values()].map((one) => [one.id, one.rows])),
        );
      }
      const { items } = (await ws.json('files', '--limit', '0')) as {
        items: { feed: string; path: string; state: string }[];
      };
      expect(items.filter((item) => item.state !== 'loaded' && item.state !== 'duplicate')).toEqual([]);
      expect(await ws.json('ledger', 'verify')).toEqual({ ok: true, differences: [] });

      // Copies of ended files are gone; a part can be left only by a process that was killed, and is of a file that was
      // landed later under its own name.
      expect(readdirSync(path.join(ws.dir, 'data/landing')).filter((name) => !name.endsWith('.part'))).toEqual([]);
      // The supplier's folder: what was loaded has moved, nothing private is left. A name stays where the same content
      // was given twice (a duplicate, or only touched).
      const twice = drops.filter((drop) =>
        drops.some(
          (other) => other !== drop && other.feed === drop.feed && other.content.sha256 === drop.content.sha256,
        ),
      );
      const mayStay = new Set(twice.filter((drop) => drop.feed === 'server').map((drop) => drop.name));
      expect(readdirSync(upload).filter((name) => name !== 'done' && !mayStay.has(name))).toEqual([]);
      expect(readdirSync(path.join(upload, 'done')).length).toBeGreaterThanOrEqual(CONTENTS);
    },
  );
});
