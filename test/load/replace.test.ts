import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { LoadJob, LoadResult } from '../../src/core/load.js';
import { csv } from '../../src/formats/csv/index.js';
import { loadFile } from '../../src/load/load-file.js';
import { LoadSession } from '../../src/load/transaction/session.js';
import { feedOf, openBench, type Bench } from './support.js';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(async () => {
  await bench.close();
});
beforeEach(async () => {
  await bench.query('drop schema if exists staging cascade');
  await bench.query('truncate tallyman.loads, tallyman.quarantine');
});

const idOf = (result: LoadResult): number => {
  if (result.outcome !== 'loaded') throw new Error(JSON.stringify(result));
  return result.loadId;
};
const staged = (): Promise<Record<string, unknown>[]> =>
  bench.query('select _load_id::int as load, id from staging.t order by 1, 2');
const statuses = (): Promise<Record<string, unknown>[]> =>
  bench.query('select load_id::int as load, status, generation, replaces from tallyman.loads order by load_id');
const replacing = (loadIds: number[]): Partial<LoadJob> => ({
  replaces: { loadIds, path: false, feed: false },
  generation: 2,
});

describe('a load that replaces others', () => {
  test('deletes the rows of named loads and marks receipt and quarantine superseded, in its own transaction', async () => {
    const first = idOf(await bench.take('a.csv', 'id,name\n1,a\nx,b\n2,c\n'));
    const result = await bench.take('a.csv', 'id,name\n3,a\n', feedOf(), replacing([first]));
    const second = idOf(result);
    expect(result).toMatchObject({ replaced: [first] });
    expect(await staged()).toEqual([{ load: second, id: 3 }]);
    expect(await statuses()).toMatchObject([
      { load: first, status: 'superseded' },
      { load: second, status: 'loaded', generation: 2, replaces: [String(first)] },
    ]);
    expect(await bench.query('select status, resolved_by::int as by from tallyman.quarantine')).toEqual([
      { status: 'superseded', by: second },
    ]);
  });

  test('may bring the very same content again (reprocess)', async () => {
    const first = idOf(await bench.take('a.csv', 'id,name\n1,a\n'));
    const second = idOf(await bench.take('a.csv', 'id,name\n1,a\n', feedOf(), replacing([first])));
    expect(await staged()).toEqual([{ load: second, id: 1 }]);
  });

  test('leaves the old load live when the new file is rejected', async () => {
    const first = idOf(await bench.take('a.csv', 'id,name\n1,a\n'));
    expect(await bench.take('a.csv', 'id,name\nx,a\n', feedOf(), replacing([first]))).toMatchObject({
      outcome: 'rejected',
    });
    expect(await staged()).toEqual([{ load: first, id: 1 }]);
    expect(await statuses()).toMatchObject([{ load: first, status: 'loaded' }, { status: 'rejected' }]);
  });

  test('takes all live loads of its path', async () => {
    idOf(await bench.take('a.csv', 'id,name\n1,a\n'));
    idOf(await bench.take('a.csv', 'id,name\n2,a\n'));
    const other = idOf(await bench.take('b.csv', 'id,name\n3,a\n'));
    const last = idOf(
      await bench.take('a.csv', 'id,name\n4,a\n', feedOf(), { replaces: { loadIds: [], path: true, feed: false } }),
    );
    expect(await staged()).toEqual([
      { load: other, id: 3 },
      { load: last, id: 4 },
    ]);
  });

  describe('the same path', () => {
    const replaces = { loadIds: [], path: true, feed: false };
    /** Loads a.csv as somebody else sees it, then a.csv as we do; true = ours took the place of theirs. */
    async function takesThePlace(theirs: As, ours: As): Promise<boolean> {
      const before = idOf(await takeAs(theirs, 'id,name\n1,a\n', { loadIds: [], path: false, feed: false }));
      const after = idOf(await takeAs(ours, 'id,name\n2,a\n', replaces));
      const loads = (await staged()).map(({ load }) => load);
      expect(loads).toContain(after);
      return !loads.includes(before);
    }
    interface As {
      readonly instanceId: string;
      readonly host: string;
      readonly uri: string;
    }
    async function takeAs({ uri, ...who }: As, content: string, rule: typeof replaces): Promise<LoadResult> {
      const job = bench.job(bench.put('a.csv', content), feedOf(), { ...who, replaces: rule });
      return await bench.load({ ...job, file: { ...job.file, uri } });
    }
    const local = { instanceId: 'A', host: 'h1', uri: 'file:///drop/a.csv' };
    const remote = { ...local, uri: 's3://bucket/a.csv' };

    test.each<[string, boolean, As, As]>([
      ['on the same host, from a data_dir that was lost', true, local, { ...local, instanceId: 'B' }],
      ['in another folder of the host', false, local, { ...local, instanceId: 'B', uri: 'file:///elsewhere/a.csv' }],
      ['on another host is another file', false, local, { ...local, instanceId: 'B', host: 'h2' }],
      ['of our own data_dir after the host was renamed', true, local, { ...local, host: 'h2' }],
      ['at the same remote place, loaded from another host', true, remote, { ...remote, instanceId: 'B', host: 'h2' }],
      ['at another remote place', false, remote, { ...remote, instanceId: 'B', uri: 's3://other/a.csv' }],
      ['of our own data_dir after the server was renamed', true, remote, { ...remote, uri: 's3://new-name/a.csv' }],
      ['once local, once remote', false, local, { ...remote, instanceId: 'B' }],
    ])('%s', async (_, expected, theirs, ours) => {
      expect(await takesThePlace(theirs, ours)).toBe(expected);
    });

    test('that the ledger did not know to be loaded is told, and nothing is loaded', async () => {
      const before = idOf(await takeAs(local, 'id,name\n1,a\n', { loadIds: [], path: false, feed: false }));
      const job = bench.job(bench.put('a.csv', 'id,name\n1,a\n2,b\n'), feedOf(), {
        instanceId: 'B',
        host: 'h1',
        replaces: { loadIds: [], path: false, feed: false, firstOfPath: true },
      });
      expect(await bench.load({ ...job, file: { ...job.file, uri: local.uri } })).toEqual({
        outcome: 'known-path',
        loadIds: [before],
      });
      expect(await staged()).toEqual([{ load: before, id: 1 }]);
    });
  });

  test('as a snapshot deletes only the rows of its own feed', async () => {
    const foreign = idOf(await bench.take('x.csv', 'id,name\n9,z\n', feedOf({ name: 'other' })));
    idOf(await bench.take('a.csv', 'id,name\n1,a\n'));
    idOf(await bench.take('b.csv', 'id,name\n2,b\n'));
    const snapshot = feedOf({
      target: { schema: 'staging', table: 't', mode: 'replace_all', create: true, loadIndex: 'none' },
      order: 'newest',
      serial: true,
    });
    const last = idOf(
      await bench.take('c.csv', 'id,name\n3,c\n', snapshot, { replaces: { loadIds: [], path: false, feed: true } }),
    );
    expect(await staged()).toEqual([
      { load: foreign, id: 9 },
      { load: last, id: 3 },
    ]);
  });

  test('settles the rejections of its path, but not those of later versions', async () => {
    const rejectionOf = async (content: string): Promise<number> => {
      const result = await bench.take('a.csv', content);
      return result.outcome === 'rejected' ? (result.loadId ?? 0) : 0;
    };
    const [earlier, later] = [await rejectionOf('id,name\nx,a\n'), await rejectionOf('id,name\ny,a\n')];
    const result = await bench.take('a.csv', 'id,name\n1,a\n', feedOf(), {
      replaces: { loadIds: [], path: false, feed: false, keep: [later] },
    });
    expect(result).toMatchObject({ outcome: 'loaded', replaced: [earlier] });
    expect(await statuses()).toMatchObject([
      { load: earlier, status: 'superseded' },
      { load: later, status: 'rejected' },
      { status: 'loaded' },
    ]);
  });

  test('takes the place of a cleared load of its path without being told', async () => {
    const first = idOf(await bench.take('a.csv', 'id,name\n1,a\n'));
    await bench.query(`update tallyman.loads set status = 'cleared'`);
    const second = idOf(await bench.take('a.csv', 'id,name\n2,a\n'));
    expect(await staged()).toEqual([{ load: second, id: 2 }]);
    expect(await statuses()).toMatchObject([{ load: first, status: 'superseded' }, { status: 'loaded' }]);
  });

  test('takes the place of a cleared load of its content under another path, though the hash shows only at the end', async () => {
    idOf(await bench.take('a.csv', 'id,name\n1,a\n'));
    await bench.query(`update tallyman.loads set status = 'cleared'`);
    const second = idOf(await bench.take('b.csv', 'id,name\n1,a\n'));
    expect(await staged()).toEqual([{ load: second, id: 1 }]);
  });

  describe('whose receipt names another table than the feed fills now', () => {
    const named = (table: string, formerly?: readonly string[]) =>
      feedOf({
        target: {
          ...feedOf().target,
          table,
          ...(formerly === undefined ? {} : { formerly: formerly.map((name) => ({ schema: 'staging', table: name })) }),
        },
      });
    const replaced = (first: number, feed = feedOf(), change: Partial<LoadJob> = replacing([first])) =>
      bench.take('a.csv', 'id,name\n2,a\n', feed, change);
    const refused = (says: string) => ({
      outcome: 'failed',
      error: { code: 'TARGET_CHANGED', message: expect.stringContaining(says) as unknown },
    });

    test('are found in the table that was renamed or moved, as often as target.formerly says so', async () => {
      const first = idOf(await bench.take('a.csv', 'id,name\n1,a\n', named('Old T')));
      await bench.query(
        'alter table staging."Old T" rename to t; create schema s2; alter table staging.t set schema s2',
      );
      await bench.query('alter table s2.t set schema staging; drop schema s2');
      expect(await replaced(first)).toMatchObject(
        refused(`load ${first}, which this one would replace, went into staging."Old T", which is not there any more`),
      );
      const second = idOf(await replaced(first, named('t', ['older', 'Old T'])));
      expect(await staged()).toEqual([{ load: second, id: 2 }]);
    });

    test('by path, as a snapshot, and cleared ones by content too', async () => {
      for (const [change, n] of [
        [{ replaces: { loadIds: [], path: true, feed: false } }, 1],
        [{ replaces: { loadIds: [], path: false, feed: true } }, 2],
      ] as const) {
        await bench.query('drop schema if exists staging cascade; truncate tallyman.loads');
        const first = idOf(await bench.take('a.csv', `id,name\n${n},a\n`, named('old')));
        await bench.query('alter table staging.old rename to t');
        expect(await replaced(first, feedOf(), change)).toMatchObject(refused('staging.old'));
        idOf(await replaced(first, named('t', ['old']), change));
        expect(await staged()).toMatchObject([{ id: 2 }]);
      }
      await bench.query(
        `alter table staging.t rename to t3; update tallyman.loads set status = 'cleared' where status = 'loaded'`,
      );
      expect(await bench.take('b.csv', 'id,name\n2,a\n', named('t3'))).toMatchObject(refused('staging.t,'));
      idOf(await bench.take('b.csv', 'id,name\n2,a\n', named('t3', ['t', 'old'])));
      expect(await bench.query('select count(*)::int as n from staging.t3')).toEqual([{ n: 1 }]);
    });

    test('are refused while their rows stand in a table that is still there, whatever target.formerly says', async () => {
      const first = idOf(await bench.take('a.csv', 'id,name\n1,a\n', named('old')));
      await bench.take('z.csv', 'id,name\n9,z\n');
      for (const feed of [feedOf(), named('t', ['old'])])
        expect(await replaced(first, feed)).toMatchObject(
          refused('where 1 of their rows stand; the feed fills staging.t now'),
        );
      expect(await bench.query('select id from staging.old union all select id from staging.t')).toEqual([
        { id: 1 },
        { id: 9 },
      ]);
      // Taken away by hand: nothing is left to stand beside the new rows.
      await bench.query('delete from staging.old');
      expect(await replaced(first)).toMatchObject({ outcome: 'loaded', replaced: [first] });
    });

    test('keep the feed from a new empty table where only the config has the new name', async () => {
      await bench.take('a.csv', 'id,name\n1,a\n', named('old'));
      expect(await bench.take('b.csv', 'id,name\n2,a\n', named('t', ['old']))).toMatchObject({
        outcome: 'misfit',
        error: {
          code: 'CONTRACT_MISFIT',
          message: expect.stringContaining('ALTER TABLE "staging"."old" RENAME TO "t";') as unknown,
        },
      });
    });
  });

  test('starts over when the loads it replaces changed while it ran', async () => {
    // A trigger on the staging table plays the other process: it clears the live load of the path in the middle of this
    // one, but only once.
    const first = idOf(await bench.take('a.csv', 'id,name\n1,a\n'));
    await bench.query(`create table staging.once (n integer);
      create function staging.f() returns trigger language plpgsql as $$ begin
        if new.id = 5 and not exists (select from staging.once) then
          update tallyman.loads set status = 'superseded' where load_id = ${first};
          perform set_config('tallyman.test', 'met', false);
        end if; return new; end $$;
      create trigger tr before insert on staging.t for each row execute function staging.f()`);
    const result = await bench.take('a.csv', 'id,name\n5,a\n', feedOf(), {
      replaces: { loadIds: [], path: true, feed: false },
    });
    // Each run is rolled back together with what the trigger did, so it never settles: five runs, then it says so.
    expect(result).toMatchObject({ outcome: 'failed', error: { code: 'LOAD_FAILED' } });
    expect(result.outcome === 'failed' && result.error.message).toContain('5 times');
    expect(await staged()).toEqual([{ load: first, id: 1 }]);
  });
});

