import { describe, expect, it } from 'vitest';
import { DAEMON } from '../../../src/core/ledger/workers.js';
import type { Ledger } from '../../../src/core/ledger/index.js';
import type { ReceiptRef } from '../../../src/core/receipts.js';
import { counts, discover, ended, hashOf, load, loaded, look, receipt, stateOf } from './support.js';
import type { SuiteParts } from './harness.js';

const own = (ledger: Ledger, change: Partial<ReceiptRef> = {}): ReceiptRef =>
  receipt({ instanceId: ledger.instanceId, ...change });

export function receiptBookSuite({ newLedger }: SuiteParts): void {
  describe('a lost ledger is rebuilt from receipts', () => {
    it.each(['loaded', 'rejected', 'superseded', 'cleared', 'ignored'] as const)(
      '%s: the entry is in the state of its receipt, with all counts',
      async (status) => {
        const ledger = await newLedger();
        const rows = {
          read: 10,
          loaded: status === 'loaded' ? 8 : 0,
          quarantined: 2,
          skipped: 0,
          declared: 10,
          delta: status === 'loaded' ? 0 : null,
        };
        const given = own(ledger, {
          status,
          rows,
          generation: 3,
          errorCode: status === 'rejected' ? 'TOO_MANY_BAD_ROWS' : null,
        });
        expect(await ledger.takeReceipts([given])).toBe(1);
        const entry = await ledger.byLoadId(given.loadId);
        expect(entry).toMatchObject({
          state: status,
          file: { path: given.path, size: given.size, mtimeUs: given.mtimeUs, version: given.version },
          uri: given.fileUri,
          sha256: given.sha256,
          generation: 3,
          loadKey: given.loadKey,
          liveLoadId: status === 'loaded' ? given.loadId : null,
          finishedAt: given.committedAt,
          rows: { read: 10, quarantined: 2, declared: 10 },
        });
        expect(entry?.error?.code).toBe(status === 'rejected' ? 'TOO_MANY_BAD_ROWS' : undefined);
      },
    );

    it('what another data_dir loaded from a place that we see too is an entry like an own one', async () => {
      const ledger = await newLedger();
      const [ours, theirs] = [receipt({ path: 'ours.csv' }), receipt({ path: 'theirs.csv' })];
      await ledger.takeReceipts([ours, theirs], ({ path }) => path === 'ours.csv');
      expect(await ledger.byLoadId(ours.loadId)).toMatchObject({ state: 'loaded', liveLoadId: ours.loadId });
      expect(await ledger.byLoadId(theirs.loadId)).toBeNull();
      // Known for its content alone until now.
      expect(await ledger.takeReceipts([ours, theirs], () => true)).toBe(1);
      expect(await ledger.byLoadId(theirs.loadId)).toMatchObject({ state: 'loaded', liveLoadId: theirs.loadId });
      expect(await ledger.takeReceipts([ours, theirs])).toBe(0);
    });

    it('re-reads nothing: files that stand as their receipts say are known', async () => {
      const ledger = await newLedger();
      const given = own(ledger);
      await ledger.takeReceipts([given]);
      expect(
        await ledger.unknown('orders', [
          { path: given.path, size: given.size, mtimeUs: given.mtimeUs, version: given.version ?? '' },
        ]),
      ).toEqual([]);
    });

    it('the same receipts again change nothing', async () => {
      const ledger = await newLedger();
      const given = [own(ledger), own(ledger, { path: 'b.csv' })];
      expect(await ledger.takeReceipts(given)).toBe(2);
      const before = await ledger.files({ limit: 0 });
      expect(await ledger.takeReceipts(given)).toBe(0);
      expect(await ledger.files({ limit: 0 })).toEqual(before);
    });

    it('receipts of a ledger that knows them change nothing', async () => {
      const ledger = await newLedger();
      const entry = await loaded(ledger, 'a.csv');
      const known = own(ledger, {
        loadId: entry.loadId ?? 0,
        loadKey: entry.loadKey ?? '',
        version: entry.file.version,
        sha256: entry.sha256,
      });
      expect(await ledger.takeReceipts([known])).toBe(0);
      expect(await ledger.entry(entry.fileId)).toEqual(entry);
    });

    it('generations of one file are one entry', async () => {
      const ledger = await newLedger();
      const version = 'one version';
      const sha256 = hashOf('x');
      const first = own(ledger, { version, sha256, status: 'superseded' });
      const second = own(ledger, { version, sha256, generation: 2, replaces: [first.loadId] });
      expect(await ledger.takeReceipts([first, second])).toBe(2);
      expect(await ledger.files({ limit: 0 })).toMatchObject([
        { state: 'loaded', load_id: second.loadId, generation: 2 },
      ]);
    });

    it('a rejected reprocess leaves the load before it live', async () => {
      const ledger = await newLedger();
      const same = { version: 'one version', sha256: hashOf('x') };
      const first = own(ledger, same);
      await ledger.takeReceipts([
        first,
        own(ledger, { ...same, generation: 2, status: 'rejected', errorCode: 'TOO_FEW_ROWS' }),
      ]);
      expect(await ledger.byLoadId(first.loadId)).toMatchObject({ state: 'rejected', liveLoadId: first.loadId });
    });

    it('a file that a scan had found again before its receipt came is loaded, not loaded twice', async () => {
      const ledger = await newLedger();
      const file = look('a.csv');
      const waiting = await discover(ledger, file);
      await ledger.takeReceipts([own(ledger, { version: file.version, size: file.size })]);
      expect(await stateOf(ledger, waiting)).toBe('loaded');
      expect((await ledger.files({ limit: 0 })).length).toBe(1);
    });

    it('one that is being loaded under this very key is left to recovery', async () => {
      const ledger = await newLedger();
      const entry = await discover(ledger, look('a.csv'));
      await ledger.claim(
        entry.fileId,
        { loadKey: 'the key', duplicateAllowed: false, generation: 1, worker: DAEMON },
        'daemon',
      );
      expect(await ledger.takeReceipts([own(ledger, { loadKey: 'the key', version: entry.file.version })])).toBe(0);
      expect(await stateOf(ledger, entry)).toBe('loading');
    });
  });

  describe('a ledger that is behind', () => {
    it.each(['superseded', 'cleared'] as const)('learns that a load was %s', async (status) => {
      const ledger = await newLedger();
      const entry = await loaded(ledger, 'a.csv');
      await ledger.takeReceipts([own(ledger, { loadId: entry.loadId ?? 0, loadKey: entry.loadKey ?? '', status })]);
      expect(await ledger.entry(entry.fileId)).toMatchObject({ state: status, liveLoadId: null });
    });

    it('learns that a rejection was superseded, and that the database was restored to before that', async () => {
      const ledger = await newLedger();
      const rejection = own(ledger, { status: 'rejected', errorCode: 'TOO_MANY_BAD_ROWS' });
      await ledger.takeReceipts([rejection]);
      for (const status of ['superseded', 'rejected'] as const) {
        await ledger.takeReceipts([{ ...rejection, status }]);
        expect(await ledger.byLoadId(rejection.loadId)).toMatchObject({ state: status, liveLoadId: null });
        expect(await ledger.knownLoads(0, 10)).toMatchObject([{ status }]);
      }
    });

    it('learns that the rejection of a reprocess was superseded: the load before it is shown again', async () => {
      const ledger = await newLedger();
      const same = { version: 'one version', sha256: hashOf('x') };
      const first = own(ledger, same);
      const rejection = own(ledger, { ...same, generation: 2, status: 'rejected', errorCode: 'TOO_FEW_ROWS' });
      await ledger.takeReceipts([first, rejection]);
      await ledger.takeReceipts([{ ...rejection, status: 'superseded' }]);
      expect(await ledger.byLoadId(first.loadId)).toMatchObject({
        state: 'loaded',
        loadId: first.loadId,
        liveLoadId: first.loadId,
      });
    });

    it('learns from a new receipt which loads it replaced', async () => {
      const ledger = await newLedger();
      const entry = await loaded(ledger, 'a.csv', { content: 'x' });
      const twin = await ended(ledger, look('b.csv'), { state: 'duplicate', duplicateOf: entry.fileId });
      await ledger.takeReceipts([own(ledger, { replaces: [entry.loadId ?? 0] })]);
      expect(await stateOf(ledger, entry)).toBe('superseded');
      expect(await stateOf(ledger, twin)).toBe('discovered');
    });

    it('an old `ignored` receipt does not undo what an operator did later', async () => {
      const ledger = await newLedger();
      const entry = await ended(ledger, look('a.csv'), { state: 'ignored' });
      const ignored = own(ledger, { status: 'ignored', version: entry.file.version, sha256: null, rows: counts(0) });
      const again = await ledger.transition(
        entry.fileId,
        'discovered',
        { generation: 2, attempts: 0 },
        'cli:ann',
        'reprocess',
      );
      await ledger.takeReceipts([ignored]);
      expect(await stateOf(ledger, entry)).toBe('discovered');
      const { entry: done } = await load(ledger, again);
      await ledger.takeReceipts([{ ...ignored, loadKey: 'another key' }]);
      expect(await ledger.entry(entry.fileId)).toEqual(done);
    });
  });

  describe('receipts of other instances', () => {
    it('give knowledge of content only: the same feed and path on two hosts are two files', async () => {
      const ledger = await newLedger();
      await ledger.takeReceipts([receipt()]);
      expect(await ledger.files({ limit: 0 })).toEqual([]);
      expect(await ledger.newestLoad()).toBeNull();
    });

    it('a load of ours that another instance replaced is superseded', async () => {
      const ledger = await newLedger();
      const entry = await loaded(ledger, 'a.csv');
      await ledger.takeReceipts([receipt({ replaces: [entry.loadId ?? 0] })]);
      expect(await stateOf(ledger, entry)).toBe('superseded');
    });

    it('a replaced foreign load is not seen any more', async () => {
      const ledger = await newLedger();
      const foreign = receipt({ sha256: hashOf('x') });
      await ledger.takeReceipts([foreign]);
      const entry = await discover(ledger, look('b.csv'));
      expect((await ledger.facts(entry.fileId, { snapshot: false, sha256: hashOf('x') })).liveElsewhere).toEqual({
        fileId: null,
        loadId: foreign.loadId,
      });
      await ledger.takeReceipts([receipt({ replaces: [foreign.loadId] })]);
      expect((await ledger.facts(entry.fileId, { snapshot: false, sha256: hashOf('x') })).liveElsewhere).toBeNull();
    });
  });

  describe('a database that was restored to an earlier time', () => {
    it('a load that it lost is taken again', async () => {
      const ledger = await newLedger();
      const [kept, lost] = [await loaded(ledger, 'a.csv'), await loaded(ledger, 'b.csv')];
      expect(await ledger.newestLoad()).toEqual({ loadKey: lost.loadKey, loadId: lost.loadId });
      await ledger.receiptLost(lost.loadKey ?? '', 'discovered', 'daemon');
      expect(await ledger.entry(lost.fileId)).toMatchObject({ state: 'discovered', liveLoadId: null, attempts: 0 });
      expect(await ledger.newestLoad()).toEqual({ loadKey: kept.loadKey, loadId: kept.loadId });
    });

    it('bytes gone: failed, RECEIPT_LOST', async () => {
      const ledger = await newLedger();
      const lost = await loaded(ledger, 'a.csv');
      await ledger.receiptLost(lost.loadKey ?? '', 'failed', 'daemon');
      expect(await ledger.entry(lost.fileId)).toMatchObject({
        state: 'failed',
        error: { code: 'RECEIPT_LOST' },
        liveLoadId: null,
      });
    });

    it('a receipt that it has again is taken in again', async () => {
      const ledger = await newLedger();
      const lost = await loaded(ledger, 'a.csv');
      await ledger.receiptLost(lost.loadKey ?? '', 'failed', 'daemon');
      await ledger.takeReceipts([
        own(ledger, {
          loadId: lost.loadId ?? 0,
          loadKey: lost.loadKey ?? '',
          version: lost.file.version,
          sha256: lost.sha256,
        }),
      ]);
      expect(await ledger.entry(lost.fileId)).toMatchObject({ state: 'loaded', liveLoadId: lost.loadId, error: null });
    });

    it('what a lost load had replaced is live again: a later version is held against it', async () => {
      const ledger = await newLedger();
      const first = await loaded(ledger, 'a.csv');
      const second = await loaded(ledger, 'a.csv', { replaced: [first.loadId ?? 0] });
      expect(await stateOf(ledger, first)).toBe('superseded');
      await ledger.takeReceipts([own(ledger, { loadId: first.loadId ?? 0, loadKey: first.loadKey ?? '' })]);
      await ledger.receiptLost(second.loadKey ?? '', 'discovered', 'daemon');
      expect(await ledger.entry(first.fileId)).toMatchObject({ state: 'loaded', liveLoadId: first.loadId });
      expect(await stateOf(ledger, second)).toBe('discovered');
    });

    it('lists own loads in pages, superseded ones too', async () => {
      const ledger = await newLedger();
      const first = await loaded(ledger, 'a.csv');
      const second = await loaded(ledger, 'a.csv', { replaced: [first.loadId ?? 0] });
      const [page] = [await ledger.knownLoads(0, 1)];
      expect(page).toEqual([
        { loadKey: first.loadKey, loadId: first.loadId, fileId: first.fileId, status: 'superseded' },
      ]);
      expect(await ledger.knownLoads(first.loadId ?? 0, 10)).toMatchObject([
        { loadId: second.loadId, status: 'loaded' },
      ]);
    });
  });
}
