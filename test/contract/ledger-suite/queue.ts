import { describe, expect, it } from 'vitest';
import { DAEMON } from '../../../src/core/ledger/workers.js';
import type { Ledger } from '../../../src/core/ledger/index.js';
import type { FileEntry } from '../../../src/core/entry.js';
import { codeOf, discover, ended, hashOf, load, loaded, look, stateOf } from './support.js';
import type { SuiteParts } from './harness.js';

const any = { ignoreBackoff: false };
const claim = (
  loadKey: string,
  more: { sha256?: string; duplicateAllowed?: boolean } = {},
): Parameters<Ledger['claim']>[1] => ({ loadKey, duplicateAllowed: false, generation: 1, worker: DAEMON, ...more });
let named = 0;
const discoverFor = (ledger: Ledger, owner: string): Promise<FileEntry> => {
  const file = look(`/data/${++named}.csv`);
  return ledger.discover({ feed: 'orders', file, uri: `file://${file.path}`, settleSeconds: 0, owner }, 'cli:ann');
};
const waitingIds = async (
  ledger: Ledger,
  options: { ignoreBackoff: boolean; newestFirst?: boolean } = any,
): Promise<number[]> => (await ledger.waiting('orders', 100, options)).map((entry) => entry.fileId);

const expiredIds = async (ledger: Ledger): Promise<number[]> => {
  const ids: number[] = [];
  for await (const { fileId } of ledger.expired()) ids.push(fileId);
  return ids;
};

