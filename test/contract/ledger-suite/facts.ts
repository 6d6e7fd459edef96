import { describe, expect, it } from 'vitest';
import { DAEMON } from '../../../src/core/ledger/workers.js';
import { YOUNG } from '../../../src/core/file.js';
import type { FileEntry } from '../../../src/core/entry.js';
import type { Ledger } from '../../../src/core/ledger/index.js';
import { admit, NO_PROBES, type AdmitPolicy, type Decision, type Probes } from '../../../src/intake/admit.js';
import { discover, ended, hashOf, load, loaded, look, receipt } from './support.js';
import type { SuiteParts } from './harness.js';

/** The decision table over a real ledger: what `facts` finds is what docs/spec/which-file-is-new.md means. */

const policy = (change: Partial<AdmitPolicy> = {}): AdmitPolicy => ({
  onDuplicate: 'skip',
  onChanged: 'load',
  target: { mode: 'append' },
  ...change,
});

async function decide(
  ledger: Ledger,
  entry: FileEntry,
  content: string | null,
  change: Partial<AdmitPolicy> = {},
  probes: Probes = NO_PROBES,
): Promise<Decision> {
  const snapshot = change.target?.mode === 'replace_all';
  return admit(
    await ledger.facts(entry.fileId, { snapshot, sha256: content === null ? null : hashOf(content) }),
    policy(change),
    probes,
  );
}

const arrive = (ledger: Ledger, name: string, size = 100, mtimeUs = 1_000): Promise<FileEntry> =>
  discover(ledger, look(name, size, mtimeUs));

