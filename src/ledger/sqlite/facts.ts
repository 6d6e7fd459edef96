import { isAged } from '../../core/file.js';
import type { AdmitFacts, FactsAsked } from '../../core/ledger/queue.js';
import { orderUs, type FileEntry } from '../../core/entry.js';
import { mustFindRow } from './change.js';
import { deliveriesOf, isMixed, packedIn } from './packed.js';
import { ENTRY, hexOf, int, intOrNull, sha, text, toEntry } from './entry-rows.js';
import type { Row, Store } from './store/store.js';

/** The entry being decided, as the queries need it. */
interface Subject {
  readonly entry: FileEntry;
  readonly feed: number;
  /** Every delivery of its content, its own bytes first. Empty = nothing is known of it. */
  readonly contents: readonly Buffer[];
  /** JSON list of load_ids that go on an operator's word: neither live versions nor originals. */
  readonly outgoing: string;
}

/**
 * Everything that the decision table asks, each by a bounded number of index lookups: with 1,000,000 equal or equally
 * named files in the feed too. `seen` and `twin_path` are explained in schema-1.ts.
 */
export function admitFacts(store: Store, fileId: number, options: FactsAsked): AdmitFacts {
  const row = mustFindRow(store, fileId);
  const entry = toEntry(row);
  const sha256 = options.sha256 ?? entry.sha256;
  const feed = int(row, 'feed_id');
  const byBytes = options.byBytes === true;
  const packed = byBytes ? null : (options.contentSha256 ?? packedIn(store, feed, sha(sha256)));
  const subject: Subject = {
    entry,
    feed,
    contents: byBytes ? listed(sha(sha256)) : deliveriesOf(store, feed, sha(sha256), sha(packed)),
    outgoing: JSON.stringify(entry.replaces),
  };
  const snapshot = options.snapshot ? snapshotFacts(store, subject) : null;
  const facts: AdmitFacts = {
    entry,
    sha256,
    contentSha256: packed ?? (sha256 !== null && isPlain(row) ? sha256 : null),
    mixed: !byBytes && isMixed(store, feed),
    present: present(store, subject),
    live: liveVersion(store, subject),
    liveSamePath: firstOf(subject, (content) => liveSamePath(store, subject, content)),
    liveElsewhere: firstOf(subject, (content) => liveElsewhere(store, subject, content)),
    ignoredSame: firstOf(subject, (content) => sameContent(store, subject, content, 'seen = 2')),
    inProgressSame: firstOf(subject, (content) => inProgressSame(store, subject, content)),
    heldSame: firstOf(subject, (content) => sameContent(store, subject, content, 'seen = 4')),
    loadingUnhashed: entry.file.size === 0 ? null : loadingUnhashed(store, subject),
    sameSize:
      snapshot === null
        ? sameSize(store, subject)
        : snapshot.live !== null && snapshot.live.fileId !== fileId && snapshot.live.file.size === entry.file.size,
    outgoingGeneration: Math.max(
      ...(subject.contents.length === 0 ? [null] : subject.contents).map((content) =>
        outgoingGeneration(store, subject, content),
      ),
    ),
    laterRejected: laterRejected(store, subject),
    snapshot: snapshot === null ? null : { ...snapshot, liveIsSame: isSame(subject, snapshot.live) },
  };
  return { ...facts, repacked: repacked(store, facts) };
}

const listed = (hash: Buffer | null): readonly Buffer[] => (hash === null ? [] : [hash]);

const isPlain = (row: Row): boolean => intOrNull(row, 'plain') === 1;

function isSame({ contents }: Subject, other: FileEntry | null): boolean {
  const hash = sha(other?.sha256 ?? null);
  return hash !== null && contents.some((content) => content.equals(hash));
}

/** Those among the facts that were delivered as other bytes. */
function repacked(store: Store, facts: AdmitFacts): readonly number[] {
  if (facts.mixed !== true || facts.sha256 === null) return [];
  const { liveElsewhere } = facts;
  const named = [facts.liveSamePath, liveElsewhere?.fileId ?? null, facts.ignoredSame, facts.snapshot?.live?.fileId];
  const others = named
    .filter((fileId) => typeof fileId === 'number')
    .filter((fileId) => {
      const row = store.get('select sha256 from entry where file_id = ?', fileId);
      return row !== null && hexOf(row, 'sha256') !== facts.sha256;
    });
  if (liveElsewhere?.fileId !== null) return others;
  const row = store.get('select sha256 from receipt where load_id = ? and file_id is null', liveElsewhere.loadId);
  return row !== null && hexOf(row, 'sha256') !== facts.sha256 ? [...others, 0] : others;
}

