import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { FormatType, RecordReader } from '../../src/core/format.js';
import { csv } from '../../src/formats/csv/index.js';
import { loadGroup } from '../../src/load/load-group.js';
import { whileAwake } from '../../src/load/transaction/awake.js';
import { connect } from '../../src/postgres/connect/connect.js';
import { specOf } from '../postgres/spec.js';
import { column, feedOf, openBench, type Bench } from './support.js';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(async () => {
  await bench.close();
});

/** CSV from a disk that stands still before the first batch of every reading. */
const slow = (stall: () => Promise<void>): FormatType => ({
  ...csv,
  open: async (...given: Parameters<typeof csv.open>): Promise<RecordReader> => {
    const reader = await csv.open(...given);
    let stalled = false;
    return {
      layout: reader.layout,
      empty: reader.empty,
      declaredRows: reader.declaredRows,
      dialect: () => reader.dialect(),
      close: () => reader.close(),
      next: async () => {
        if (!stalled) await stall();
        stalled = true;
        return reader.next();
      },
    };
  },
});

test('a transaction that waits for the disk outlives the time that the server gives idle ones', async () => {
  const connection = await connect(specOf(bench.db.url));
  await connection.queryAll(`BEGIN; SET LOCAL idle_in_transaction_session_timeout = '300ms'`);
  expect(await whileAwake(connection, sleep(1_000, 'read'), 50)).toBe('read');
  expect((await connection.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
  // Many short waits with nothing asked between them.
  for (let batch = 0; batch < 20; batch++) await whileAwake(connection, sleep(40), 100);
  expect((await connection.query('COMMIT')).command).toBe('COMMIT');
  await connection.close();
});

test('work that fails is not held up, and a session that is lost meanwhile shows at the next statement', async () => {
  const connection = await connect(specOf(bench.db.url));
  await expect(whileAwake(connection, Promise.reject(new Error('disk')), 10)).rejects.toThrow('disk');
  connection.destroy();
  expect(await whileAwake(connection, sleep(50, 'read'), 10)).toBe('read');
});

test('every reading of a load is such work: the first, the second for a unique key, those of a group', async () => {
  const feed = feedOf({ columns: [column('id', 'integer', { unique: true }), column('name')] });
  await bench.take('first.csv', 'id,name\n1,a\n', feed);
  const jobs = ['a', 'b'].map((name) => bench.job(bench.put(`${name}.csv`, `id,name\n1,${name}\n1,x\n`), feed));
  const connection = await bench.session.connection(jobs[0]!.database);
  const query = vi.spyOn(connection, 'query');
  const said = (): number => query.mock.calls.filter(([sql]) => sql === 'SELECT 1').length;
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  try {
    let readings = 0;
    const formats = [
      slow(async () => {
        readings++;
        const before = said();
        // Six minutes; the server ends a session after five.
        for (let minute = 0; minute < 6; minute++) {
          await vi.advanceTimersByTimeAsync(60_000);
          await connection.query('SELECT 2');
        }
        expect(said() - before).toBe(6);
      }),
    ];
    expect(await bench.load(jobs[0]!, { formats })).toMatchObject({ outcome: 'loaded', rows: { loaded: 1 } });
    expect(readings).toBe(2);
    const hooks = { formats, decoders: [], onProgress: () => undefined, signal: new AbortController().signal };
    await loadGroup([jobs[1]!], hooks, bench.session);
    expect(readings).toBe(3);
  } finally {
    vi.useRealTimers();
    query.mockRestore();
  }
});

test('a backend that works on notices within seconds that its client is gone', async () => {
  await bench.query(`create schema other; create table other.seen (value text);
    create function other.f() returns trigger language plpgsql as $$ begin
      insert into other.seen values (current_setting('client_connection_check_interval', true)); return new; end $$;
    create table staging.w (_load_id bigint not null, _row bigint not null, id integer, name text);
    create trigger tr before insert on staging.w for each row execute function other.f()`);
  const target = { schema: 'staging', table: 'w', mode: 'append', create: true, loadIndex: 'none' } as const;
  await bench.take('w.csv', 'id,name\n77,w\n', feedOf({ target }));
  expect(await bench.query('select value from other.seen')).toEqual([{ value: '5s' }]);
});