export function factsSuite({ newLedger }: SuiteParts): void {
  describe('content', () => {
    it('not seen: load, and no hash is asked for', async () => {
      const ledger = await newLedger();
      await loaded(ledger, 'a.csv', { file: look('a.csv', 50) });
      expect(await decide(ledger, await arrive(ledger, 'b.csv'), null)).toMatchObject({ kind: 'load' });
    });

    it('a file of equal size somewhere in the feed asks for the hash', async () => {
      const ledger = await newLedger();
      await loaded(ledger, 'a.csv');
      expect(await decide(ledger, await arrive(ledger, 'b.csv'), null)).toEqual({ kind: 'needHash' });
    });

    it('live under another path: duplicate', async () => {
      const ledger = await newLedger();
      const original = await loaded(ledger, 'a.csv', { content: 'x' });
      expect(await decide(ledger, await arrive(ledger, 'b.csv'), 'x')).toMatchObject({
        kind: 'duplicate',
        of: original.fileId,
      });
    });

    it('packed in other bytes is the same: as it is, in another packing, and the other way round', async () => {
      const ledger = await newLedger();
      const packed = await loaded(ledger, 'a.csv.gz', { content: 'gz 1', more: { contentSha256: hashOf('x') } });
      const [plain, again] = [await arrive(ledger, 'a.csv', 500), await arrive(ledger, 'b.csv.gz', 90)];
      expect(await decide(ledger, plain, 'x')).toEqual({
        kind: 'duplicate',
        of: packed.fileId,
        reason: `same content as file ${packed.fileId}, delivered packed another way`,
      });
      const found = { snapshot: false, sha256: hashOf('gz 2'), contentSha256: hashOf('x') };
      expect(admit(await ledger.facts(again.fileId, found), policy())).toMatchObject({ of: packed.fileId });
      // Once it is known it need not be told again; by bytes alone it is another content.
      await ledger.setContent(again.fileId, hashOf('gz 2'), hashOf('x'));
      expect(await decide(ledger, again, null)).toMatchObject({ kind: 'duplicate', of: packed.fileId });
      expect(admit(await ledger.facts(again.fileId, { snapshot: false, byBytes: true }), policy()).kind).toBe('load');
      const other = await loaded(ledger, 'c.csv', { content: 'y', more: { contentSha256: hashOf('y') } });
      const late = { snapshot: false, sha256: hashOf('gz 3'), contentSha256: hashOf('y') };
      expect(admit(await ledger.facts(again.fileId, late), policy())).toMatchObject({ of: other.fileId });
    });

    it.each(['held', 'ignored'] as const)('packed in a file that is %s counts as that file does', async (state) => {
      const ledger = await newLedger();
      const first = await ended(ledger, look('a.csv.gz'), { state, sha256: hashOf('gz'), contentSha256: hashOf('x') });
      const decision = await decide(ledger, await arrive(ledger, 'a.csv', 500), 'x');
      expect(decision).toMatchObject(
        state === 'held' ? { kind: 'wait', forFileId: first.fileId } : { kind: 'duplicate', of: first.fileId },
      );
    });

    it('is seen only within the feed', async () => {
      const ledger = await newLedger();
      await loaded(ledger, 'a.csv', { content: 'x', feed: 'stock' });
      expect(await decide(ledger, await arrive(ledger, 'b.csv'), null)).toMatchObject({ kind: 'load' });
    });

    it.each(['rejected', 'failed', 'cleared', 'vanished', 'superseded'] as const)('%s never counts', async (state) => {
      const ledger = await newLedger();
      await ended(ledger, look('a.csv'), { state, sha256: hashOf('x') });
      expect(await decide(ledger, await arrive(ledger, 'b.csv'), 'x')).toMatchObject({ kind: 'load' });
    });

    it('an older version of a path leaves the rejection of a later one, and not that of an earlier one, as it is', async () => {
      const ledger = await newLedger();
      await ended(ledger, look('a.csv'), { state: 'rejected', loadId: 8_100, loadKey: 'earlier' });
      const held = await ended(ledger, look('a.csv'), { state: 'held' });
      await ended(ledger, look('a.csv'), { state: 'rejected', loadId: 8_101, loadKey: 'later' });
      expect(
        await decide(
          ledger,
          await ledger.transition(held.fileId, 'discovered', { released: true }, 'cli:ann', 'release'),
          'x',
        ),
      ).toMatchObject({ kind: 'load', replaces: { keep: [8_101] } });
    });

    it('of a cleared load is loaded again, one generation up', async () => {
      const ledger = await newLedger();
      const old = await loaded(ledger, 'a.csv', { content: 'x' });
      await ledger.transition(old.fileId, 'cleared', {}, 'cli:ann', 'ledger clear');
      expect(await decide(ledger, await arrive(ledger, 'b.csv'), 'x')).toMatchObject({ kind: 'load', generation: 2 });
      expect(await decide(ledger, await arrive(ledger, 'a.csv'), 'y')).toMatchObject({ kind: 'load', generation: 2 });
      expect(await decide(ledger, await arrive(ledger, 'c.csv'), 'z')).toMatchObject({ kind: 'load', generation: 1 });
    });

    it('ignored counts', async () => {
      const ledger = await newLedger();
      const ignored = await ended(ledger, look('a.csv'), { state: 'ignored', sha256: hashOf('x') });
      expect(await decide(ledger, await arrive(ledger, 'b.csv'), 'x')).toMatchObject({
        kind: 'duplicate',
        of: ignored.fileId,
      });
    });

    it('held waits', async () => {
      const ledger = await newLedger();
      const held = await ended(ledger, look('a.csv'), { state: 'held', sha256: hashOf('x') });
      expect(await decide(ledger, await arrive(ledger, 'b.csv'), 'x')).toMatchObject({
        kind: 'wait',
        forFileId: held.fileId,
      });
    });

    it('being loaded waits, whichever came first', async () => {
      const ledger = await newLedger();
      const [early, busy] = [await arrive(ledger, 'a.csv'), await arrive(ledger, 'b.csv')];
      await ledger.claim(
        busy.fileId,
        { loadKey: 'k', sha256: hashOf('x'), duplicateAllowed: false, generation: 1, worker: DAEMON },
        'daemon',
      );
      expect(await decide(ledger, early, 'x')).toMatchObject({ kind: 'wait', forFileId: busy.fileId });
    });

    it('of two that wait for their turn only the later one waits', async () => {
      const ledger = await newLedger();
      const [one, two] = [await arrive(ledger, 'a.csv'), await arrive(ledger, 'b.csv')];
      for (const entry of [one, two]) await ledger.setContent(entry.fileId, hashOf('x'));
      expect(await decide(ledger, one, 'x')).toMatchObject({ kind: 'load' });
      expect(await decide(ledger, two, 'x')).toMatchObject({ kind: 'wait', forFileId: one.fileId });
    });

    it('waits for a file of the same size that is being hashed while it is loaded', async () => {
      const ledger = await newLedger();
      const [busy, next] = [await arrive(ledger, 'a.csv'), await arrive(ledger, 'b.csv')];
      await ledger.claim(
        busy.fileId,
        { loadKey: 'k', duplicateAllowed: false, generation: 1, worker: DAEMON },
        'daemon',
      );
      expect(await decide(ledger, next, 'x')).toMatchObject({ kind: 'wait', forFileId: busy.fileId });
    });

    it('a file of 0 records is never a duplicate of another path', async () => {
      const ledger = await newLedger();
      await loaded(ledger, 'a.csv', { content: 'header only', rows: 0 });
      await loaded(ledger, 'empty.csv', { file: look('empty.csv', 0), content: '', rows: 0 });
      expect(await decide(ledger, await arrive(ledger, 'b.csv'), 'header only')).toMatchObject({
        kind: 'load',
        duplicateAllowed: false,
      });
      expect(await decide(ledger, await arrive(ledger, 'c.csv', 0), null)).toMatchObject({ kind: 'load' });
    });

    it('that another instance loaded is seen', async () => {
      const ledger = await newLedger();
      await ledger.takeReceipts([receipt({ instanceId: 'another host', sha256: hashOf('x'), size: 100 })]);
      const entry = await arrive(ledger, 'a.csv');
      expect(await decide(ledger, entry, null)).toEqual({ kind: 'needHash' });
      expect(await decide(ledger, entry, 'x')).toMatchObject({ kind: 'duplicate', of: null });
    });
  });

  describe('path', () => {
    it('same bytes as the present version: touched', async () => {
      const ledger = await newLedger();
      const present = await loaded(ledger, 'a.csv', { content: 'x' });
      const again = await arrive(ledger, 'a.csv');
      expect(await decide(ledger, again, null)).toEqual({ kind: 'needHash' });
      expect(await decide(ledger, again, 'x')).toEqual({ kind: 'touched', present: present.fileId });
    });

    it('a rejected file that only grew older (SFTP): touched when the bytes are the same; dropped again it is tried again', async () => {
      const ledger = await newLedger();
      const young = look('a.csv');
      const bad = await ended(
        ledger,
        { ...young, version: `${young.version}${YOUNG}` },
        { state: 'rejected', sha256: hashOf('x') },
      );
      const aged = await discover(ledger, young);
      expect(await decide(ledger, aged, null)).toEqual({ kind: 'needHash' });
      expect(await decide(ledger, aged, 'x')).toEqual({ kind: 'touched', present: bad.fileId });
      expect(await decide(ledger, aged, 'y')).toMatchObject({ kind: 'load' });
      await ledger.absorb(aged.fileId, bad.fileId);
      expect(await decide(ledger, await discover(ledger, look('a.csv')), 'x')).toMatchObject({ kind: 'load' });
    });

    it('same bytes as a present duplicate: touched as long as its original is loaded', async () => {
      const ledger = await newLedger();
      const original = await loaded(ledger, 'a.csv', { content: 'x' });
      const twin = await ended(ledger, look('b.csv'), {
        state: 'duplicate',
        duplicateOf: original.fileId,
        sha256: hashOf('x'),
      });
      const again = await arrive(ledger, 'b.csv');
      expect(await decide(ledger, again, 'x')).toEqual({ kind: 'touched', present: twin.fileId });
      await ledger.transition(original.fileId, 'cleared', {}, 'cli:ann', 'ledger clear');
      expect(await decide(ledger, again, 'x')).toMatchObject({ kind: 'load' });
    });

    it('an older version of the path: duplicate of it', async () => {
      const ledger = await newLedger();
      const first = await loaded(ledger, 'a.csv', { content: 'x' });
      await loaded(ledger, 'a.csv', { content: 'y' });
      expect(await decide(ledger, await arrive(ledger, 'a.csv'), 'x')).toMatchObject({
        kind: 'duplicate',
        of: first.fileId,
      });
    });

    it('an empty older version too', async () => {
      const ledger = await newLedger();
      const first = await loaded(ledger, 'a.csv', { content: 'header only', rows: 0 });
      await loaded(ledger, 'a.csv', { content: 'y' });
      expect(await decide(ledger, await arrive(ledger, 'a.csv'), 'header only')).toMatchObject({
        kind: 'duplicate',
        of: first.fileId,
      });
    });

    it('the same bytes again after an after action took them away: duplicate, so that they are taken away again', async () => {
      const ledger = await newLedger();
      const entry = await loaded(ledger, 'a.csv', {
        content: 'x',
        more: { action: { kind: 'delete', argument: '', companions: [] } },
      });
      for (const action of await ledger.dueActions('2100-01-01T00:00:00Z', 1))
        await ledger.actionDone(action.actionId, { state: 'done', detail: '', movedTo: null });
      expect(await decide(ledger, await arrive(ledger, 'a.csv'), 'x')).toMatchObject({
        kind: 'duplicate',
        of: entry.fileId,
      });
    });

    it('grown, then grown again: each replaces the load that it has grown from', async () => {
      const ledger = await newLedger();
      const half = await loaded(ledger, 'a.csv', { file: look('a.csv', 60), content: 'half' });
      const more = await arrive(ledger, 'a.csv', 80);
      expect(await decide(ledger, more, null)).toEqual({ kind: 'needPrefixHash', bytes: 60, of: half.fileId });
      expect(
        await decide(ledger, more, null, {}, { prefix: { of: half.fileId, sha256: hashOf('half') }, empty: null }),
      ).toMatchObject({ replaces: { loadIds: [half.loadId] }, generation: 2 });
      const { entry } = await load(
        ledger,
        { ...more, generation: 2 },
        { content: 'more', replaced: [half.loadId ?? 0] },
      );
      const whole = await arrive(ledger, 'a.csv', 100);
      expect(
        await decide(ledger, whole, null, {}, { prefix: { of: more.fileId, sha256: hashOf('more') }, empty: null }),
      ).toMatchObject({ replaces: { loadIds: [entry.loadId] }, generation: 3 });
    });

    it('on_changed asks for the newest loaded version, a rejected one between them or not', async () => {
      const ledger = await newLedger();
      const first = await loaded(ledger, 'a.csv');
      await ended(ledger, look('a.csv'), { state: 'rejected' });
      const next = await arrive(ledger, 'a.csv', 40);
      expect(await decide(ledger, next, null, { onChanged: 'hold' })).toMatchObject({ kind: 'hold' });
      expect((await ledger.facts(next.fileId, { snapshot: false })).live?.fileId).toBe(first.fileId);
    });

    it('load --replaces: the load that goes is neither an earlier version nor an original', async () => {
      const ledger = await newLedger();
      const old = await loaded(ledger, 'a.csv', { content: 'x' });
      const file = look('a.csv');
      const entry = await ledger.discover(
        { feed: 'orders', file, uri: 'file:///a.csv', settleSeconds: 0, replaces: [old.loadId ?? 0] },
        'cli:ann',
      );
      expect(await decide(ledger, entry, 'y', { onChanged: 'hold' })).toMatchObject({
        kind: 'load',
        replaces: { loadIds: [old.loadId] },
        generation: 2,
      });
    });
  });

  describe('snapshot feeds', () => {
    const snapshot: Partial<AdmitPolicy> = { target: { mode: 'replace_all' } };

    it('the newest is loaded, older ones wait for it and are superseded by it', async () => {
      const ledger = await newLedger();
      const [older, newest] = [await arrive(ledger, 'b', 10, 1_000), await arrive(ledger, 'a', 20, 2_000)];
      expect(await decide(ledger, older, null, snapshot)).toMatchObject({ kind: 'wait', forFileId: newest.fileId });
      expect(await decide(ledger, newest, null, snapshot)).toMatchObject({ kind: 'load', replaces: { feed: true } });
      await load(ledger, newest);
      expect(await decide(ledger, older, null, snapshot)).toMatchObject({ kind: 'superseded', by: newest.fileId });
    });

    it('when the newest is rejected the next one is loaded', async () => {
      const ledger = await newLedger();
      const [older, newest] = [await arrive(ledger, 'b', 10, 1_000), await arrive(ledger, 'a', 20, 2_000)];
      await ledger.end(newest.fileId, { state: 'rejected' }, 'daemon', 'bad');
      expect(await decide(ledger, older, null, snapshot)).toMatchObject({ kind: 'load' });
    });

    it('one file at a time', async () => {
      const ledger = await newLedger();
      const [busy, next] = [await arrive(ledger, 'a', 10, 1_000), await arrive(ledger, 'b', 20, 2_000)];
      await ledger.claim(
        busy.fileId,
        { loadKey: 'k', duplicateAllowed: false, generation: 1, worker: DAEMON },
        'daemon',
      );
      expect(await decide(ledger, next, null, snapshot)).toMatchObject({ kind: 'wait', forFileId: busy.fileId });
    });

    it('an older one whose load went back waits for the newest, and the newest not for it', async () => {
      const ledger = await newLedger();
      const [older, newest] = [await arrive(ledger, 'a', 10, 1_000), await arrive(ledger, 'b', 20, 2_000)];
      await ledger.claim(
        older.fileId,
        { loadKey: 'k', duplicateAllowed: false, generation: 1, worker: DAEMON },
        'daemon',
      );
      await ledger.wait(newest.fileId, older.fileId);
      await ledger.unclaim(
        older.fileId,
        { uncount: true, retryAt: null, error: null },
        'daemon',
        'database unreachable',
      );
      expect(await decide(ledger, older, null, snapshot)).toMatchObject({ kind: 'wait', forFileId: newest.fileId });
      expect(await decide(ledger, newest, null, snapshot)).toMatchObject({ kind: 'load' });
    });

    it('content of a snapshot that was replaced is loaded again', async () => {
      const ledger = await newLedger();
      const monday = await loaded(ledger, 'mon', { file: look('mon', 10, 1_000), content: 'x' });
      await loaded(ledger, 'tue', { file: look('tue', 11, 2_000), content: 'y', replaced: [monday.loadId ?? 0] });
      expect(await decide(ledger, await arrive(ledger, 'wed', 10, 3_000), null, snapshot)).toMatchObject({
        kind: 'load',
      });
    });

    it('the live content under a new name: duplicate', async () => {
      const ledger = await newLedger();
      const monday = await loaded(ledger, 'mon', { file: look('mon', 10, 1_000), content: 'x' });
      const tuesday = await arrive(ledger, 'tue', 10, 2_000);
      expect(await decide(ledger, tuesday, null, snapshot)).toEqual({ kind: 'needHash' });
      expect(await decide(ledger, tuesday, 'x', snapshot)).toMatchObject({ kind: 'duplicate', of: monday.fileId });
    });

    it('a cleared snapshot is no reason to pass over an older one', async () => {
      const ledger = await newLedger();
      const live = await loaded(ledger, 'tue', { file: look('tue', 10, 2_000) });
      const older = await arrive(ledger, 'mon', 20, 1_000);
      await ledger.transition(live.fileId, 'cleared', {}, 'cli:ann', 'wrong file');
      expect(await decide(ledger, older, null, snapshot)).toMatchObject({ kind: 'load' });
    });
  });
}
