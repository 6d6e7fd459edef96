import type { FeedSpec } from '../core/feed/feed.js';
import type { AdmitFacts } from '../core/ledger/queue.js';
import { orderUs, type FileEntry } from '../core/entry.js';
import type { ReplaceRule } from '../core/load.js';

/** What is to become of a version. The `need...` kinds ask for a fact: find it out and decide again. */
export type Decision =
  | {
      readonly kind: 'load';
      readonly replaces: ReplaceRule;
      readonly duplicateAllowed: boolean;
      readonly generation: number;
      /** The ledger knows of no live load of the path; whether the database does, the load finds out. */
      readonly firstOfPath: boolean;
      readonly reason: string;
    }
  /** `of` null: the original was loaded by another instance. */
  | { readonly kind: 'duplicate'; readonly of: number | null; readonly reason: string }
  | { readonly kind: 'hold'; readonly reason: string }
  | { readonly kind: 'ignore'; readonly reason: string }
  /** Same bytes as the path's present version: Ledger.absorb(entry, present). */
  | { readonly kind: 'touched'; readonly present: number }
  /** Ledger.wait. */
  | { readonly kind: 'wait'; readonly forFileId: number; readonly reason: string }
  | { readonly kind: 'superseded'; readonly by: number; readonly reason: string }
  | { readonly kind: 'needHash' }
  /** sha256 of the first `bytes` bytes; give it as probes.prefix. */
  | { readonly kind: 'needPrefixHash'; readonly bytes: number; readonly of: number }
  /** Is it an empty file (0 bytes, only a BOM, only blank lines)? Give it as probes.empty. */
  | { readonly kind: 'needEmptyCheck' };

/** The feed's policies, as far as the table asks for them. FeedSpec fits. */
export interface AdmitPolicy {
  readonly onDuplicate: FeedSpec['onDuplicate'];
  readonly onChanged: FeedSpec['onChanged'];
  readonly target: { readonly mode: FeedSpec['target']['mode'] };
}

/** What only the bytes can tell. */
export interface Probes {
  /** Answer to needPrefixHash. */
  readonly prefix: { readonly of: number; readonly sha256: string } | null;
  /** Answer to needEmptyCheck; null = not asked yet. A file of 0 bytes needs no check. */
  readonly empty: boolean | null;
}

export const NO_PROBES: Probes = { prefix: null, empty: null };

/**
 * The decision table (docs/spec/which-file-is-new.md#the-decision-table): a rule a function, the first that answers
 * decides. Pure. Each rule stands under the sentence of that page which it keeps. The order is the meaning:
 *
 *  1. same bytes as the path's present version: touched
 *  2. the hash is asked for only when it can matter
 *  3. a snapshot feed takes one file at a time, the newest
 *  4. a version that is taken again replaces its own live load
 *  5. same bytes under the same name before: `duplicate`
 *  6. same bytes under another name: on_duplicate
 *  7. same bytes whose outcome is open: wait for it
 *  8. another version of the path is loaded: on_changed
 *  9. otherwise load
 */
export function admit(facts: AdmitFacts, policy: AdmitPolicy, probes: Probes = NO_PROBES): Decision {
  return (
    touched(facts) ??
    hashNeeded(facts) ??
    snapshotOrder(facts) ??
    takenAgain(facts) ??
    olderVersion(facts) ??
    elsewhere(facts, policy, probes) ??
    undecidedTwin(facts, probes) ??
    changed(facts, policy, probes) ??
    load(facts, { others: [] }, 'new content')
  );
}

/** "same bytes as the path's present version: only touched, no entry, no report" */
function touched(facts: AdmitFacts): Decision | null {
  const { entry, sha256 } = facts;
  const now = present(facts);
  // What was tried or decided once has a history to keep; it is never dropped.
  if (now?.seen !== true || entry.attempts > 0 || entry.loadKey !== null || entry.before !== null) return null;
  return sameBytes(now.entry, entry, sha256) ? { kind: 'touched', present: now.entry.fileId } : null;
}

/** "one file at a time, newest by mtime then path; an older one becomes `superseded` and touches nothing" */
function snapshotOrder({ entry, snapshot }: AdmitFacts): Decision | null {
  if (snapshot === null) return null;
  if (snapshot.loading !== null)
    return { kind: 'wait', forFileId: snapshot.loading, reason: 'a snapshot feed loads one file at a time' };
  // The newer one may yet be rejected: then this one is the best snapshot there is. So it waits and is not superseded
  // before its time.
  if (snapshot.newerOpen !== null)
    return { kind: 'wait', forFileId: snapshot.newerOpen, reason: 'a newer snapshot is waiting' };
  const live = otherThan(entry, snapshot.live);
  if (live !== null && newerSnapshot(live, entry))
    return {
      kind: 'superseded',
      by: live.fileId,
      reason: `older than the snapshot that is loaded (file ${live.fileId})`,
    };
  return null;
}

function hashNeeded(facts: AdmitFacts): Decision | null {
  if (facts.sha256 !== null || facts.entry.liveLoadId !== null) return null;
  const now = present(facts);
  return facts.sameSize || (now?.seen === true && now.entry.file.size === facts.entry.file.size)
    ? { kind: 'needHash' }
    : null;
}

