import { randomUUID } from 'node:crypto';
import { TallymanError } from '../core/errors.js';
import type { FeedSpec } from '../core/feed/feed.js';
import { sameVersion, type SeenFile } from '../core/file.js';
import type { FactsAsked } from '../core/ledger/queue.js';
import { isSamePlace } from '../core/ledger/place.js';
import type { FileEntry } from '../core/entry.js';
import type { FoundContent, LoadJob } from '../core/load.js';
import { admit, NO_PROBES, type Decision, type Probes } from '../intake/admit.js';
import { readBeside } from '../intake/beside.js';
import { isEmptyFile } from '../intake/empty.js';
import { hashFile } from '../intake/hash.js';
import { workDirOf } from '../load/progress.js';
import { decodeName } from '../sources/common/path-name.js';
import { standsAs } from '../core/entry.js';
import { attemptFailed, endFile, gone } from './end-file.js';
import type { WorkOutcome } from './outcome.js';
import { plannedAction } from './planned-action.js';
import type { FlowParts } from './flow-parts.js';
import { adopt, recoverUnknown, settleResult } from './settle-result.js';

/**
 * One version down the straight line, from `discovered` to its end: still there? -> decision table -> claim -> load ->
 * ledger. Every way out leaves the entry in a named state; nothing is thrown for what a file, a source or the database
 * does.
 */
export async function processFile(parts: FlowParts, listed: FileEntry, feed: FeedSpec): Promise<WorkOutcome> {
  const entry = await parts.ledger.entry(listed.fileId);
  if (entry === null) return { kind: 'done' };
  try {
    // Its COMMIT got no answer, and the database was away until now.
    if (entry.state === 'loading')
      return await recoverUnknown(
        parts,
        entry,
        feed,
        new TallymanError('DATABASE_UNREACHABLE', 'the connection was lost at COMMIT'),
      );
    if (entry.state !== 'discovered' && entry.state !== 'landed') return { kind: 'done' };
    if (parts.source(entry).localPath(standsAs(entry).path) === null) return await processRemote(parts, entry, feed);
    const present = await stillThere(parts, entry);
    return 'kind' in present ? present : await carryOut(parts, present, feed);
  } catch (error) {
    return await blame(parts, entry, feed, error);
  }
}

/** The first half of the line for a remote file: `discovered` -> `landed`. Its load is another turn (processFile). */
export async function landFile(parts: FlowParts, listed: FileEntry, feed: FeedSpec): Promise<WorkOutcome> {
  const entry = await parts.ledger.entry(listed.fileId);
  if (entry?.state !== 'discovered') return { kind: 'done' };
  try {
    const present = (await parts.landing.copyOf(entry)) === null ? await stillThere(parts, entry) : entry;
    return 'kind' in present ? present : { kind: 'landed', entry: await parts.landing.bring(parts, present) };
  } catch (error) {
    const outcome = await blame(parts, entry, feed, error);
    // Neither the source nor the disk holds up loads of what is here.
    return outcome.kind === 'pause-database' ? { kind: 'pause-feed', error: outcome.error } : outcome;
  }
}

/**
 * Landed first. A copy that is there whole was proven when it came: its source is asked no more, and may have deleted
 * the file since.
 */
async function processRemote(parts: FlowParts, entry: FileEntry, feed: FeedSpec): Promise<WorkOutcome> {
  const present = (await parts.landing.copyOf(entry)) === null ? await stillThere(parts, entry) : entry;
  if ('kind' in present) return present;
  const landed = await parts.landing.bring(parts, present);
  let ended = false;
  try {
    const outcome = await carryOut(parts, landed, feed);
    ended = outcome.kind === 'done';
    return outcome;
  } finally {
    await parts.landing.leave(entry, ended);
  }
}