/** The first answer for a delivery of the content, its own bytes before others. */
function firstOf<T>({ contents }: Subject, find: (content: Buffer) => T | null): T | null {
  for (const content of contents) {
    const found = find(content);
    if (found !== null) return found;
  }
  return null;
}

function present(store: Store, { entry, feed }: Subject): AdmitFacts['present'] {
  const row = store.get(
    `${ENTRY} where feed_id = ? and path = ? and file_id <> ? order by file_id desc limit 1`,
    feed,
    entry.file.path,
    entry.fileId,
  );
  if (row === null) return null;
  const found = toEntry(row);
  if (found.movedTo !== null || found.deleted || found.state === 'vanished' || found.state === 'cleared') return null;
  // A rejected file counts for nothing when it comes again; that the server's clock went on is no coming.
  const isOlder = found.state === 'rejected' && isAged(found.file, entry.file);
  return {
    entry: found,
    seen:
      int(row, 'seen') > 0 ||
      isOlder ||
      isLiveDuplicate(store, row) ||
      (found.state === 'ignored' && found.sha256 === null),
  };
}

/** A duplicate counts as long as its original does. */
function isLiveDuplicate(store: Store, row: Row): boolean {
  if (text(row, 'state') !== 'duplicate') return false;
  const of = intOrNull(row, 'duplicate_of');
  return of === null || originalCounts(store, of);
}

export function originalCounts(store: Store, fileId: number): boolean {
  return store.value(`select live_load_id is not null or state = 'ignored' from entry where file_id = ?`, fileId) === 1;
}

function liveVersion(store: Store, { entry, feed, outgoing }: Subject): FileEntry | null {
  const row = store.get(
    `${ENTRY} where feed_id = ? and path = ? and file_id <> ? and live_load_id is not null and live_load_id not in (select value from json_each(?)) order by file_id desc limit 1`,
    feed,
    entry.file.path,
    entry.fileId,
    outgoing,
  );
  return row === null ? null : toEntry(row);
}

/**
 * In a branch of equals without twin_path there is one load at most; the others, which may be very many, are found by
 * their path.
 */
const TWIN_BRANCHES = [
  'seen = 1 and twin_path is null and path = ?',
  'seen = 1 and twin_path = ?',
  'seen = 6 and twin_path = ?',
];

function liveSamePath(store: Store, { entry, feed, outgoing }: Subject, content: Buffer): number | null {
  const where = 'feed_id = ? and sha256 = ? and file_id <> ? and live_load_id not in (select value from json_each(?))';
  for (const branch of TWIN_BRANCHES) {
    const found = store.value(
      `select file_id from entry where ${where} and ${branch} limit 1`,
      feed,
      content,
      entry.fileId,
      outgoing,
      entry.file.path,
    );
    if (typeof found === 'number') return found;
  }
  return null;
}

function liveElsewhere(store: Store, { entry, feed, outgoing }: Subject, content: Buffer): AdmitFacts['liveElsewhere'] {
  // twin_path first: null (the original) sorts before the allowed duplicates
  const own = store.get(
    `select file_id, live_load_id from entry where feed_id = ? and sha256 = ? and seen = 1 and path <> ? and file_id <> ?
     and live_load_id not in (select value from json_each(?)) order by twin_path limit 1`,
    feed,
    content,
    entry.file.path,
    entry.fileId,
    outgoing,
  );
  if (own !== null) return { fileId: int(own, 'file_id'), loadId: int(own, 'live_load_id') };
  const foreign = store.get(
    `select load_id from receipt where feed_id = ? and sha256 = ? and file_id is null and status = 'loaded' and rows_read > 0 and load_id not in (select value from json_each(?)) limit 1`,
    feed,
    content,
    outgoing,
  );
  return foreign === null ? null : { fileId: null, loadId: int(foreign, 'load_id') };
}

/**
 * The oldest first, read off the index: what is not live has no twin_path. Named, or the planner walks the whole feed
 * in order of file_id.
 */
const BY_CONTENT =
  'select file_id from entry indexed by entry_content where feed_id = ? and sha256 = ? and twin_path is null';

