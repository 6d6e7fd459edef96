import type { EndOfFile, EndResult, Queue } from '../../core/ledger/queue.js';
import type { FileEntry } from '../../core/entry.js';
import { planEnd, receiptKey, type EndFacts } from '../rules/end.js';
import { apply } from './apply.js';
import { mustFind, mustFindRow, type Cause } from './change.js';
import { closeOlderSnapshots, supersedeEarlierBad, supersedeReplaced, type Consequences } from './consequences.js';
import { originalCounts } from './facts.js';
import { int, intOrNull, iso, toEntry } from './entry-rows.js';
import type { Store } from './store/store.js';

/** How versions end. */
export function ends(store: Store): Pick<Queue, 'end'> {
  return {
    end: (fileId, end, actor, reason) =>
      store.write(() => endFile(store, fileId, end, { actor, reason, at: store.now() })),
  };
}

function endFile(store: Store, fileId: number, end: EndOfFile, cause: Cause): EndResult {
  const row = mustFindRow(store, fileId);
  const entry = toEntry(row);
  const feed = int(row, 'feed_id');
  apply(store, planEnd(entry, end, factsOf(store, entry, end), iso(cause.at)), cause);
  const ended = mustFind(store, fileId);
  const consequences: Consequences = { superseded: [], closed: [], reopened: [] };
  const by = { fileId, loadKey: ended.loadKey, path: ended.file.path, sha256: ended.sha256 };
  supersedeReplaced(store, by, end.replaced ?? [], cause, consequences);
  if (end.state === 'loaded') {
    apply(store, [{ kind: 'newest-load', fileId }], cause);
    supersedeEarlierBad(store, ended, feed, cause, consequences);
    if (end.olderSnapshots === true) closeOlderSnapshots(store, ended, feed, cause, consequences);
  }
  return { entry: ended, ...consequences };
}

function factsOf(store: Store, entry: FileEntry, end: EndOfFile): EndFacts {
  const original = end.state === 'duplicate' ? (end.duplicateOf ?? null) : null;
  const loadKey = typeof end.loadId === 'number' ? receiptKey(entry, end) : null;
  const receipt = loadKey === null ? null : store.get('select file_id from receipt where load_key = ?', loadKey);
  return {
    originalCounts: original === null || originalCounts(store, original),
    receiptOf: receipt === null ? null : intOrNull(receipt, 'file_id'),
  };
}
