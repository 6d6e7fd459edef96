import { describe, expect, it } from 'vitest';
import { DAEMON } from '../../../src/core/ledger/workers.js';
import { codeOf, discover, ended, load, loaded, look, stateOf } from './support.js';
import type { SuiteParts } from './harness.js';

const now = '2026-11-20T06:00:00.000Z';

export function arrivalsSuite({ newLedger }: SuiteParts): void {
  describe('unknown', () => {
    it('gives every file of a feed that the ledger has not met', async () => {
      const files = [look('a.csv'), look('b.csv')];
      expect(await (await newLedger()).unknown('orders', files)).toEqual(files);
    });

    it('leaves out what stands as it was seen, and gives what stands otherwise', async () => {
      const ledger = await newLedger();
      const [same, token, size] = [look('same.csv'), look('token.csv'), look('size.csv')];
      for (const file of [same, token, size]) await discover(ledger, file);
      const [newToken, newSize] = [
        { ...token, version: 'other' },
        { ...size, size: 7 },
      ];
      expect(await ledger.unknown('orders', [same, newToken, newSize])).toEqual([newToken, newSize]);
    });

    it('keeps feeds apart', async () => {
      const ledger = await newLedger();
      const file = look('a.csv');
      await discover(ledger, file, 'orders');
      expect(await ledger.unknown('stock', [file])).toEqual([file]);
    });

    it('goes by the newest entry of the path', async () => {
      const ledger = await newLedger();
      const first = look('a.csv');
      await loaded(ledger, 'a.csv', { file: first });
      await loaded(ledger, 'a.csv', { file: look('a.csv') });
      expect(await ledger.unknown('orders', [first])).toEqual([first]);
    });

    it.each(['vanished', 'cleared'] as const)(
      'gives a file whose entry is %s: it is to be taken again',
      async (state) => {
        const ledger = await newLedger();
        const file = look('a.csv');
        await ended(ledger, file, { state });
        expect(await ledger.unknown('orders', [file])).toEqual([file]);
      },
    );

    it.each(['rejected', 'held', 'superseded', 'ignored', 'duplicate', 'failed'] as const)(
      'leaves out a file that is %s',
      async (state) => {
        const ledger = await newLedger();
        const file = look('a.csv');
        await ended(ledger, file, { state });
        expect(await ledger.unknown('orders', [file])).toEqual([]);
      },
    );

    it('gives a file again that an after action had moved or deleted', async () => {
      const ledger = await newLedger();
      const [moved, deleted] = [look('moved.csv'), look('deleted.csv')];
      await ended(ledger, moved, { state: 'rejected', action: { kind: 'move', argument: 'done', companions: [] } });
      await ended(ledger, deleted, { state: 'rejected', action: { kind: 'delete', argument: '', companions: [] } });
      expect(await ledger.unknown('orders', [moved, deleted])).toEqual([]);
      for (const action of await ledger.dueActions('2100-01-01T00:00:00Z', 10)) {
        await ledger.actionDone(action.actionId, {
          state: 'done',
          detail: '',
          movedTo: action.kind === 'move' ? look('done/moved.csv') : null,
        });
      }
      expect(await ledger.unknown('orders', [moved, deleted])).toEqual([moved, deleted]);
    });

    it('takes more than one breath of the event loop for a long listing', async () => {
      const files = Array.from({ length: 2_500 }, (_, i) => look(`${i}.csv`));
      expect(await (await newLedger()).unknown('orders', files)).toHaveLength(2_500);
    });
  });

  describe('discover', () => {
    it('a settled version enters as discovered with all that was seen', async () => {
      const ledger = await newLedger({ now: () => Date.parse(now) });
      const file = look('odd name\n"quoted".csv', 42, 1_763_618_400_123_456);
      const entry = await discover(ledger, file);
      expect(entry).toMatchObject({
        feed: 'orders',
        file,
        state: 'discovered',
        attempts: 0,
        generation: 1,
        sha256: null,
        discoveredAt: now,
        finishedAt: null,
      });
      expect((await ledger.detail(entry.fileId))?.history).toEqual([
        { at: now, from: null, to: 'discovered', actor: 'daemon', reason: 'settled and ready' },
      ]);
    });

    it('gives the entry back when the file stands as it was seen', async () => {
      const ledger = await newLedger();
      const file = look('a.csv');
      const first = await discover(ledger, file);
      expect((await discover(ledger, file)).fileId).toBe(first.fileId);
      await load(ledger, first);
      expect(await discover(ledger, file)).toMatchObject({ fileId: first.fileId, state: 'loaded' });
    });

    it('another version of a path that has ended is an entry of its own', async () => {
      const ledger = await newLedger();
      const first = await loaded(ledger, 'a.csv');
      const second = await discover(ledger, look('a.csv', 200));
      expect(second.fileId).toBeGreaterThan(first.fileId);
      expect((await ledger.versions('orders', 'a.csv', 10)).map((entry) => entry.fileId)).toEqual([
        second.fileId,
        first.fileId,
      ]);
    });

    it('a file that was overwritten before it was read goes on under its file_id', async () => {
      const ledger = await newLedger();
      const first = await discover(ledger, look('a.csv', 100));
      await ledger.setContent(first.fileId, 'ab'.repeat(32));
      const next = look('a.csv', 250);
      expect(await discover(ledger, next)).toMatchObject({
        fileId: first.fileId,
        file: next,
        state: 'discovered',
        sha256: null,
      });
      expect((await ledger.detail(first.fileId))?.history.at(-1)?.reason).toBe(
        'changed before it was read (100 -> 250 bytes)',
      );
    });

    it.each(['landing', 'loading'] as const)('a file that is in %s is given back as it is', async (state) => {
      const ledger = await newLedger();
      const file = look('a.csv');
      const first = await discover(ledger, file);
      if (state === 'landing') await ledger.move(first.fileId, 'landing', 'daemon', 'its turn');
      else
        await ledger.claim(
          first.fileId,
          { loadKey: 'k', duplicateAllowed: false, generation: 1, worker: DAEMON },
          'daemon',
        );
      expect(await discover(ledger, look('a.csv', 300))).toMatchObject({ fileId: first.fileId, state, file });
    });

    it('beside a landed version the next one enters: its bytes are safe', async () => {
      const ledger = await newLedger();
      const first = await discover(ledger, look('a.csv'));
      await ledger.move(first.fileId, 'landing', 'daemon', 'its turn');
      await ledger.move(first.fileId, 'landed', 'daemon', 'all bytes are here', '/landing/1');
      const second = await discover(ledger, look('a.csv', 300));
      expect(second.fileId).not.toBe(first.fileId);
      expect(await stateOf(ledger, first)).toBe('landed');
    });

    it('a version that an operator had taken again goes back to its end when another stands in its place', async () => {
      const ledger = await newLedger();
      const first = await loaded(ledger, 'a.csv', { rows: 12 });
      await ledger.transition(first.fileId, 'discovered', { generation: 2, attempts: 0 }, 'cli:ann', 'reprocess');
      const second = await discover(ledger, look('a.csv', 300));
      expect(second.fileId).not.toBe(first.fileId);
      expect(await ledger.entry(first.fileId)).toMatchObject({
        state: 'loaded',
        generation: 1,
        liveLoadId: first.loadId,
        rows: first.rows,
        finishedAt: first.finishedAt,
        before: null,
      });
    });

    it.each(['vanished', 'cleared'] as const)('a %s file that is there again is a new entry', async (state) => {
      const ledger = await newLedger();
      const file = look('a.csv');
      const first = await ended(ledger, file, { state });
      expect((await discover(ledger, file)).fileId).not.toBe(first.fileId);
    });

    it('entries of a load command are its own until the daemon takes them over', async () => {
      const ledger = await newLedger();
      const file = look('/data/a.csv');
      const arrival = { feed: 'orders', file, uri: 'file:///data/a.csv', settleSeconds: 0 };
      const entry = await ledger.discover({ ...arrival, owner: 'load-1' }, 'cli:ann');
      expect(await ledger.waiting('orders', 10, { ignoreBackoff: true })).toEqual([]);
      const owners: (string | null)[] = [];
      for await (const owned of ledger.expired()) owners.push(owned.owner);
      expect(owners).toEqual(['load-1']);
      const claim = { loadKey: 'k', duplicateAllowed: false, generation: 1 };
      expect(await codeOf(ledger.claim(entry.fileId, { ...claim, worker: DAEMON }, 'daemon'))).toBe('WRONG_STATE');
      expect(await ledger.discover({ ...arrival, owner: 'load-2' }, 'cli:ann')).toMatchObject({
        fileId: entry.fileId,
        owner: 'load-2',
      });
      expect(await codeOf(ledger.claim(entry.fileId, { ...claim, worker: 'load-1' }, 'cli:ann'))).toBe('WRONG_STATE');
      expect(await ledger.claim(entry.fileId, { ...claim, worker: 'load-2' }, 'cli:ann')).toMatchObject({
        state: 'loading',
      });
    });
  });

  describe('touched', () => {
    it('touch: the known version stands under its new token', async () => {
      const ledger = await newLedger();
      const entry = await loaded(ledger, 'a.csv');
      const again = look('a.csv');
      await ledger.touch(entry.fileId, again);
      expect(await ledger.unknown('orders', [again])).toEqual([]);
      expect((await ledger.files({ limit: 0 })).length).toBe(1);
    });

    it('absorb: no entry, no report, and the known version stands under the new token', async () => {
      const ledger = await newLedger();
      const entry = await loaded(ledger, 'a.csv');
      const again = look('a.csv');
      const twin = await discover(ledger, again);
      await ledger.absorb(twin.fileId, entry.fileId);
      expect((await ledger.files({ limit: 0 })).map((report) => report.file_id)).toEqual([entry.fileId]);
      expect(await ledger.unknown('orders', [again])).toEqual([]);
      expect((await ledger.feedSummaries(now))[0]?.states).toEqual({ loaded: 1 });
    });

    it('an ID is never used twice, not even that of an absorbed entry', async () => {
      const ledger = await newLedger();
      const entry = await loaded(ledger, 'a.csv');
      const twin = await discover(ledger, look('a.csv'));
      await ledger.absorb(twin.fileId, entry.fileId);
      expect((await discover(ledger, look('b.csv'))).fileId).toBe(twin.fileId + 1);
    });

    it('an entry that was ever claimed cannot be absorbed', async () => {
      const ledger = await newLedger();
      const [one, two] = [await loaded(ledger, 'a.csv'), await loaded(ledger, 'a.csv')];
      expect(await codeOf(ledger.absorb(two.fileId, one.fileId))).toBe('WRONG_STATE');
    });

    it('an entry of another path cannot take it up', async () => {
      const ledger = await newLedger();
      const [other, twin] = [await loaded(ledger, 'b.csv'), await discover(ledger, look('a.csv'))];
      expect(await codeOf(ledger.absorb(twin.fileId, other.fileId))).toBe('WRONG_STATE');
    });
  });

  describe('adopt', () => {
    it('records files as ignored without reading them; those known as they stand are passed over', async () => {
      const ledger = await newLedger();
      const known = look('known.csv');
      await discover(ledger, known);
      const old = look('old.csv');
      const adopted = [known, old].map((file, i) => ({
        file,
        uri: `file:///drop/${file.path}`,
        loadKey: `adopt-${i}`,
        loadId: 40 + i,
      }));
      expect(await ledger.adopt('orders', adopted, 'cli:ann', 'ledger adopt')).toBe(1);
      expect(await ledger.unknown('orders', [known, old])).toEqual([]);
      expect(await ledger.files({ limit: 0, states: ['ignored'] })).toMatchObject([
        { path: 'old.csv', sha256: null, attempts: 0, load_id: 41 },
      ]);
    });
  });
}
