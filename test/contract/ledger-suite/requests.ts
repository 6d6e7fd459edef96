import { describe, expect, it } from 'vitest';
import { DAEMON } from '../../../src/core/ledger/workers.js';
import type { FileEntry } from '../../../src/core/entry.js';
import type { Ledger } from '../../../src/core/ledger/index.js';
import type { RequestKind } from '../../../src/core/ledger/requests.js';
import { FILE_STATES, type EndState, type FileState } from '../../../src/core/states.js';
import { requestAllowed, requestEffect, requestMustWait } from '../../../src/ledger/rules/request-rules.js';
import { codeOf, discover, ended, loaded, look, stateOf } from './support.js';
import type { SuiteParts } from './harness.js';

async function entryIn(ledger: Ledger, state: FileState): Promise<FileEntry> {
  const entry = await discover(ledger, look(`${state}.csv`));
  if (state === 'discovered') return entry;
  if (state === 'landing' || state === 'landed') await ledger.move(entry.fileId, state, 'daemon', 'test', '/landing/1');
  else if (state === 'loading')
    await ledger.claim(
      entry.fileId,
      { loadKey: 'k', duplicateAllowed: false, generation: 1, worker: DAEMON },
      'daemon',
    );
  else if (state === 'loaded') return loaded(ledger, 'loaded.csv', { file: entry.file });
  else await ledger.end(entry.fileId, { state }, 'daemon', 'test');
  return (await ledger.entry(entry.fileId))!;
}

const allowed: Readonly<Record<RequestKind, readonly FileState[]>> = {
  retry: ['failed', 'rejected'],
  release: ['held'],
  'release-replace': ['held'],
  // Of those that have ended, only one whose rows are there.
  unload: ['landing', 'landed', 'loading', 'loaded'],
  ignore: ['held', 'failed', 'rejected'],
  clear: [
    'landing',
    'landed',
    'loading',
    'loaded',
    'rejected',
    'failed',
    'ignored',
    'held',
    'vanished',
    'superseded',
    'cleared',
  ],
  reprocess: [
    'landing',
    'landed',
    'loading',
    'loaded',
    'rejected',
    'failed',
    'ignored',
    'held',
    'vanished',
    'superseded',
    'cleared',
  ],
};

