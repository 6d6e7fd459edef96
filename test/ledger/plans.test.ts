import path from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it, vi } from 'vitest';
import { DAEMON } from '../../src/core/ledger/workers.js';
import type { Ledger } from '../../src/core/ledger/index.js';
import { openLedger } from '../../src/ledger/sqlite/sqlite-ledger.js';
import { discover, ended, hashOf, load, loaded, look, receipt, temporaryDir } from './support.js';

/** Every call of the contract once, so that every statement is prepared. */
async function everything(ledger: Ledger): Promise<void> {
  const far = '2100-01-01T00:00:00Z';
  const first = await loaded(ledger, 'a.csv', { more: { action: { kind: 'move', argument: 'done', companions: [] } } });
  const bad = await ended(ledger, look('a.csv'), { state: 'rejected' });
  const twin = await ended(ledger, look('b.csv'), { state: 'duplicate', duplicateOf: first.fileId });
  const [next, other] = [await discover(ledger, look('a.csv')), await discover(ledger, look('d.csv'))];
  await discover(ledger, look('d.csv'));
  await ledger.unknown('orders', [look('e.csv')]);
  for (const snapshot of [true, false]) await ledger.facts(next.fileId, { snapshot, sha256: hashOf('x') });
  await ledger.wait(other.fileId, next.fileId);
  await ledger.versions('orders', 'a.csv', 2);
  for (const newestFirst of [true, false])
    for (const ignoreBackoff of [true, false]) await ledger.waiting('orders', 10, { ignoreBackoff, newestFirst });
  await load(ledger, next, { replaced: [first.loadId ?? 0], more: { olderSnapshots: true } });
  await ledger.died(twin.fileId, 1);
  await ledger.interrupted(DAEMON);
  for await (const entry of ledger.expired()) expect(entry.owner).not.toBeNull();
  const id = await ledger.request({ kind: 'reprocess', fileId: bad.fileId, actor: '', reason: '' });
  await ledger.openRequests();
  await ledger.closeRequest(id, { ok: true, message: '' });
  await ledger.requestResult(id);
  await ledger.requests(10);
  await ledger.cancelRequest(id, '');
  await ledger.transition(next.fileId, 'cleared', {}, '', '');
  const own = receipt({ instanceId: ledger.instanceId });
  await ledger.takeReceipts([own, receipt(), { ...own, status: 'cleared' }]);
  await ledger.byLoadId(own.loadId);
  await ledger.byLoadKey(own.loadKey);
  await ledger.newestLoad();
  await ledger.knownLoads(0, 10);
  await ledger.receiptLost(own.loadKey, 'failed', '');
  for (const action of await ledger.dueActions(far, 10))
    await ledger.actionDone(action.actionId, { state: 'done', detail: '', movedTo: null });
  await ledger.files({ limit: 10, feed: 'orders' });
  await ledger.files({ limit: 10, states: ['failed', 'held'] });
  await ledger.files({ limit: 10, states: ['failed'], feed: 'orders' });
  await ledger.files({ limit: 10, since: far });
  await ledger.files({ limit: 10, since: far, until: far });
  await ledger.files({ limit: 10, finishedSince: far });
  await ledger.files({ limit: 10, ids: [1, 2] });
  await ledger.detail(first.fileId);
  await ledger.feedSummaries(far);
  await ledger.feeds();
  await ledger.renameFeed('orders', 'new orders');
}

/** Walks in order of file_id that stop at their limit: `files` without a selector that has an index. */
const WALKS = [/from entry e where true .*order by e\.file_id desc limit \d+$/];

/** Partial indexes of what is under way now. */
const SMALL = /USING (COVERING )?INDEX (entry_busy|entry_owner|request_open)/;

describe('with 10,000,000 files', () => {
  it('no statement reads a whole table, nor all of a feed, a size, a state or a content', async () => {
    const dir = temporaryDir();
    const prepare = vi.spyOn(Database.prototype, 'prepare');
    const ledger = openLedger(dir);
    await everything(ledger);
    await ledger.close();
    const statements = [...new Set(prepare.mock.calls.map(([sql]) => sql))].filter((sql) =>
      /^\s*(select|update|insert|delete)/.test(sql),
    );
    prepare.mockRestore();
    const db = new Database(path.join(dir, 'ledger.db'), { readonly: true });
    const slow: string[] = [];
    for (const sql of statements) {
      const plan = db
        .prepare(`explain query plan ${sql}`)
        .all(...(sql.match(/\?/g) ?? []).map(() => null))
        .map((row) => String((row as { detail: unknown }).detail));
      const scans = plan.filter(
        (detail) =>
          /^SCAN (e|n|r|entry|receipt|history|action|request|detail)\b/.test(detail) &&
          !SMALL.test(detail) &&
          !WALKS.some((walk) => walk.test(sql)),
      );
      const sorts = plan.filter(
        (detail) =>
          detail.includes('TEMP B-TREE') &&
          !plan.some((other) => SMALL.test(other)) &&
          !/group by|json_each\(\?\)|e\.state in|from feed where/.test(sql),
      );
      // Indexes whose first column alone says little: a search must use more of them.
      const wide = plan.filter((detail) => /INDEX entry_(size|path|content|cleared|bad) \(feed_id=\?\)/.test(detail));
      const wholeFeed = plan.filter(
        (detail) =>
          detail.includes('entry_feed') && !WALKS.some((walk) => walk.test(sql)) && !sql.includes('max(file_id)'),
      );
      for (const detail of [...scans, ...sorts, ...wide, ...wholeFeed]) slow.push(`${detail}\n    in ${sql}`);
    }
    db.close();
    expect(statements.length).toBeGreaterThan(60);
    expect(slow).toEqual([]);
  });
});