/** The entry itself = this very version stands there. */
async function stillThere(parts: FlowParts, entry: FileEntry): Promise<WorkOutcome | FileEntry> {
  const expected = standsAs(entry);
  let now: SeenFile | null;
  try {
    now = await parts.source(entry).stat(expected.path);
  } catch (error) {
    if (!(error instanceof TallymanError) || error.code !== 'FILE_NOT_TAKEN') throw error;
    return await gone(parts, entry, error.message);
  }
  if (now === null) return await gone(parts, entry, 'gone before it was read');
  if (sameVersion(now, expected)) return entry;
  if (entry.before !== null)
    return (await sameBytes(parts, entry, now)) ?? (await gone(parts, entry, 'other content stands under its name'));
  parts.lookAgain(entry);
  return { kind: 'aside' };
}

/**
 * An operator asked for these bytes: a `touch`, a chmod or a copy put back is no reason to refuse them. Returns the
 * entry as it stands now; null = they are others.
 */
async function sameBytes(parts: FlowParts, entry: FileEntry, now: SeenFile): Promise<FileEntry | null> {
  const local = parts.source(entry).localPath(now.path);
  if (local === null || entry.sha256 === null || now.size !== entry.file.size) return null;
  const { sha256 } = await hashFile(decodeName(local), { version: now.version });
  if (sha256 !== entry.sha256) return null;
  await parts.ledger.touch(entry.fileId, now);
  return await parts.ledger.entry(entry.fileId);
}

/** How the feed wants its facts. */
const askedBy = (feed: FeedSpec): FactsAsked => ({
  snapshot: feed.order === 'newest',
  byBytes: feed.identity === 'bytes',
});

type Decided = Exclude<Decision, { kind: 'needHash' | 'needPrefixHash' | 'needEmptyCheck' }>;

/** A decision, and what it was made with. */
interface Made<D = Decided> {
  readonly decision: D;
  readonly sha256: string | null;
  readonly contentSha256: string | null;
  readonly mixed: boolean;
  readonly probes: Probes;
}
type LoadDecision = Extract<Decision, { kind: 'load' }>;

/**
 * The decision table (docs/spec/which-file-is-new.md#the-decision-table), asked again with what it needs to know. The
 * hash that was found out on the way goes into the ledger with the claim or the end, not in a write of its own: two
 * durable points a file are what small files can afford.
 */
async function decide(parts: FlowParts, entry: FileEntry, feed: FeedSpec): Promise<Made> {
  let sha256 = entry.sha256;
  let probes: Probes = NO_PROBES;
  for (;;) {
    const facts = await parts.ledger.facts(entry.fileId, { ...askedBy(feed), sha256 });
    const decision = admit(facts, feed, probes);
    switch (decision.kind) {
      case 'needHash': {
        ({ sha256 } = await hashFile(localBytes(parts, entry), { version: versionInPlace(entry) }));
        break;
      }
      case 'needPrefixHash': {
        const hashed = await hashFile(localBytes(parts, entry), {
          version: versionInPlace(entry),
          prefixBytes: decision.bytes,
        });
        if (hashed.prefixSha256 === null)
          throw new TallymanError('FILE_CHANGED', `${entry.file.path}: shorter than when it was listed`);
        sha256 = hashed.sha256;
        probes = { ...probes, prefix: { of: decision.of, sha256: hashed.prefixSha256 } };
        break;
      }
      case 'needEmptyCheck':
        probes = { ...probes, empty: await isEmptyFile(localBytes(parts, entry), entry.file.size) };
        break;
      default:
        return { decision, sha256, contentSha256: facts.contentSha256 ?? null, mixed: facts.mixed === true, probes };
    }
  }
}

/**
 * What is held or ignored counts as seen (docs/spec/which-file-is-new.md#seen), so its content must be known: else a
 * `touch` would hold it a second time.
 */
async function contentOf(parts: FlowParts, entry: FileEntry): Promise<string> {
  return (await hashFile(localBytes(parts, entry), { version: versionInPlace(entry) })).sha256;
}

const versionInPlace = (entry: FileEntry): string | null =>
  entry.landedPath === null ? standsAs(entry).version : null;