export function requestsSuite({ newLedger }: SuiteParts): void {
  describe.each(Object.keys(allowed) as RequestKind[])('%s', (kind) => {
    it.each(FILE_STATES)('of a file that is %s', async (state) => {
      const ledger = await newLedger();
      const entry = await entryIn(ledger, state);
      const refused = requestAllowed(kind, entry);
      expect(refused === null).toBe(allowed[kind].includes(state));
      expect(await codeOf(ledger.request({ kind, fileId: entry.fileId, actor: 'cli:ann', reason: '' }))).toBe(
        refused === null ? 'no error' : 'WRONG_STATE',
      );
      expect(await stateOf(ledger, entry)).toBe(state);
    });
  });

  describe('rules', () => {
    it.each(['reprocess', 'clear'] as const)('%s of a duplicate is refused and names the original', async (kind) => {
      const ledger = await newLedger();
      const original = await loaded(ledger, 'a.csv');
      const twin = await ended(ledger, look('b.csv'), { state: 'duplicate', duplicateOf: original.fileId });
      const refused = requestAllowed(kind, twin);
      expect(refused?.message).toContain(`file ${original.fileId}`);
      expect(refused?.fix).toContain(String(original.fileId));
    });

    it.each(['reprocess', 'clear'] as const)('%s of a file that is being loaded waits for its end', async (kind) => {
      const entry = await entryIn(await newLedger(), 'loading');
      expect(requestMustWait(kind, entry)).toBe(true);
    });

    it('retry takes the file again with attempts 0', async () => {
      const ledger = await newLedger();
      const entry = await entryIn(ledger, 'loading');
      const { entry: bad } = await ledger.end(entry.fileId, { state: 'failed' }, 'daemon', 'bad');
      const { to, change } = requestEffect('retry', bad);
      expect(await ledger.transition(bad.fileId, to, change, 'cli:ann', 'retry')).toMatchObject({
        state: 'discovered',
        attempts: 0,
        before: 'failed',
        generation: 1,
      });
    });

    it('release loads what was held: hold and skip do not apply again', async () => {
      const ledger = await newLedger();
      const held = await entryIn(ledger, 'held');
      const { to, change } = requestEffect('release', held);
      expect(await ledger.transition(held.fileId, to, change, 'cli:ann', 'release')).toMatchObject({
        state: 'discovered',
        released: true,
      });
    });

    it('reprocess keeps file_id, raises generation, runs no second after action, and the load stays live', async () => {
      const ledger = await newLedger();
      const entry = await loaded(ledger, 'a.csv');
      const { to, change } = requestEffect('reprocess', entry);
      expect(await ledger.transition(entry.fileId, to, change, 'cli:ann', 'reprocess')).toMatchObject({
        fileId: entry.fileId,
        state: 'discovered',
        generation: 2,
        attempts: 0,
        afterAction: false,
        released: true,
        liveLoadId: entry.loadId,
      });
    });

    it('reprocess of a file that was rejected runs its first after action when it is loaded', async () => {
      const rejected = await entryIn(await newLedger(), 'rejected');
      expect(requestEffect('reprocess', rejected).change.afterAction).toBeUndefined();
    });

    it('clear: rows stay, the load counts no more, and the file is taken again where it stands', async () => {
      const ledger = await newLedger();
      const entry = await loaded(ledger, 'a.csv');
      const { to, change } = requestEffect('clear', entry);
      expect(await ledger.transition(entry.fileId, to, change, 'cli:ann', 'clear')).toMatchObject({
        state: 'cleared',
        liveLoadId: null,
        loadId: entry.loadId,
      });
      expect(await ledger.unknown('orders', [entry.file])).toEqual([entry.file]);
      expect(await ledger.knownLoads(0, 10)).toMatchObject([{ loadId: entry.loadId, status: 'cleared' }]);
    });

    it('clear of a rejected reprocess clears the load that stayed live', async () => {
      const ledger = await newLedger();
      const entry = await loaded(ledger, 'a.csv');
      await ledger.transition(entry.fileId, 'discovered', { generation: 2, attempts: 0 }, 'cli:ann', 'reprocess');
      await ledger.claim(
        entry.fileId,
        { loadKey: 'second', duplicateAllowed: false, generation: 2, worker: DAEMON },
        'daemon',
      );
      await ledger.end(entry.fileId, { state: 'rejected', loadId: 7_777 }, 'daemon', 'bad');
      expect(await ledger.transition(entry.fileId, 'cleared', {}, 'cli:ann', 'clear')).toMatchObject({
        state: 'cleared',
        liveLoadId: null,
        loadId: entry.loadId,
      });
    });
  });

  describe('the request box', () => {
    it('keeps requests in the order asked until they are closed', async () => {
      const ledger = await newLedger();
      const [one, two] = [await loaded(ledger, 'a.csv'), await loaded(ledger, 'b.csv')];
      const first = await ledger.request({
        kind: 'reprocess',
        fileId: two.fileId,
        actor: 'cli:ann',
        reason: 'wrong rates',
      });
      const second = await ledger.request({ kind: 'clear', fileId: one.fileId, actor: 'cli:bob', reason: '' });
      expect(await ledger.openRequests()).toMatchObject([
        { requestId: first, kind: 'reprocess', fileId: two.fileId, actor: 'cli:ann', reason: 'wrong rates' },
        { requestId: second, kind: 'clear', fileId: one.fileId },
      ]);
      expect(await ledger.requestResult(first)).toBeNull();
      await ledger.closeRequest(first, { ok: false, message: 'SOURCE_GONE' });
      expect(await ledger.requestResult(first)).toEqual({ ok: false, message: 'SOURCE_GONE' });
      expect((await ledger.openRequests()).map((request) => request.requestId)).toEqual([second]);
    });

    it('the same asked twice is one request', async () => {
      const ledger = await newLedger();
      const entry = await loaded(ledger, 'a.csv');
      const ask = { kind: 'reprocess' as const, fileId: entry.fileId, actor: 'cli:ann', reason: '' };
      expect(await ledger.request(ask)).toBe(await ledger.request(ask));
    });

    it('an unknown ID is refused', async () => {
      expect(
        await codeOf((await newLedger()).request({ kind: 'retry', fileId: 12, actor: 'cli:ann', reason: '' })),
      ).toBe('UNKNOWN_FILE');
    });
  });

  describe('the list', () => {
    it('has all that is open, and the last of the rest with what became of them', async () => {
      const ledger = await newLedger();
      const ask = async (state: FileState): Promise<number> => {
        const { fileId } = await entryIn(ledger, state);
        return await ledger.request({ kind: 'ignore', fileId, actor: 'cli:ann', reason: 'old' });
      };
      const [first, second, third] = [await ask('held'), await ask('failed'), await ask('rejected')];
      await ledger.closeRequest(second, { ok: true, message: '' });
      await ledger.closeRequest(third, { ok: false, message: 'no' });
      const [one, ...others] = await ledger.requests(1);
      expect(one).toMatchObject({ requestId: third, path: 'rejected.csv', fileState: 'rejected', actor: 'cli:ann' });
      expect(one?.closed).toMatchObject({ ok: false, message: 'no' });
      expect(others.map(({ requestId, closed }) => [requestId, closed])).toEqual([[first, null]]);
      expect((await ledger.requests(10)).map(({ requestId }) => requestId)).toEqual([third, second, first]);
    });

    it('an open one can be cancelled, once', async () => {
      const ledger = await newLedger();
      const { fileId } = await entryIn(ledger, 'held');
      const id = await ledger.request({ kind: 'ignore', fileId, actor: 'cli:ann', reason: '' });
      expect(await ledger.cancelRequest(id, 'cancelled by cli:bob')).toBe(true);
      expect(await ledger.openRequests()).toEqual([]);
      expect(await ledger.requestResult(id)).toEqual({ ok: false, message: 'cancelled by cli:bob' });
      expect(await ledger.cancelRequest(id, 'again')).toBe(false);
      expect(await ledger.cancelRequest(id + 1, 'never asked')).toBeNull();
    });
  });

  describe('transition', () => {
    it.each(['loading', 'loaded', 'landing', 'landed'] as const)('nobody can say that a file is %s', async (to) => {
      const ledger = await newLedger();
      const entry = await entryIn(ledger, 'held');
      expect(await codeOf(ledger.transition(entry.fileId, to, {}, 'cli:ann', 'magic'))).toBe('WRONG_STATE');
    });

    it('a file that is being loaded is left alone', async () => {
      const ledger = await newLedger();
      const entry = await entryIn(ledger, 'loading');
      expect(await codeOf(ledger.transition(entry.fileId, 'ignored', {}, 'cli:ann', 'ignore'))).toBe('WRONG_STATE');
    });

    it.each(['rejected', 'held', 'failed'] satisfies EndState[])(
      'says in the history who did what to a %s file',
      async (state) => {
        const ledger = await newLedger();
        const entry = await entryIn(ledger, state);
        await ledger.transition(entry.fileId, 'ignored', {}, 'cli:ann', 'ignore: test data');
        expect((await ledger.detail(entry.fileId))?.history.at(-1)).toMatchObject({
          from: state,
          to: 'ignored',
          actor: 'cli:ann',
          reason: 'ignore: test data',
        });
      },
    );
  });
}
