import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { start, workspace, type Workspace } from '../support/cli.js';
import { createDatabase, type TestDatabase } from '../support/postgres.js';

/** How many times the process is killed; `npm run test:crash` does 200. */
const KILLS = Number(process.env['TALLYMAN_CRASH_ROUNDS'] ?? '25');
const FILES = 50;

let db: TestDatabase;
let ws: Workspace;

beforeAll(async () => {
  db = await createDatabase();
  ws = workspace(db.url, {
    t: {
      columns: [
        { name: 'id', type: 'bigint', required: true },
        { name: 'file', type: 'text' },
        { name: 'v', type: 'numeric(12,2)' },
      ],
      limits: { bad_ratio: 0.9 },
    },
  });
});

afterAll(async () => {
  await db.drop();
  ws.remove();
});

/** Mixed sizes: mostly small, some of tens of thousands of rows; every 97th row is bad. */
function content(n: number): { text: string; good: number; bad: number } {
  const rows = n % 10 === 0 ? 60_000 : n % 3 === 0 ? 5_000 : 50;
  let text = 'id,file,v\n';
  let bad = 0;
  for (let i = 1; i <= rows; i++) {
    if (i % 97 === 0) bad++;
    text += `${i % 97 === 0 ? 'x' : ''}${i},f${n},${i % 1000}.25\n`;
  }
  return { text, good: rows - bad, bad };
}

describe('SIGKILL at random moments while files load', () => {
  test(`after ${KILLS} kills every file is loaded once, row for row`, { timeout: 60_000 + KILLS * 6_000 }, async () => {
    const expected = new Map<string, { good: number; bad: number; sha256: string }>();
    const waiting = path.join(ws.dir, 'waiting');
    mkdirSync(waiting);
    for (let n = 1; n <= FILES; n++) {
      const { text, good, bad } = content(n);
      writeFileSync(path.join(waiting, `f${n}.csv`), text);
      expected.set(`f${n}.csv`, { good, bad, sha256: createHash('sha256').update(text).digest('hex') });
    }
    // Files come in over the whole time, so that every kill has something under way.
    const names = [...expected.keys()];
    let given = 0;
    const give = (until: number): void => {
      for (; given < Math.min(until, names.length); given++)
        renameSync(path.join(waiting, names[given]!), path.join(ws.drop, names[given]!));
    };
    for (let kill = 0; kill < KILLS; kill++) {
      give(Math.ceil(((kill + 1) * FILES) / KILLS));
      const { child, ended } = start(['run', '-c', ws.config], { cwd: ws.dir });
      // Start-up takes about 0.3 s; most kills fall into loads, some into start-up and recovery.
      await sleep(150 + Math.random() * 900);
      child.kill('SIGKILL');
      expect((await ended).signal).toBe('SIGKILL');
    }
    give(names.length);
    expect(readdirSync(waiting)).toEqual([]);
    const { summary, stderr } = await ws.once();
    expect(stderr).toBe('');
    expect(summary.files['failed']).toBe(0);

    const files = (await ws.json('files', '--limit', '0')) as {
      items: { path: string; state: string; error: unknown }[];
    };
    expect(files.items.filter((item) => item.state !== 'loaded')).toEqual([]);
    expect(files.items.length).toBe(FILES);

    const loads = await db.client.query<{ path: string; n: number; bad: number; sha: string; rows: number }>(
      `select l.path, (count(*) over (partition by l.path))::int n, l.rows_quarantined::int bad, l.file_sha256 sha, l.rows_loaded::int as rows from tallyman.loads l where status = 'loaded' order by 1`,
    );
    expect(loads.rows.length).toBe(FILES);
    for (const row of loads.rows) {
      const want = expected.get(row.path)!;
      expect({ path: row.path, n: row.n, bad: row.bad, sha: row.sha, rows: row.rows }).toEqual({
        path: row.path,
        n: 1,
        bad: want.bad,
        sha: want.sha256,
        rows: want.good,
      });
    }
    const staged = await db.client.query<{ file: string; n: number; distinct: number; sum: string }>(
      `select file, count(*)::int n, count(distinct id)::int "distinct", sum(_row)::bigint sum from staging.t group by 1`,
    );
    expect(staged.rows.length).toBe(FILES);
    for (const row of staged.rows) {
      const want = expected.get(`${row.file}.csv`)!;
      expect({ file: row.file, n: row.n, distinct: row.distinct }).toEqual({
        file: row.file,
        n: want.good,
        distinct: want.good,
      });
      const total = want.good + want.bad;
      let sum = 0;
      for (let i = 1; i <= total; i++) if (i % 97 !== 0) sum += i;
      expect(Number(row.sum)).toBe(sum);
    }
    const quarantined = await db.client.query<{ n: number }>(`select count(*)::int n from tallyman.quarantine`);
    expect(quarantined.rows[0]!.n).toBe([...expected.values()].reduce((a, e) => a + e.bad, 0));
    expect(await ws.json('ledger', 'verify')).toEqual({ ok: true, differences: [] });
  });
});