/**
 * Reprocess: "its earlier rows are replaced, not doubled". Its own live load is no obstacle, and whether it may stand
 * beside equals was settled then.
 */
function takenAgain(facts: AdmitFacts): Decision | null {
  const { entry } = facts;
  return entry.liveLoadId === null
    ? null
    : load(facts, { others: [] }, `takes the place of its own load ${entry.liveLoadId}`);
}

/** "Content that is live as an older version of the same path ends as `duplicate`" (whatever on_duplicate says) */
function olderVersion(facts: AdmitFacts): Decision | null {
  const { liveSamePath, snapshot } = facts;
  if (liveSamePath === null || snapshot !== null) return null;
  return {
    kind: 'duplicate',
    of: liveSamePath,
    reason: `same content as file ${liveSamePath}, loaded under this path${packing(facts, liveSamePath)}`,
  };
}

/** "Seen under another path: `on_duplicate`"; "a file of 0 records is never a duplicate of another path" */
function elsewhere(facts: AdmitFacts, policy: AdmitPolicy, probes: Probes): Decision | null {
  const { entry } = facts;
  const original = originalOf(facts);
  if (original === null || isEmpty(entry, probes) || policy.onDuplicate === 'load') return null;
  const file = original.fileId === null ? 'a file that another instance loaded' : `file ${original.fileId}`;
  const name = `${file}${packing(facts, original.fileId ?? 0)}`;
  if (policy.onDuplicate === 'skip')
    return { kind: 'duplicate', of: original.fileId, reason: `same content as ${name}` };
  return entry.released ? null : { kind: 'hold', reason: `same content as ${name} (on_duplicate: hold)` };
}

/** What is told of bytes that are not equal, although what is packed in them is. */
const packing = ({ repacked }: AdmitFacts, fileId: number): string =>
  repacked?.includes(fileId) === true ? ', delivered packed another way' : '';

/** "Content equal to a version in progress or held waits for its end" */
function undecidedTwin(facts: AdmitFacts, probes: Probes): Decision | null {
  if (isEmpty(facts.entry, probes) || originalOf(facts) !== null || facts.snapshot !== null) return null;
  const { inProgressSame, heldSame, loadingUnhashed, entry } = facts;
  if (inProgressSame !== null)
    return {
      kind: 'wait',
      forFileId: inProgressSame,
      reason: `same content as file ${inProgressSame}, which is in progress`,
    };
  // Released: the operator has seen both; waiting for the other hold would make the release void.
  if (heldSame !== null && !entry.released)
    return { kind: 'wait', forFileId: heldSame, reason: `same content as file ${heldSame}, which is held` };
  if (loadingUnhashed !== null)
    return {
      kind: 'wait',
      forFileId: loadingUnhashed,
      reason: `file ${loadingUnhashed} of the same size is being read; its content is known then`,
    };
  return null;
}

/** "`on_changed` applies when an earlier version of the path is loaded" */
function changed(facts: AdmitFacts, policy: AdmitPolicy, probes: Probes): Decision | null {
  const { entry } = facts;
  const live = facts.snapshot === null ? facts.live : samePathLive(facts);
  if (live === null) return null;
  switch (entry.released && policy.onChanged !== 'replace' ? 'load' : policy.onChanged) {
    case 'hold':
      return { kind: 'hold', reason: `file ${live.fileId} is loaded under this path (on_changed: hold)` };
    case 'skip':
      return { kind: 'ignore', reason: `file ${live.fileId} is loaded under this path (on_changed: skip)` };
    case 'replace':
      return replacePath(facts, live, probes);
    case 'load':
      return facts.snapshot === null ? grown(facts, live, probes) : null;
  }
}

/**
 * "replace (the path's earlier rows go in the same transaction)"; "an empty version of a loaded path is held (a writer
 * may have truncated it)"
 */
function replacePath(facts: AdmitFacts, live: FileEntry, probes: Probes): Decision {
  const { entry } = facts;
  if (!entry.released) {
    // An older version that comes late (a retry, a landed copy that had to wait) must not push out a newer one.
    if (live.fileId > entry.fileId)
      return {
        kind: 'superseded',
        by: live.fileId,
        reason: `file ${live.fileId}, a later version of the path, is loaded`,
      };
    const empty = entry.file.size === 0 ? true : probes.empty;
    if (empty === null) return { kind: 'needEmptyCheck' };
    if (empty)
      return {
        kind: 'hold',
        reason: `empty, but file ${live.fileId} is loaded under this path (on_changed: replace): a writer may have truncated it`,
      };
  }
  return load(facts, { others: [live], path: true }, `replaces the loads of its path (file ${live.fileId})`);
}

/**
 * "when the new content begins with exactly the bytes of the path's loaded version, `load` acts as replace: a half file
 * that slipped through does no harm"
 */
