import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { csv, ids } from '../e2e/support.js';
import { workspace } from '../support/cli.js';
import { createDatabase, type TestDatabase } from '../support/postgres.js';
import { FULL } from './support/report.js';
import { findStrace, traced } from './support/strace.js';

/** One content as it is, packed, and packed anew; the process is killed on the way to knowing that it is one. */
const strace = findStrace();
const CALLS = { write: 'write,writev,sendto', fdatasync: 'fdatasync,fsync' } as const;
const TEXT = csv('1,a', '2,b', '3,c');

let db: TestDatabase;
beforeAll(async () => {
  db = await createDatabase();
});
afterAll(async () => {
  await db.drop();
});

test.each(Object.entries(CALLS))(
  'killed at the n-th %s: the three forms are one load',
  { timeout: FULL ? 3_600_000 : 180_000 },
  async (kind, calls) => {
    if (strace.program === null) return;
    const most = FULL ? 120 : 24;
    const step = FULL ? 1 : 6;
    for (let n = 2; n <= most; n += step) {
      const feed = `f_${kind}_${n}`;
      const ws = workspace(db.url, { [feed]: { source: { pattern: '*' } } });
      try {
        ws.put('a.csv', TEXT);
        ws.put('b.csv.gz', gzipSync(TEXT, { level: 9 }));
        ws.put('c.csv.gz', gzipSync(TEXT, { level: 1 }));
        const args = ['run', '--once', '--json', '-c', ws.config];
        await traced(strace.program, calls, `${calls}:signal=KILL:when=${n}`, args, { cwd: ws.dir });
        await ws.once();
        expect([n, await ids(db, feed)]).toEqual([n, ['1', '2', '3']]);
        const { rows } = await db.client.query(
          `select count(*)::int as n from tallyman.loads where feed = $1 and status = 'loaded'`,
          [feed],
        );
        expect([n, rows]).toEqual([n, [{ n: 1 }]]);
        const listed = (await ws.json('files', '--feed', feed)) as { items: readonly { state: string }[] };
        expect(listed.items.map(({ state }) => state).sort()).toEqual(['duplicate', 'duplicate', 'loaded']);
      } finally {
        ws.remove();
      }
    }
  },
);
