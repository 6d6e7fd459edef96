import { afterAll, beforeAll, expect, test } from 'vitest';
import type { FileDetail } from '../../src/core/report.js';
import { workspace, type Workspace } from '../support/cli.js';
import { createDatabase, type TestDatabase } from '../support/postgres.js';
import { csv, ids, put, reportOf, states, type Round } from './support.js';

/**
 * docs/spec/states.md#pauses: what the database refuses in a way that time may mend is not waited for without end where
 * it is one file's own.
 */
let db: TestDatabase;
let ws: Workspace;
const rounds: Round[] = [];
const columns = [
  { name: 'id', type: 'integer' },
  { name: 'v', type: 'text' },
];

beforeAll(async () => {
  db = await createDatabase();
  ws = workspace(db.url, { f: { columns, retry: { backoff: '1h' } }, all_of_them: { columns } });
  put(ws, 'f', 'b.csv', csv('3,good'));
  await ws.once();
  // Raised where the receipt is written: no row can be blamed for it.
  await db.client.query(`create function public.refuse() returns trigger language plpgsql as $$ begin
      if new.path = 'a.csv' or new.feed = 'all_of_them' then
        raise exception 'its library is not there' using errcode = '58P01'; end if; return new; end $$;
    create trigger refuse before insert on tallyman.loads for each row execute function public.refuse()`);
  put(ws, 'f', 'a.csv', csv('1,a', '2,a'));
  put(ws, 'f', 'c.csv', csv('4,good'));
  for (let i = 0; i < 4; i++) rounds.push(await ws.once('--feed', 'f'));
}, 60_000);
afterAll(async () => {
  await db.drop();
  ws.remove();
});

test('a file that fails the same way three times while others pass is told each time, and has its end', async () => {
  expect(states(rounds[0]!)).toEqual(['a.csv:discovered', 'c.csv:loaded']);
  expect(reportOf(rounds[0]!, 'f', 'a.csv')).toMatchObject({ attempts: 0, error: { code: 'DATABASE_BUSY' } });
  expect(reportOf(rounds[1]!, 'f', 'a.csv')).toMatchObject({ attempts: 1, error: { code: 'DATABASE_REFUSED' } });
  expect(reportOf(rounds[2]!, 'f', 'a.csv')).toMatchObject({
    state: 'failed',
    attempts: 2,
    error: { message: expect.stringContaining('SQLSTATE 58P01') as unknown },
  });
  expect([rounds[3]!.code, rounds[3]!.reports]).toEqual([0, []]);
  expect(await ids(db, 'f')).toEqual(['3', '4']);
});

test('what every file meets pauses the feed and uses no attempt', async () => {
  for (const n of [1, 2, 3, 4]) put(ws, 'all_of_them', `x${n}.csv`, csv(`${n},a`));
  const round = await ws.once('--feed', 'all_of_them');
  expect(round.code).not.toBe(0);
  const { items } = (await ws.json('files', '--feed', 'all_of_them')) as { readonly items: readonly FileDetail[] };
  expect(items.map((item) => [item.state, item.attempts]).toSorted()).toEqual([
    ['discovered', 0],
    ['discovered', 0],
    ['discovered', 0],
    ['discovered', 0],
  ]);
});
