import { TallymanError } from '../../core/errors.js';
import { isOpen } from '../../core/states.js';
import { backToEnd, wrongState } from '../rules/changes.js';
import { apply } from './apply.js';
import type { Claim, Queue } from '../../core/ledger/queue.js';
import type { FileEntry } from '../../core/entry.js';
import { DAEMON, type Workers } from '../../core/ledger/workers.js';
import { changeState, findEntry, freeWaiting, mustFind, mustFindRow, type Cause } from './change.js';
import { admitFacts } from './facts.js';
import { feedId } from './feeds.js';
import { before, ENTRY, entryBy, fromIsoOrNull, int, sha, toEntry } from './entry-rows.js';
import { rememberPacked } from './packed.js';
import type { Store } from './store/store.js';

/** The way of a version from its turn to its end. */
export function queue(store: Store, workers: Workers): Omit<Queue, 'end'> {
  const cause = (actor: string, reason: string): Cause => ({ actor, reason, at: store.now() });
  return {
    entry: (fileId) => store.read(() => findEntry(store, fileId)),
    facts: (fileId, options) => store.read(() => admitFacts(store, fileId, options)),
    versions: (feed, path, limit) =>
      store.read(() =>
        store
          .all(
            `${ENTRY} where feed_id = ? and path = ? order by file_id desc limit ?`,
            feedId(store, feed),
            path,
            limit,
          )
          .map(toEntry),
      ),
    waiting: (feed, limit, options) => store.read(() => waiting(store, feed, limit, options)),
    interrupted: async (worker) => (await inHand(store)).filter(({ lease }) => lease?.worker === worker),
    expired: () => expired(store, workers),
    // A worker's lock lasts as long as its process: there is nothing to renew.
    renew: () => Promise.resolve(null),
    takeOver: (fileId, worker) =>
      store.write(() => {
        store.run(
          `update entry set owner = null where file_id = ? and owner = ? and state not in ('landing', 'loading')`,
          fileId,
          worker,
        );
      }),
    setContent: (fileId, sha256, contentSha256 = null) =>
      store.write(() => {
        const feed = int(mustFindRow(store, fileId), 'feed_id');
        store.run('update entry set sha256 = ? where file_id = ?', sha(sha256), fileId);
        if (contentSha256 === sha256) store.run('update entry set plain = 1 where file_id = ?', fileId);
        rememberPacked(store, feed, sha256, contentSha256);
      }),
    move: (fileId, to, actor, reason, landedPath) =>
      store.write(() => {
        move(store, fileId, to, landedPath ?? null, cause(actor, reason));
      }),
    wait: (fileId, forFileId) =>
      store.write(() => {
        wait(store, fileId, forFileId);
      }),
    claim: (fileId, claim, actor) => store.write(() => claimEntry(store, fileId, claim, cause(actor, 'claimed'))),
    unclaim: (fileId, options, actor, reason) =>
      store.write(() => {
        unclaim(store, fileId, options, cause(actor, reason));
      }),
    giveBack: (fileId, actor, reason) =>
      store.write(() => {
        const row = mustFindRow(store, fileId);
        apply(store, backToEnd(toEntry(row), before(row)), cause(actor, reason));
        return mustFind(store, fileId);
      }),
    died: (fileId, chunk) =>
      store.write(() => {
        const { deaths } = mustFind(store, fileId);
        const count = deaths.chunk === chunk ? deaths.count + 1 : 1;
        store.run('update entry set death_chunk = ?, death_count = ? where file_id = ?', chunk, count, fileId);
        return count;
      }),
  };
}

function inHand(store: Store): Promise<readonly FileEntry[]> {
  return store.read(() =>
    store.all(`${entryBy('entry_busy')} where state in ('landing', 'landed', 'loading') order by file_id`).map(toEntry),
  );
}

async function* expired(store: Store, workers: Workers): AsyncIterable<FileEntry> {
  for (const { fileId } of await reserved(store)) {
    const entry = await store.read(() => findEntry(store, fileId));
    if (!entry?.owner || !isOpen(entry.state)) continue;
    if (!(await workers.lives(entry.owner))) yield entry;
  }
}

/** Open entries of `load` commands. */
function reserved(store: Store): Promise<readonly FileEntry[]> {
  return store.read(() =>
    store
      .all(
        `${entryBy('entry_owner')} where owner is not null and state in ('discovered', 'landing', 'landed', 'loading') order by file_id`,
      )
      .map(toEntry),
  );
}