function localBytes(parts: FlowParts, entry: FileEntry): Buffer {
  const local = entry.landedPath ?? parts.source(entry).localPath(standsAs(entry).path);
  if (local === null) throw new TallymanError('INTERNAL', `${entry.uri} has not been landed`);
  return decodeName(local);
}

/** `told`: what others loaded under the path has been taken in just now. */
async function carryOut(parts: FlowParts, entry: FileEntry, feed: FeedSpec, told = false): Promise<WorkOutcome> {
  const made = await decide(parts, entry, feed);
  const { decision, sha256, contentSha256 } = made;
  switch (decision.kind) {
    case 'wait':
      if (sha256 !== null && sha256 !== entry.sha256) await parts.ledger.setContent(entry.fileId, sha256);
      await parts.ledger.wait(entry.fileId, decision.forFileId);
      parts.log.debug({ feed: feed.name, file_id: entry.fileId }, `${entry.file.path} waits: ${decision.reason}`);
      return { kind: 'aside' };
    case 'touched':
      await parts.ledger.absorb(entry.fileId, decision.present);
      return { kind: 'done' };
    case 'duplicate':
      return await endFile(
        parts,
        entry,
        {
          state: 'duplicate',
          duplicateOf: decision.of,
          sha256,
          contentSha256,
          action: plannedAction(feed, entry, 'duplicate', null),
        },
        decision.reason,
      );
    case 'hold':
      return await endFile(
        parts,
        entry,
        { state: 'held', sha256: sha256 ?? (await contentOf(parts, entry)), contentSha256 },
        decision.reason,
      );
    case 'ignore':
      return await endFile(
        parts,
        entry,
        { state: 'ignored', sha256: sha256 ?? (await contentOf(parts, entry)), contentSha256 },
        decision.reason,
      );
    case 'superseded':
      return await endFile(parts, entry, { state: 'superseded' }, decision.reason);
    case 'load':
      return await load(parts, entry, feed, {
        ...made,
        decision: told ? { ...decision, firstOfPath: false } : decision,
      });
  }
}

async function load(
  parts: FlowParts,
  entry: FileEntry,
  feed: FeedSpec,
  made: Made<LoadDecision>,
): Promise<WorkOutcome> {
  const { decision, sha256 } = made;
  const bytes = localBytes(parts, entry);
  const localPath = bytes.toString();
  const stands = standsAs(entry);
  const beside = await readBeside(feed, parts.source(entry), {
    file: entry.file,
    movedTo: entry.movedTo,
    suffix: String(entry.fileId),
  });
  const loadKey = randomUUID();
  const claimed = await parts.ledger.claim(
    entry.fileId,
    {
      loadKey,
      sha256,
      duplicateAllowed: decision.duplicateAllowed,
      generation: decision.generation,
      worker: parts.worker,
    },
    parts.actor,
  );
  const job: LoadJob = {
    loadKey,
    instanceId: parts.ledger.instanceId,
    host: parts.place.host,
    fileId: entry.fileId,
    feed,
    database: parts.database,
    workDir: workDirOf(parts.dataDir),
    file: {
      path: entry.file.path,
      uri: entry.uri,
      localPath,
      localPathHex: bytes.equals(Buffer.from(localPath)) ? null : bytes.toString('hex'),
      size: entry.file.size,
      mtimeUs: entry.file.mtimeUs,
      version: stands.version,
      inPlace: entry.landedPath === null,
      sha256: claimed.sha256,
    },
    manifest: beside.manifest,
    beside: beside.said,
    generation: decision.generation,
    duplicateAllowed: decision.duplicateAllowed,
    replaces: { ...decision.replaces, firstOfPath: decision.firstOfPath },
    content: { sha256: made.contentSha256, mixed: made.mixed },
  };
  const result = await parts.load(job, (found) => decisionStands(parts, feed, made, found));
  if (result.outcome === 'known-content') {
    await parts.ledger.setContent(claimed.fileId, result.sha256, result.contentSha256);
    const reason = 'what it holds is known from another delivery: decided on anew';
    await parts.ledger.unclaim(claimed.fileId, { uncount: true, retryAt: null, error: null }, parts.actor, reason);
    const again = await parts.ledger.entry(claimed.fileId);
    return again === null ? { kind: 'done' } : await carryOut(parts, again, feed);
  }
  if (result.outcome === 'known-path') return await learn(parts, claimed, feed, result.loadIds);
  return await settleResult(parts, claimed, feed, result, decision.firstOfPath);
}