function grown(facts: AdmitFacts, live: FileEntry, probes: Probes): Decision {
  const { entry } = facts;
  const further = (): Decision =>
    load(facts, { others: [] }, `a further version of its path (file ${live.fileId} is loaded)`);
  if (live.sha256 === null || live.fileId > entry.fileId || entry.file.size <= live.file.size) return further();
  if (probes.prefix?.of !== live.fileId) return { kind: 'needPrefixHash', bytes: live.file.size, of: live.fileId };
  if (probes.prefix.sha256 !== live.sha256) return further();
  // Only the load that it has grown from goes: an earlier, unlike version of the path is other data and stays.
  return load(
    facts,
    { others: [live], ids: live.liveLoadId === null ? [] : [live.liveLoadId] },
    `file ${live.fileId} has grown: replaces its load`,
  );
}

/**
 * Everything that a load needs to know. `others`: entries whose loads go with it; `ids`: those of them that are named;
 * `path`: all of the path.
 */
function load(
  facts: AdmitFacts,
  gone: { readonly others: readonly FileEntry[]; readonly ids?: readonly number[]; readonly path?: boolean },
  reason: string,
): Decision {
  const { entry, snapshot } = facts;
  const snapshotLive = otherThan(entry, snapshot?.live ?? null);
  const others = snapshotLive === null ? gone.others : [...gone.others, snapshotLive];
  const outgoing = Math.max(facts.outgoingGeneration, ...others.map((other) => other.generation));
  const own = entry.liveLoadId === null ? [] : [entry.liveLoadId];
  return {
    kind: 'load',
    replaces: {
      loadIds: [...new Set([...own, ...entry.replaces, ...(gone.ids ?? [])])],
      path: gone.path ?? false,
      feed: snapshot !== null,
      ...(facts.laterRejected.length > 0 && { keep: facts.laterRejected }),
    },
    // A second live receipt of the content: only where one is there and a policy or a person said so. It stays allowed
    // when it is taken again.
    duplicateAllowed:
      entry.duplicateAllowed || (entry.liveLoadId === null && snapshot === null && facts.liveElsewhere !== null),
    // A load that replaces another raises the generation; reprocess has raised the entry's own already.
    generation: Math.max(entry.generation, outgoing + 1),
    firstOfPath: snapshot === null && facts.live === null && entry.liveLoadId === null,
    reason,
  };
}

/**
 * The one that a duplicate names. Seen is what has a live receipt in this feed, or is held, ignored or in progress; in
 * a snapshot feed only the one live load counts (docs/spec/which-file-is-new.md#seen).
 */
function originalOf(facts: AdmitFacts): { readonly fileId: number | null } | null {
  if (facts.entry.liveLoadId !== null) return null;
  if (facts.snapshot !== null) return snapshotTwin(facts);
  return facts.liveElsewhere ?? (facts.ignoredSame === null ? null : { fileId: facts.ignoredSame });
}

function snapshotTwin({ entry, sha256, snapshot }: AdmitFacts): { readonly fileId: number } | null {
  const live = otherThan(entry, snapshot?.live ?? null);
  if (snapshot === null || typeof live?.liveLoadId !== 'number' || sha256 === null) return null;
  if (!(snapshot.liveIsSame ?? live.sha256 === sha256)) return null;
  const counts =
    snapshot.liveHasRecords && live.file.path !== entry.file.path && !entry.replaces.includes(live.liveLoadId);
  return counts ? { fileId: live.fileId } : null;
}

/** In a snapshot feed an earlier version of the path that is not the one live load counts for nothing. */
function samePathLive({ entry, snapshot }: AdmitFacts): FileEntry | null {
  const live = otherThan(entry, snapshot?.live ?? null);
  return live?.file.path === entry.file.path ? live : null;
}

function present(facts: AdmitFacts): AdmitFacts['present'] {
  const { present: now, snapshot } = facts;
  if (now === null || snapshot === null || now.entry.fileId === snapshot.live?.fileId) return now;
  return { entry: now.entry, seen: false };
}

function sameBytes(now: FileEntry, entry: FileEntry, sha256: string | null): boolean {
  if (now.fileId > entry.fileId) return false;
  if (now.sha256 !== null) return now.sha256 === sha256;
  // Adopted without being read: nothing to compare but size and mtime. A chmod or a restore (new ctime, new inode) must
  // not load an old drop.
  return (
    now.state === 'ignored' &&
    now.file.size === entry.file.size &&
    now.file.mtimeUs !== null &&
    now.file.mtimeUs === entry.file.mtimeUs
  );
}

const isEmpty = (entry: FileEntry, probes: Probes): boolean => entry.file.size === 0 || probes.empty === true;

const otherThan = (entry: FileEntry, other: FileEntry | null): FileEntry | null =>
  other?.fileId === entry.fileId ? null : other;

/**
 * True when `a` comes after `b`: newest by mtime (one in the future is the arrival) then path; the same name again at
 * the same time: the later version.
 */
export function newerSnapshot(a: FileEntry, b: FileEntry): boolean {
  const [at, bt] = [orderUs(a) ?? -1, orderUs(b) ?? -1];
  if (at !== bt) return at > bt;
  const paths = Buffer.compare(Buffer.from(a.file.path), Buffer.from(b.file.path));
  return paths === 0 ? a.fileId > b.fileId : paths > 0;
}