/** Both orders are read off an index; what waits for its backoff or for another file is passed over inside it. */
function waiting(
  store: Store,
  feed: string,
  limit: number,
  options: Parameters<Queue['waiting']>[2],
): readonly FileEntry[] {
  const until = options.ignoreBackoff ? Number.MAX_SAFE_INTEGER : store.now();
  const turn = `feed_id = ? and state in ('discovered', 'landed') and wait_for is null and owner is null and (retry_at is null or retry_at <= ? or retry_at > ?)`;
  const after = Math.min(Number.MAX_SAFE_INTEGER, store.now() + (options.longestMs ?? Infinity));
  const sql =
    options.newestFirst === true
      ? `${entryBy('entry_open')} where ${turn} and state in ('discovered', 'landing', 'landed', 'loading') order by order_us desc, path desc, e.file_id desc limit ?`
      : `${entryBy('entry_queue')} where ${turn} order by e.file_id limit ?`;
  return store.all(sql, feedId(store, feed), until, after, limit).map(toEntry);
}

function move(
  store: Store,
  fileId: number,
  to: 'discovered' | 'landing' | 'landed',
  landedPath: string | null,
  cause: Cause,
): void {
  const entry = mustFind(store, fileId);
  if (!isOpen(entry.state) || entry.state === 'loading') throw wrongState(entry, `it cannot become ${to}`);
  if (to === 'landed' && landedPath === null)
    throw new TallymanError('WRONG_STATE', `File ${fileId} cannot have landed nowhere.`);
  store.run('update entry set landed_path = ? where file_id = ?', to === 'landed' ? landedPath : null, fileId);
  changeState(store, fileId, entry.state, to, cause);
}

function wait(store: Store, fileId: number, forFileId: number): void {
  const entry = mustFind(store, fileId);
  if (!isOpen(entry.state)) throw wrongState(entry, 'it has ended and waits for nothing');
  const other = findEntry(store, forFileId);
  // It may have ended since the decision; then there is nothing to wait for.
  if (other === null || fileId === forFileId || !(isOpen(other.state) || other.state === 'held')) return;
  // The other one was decided upon while it was being loaded, and has gone back since: those who wait for this one
  // decide again, or both would wait for ever.
  freeWaiting(store, fileId);
  store.run('update entry set wait_for = ? where file_id = ?', forFileId, fileId);
}

function claimEntry(store: Store, fileId: number, claim: Claim, cause: Cause): FileEntry {
  const row = mustFindRow(store, fileId);
  const entry = toEntry(row);
  if (entry.state !== 'discovered' && entry.state !== 'landed') throw wrongState(entry, 'it cannot be claimed');
  if ((entry.owner ?? DAEMON) !== claim.worker) throw wrongState(entry, 'another process works on it');
  const sha256 = claim.sha256 ?? entry.sha256;
  if (!claim.duplicateAllowed && entry.liveLoadId === null && entry.file.size > 0) {
    const twin = twinInLoading(store, int(row, 'feed_id'), entry, sha256);
    if (twin !== null) throw wrongState(entry, `file ${twin}, which may be of the same content, is being loaded`);
  }
  store.run(
    `update entry set load_key = ?, sha256 = ?, attempts = attempts + 1, generation = ?, duplicate_allowed = ?, retry_at = null, wait_for = null where file_id = ?`,
    claim.loadKey,
    sha(sha256),
    claim.generation,
    claim.duplicateAllowed ? 1 : 0,
    fileId,
  );
  changeState(store, fileId, entry.state, 'loading', cause);
  return mustFind(store, fileId);
}

function unclaim(store: Store, fileId: number, options: Parameters<Queue['unclaim']>[1], cause: Cause): void {
  const entry = mustFind(store, fileId);
  if (entry.state !== 'loading') throw wrongState(entry, 'only a file that is being loaded can go back');
  const { lease } = options;
  if (lease && (entry.lease?.worker !== lease.worker || entry.lease.attempt !== lease.attempt))
    throw wrongState(entry, 'somebody else works on it by now');
  store.run(
    'update entry set attempts = ?, retry_at = ?, error = ? where file_id = ?',
    entry.attempts - (options.uncount && entry.attempts > 0 ? 1 : 0),
    fromIsoOrNull(options.retryAt),
    options.error === null ? null : JSON.stringify(options.error),
    fileId,
  );
  changeState(store, fileId, 'loading', entry.landedPath === null ? 'discovered' : 'landed', cause);
  // They waited because it was being loaded. Now it may itself have to wait for one of them.
  freeWaiting(store, fileId);
}

/**
 * Two decisions may have been made at the same time; the claim is where they meet. What is live already was known to
 * both.
 */
function twinInLoading(store: Store, feed: number, entry: FileEntry, sha256: string | null): number | null {
  const content = sha(sha256);
  const found = store.value(
    `select file_id from entry where feed_id = ? and size = ? and state in ('landing', 'landed', 'loading') and state = 'loading' and live_load_id is null and file_id <> ?
     and (sha256 is null or ? is null or sha256 = ?) limit 1`,
    feed,
    entry.file.size,
    entry.fileId,
    content,
    content,
  );
  return typeof found === 'number' ? found : null;
}