export function queueSuite({ newLedger, open }: SuiteParts): void {
  describe('waiting', () => {
    it('oldest first, at most as many as asked for', async () => {
      const ledger = await newLedger();
      const ids: number[] = [];
      for (const name of ['c', 'a', 'b']) ids.push((await discover(ledger, look(name))).fileId);
      expect(await waitingIds(ledger)).toEqual(ids);
      expect(await ledger.waiting('orders', 2, any)).toHaveLength(2);
    });

    it('snapshot feeds: newest first by mtime, then path', async () => {
      const ledger = await newLedger();
      const old = await discover(ledger, look('z', 1, 1));
      const [a, b] = [await discover(ledger, look('a', 1, 2)), await discover(ledger, look('b', 1, 2))];
      expect(await waitingIds(ledger, { ignoreBackoff: false, newestFirst: true })).toEqual([
        b.fileId,
        a.fileId,
        old.fileId,
      ]);
    });

    it('leaves out ended and loading files and other feeds', async () => {
      const ledger = await newLedger();
      await loaded(ledger, 'done.csv');
      await discover(ledger, look('other.csv'), 'stock');
      const busy = await discover(ledger, look('busy.csv'));
      await ledger.claim(busy.fileId, claim('k'), 'daemon');
      expect(await waitingIds(ledger)).toEqual([]);
    });

    it('a backoff that ends later than any may last was written before the clock was set back: it has run out', async () => {
      let time = Date.parse('2026-11-21T06:00:00Z');
      const ledger = await newLedger({ now: () => time });
      const entry = await discover(ledger, look('a.csv'));
      await ledger.claim(entry.fileId, claim('k'), 'daemon');
      await ledger.unclaim(
        entry.fileId,
        { uncount: false, retryAt: '2026-11-21T06:00:10Z', error: null },
        'daemon',
        'LOAD_FAILED',
      );
      const ids = async (): Promise<number[]> =>
        (await ledger.waiting('orders', 10, { ignoreBackoff: false, longestMs: 600_000 })).map(({ fileId }) => fileId);
      expect(await ids()).toEqual([]);
      time -= 86_400_000;
      expect(await ids()).toEqual([entry.fileId]);
    });

    it('leaves out a file until its backoff has run out, unless backoffs are ignored', async () => {
      let time = Date.parse('2026-11-20T06:00:00Z');
      const ledger = await newLedger({ now: () => time });
      const entry = await discover(ledger, look('a.csv'));
      await ledger.claim(entry.fileId, claim('k'), 'daemon');
      await ledger.unclaim(
        entry.fileId,
        { uncount: false, retryAt: '2026-11-20T06:00:10Z', error: null },
        'daemon',
        'LOAD_FAILED',
      );
      expect(await waitingIds(ledger)).toEqual([]);
      expect(await waitingIds(ledger, { ignoreBackoff: true })).toEqual([entry.fileId]);
      time += 10_000;
      expect(await waitingIds(ledger)).toEqual([entry.fileId]);
    });
  });

  describe('claim', () => {
    it('counts the attempt and writes load_key before any byte is parsed', async () => {
      const ledger = await newLedger();
      const entry = await discover(ledger, look('a.csv'));
      expect(await ledger.claim(entry.fileId, claim('key-a'), 'daemon')).toMatchObject({
        state: 'loading',
        attempts: 1,
        loadKey: 'key-a',
      });
      expect((await ledger.interrupted(DAEMON)).map((found) => found.fileId)).toEqual([entry.fileId]);
      expect((await ledger.byLoadKey('key-a'))?.fileId).toBe(entry.fileId);
    });

    it('is refused on a file that is not waiting, and changes nothing', async () => {
      const ledger = await newLedger();
      const entry = await loaded(ledger, 'a.csv');
      expect(await codeOf(ledger.claim(entry.fileId, claim('other'), 'daemon'))).toBe('WRONG_STATE');
      expect(await ledger.entry(entry.fileId)).toEqual(entry);
    });

    it('of two claims at the same time one wins', async () => {
      const ledger = await newLedger();
      const entry = await discover(ledger, look('a.csv'));
      const both = await Promise.allSettled([
        ledger.claim(entry.fileId, claim('one'), 'daemon'),
        ledger.claim(entry.fileId, claim('two'), 'daemon'),
      ]);
      expect(both.map((result) => result.status)).toEqual(['fulfilled', 'rejected']);
      expect(await ledger.entry(entry.fileId)).toMatchObject({ attempts: 1, loadKey: 'one' });
    });

    it('is refused while the same content is being loaded', async () => {
      const ledger = await newLedger();
      const [one, two] = [await discover(ledger, look('a.csv')), await discover(ledger, look('b.csv'))];
      await ledger.claim(one.fileId, claim('one', { sha256: hashOf('x') }), 'daemon');
      expect(await codeOf(ledger.claim(two.fileId, claim('two', { sha256: hashOf('x') }), 'daemon'))).toBe(
        'WRONG_STATE',
      );
      expect(await ledger.claim(two.fileId, claim('two', { sha256: hashOf('y') }), 'daemon')).toMatchObject({
        state: 'loading',
      });
    });

    it('is refused while a file of the same size whose content is not known yet is being loaded', async () => {
      const ledger = await newLedger();
      const [one, two] = [await discover(ledger, look('a.csv')), await discover(ledger, look('b.csv'))];
      await ledger.claim(one.fileId, claim('one'), 'daemon');
      expect(await codeOf(ledger.claim(two.fileId, claim('two', { sha256: hashOf('y') }), 'daemon'))).toBe(
        'WRONG_STATE',
      );
    });

    it('names a file that the ledger does not know', async () => {
      expect(await codeOf((await newLedger()).claim(99, claim('k'), 'daemon'))).toBe('UNKNOWN_FILE');
    });
  });

  describe('a lease', () => {
    it('says who has the file in hand, for which attempt, and that no clock ends it', async () => {
      const ledger = await newLedger();
      const entry = await discover(ledger, look('a.csv'));
      expect(entry.lease).toBeNull();
      const claimed = await ledger.claim(entry.fileId, claim('k'), 'daemon');
      expect(claimed.lease).toEqual({ worker: DAEMON, attempt: 1, until: await ledger.renew(DAEMON) });
      expect((await ledger.end(entry.fileId, { state: 'rejected' }, 'daemon', 'bad')).entry.lease).toBeNull();
    });

    it('a worker is given what it has in hand itself, not what others have', async () => {
      const ledger = await newLedger();
      const [mine, other] = [await discover(ledger, look('a.csv')), await discoverFor(ledger, 'load-1')];
      await ledger.claim(mine.fileId, claim('one'), 'daemon');
      await ledger.claim(other.fileId, { ...claim('two', { duplicateAllowed: true }), worker: 'load-1' }, 'cli:ann');
      expect((await ledger.interrupted(DAEMON)).map(({ fileId }) => fileId)).toEqual([mine.fileId]);
      expect((await ledger.interrupted('load-1')).map(({ fileId }) => fileId)).toEqual([other.fileId]);
    });

    it('of a worker that lives is not expired; when it is gone the daemon takes its files over', async () => {
      const { ledger, workers, begin } = await open();
      expect(await workers.lives('load-1')).toBe(false);
      const [waits, busy] = [await discoverFor(ledger, 'load-1'), await discoverFor(ledger, 'load-1')];
      const end = await begin('load-1');
      expect(await workers.lives('load-1')).toBe(true);
      await ledger.claim(busy.fileId, { ...claim('k'), worker: 'load-1' }, 'cli:ann');
      expect(await expiredIds(ledger)).toEqual([]);
      await end();
      expect(await expiredIds(ledger)).toEqual([waits.fileId, busy.fileId]);
      await ledger.takeOver(waits.fileId, 'load-1');
      expect(await waitingIds(ledger)).toEqual([waits.fileId]);
      expect(await expiredIds(ledger)).toEqual([busy.fileId]);
    });

    it('each expired one is looked at when its turn comes: a worker that began again meanwhile keeps its file', async () => {
      const { ledger, begin } = await open();
      const [first, second] = [await discoverFor(ledger, 'load-1'), await discoverFor(ledger, 'load-2')];
      const seen: number[] = [];
      for await (const { fileId } of ledger.expired()) {
        seen.push(fileId);
        if (fileId === first.fileId) await begin('load-2');
      }
      expect(seen).toEqual([first.fileId]);
      await ledger.claim(second.fileId, { ...claim('again'), worker: 'load-2' }, 'cli:ann');
      await ledger.takeOver(second.fileId, 'load-2');
      expect(await ledger.entry(second.fileId)).toMatchObject({ state: 'loading', owner: 'load-2' });
    });

    it('of an earlier attempt is void: what that attempt left cannot take the file out of the next one', async () => {
      const { ledger } = await open();
      const entry = await discoverFor(ledger, 'load-1');
      const free = { uncount: false, retryAt: null, error: null };
      const { lease } = await ledger.claim(entry.fileId, { ...claim('one'), worker: 'load-1' }, 'cli:ann');
      await ledger.unclaim(entry.fileId, { ...free, lease }, 'cli:ann', 'failed');
      await ledger.claim(entry.fileId, { ...claim('two'), worker: 'load-1' }, 'cli:ann');
      expect(await codeOf(ledger.unclaim(entry.fileId, { ...free, lease }, 'daemon', 'recovered'))).toBe('WRONG_STATE');
      expect(await ledger.entry(entry.fileId)).toMatchObject({ state: 'loading', loadKey: 'two' });
    });
  });

  describe('unclaim', () => {
    it('gives the attempt back when the file is not to blame', async () => {
      const ledger = await newLedger();
      const entry = await discover(ledger, look('a.csv'));
      await ledger.claim(entry.fileId, claim('k'), 'daemon');
      await ledger.unclaim(
        entry.fileId,
        { uncount: true, retryAt: null, error: null },
        'daemon',
        'database unreachable',
      );
      expect(await ledger.entry(entry.fileId)).toMatchObject({ state: 'discovered', attempts: 0 });
    });

    it('keeps the attempt and the error of one that failed', async () => {
      const ledger = await newLedger();
      const entry = await discover(ledger, look('a.csv'));
      const error = { code: 'LOAD_FAILED', message: 'm', fix: 'f' };
      await ledger.claim(entry.fileId, claim('k'), 'daemon');
      await ledger.unclaim(
        entry.fileId,
        { uncount: false, retryAt: '2100-01-01T00:00:00.000Z', error },
        'daemon',
        'LOAD_FAILED',
      );
      expect(await ledger.entry(entry.fileId)).toMatchObject({
        state: 'discovered',
        attempts: 1,
        error,
        retryAt: '2100-01-01T00:00:00.000Z',
      });
    });

    it('a landed file goes back to landed: its bytes are still here', async () => {
      const ledger = await newLedger();
      const entry = await discover(ledger, look('a.csv'));
      await ledger.move(entry.fileId, 'landing', 'daemon', 'its turn');
      await ledger.move(entry.fileId, 'landed', 'daemon', 'here', '/landing/1');
      await ledger.claim(entry.fileId, claim('k'), 'daemon');
      await ledger.unclaim(
        entry.fileId,
        { uncount: true, retryAt: null, error: null },
        'daemon',
        'database unreachable',
      );
      expect(await ledger.entry(entry.fileId)).toMatchObject({ state: 'landed', landedPath: '/landing/1' });
    });
  });

  describe('wait', () => {
    it('a waiting file has no turn until the other one ends', async () => {
      const ledger = await newLedger();
      const [first, twin] = [await discover(ledger, look('a.csv')), await discover(ledger, look('b.csv'))];
      await ledger.claim(first.fileId, claim('k', { sha256: hashOf('x') }), 'daemon');
      await ledger.wait(twin.fileId, first.fileId);
      expect(await waitingIds(ledger)).toEqual([]);
      await ledger.end(first.fileId, { state: 'rejected' }, 'daemon', 'bad');
      expect(await waitingIds(ledger)).toEqual([twin.fileId]);
    });

    it('is over when the other one goes back without an outcome: it may itself have to wait now', async () => {
      const ledger = await newLedger();
      const [first, twin] = [await discover(ledger, look('a.csv')), await discover(ledger, look('b.csv'))];
      await ledger.claim(first.fileId, claim('k', { sha256: hashOf('x') }), 'daemon');
      await ledger.wait(twin.fileId, first.fileId);
      await ledger.unclaim(first.fileId, { uncount: false, retryAt: null, error: null }, 'daemon', 'LOAD_FAILED');
      expect(await waitingIds(ledger)).toEqual([first.fileId, twin.fileId]);
    });

    it('two never wait for each other', async () => {
      const ledger = await newLedger();
      const [one, two] = [await discover(ledger, look('a.csv')), await discover(ledger, look('b.csv'))];
      await ledger.wait(one.fileId, two.fileId);
      await ledger.wait(two.fileId, one.fileId);
      expect(await waitingIds(ledger)).toEqual([one.fileId]);
    });

    it('for a held file lasts until a person decides', async () => {
      const ledger = await newLedger();
      const held = await ended(ledger, look('a.csv'), { state: 'held' });
      const twin = await discover(ledger, look('b.csv'));
      await ledger.wait(twin.fileId, held.fileId);
      expect(await waitingIds(ledger)).toEqual([]);
      await ledger.transition(held.fileId, 'ignored', {}, 'cli:ann', 'not wanted');
      expect(await waitingIds(ledger)).toEqual([twin.fileId]);
    });

    it('is over when the other file turned out to be only touched, or was overwritten', async () => {
      const ledger = await newLedger();
      const present = await loaded(ledger, 'a.csv');
      const [touched, overwritten] = [await discover(ledger, look('a.csv')), await discover(ledger, look('c.csv'))];
      const [one, two] = [await discover(ledger, look('d.csv')), await discover(ledger, look('e.csv'))];
      await ledger.wait(one.fileId, touched.fileId);
      await ledger.wait(two.fileId, overwritten.fileId);
      await ledger.absorb(touched.fileId, present.fileId);
      await discover(ledger, look('c.csv', 999));
      expect(await waitingIds(ledger)).toEqual([overwritten.fileId, one.fileId, two.fileId]);
    });

    it('for a file that has ended meanwhile is no wait', async () => {
      const ledger = await newLedger();
      const done = await loaded(ledger, 'a.csv');
      const twin = await discover(ledger, look('b.csv'));
      await ledger.wait(twin.fileId, done.fileId);
      expect(await waitingIds(ledger)).toEqual([twin.fileId]);
    });
  });

  describe('died', () => {
    it('counts deaths in the same chunk in a row', async () => {
      const ledger = await newLedger();
      const { fileId } = await discover(ledger, look('a.csv'));
      expect([
        await ledger.died(fileId, 3),
        await ledger.died(fileId, 3),
        await ledger.died(fileId, 4),
        await ledger.died(fileId, 3),
      ]).toEqual([1, 2, 1, 1]);
    });

    it('is forgotten once the file is loaded', async () => {
      const ledger = await newLedger();
      const entry = await discover(ledger, look('a.csv'));
      await ledger.died(entry.fileId, 3);
      await load(ledger, entry);
      expect((await ledger.entry(entry.fileId))?.deaths.count).toBe(0);
    });
  });

  describe('giveBack', () => {
    it('a file that was taken again goes back to the end it had', async () => {
      const ledger = await newLedger();
      const error = { code: 'TOO_MANY_BAD_ROWS', message: 'm', fix: 'f' };
      const bad = await ended(ledger, look('a.csv'), { state: 'rejected', error });
      await ledger.transition(bad.fileId, 'discovered', { attempts: 0 }, 'cli:ann', 'retry');
      expect(await ledger.entry(bad.fileId)).toMatchObject({
        state: 'discovered',
        before: 'rejected',
        error: null,
        finishedAt: null,
      });
      expect(await ledger.giveBack(bad.fileId, 'daemon', 'SOURCE_GONE')).toMatchObject({
        state: 'rejected',
        before: null,
        error,
        finishedAt: bad.finishedAt,
      });
    });

    it('a loaded file keeps load_key, counts and generation of its live load after a reprocess that found no bytes', async () => {
      const ledger = await newLedger();
      const entry = await loaded(ledger, 'a.csv', { rows: 12 });
      await ledger.transition(entry.fileId, 'discovered', { attempts: 0, generation: 2 }, 'cli:ann', 'reprocess');
      await ledger.claim(entry.fileId, { ...claim('second'), generation: 2 }, 'daemon');
      await ledger.giveBack(entry.fileId, 'daemon', 'SOURCE_GONE');
      expect(await ledger.entry(entry.fileId)).toEqual(entry);
    });

    it('is refused on a file that never had an end', async () => {
      const ledger = await newLedger();
      const entry = await discover(ledger, look('a.csv'));
      expect(await codeOf(ledger.giveBack(entry.fileId, 'daemon', 'gone'))).toBe('WRONG_STATE');
      expect(await stateOf(ledger, entry)).toBe('discovered');
    });
  });
}