function sameContent(store: Store, { entry, feed }: Subject, content: Buffer, where: string): number | null {
  if (entry.file.size === 0) return null;
  const found = store.value(
    `${BY_CONTENT} and ${where} and file_id <> ? order by file_id limit 1`,
    feed,
    content,
    entry.fileId,
  );
  return typeof found === 'number' ? found : null;
}

/** Being loaded, or open and earlier: of two that wait for their turn the later one waits, never both. */
function inProgressSame(store: Store, { entry, feed }: Subject, content: Buffer): number | null {
  if (entry.file.size === 0) return null;
  const found = store.value(
    `${BY_CONTENT} and seen = 3 and file_id <> ? and (state = 'loading' or file_id < ?) order by file_id limit 1`,
    feed,
    content,
    entry.fileId,
    entry.fileId,
  );
  return typeof found === 'number' ? found : null;
}

function loadingUnhashed(store: Store, { entry, feed }: Subject): number | null {
  const found = store.value(
    `select file_id from entry where feed_id = ? and size = ? and state in ('landing', 'landed', 'loading') and state = 'loading' and sha256 is null and file_id <> ? limit 1`,
    feed,
    entry.file.size,
    entry.fileId,
  );
  return typeof found === 'number' ? found : null;
}

/** Every empty file is of equal content, and none is a duplicate of another path: no reason to read anything. */
function sameSize(store: Store, { entry, feed }: Subject): boolean {
  if (entry.file.size === 0) return false;
  const own = store.get(
    'select 1 from entry where feed_id = ? and size = ? and seen between 1 and 5 and file_id <> ? limit 1',
    feed,
    entry.file.size,
    entry.fileId,
  );
  if (own !== null) return true;
  return (
    store.get(
      `select 1 from receipt where feed_id = ? and size = ? and file_id is null and status = 'loaded' and rows_read > 0 limit 1`,
      feed,
      entry.file.size,
    ) !== null
  );
}

function outgoingGeneration(store: Store, { entry, feed, outgoing }: Subject, content: Buffer | null): number {
  const withRows = `exists (select 1 from receipt r where r.load_id = e.load_id and r.file_id = e.file_id and r.status = 'cleared')`;
  const found = store.get(
    `select max(
       coalesce((select max(e.generation) from entry e where e.feed_id = ? and e.path = ? and e.state = 'cleared' and e.file_id <> ? and ${withRows}), 0),
       coalesce((select max(e.generation) from entry e where e.feed_id = ? and e.sha256 = ? and e.seen = 5 and e.file_id <> ? and ${withRows}), 0),
       coalesce((select max(generation) from receipt where load_id in (select value from json_each(?)) and status in ('loaded', 'cleared')), 0)
     ) as generation`,
    feed,
    entry.file.path,
    entry.fileId,
    feed,
    content,
    entry.fileId,
    outgoing,
  );
  return found === null ? 0 : int(found, 'generation');
}

function laterRejected(store: Store, { entry, feed }: Subject): readonly number[] {
  const where = `feed_id = ? and path = ? and state in ('rejected', 'failed') and state = 'rejected' and file_id > ? and load_id is not null`;
  return store
    .all(
      `select load_id from entry where ${where} order by file_id desc limit 1000`,
      feed,
      entry.file.path,
      entry.fileId,
    )
    .map((row) => int(row, 'load_id'));
}

function snapshotFacts(store: Store, { entry, feed }: Subject): NonNullable<AdmitFacts['snapshot']> {
  const last = store.get(
    `${ENTRY} where file_id = (select last_loaded from feed where feed_id = ?) and live_load_id is not null`,
    feed,
  );
  const loading = store.value(
    `select file_id from entry where feed_id = ? and state in ('landing', 'landed', 'loading') and state = 'loading' and file_id <> ? limit 1`,
    feed,
    entry.fileId,
  );
  // (order_us, path, file_id): no mtime sorts first, as in intake/admit.ts, newerSnapshot
  const newer = store.value(
    `select file_id from entry where feed_id = ? and state in ('discovered', 'landing', 'landed', 'loading')
     and (coalesce(order_us, -1), path, file_id) > (?, ?, ?) order by order_us desc, path desc, file_id desc limit 1`,
    feed,
    orderUs(entry) ?? -1,
    entry.file.path,
    entry.fileId,
  );
  return {
    live: last === null ? null : toEntry(last),
    liveHasRecords: last !== null && (intOrNull(last, 'live_read') ?? 0) > 0,
    loading: typeof loading === 'number' ? loading : null,
    newerOpen: typeof newer === 'number' ? newer : null,
  };
}