/** Whether the decision to load would be made in just this way with what has been found out meanwhile. */
async function decisionStands(
  { ledger }: FlowParts,
  feed: FeedSpec,
  { decision: was, probes }: Made<LoadDecision>,
  { fileId, sha256, contentSha256 }: FoundContent,
): Promise<boolean> {
  const facts = await ledger.facts(fileId, { ...askedBy(feed), sha256, contentSha256 });
  const now = admit(facts, feed, probes);
  return (
    now.kind === 'load' &&
    now.duplicateAllowed === was.duplicateAllowed &&
    now.generation === was.generation &&
    JSON.stringify(now.replaces) === JSON.stringify(was.replaces)
  );
}

/**
 * Another data_dir has loaded the path since we started: this very version, and then its load is ours, too; or an
 * earlier one, which is known now, and the version decided on anew.
 */
async function learn(
  parts: FlowParts,
  entry: FileEntry,
  feed: FeedSpec,
  loadIds: readonly number[],
): Promise<WorkOutcome> {
  const { ledger, receipts, place, actor } = parts;
  const found = await receipts.byIds(loadIds);
  const { size, version } = standsAs(entry);
  const same = found.find(
    (receipt) =>
      receipt.size === size &&
      receipt.version === version &&
      (entry.sha256 === null || entry.sha256 === receipt.sha256),
  );
  if (same !== undefined && (await ledger.byLoadKey(same.loadKey)) === null)
    return await adopt(parts, entry, feed, same, 'another tallyman loaded this very file');
  await ledger.takeReceipts(found, (receipt) => isSamePlace(place, receipt));
  const reason = `the path is loaded already (load ${loadIds.join(', ')}): decided on anew`;
  await ledger.unclaim(entry.fileId, { uncount: true, retryAt: null, error: null }, actor, reason);
  const again = await ledger.entry(entry.fileId);
  return again === null ? { kind: 'done' } : await carryOut(parts, again, feed, true);
}

/** What was thrown on the way to the claim: by its code it is the file's, the source's or the program's fault. */
async function blame(parts: FlowParts, entry: FileEntry, feed: FeedSpec, thrown: unknown): Promise<WorkOutcome> {
  const error = TallymanError.of(thrown);
  switch (error.blame) {
    case 'version':
      parts.lookAgain(entry);
      return { kind: 'aside' };
    case 'pause':
      return error.code === 'SOURCE_UNREACHABLE' || error.code === 'LANDING_FULL'
        ? { kind: 'pause-feed', error }
        : { kind: 'pause-database', error };
    case 'feed':
      return { kind: 'pause-feed', error };
    case 'command':
      // The ledger said "decide again": an equal file came in between. Its end brings this one back.
      if (error.code === 'WRONG_STATE' || error.code === 'INTERRUPTED') return { kind: 'aside' };
      return await countedFailure(parts, entry, feed, error);
    case 'file':
    case 'attempt':
      return await countedFailure(parts, entry, feed, error);
  }
}

/**
 * It failed before the claim (unreadable for the hash, say): the attempt is counted as a claim would, so that it is not
 * made for ever.
 */
async function countedFailure(
  parts: FlowParts,
  entry: FileEntry,
  feed: FeedSpec,
  error: TallymanError,
): Promise<WorkOutcome> {
  const current = await parts.ledger.entry(entry.fileId);
  if (current === null) throw error;
  const { duplicateAllowed, generation } = current;
  const claimed =
    current.state === 'loading'
      ? current
      : await parts.ledger.claim(
          entry.fileId,
          { loadKey: randomUUID(), duplicateAllowed, generation, worker: parts.worker },
          parts.actor,
        );
  return await attemptFailed(parts, claimed, feed, error);
}