describe('a lost race', () => {
  test('against the same content under another path names the winner', async () => {
    const first = idOf(await bench.take('a.csv', 'id,name\n1,a\n'));
    expect(await bench.take('b.csv', 'id,name\n1,a\n')).toMatchObject({
      outcome: 'lost-race',
      winner: { loadId: first, path: 'a.csv', status: 'loaded', rows: { read: 1, loaded: 1, delta: 0 } },
    });
    expect(await staged()).toEqual([{ load: first, id: 1 }]);
    expect(await statuses()).toHaveLength(1);
  });

  test('is none when duplicates are allowed', async () => {
    await bench.take('a.csv', 'id,name\n1,a\n');
    expect(await bench.take('b.csv', 'id,name\n1,a\n', feedOf(), { duplicateAllowed: true })).toMatchObject({
      outcome: 'loaded',
    });
  });

  test('is none between empty files', async () => {
    await bench.take('a.csv', 'id,name\n');
    expect(await bench.take('b.csv', 'id,name\n')).toMatchObject({ outcome: 'loaded' });
  });

  test('is none between feeds', async () => {
    await bench.take('a.csv', 'id,name\n1,a\n');
    expect(await bench.take('a.csv', 'id,name\n1,a\n', feedOf({ name: 'g' }))).toMatchObject({ outcome: 'loaded' });
  });

  test.each([false, true])(
    'of two sessions at once leaves one load (unique constraint in the table: %s)',
    async (unique) => {
      if (unique)
        await bench.query(
          'create schema staging; create table staging.t (_load_id bigint not null, _row bigint not null, id integer unique, name text)',
        );
      const content = `id,name\n${Array.from({ length: 300 }, (_, i) => `${i},n`).join('\n')}\n`;
      const sessions = Array.from({ length: 4 }, () => new LoadSession());
      const jobs = sessions.map((_, i) => bench.job(bench.put(`${i}.csv`, content)));
      const hooks = { formats: [csv], decoders: [], onProgress: () => undefined, signal: new AbortController().signal };
      const results = await Promise.all(jobs.map((job, i) => loadFile(job, hooks, sessions[i]!)));
      await Promise.all(sessions.map((session) => session.close()));
      // With the constraint the later ones find every row taken, and reject.
      expect(results.filter((result) => result.outcome === 'loaded')).toHaveLength(1);
      expect(new Set(results.map((result) => result.outcome))).toEqual(
        new Set(['loaded', unique ? 'rejected' : 'lost-race']),
      );
      expect(await bench.query('select count(*)::int as n from staging.t')).toEqual([{ n: 300 }]);
    },
  );
});
