import { describe, expect, it } from 'vitest';
import { DAEMON } from '../../../src/core/ledger/workers.js';
import type { FileEntry } from '../../../src/core/entry.js';
import type { Ledger } from '../../../src/core/ledger/index.js';
import { codeOf, counts, discover, ended, hashOf, load, loaded, look, stateOf } from './support.js';
import type { SuiteParts } from './harness.js';

export function endSuite({ newLedger }: SuiteParts): void {
  describe('end', () => {
    it('keeps everything that the report shows', async () => {
      const ledger = await newLedger();
      const entry = await discover(ledger, look('a.csv', 912_345, 1_795_154_400_000_999));
      const rows = { read: 10_000, loaded: 9_988, quarantined: 12, skipped: 0, declared: 10_000, delta: 0 };
      const errors = [
        {
          class: 'type-error' as const,
          column: 'amount',
          rows: 9,
          first_row: 42,
          first_line: 43,
          example: '1.234,50',
          message: 'not a numeric(12,2)',
        },
      ];
      const drift = [{ kind: 'renamed' as const, column: 'Amount', message: 'Amount is taken as amount' }];
      await load(ledger, entry, {
        content: 'x',
        more: {
          loadId: 7_000,
          generation: 1,
          rows,
          errors,
          drift,
          committedAt: '2026-11-20T06:00:09.000Z',
          seconds: { land: 0, load: 0.41 },
        },
      });
      expect(await ledger.detail(entry.fileId)).toMatchObject({
        message_type: 'file',
        file_id: entry.fileId,
        size: 912_345,
        mtime: '2026-11-20T06:00:00.000Z',
        sha256: hashOf('x'),
        state: 'loaded',
        attempts: 1,
        load_id: 7_000,
        duplicate_of: null,
        generation: 1,
        rows,
        errors,
        drift,
        error: null,
        finished_at: '2026-11-20T06:00:09.000Z',
        seconds: { settle: 5, land: 0, load: 0.41 },
      });
    });

    it('lines and records that were passed over are counted, and no drift', async () => {
      const ledger = await newLedger();
      const passed = { kind: 'passed', column: '', message: 'comments', lines: 3 } as const;
      const kept = { kind: 'ignored', column: 'x', message: 'y' } as const;
      const footer = { kind: 'passed', column: 'footer', message: 'passed over', rows: 2 } as const;
      const entry = await ended(ledger, look('a.csv'), { state: 'held', drift: [passed, footer, kept] });
      expect(await ledger.detail(entry.fileId)).toMatchObject({
        lines_skipped: 3,
        rows_skipped: { footer: 2 },
        drift: [kept],
      });
    });

    it('rows are there also when nothing was parsed', async () => {
      const ledger = await newLedger();
      const entry = await ended(ledger, look('a.csv'), { state: 'held' });
      expect((await ledger.detail(entry.fileId))?.rows).toEqual({
        read: 0,
        loaded: 0,
        quarantined: 0,
        skipped: 0,
        declared: null,
        delta: 0,
      });
    });

    it('a rejected file keeps its error, its counts and no delta', async () => {
      const ledger = await newLedger();
      const entry = await discover(ledger, look('a.csv'));
      await ledger.claim(
        entry.fileId,
        { loadKey: 'k', duplicateAllowed: false, generation: 1, worker: DAEMON },
        'daemon',
      );
      const error = { code: 'TOO_MANY_BAD_ROWS', message: '6 of 10', fix: 'look' };
      const rows = { ...counts(10), loaded: 0, quarantined: 6, delta: null };
      await ledger.end(entry.fileId, { state: 'rejected', loadId: 8_000, error, rows }, 'daemon', 'too many bad rows');
      expect(await ledger.detail(entry.fileId)).toMatchObject({ state: 'rejected', load_id: 8_000, error, rows });
      expect((await ledger.entry(entry.fileId))?.liveLoadId).toBeNull();
    });

    it('an ended file does not end again', async () => {
      const ledger = await newLedger();
      const entry = await loaded(ledger, 'a.csv');
      expect(await codeOf(ledger.end(entry.fileId, { state: 'rejected' }, 'daemon', 'again'))).toBe('WRONG_STATE');
      expect(await ledger.entry(entry.fileId)).toEqual(entry);
    });

    it('loaded comes only after a claim and with a load_id', async () => {
      const ledger = await newLedger();
      const entry = await discover(ledger, look('a.csv'));
      expect(await codeOf(ledger.end(entry.fileId, { state: 'loaded', loadId: 1 }, 'daemon', ''))).toBe('WRONG_STATE');
      await ledger.claim(
        entry.fileId,
        { loadKey: 'k', duplicateAllowed: false, generation: 1, worker: DAEMON },
        'daemon',
      );
      expect(await codeOf(ledger.end(entry.fileId, { state: 'loaded' }, 'daemon', ''))).toBe('WRONG_STATE');
      expect(await stateOf(ledger, entry)).toBe('loading');
    });

    it('two entries never hold the same receipt', async () => {
      const ledger = await newLedger();
      const winner = await loaded(ledger, 'a.csv');
      const other = await discover(ledger, look('a.csv'));
      const end = load(ledger, other, { more: { loadKey: winner.loadKey ?? '', loadId: winner.loadId } });
      expect(await codeOf(end)).toBe('WRONG_STATE');
    });

    it('adopts the receipt of a lost race when nobody else has it', async () => {
      const ledger = await newLedger();
      const entry = await discover(ledger, look('a.csv'));
      const { entry: adopted } = await load(ledger, entry, { more: { loadKey: 'the winner', loadId: 9_000 } });
      expect(adopted).toMatchObject({ state: 'loaded', loadKey: 'the winner', liveLoadId: 9_000 });
      expect((await ledger.byLoadId(9_000))?.fileId).toBe(entry.fileId);
    });
  });

  describe('replaced loads', () => {
    it('become superseded in the same transaction', async () => {
      const ledger = await newLedger();
      const old = await loaded(ledger, 'a.csv');
      const next = await discover(ledger, look('a.csv'));
      const result = await load(ledger, next, { replaced: [old.loadId ?? 0] });
      expect(result.superseded).toEqual([old.fileId]);
      expect(await ledger.entry(old.fileId)).toMatchObject({
        state: 'superseded',
        liveLoadId: null,
        loadId: old.loadId,
      });
      expect((await ledger.detail(old.fileId))?.history.at(-1)).toMatchObject({
        from: 'loaded',
        to: 'superseded',
        reason: `replaced by file ${next.fileId}`,
      });
    });

    it('a reprocess that loads supersedes only its old receipt, not itself', async () => {
      const ledger = await newLedger();
      const first = await loaded(ledger, 'a.csv', { content: 'x' });
      const again = await ledger.transition(
        first.fileId,
        'discovered',
        { attempts: 0, generation: 2, released: true },
        'cli:ann',
        'reprocess',
      );
      const { entry, superseded } = await load(ledger, again, { content: 'x', replaced: [first.loadId ?? 0] });
      expect(superseded).toEqual([]);
      expect(entry).toMatchObject({ fileId: first.fileId, state: 'loaded', generation: 2, released: false });
      expect(entry.liveLoadId).not.toBe(first.liveLoadId);
      expect((await ledger.knownLoads(0, 10)).map((known) => known.status)).toEqual(['superseded', 'loaded']);
    });

    it('a reprocess that is rejected leaves the old load live', async () => {
      const ledger = await newLedger();
      const first = await loaded(ledger, 'a.csv');
      await ledger.transition(first.fileId, 'discovered', { attempts: 0, generation: 2 }, 'cli:ann', 'reprocess');
      await ledger.claim(
        first.fileId,
        { loadKey: 'second', duplicateAllowed: false, generation: 2, worker: DAEMON },
        'daemon',
      );
      const { entry } = await ledger.end(first.fileId, { state: 'rejected', loadId: 8_001 }, 'daemon', 'bad');
      expect(entry).toMatchObject({ state: 'rejected', loadId: 8_001, liveLoadId: first.loadId });
    });

    it('a cleared load that a later load replaced becomes superseded', async () => {
      const ledger = await newLedger();
      const old = await loaded(ledger, 'a.csv');
      await ledger.transition(old.fileId, 'cleared', {}, 'cli:ann', 'ledger clear');
      const { superseded } = await load(ledger, await discover(ledger, old.file), { replaced: [old.loadId ?? 0] });
      expect(superseded).toEqual([old.fileId]);
    });

    it('a replaced file that is just being taken again stays open and has no live load any more', async () => {
      const ledger = await newLedger();
      const old = await loaded(ledger, 'a.csv');
      await ledger.transition(old.fileId, 'discovered', { attempts: 0, generation: 2 }, 'cli:ann', 'reprocess');
      await load(ledger, await discover(ledger, look('b.csv')), { replaced: [old.loadId ?? 0] });
      expect(await ledger.entry(old.fileId)).toMatchObject({ state: 'discovered', liveLoadId: null });
    });
  });

  describe('duplicates of a replaced load', () => {
    it('on other paths come back as discovered when other content replaces it', async () => {
      const ledger = await newLedger();
      const old = await loaded(ledger, 'a.csv', { content: 'x' });
      const twin = await ended(ledger, look('b.csv'), {
        state: 'duplicate',
        duplicateOf: old.fileId,
        sha256: hashOf('x'),
      });
      const { reopened } = await load(ledger, await discover(ledger, look('a.csv')), {
        content: 'y',
        replaced: [old.loadId ?? 0],
      });
      expect(reopened).toEqual([twin.fileId]);
      expect(await ledger.entry(twin.fileId)).toMatchObject({
        state: 'discovered',
        before: 'duplicate',
        attempts: 0,
        duplicateOf: null,
      });
      expect((await ledger.waiting('orders', 10, { ignoreBackoff: false })).map((entry) => entry.fileId)).toEqual([
        twin.fileId,
      ]);
    });

    it('lose their pending after action: what is to be loaded must not be deleted', async () => {
      const ledger = await newLedger();
      const old = await loaded(ledger, 'a.csv', { content: 'x' });
      const twin = await ended(ledger, look('b.csv'), {
        state: 'duplicate',
        duplicateOf: old.fileId,
        action: { kind: 'delete', argument: '', companions: [] },
      });
      await load(ledger, await discover(ledger, look('a.csv')), { content: 'y', replaced: [old.loadId ?? 0] });
      expect(await ledger.dueActions('2100-01-01T00:00:00Z', 10)).toEqual([]);
      expect((await ledger.detail(twin.fileId))?.actions).toMatchObject([{ state: 'dropped' }]);
    });

    it('of the same path stay: other bytes stand there', async () => {
      const ledger = await newLedger();
      const old = await loaded(ledger, 'a.csv', { content: 'x' });
      const twin = await ended(ledger, look('a.csv'), { state: 'duplicate', duplicateOf: old.fileId });
      await load(ledger, await discover(ledger, look('a.csv')), { content: 'y', replaced: [old.loadId ?? 0] });
      expect(await stateOf(ledger, twin)).toBe('duplicate');
    });

    it('whose bytes are gone stay', async () => {
      const ledger = await newLedger();
      const old = await loaded(ledger, 'a.csv', { content: 'x' });
      const overwritten = await ended(ledger, look('b.csv'), { state: 'duplicate', duplicateOf: old.fileId });
      await loaded(ledger, 'b.csv', { content: 'z' });
      const deleted = await ended(ledger, look('c.csv'), {
        state: 'duplicate',
        duplicateOf: old.fileId,
        action: { kind: 'delete', argument: '', companions: [] },
      });
      for (const action of await ledger.dueActions('2100-01-01T00:00:00Z', 10))
        await ledger.actionDone(action.actionId, { state: 'done', detail: '', movedTo: null });
      await load(ledger, await discover(ledger, look('a.csv')), { content: 'y', replaced: [old.loadId ?? 0] });
      expect([await stateOf(ledger, overwritten), await stateOf(ledger, deleted)]).toEqual(['duplicate', 'duplicate']);
    });

    it('name the new load when the same content replaces it', async () => {
      const ledger = await newLedger();
      const old = await loaded(ledger, 'a.csv', { content: 'x' });
      const twin = await ended(ledger, look('b.csv'), { state: 'duplicate', duplicateOf: old.fileId });
      await ledger.transition(old.fileId, 'cleared', {}, 'cli:ann', 'ledger clear');
      const { entry } = await load(ledger, await discover(ledger, old.file), {
        content: 'x',
        replaced: [old.loadId ?? 0],
      });
      expect(await ledger.entry(twin.fileId)).toMatchObject({ state: 'duplicate', duplicateOf: entry.fileId });
    });

    it('a duplicate is set only while its original counts', async () => {
      const ledger = await newLedger();
      const old = await loaded(ledger, 'a.csv', { content: 'x' });
      const twin = await discover(ledger, look('b.csv'));
      await ledger.transition(old.fileId, 'cleared', {}, 'cli:ann', 'ledger clear');
      expect(
        await codeOf(
          ledger.end(twin.fileId, { state: 'duplicate', duplicateOf: old.fileId }, 'daemon', 'same content'),
        ),
      ).toBe('WRONG_STATE');
      expect(await stateOf(ledger, twin)).toBe('discovered');
    });
  });

  /** A file that was rejected, with a receipt that superseded `replaced`. */
  async function rejected(
    ledger: Ledger,
    name: string,
    loadId: number,
    replaced: readonly number[] = [],
  ): Promise<FileEntry> {
    const entry = await discover(ledger, look(name));
    await ledger.claim(
      entry.fileId,
      { loadKey: `rejection ${loadId}`, sha256: hashOf('bad'), duplicateAllowed: false, generation: 1, worker: DAEMON },
      'daemon',
    );
    return (
      await ledger.end(
        entry.fileId,
        { state: 'rejected', loadId, replaced, error: { code: 'X', message: '', fix: '' } },
        'daemon',
        'bad',
      )
    ).entry;
  }

  describe('earlier versions of a path', () => {
    it.each(['rejected', 'failed'] as const)(
      '%s ones become superseded when a later version is loaded',
      async (state) => {
        const ledger = await newLedger();
        const bad = await ended(ledger, look('a.csv'), { state });
        const { superseded } = await load(ledger, await discover(ledger, look('a.csv')));
        expect(superseded).toEqual([bad.fileId]);
        expect(await stateOf(ledger, bad)).toBe('superseded');
      },
    );

    it('held, ignored and loaded ones, later ones and those of other paths stay', async () => {
      const ledger = await newLedger();
      const stay = [
        await ended(ledger, look('a.csv'), { state: 'held' }),
        await ended(ledger, look('a.csv'), { state: 'ignored' }),
        await loaded(ledger, 'a.csv'),
        await ended(ledger, look('b.csv'), { state: 'rejected' }),
      ];
      const next = await discover(ledger, look('a.csv'));
      await ledger.claim(
        next.fileId,
        { loadKey: 'k', duplicateAllowed: false, generation: 1, worker: DAEMON },
        'daemon',
      );
      const { superseded } = await ledger.end(next.fileId, { state: 'loaded', loadId: 8_100 }, 'daemon', 'committed');
      expect(superseded).toEqual([]);
      const states: (string | undefined)[] = [];
      for (const entry of stay) states.push(await stateOf(ledger, entry));
      expect(states).toEqual(['held', 'ignored', 'loaded', 'rejected']);
    });

    it('are left alone when the later version is rejected itself', async () => {
      const ledger = await newLedger();
      const bad = await ended(ledger, look('a.csv'), { state: 'rejected' });
      await ended(ledger, look('a.csv'), { state: 'rejected' });
      expect(await stateOf(ledger, bad)).toBe('rejected');
    });

    it('rejected ones whose receipts went with a rejection of the same content become superseded', async () => {
      const ledger = await newLedger();
      const first = await rejected(ledger, 'a.csv', 8_010);
      const again = await rejected(ledger, 'a.csv', 8_011, [8_010]);
      expect([await stateOf(ledger, first), await stateOf(ledger, again)]).toEqual(['superseded', 'rejected']);
      expect(await ledger.knownLoads(0, 10)).toMatchObject([
        { loadId: 8_010, status: 'superseded' },
        { loadId: 8_011, status: 'rejected' },
      ]);
    });

    it('rejected ones have superseded receipts once a later version is loaded', async () => {
      const ledger = await newLedger();
      const bad = await rejected(ledger, 'a.csv', 8_020);
      const { superseded } = await load(ledger, await discover(ledger, look('a.csv')), { replaced: [8_020] });
      expect(superseded).toEqual([bad.fileId]);
      expect((await ledger.knownLoads(0, 10)).find((known) => known.loadId === 8_020)).toMatchObject({
        status: 'superseded',
      });
    });

    it('a retry settles the receipt of its own first rejection', async () => {
      const ledger = await newLedger();
      const bad = await rejected(ledger, 'a.csv', 8_030);
      await load(ledger, await ledger.transition(bad.fileId, 'discovered', { attempts: 0 }, 'cli:ann', 'retry'), {
        replaced: [8_030],
      });
      expect((await ledger.knownLoads(0, 10)).map((known) => known.status).sort()).toEqual(['loaded', 'superseded']);
    });

    it('whose reprocess was rejected are loaded again: their rows are in staging', async () => {
      const ledger = await newLedger();
      const first = await loaded(ledger, 'a.csv', { rows: 12 });
      await ledger.transition(first.fileId, 'discovered', { attempts: 0, generation: 2 }, 'cli:ann', 'reprocess');
      await ledger.claim(
        first.fileId,
        { loadKey: 'second', duplicateAllowed: false, generation: 2, worker: DAEMON },
        'daemon',
      );
      await ledger.end(
        first.fileId,
        { state: 'rejected', loadId: 8_002, rows: counts(3), error: { code: 'X', message: '', fix: '' } },
        'daemon',
        'bad',
      );
      await load(ledger, await discover(ledger, look('a.csv')));
      expect(await ledger.entry(first.fileId)).toMatchObject({
        state: 'loaded',
        loadId: first.loadId,
        liveLoadId: first.loadId,
        rows: counts(12),
        error: null,
        generation: 1,
      });
    });
  });

  describe('snapshot feeds', () => {
    it('older open files become superseded with the load, newer ones and those being loaded stay', async () => {
      const ledger = await newLedger();
      const [older, same, newer] = [
        await discover(ledger, look('c', 1, 10)),
        await discover(ledger, look('a', 1, 20)),
        await discover(ledger, look('d', 1, 30)),
      ];
      const next = await discover(ledger, look('b', 1, 20));
      const { superseded } = await load(ledger, next, { more: { olderSnapshots: true } });
      expect(superseded).toEqual([same.fileId, older.fileId]);
      expect(await ledger.entry(older.fileId)).toMatchObject({ state: 'superseded', rows: counts(0) });
      expect(await stateOf(ledger, newer)).toBe('discovered');
    });

    it('of a feed that is none, older open files stay', async () => {
      const ledger = await newLedger();
      const older = await discover(ledger, look('c', 1, 10));
      await load(ledger, await discover(ledger, look('b', 1, 20)));
      expect(await stateOf(ledger, older)).toBe('discovered');
    });
  });
}
