import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { TallymanError } from '../core/errors.js';
import type { FeedSpec } from '../core/feed/feed.js';
import type { FileEntry } from '../core/entry.js';
import type { Arrivals } from '../core/ledger/arrivals.js';
import type { Queue } from '../core/ledger/queue.js';
import type { Requests } from '../core/ledger/requests.js';
import { acquireClaimLock, type Lock } from '../ledger/sqlite/lock.js';
import { direct } from '../sources/local/direct.js';
import { encodeName } from '../sources/common/path-name.js';
import { drainTimer, type DrainParts } from '../daemon/drain.js';
import type { Engine } from '../daemon/engine.js';
import type { EngineOptions } from '../daemon/engine-parts.js';
import { besideDaemon } from '../flow/renamed-feeds.js';
import { processFile } from '../flow/process-file.js';
import { reconcileStores } from '../flow/recover.js';
import { findFile, type Finding } from './find-file.js';
import { namedFile } from './named-file.js';

/**
 * How often a file is looked at again that changed while it was read, or waits for another one to end, and the pause
 * between: a minute.
 */
const LOOKS = 240;
const LOOK_MS = 250;

interface LoadParts extends DrainParts {
  readonly dataDir: string;
  /** Throws UNKNOWN_FEED. */
  feed(name: string): FeedSpec;
  ledger(): NamedLedger;
  /** The engine's parts, with this worker's name in their claims. What it loads is reported by its events. */
  engine(options: EngineOptions): Promise<Pick<Engine, 'flowParts'>>;
}

type NamedLedger = Finding &
  Pick<Arrivals, 'discover'> &
  Pick<Queue, 'end' | 'giveBack'> &
  Pick<Requests, 'transition'>;

interface LoadInput {
  readonly feed: string;
  readonly files: readonly string[];
  /** The file (its ID, or `load:N`) whose load these take the place of; null = none. */
  readonly replaces: string | null;
  readonly actor: string;
}

/** One file that was taken up; what became of it is reported as a `file` event. */
export interface NamedOutcome {
  /** Why there is nothing to tell of it, for people. */
  readonly note: string | null;
  readonly error: TallymanError | null;
}

/**
 * Local files down the line of a feed at once, one after the other: pattern, settle, ready and after actions do not
 * apply. One wrong name among them, and none is loaded. Ends early where the feed or the database cannot work.
 */
export async function* loadNamed(parts: LoadParts, input: LoadInput, signal: AbortSignal): AsyncIterable<NamedOutcome> {
  const feed: FeedSpec = {
    ...parts.feed(input.feed),
    after: { loaded: { kind: 'leave' }, rejected: { kind: 'leave' }, duplicate: { kind: 'leave' } },
  };
  const paths = await Promise.all(input.files.map(namedFile));
  const drain = drainTimer(parts, signal);
  try {
    const replaces = input.replaces === null ? [] : [await replacedLoad(parts.ledger(), feed.name, input.replaces)];
    for (const file of paths) {
      if (signal.aborted) return;
      const outcome = await loadOne(parts, { feed, file, replaces, actor: input.actor }, signal);
      yield outcome;
      if (outcome.error?.blame === 'pause' || outcome.error?.blame === 'feed') return;
    }
  } finally {
    drain.clear();
  }
}

/** The load whose rows go: the live one where a reprocess of it was rejected. */
async function replacedLoad(ledger: Finding, feed: string, id: string): Promise<number> {
  const entry = await findFile(ledger, id);
  if (entry.feed !== feed)
    throw new TallymanError('USAGE', `--replaces ${id}: that file is of feed ${entry.feed}, not of ${feed}`);
  const loadId = entry.state === 'superseded' ? entry.liveLoadId : (entry.liveLoadId ?? entry.loadId);
  if (loadId === null || (entry.state === 'ignored' && entry.liveLoadId === null))
    throw new TallymanError('WRONG_STATE', `--replaces ${id}: that file has no load to replace`);
  return loadId;
}

interface NamedLoad {
  readonly feed: FeedSpec;
  readonly file: string;
  /** load_ids. */
  readonly replaces: readonly number[];
  readonly actor: string;
}

async function loadOne(parts: LoadParts, load: NamedLoad, signal: AbortSignal): Promise<NamedOutcome> {
  const { feed, file, replaces, actor } = load;
  const ledger = parts.ledger();
  const name = encodeName(Buffer.from(file));
  // Held while we work: the daemon beside us leaves this file alone, and takes it over if we die.
  const owner = `load-${createHash('sha256').update(`${feed.name}\0${name}`).digest('hex').slice(0, 32)}`;
  const claim = await claimOf(parts.dataDir, owner, file, signal);
  if (claim instanceof TallymanError) return failed(claim);
  try {
    const engine = await parts.engine({ feeds: [feed], actor: 'load', once: true, worker: owner });
    await besideDaemon(engine.flowParts, () => reconcileStores(engine.flowParts, new Map([[feed.name, feed]])));
    let entry: FileEntry | null = null;
    for (let look = 0; look < LOOKS && !signal.aborted; look++) {
      const seen = await direct.stat(name);
      if (seen === null) return failed(new TallymanError('NOT_FOUND', `${file}: there is no such file`));
      entry = await ledger.discover(
        { feed: feed.name, file: seen, uri: direct.uri(name), settleSeconds: 0, owner, replaces },
        actor,
      );
      if (
        entry.state === 'rejected' ||
        entry.state === 'failed' ||
        (replaces.length > 0 && entry.state !== 'discovered' && entry.state !== 'loading')
      ) {
        // Known as it stands, and asked for by name: that is an operator's word to take it again.
        entry = await ledger.transition(entry.fileId, 'discovered', { attempts: 0, replaces }, actor, 'load');
      } else if (entry.state !== 'discovered') {
        return { note: `${file}: known as file ${entry.fileId}, ${entry.state}; nothing to do`, error: null };
      }
      const outcome = await processFile(engine.flowParts, entry, feed);
      if (outcome.kind === 'pause-database' || outcome.kind === 'pause-feed') return failed(outcome.error);
      if (outcome.kind !== 'aside') {
        const refused = replaces.length === 0 ? DONE : await notReplaced(ledger, entry, load);
        if (refused !== null) return refused;
        // The very bytes that are loaded under this path, touched: its entry is asked to take the other's place.
        continue;
      }
      const waitsFor = await heldTwin(ledger, entry);
      if (waitsFor !== null) {
        await engine.flowParts.reported(entry.fileId);
        return {
          note: `${file}: waits for file ${waitsFor}, of the same content, which is held: tallyman release ${waitsFor}, or tallyman ignore ${waitsFor}`,
          error: null,
        };
      }
      await sleep(LOOK_MS);
    }
    if (signal.aborted) return failed(await letGo(ledger, actor, entry, file));
    return failed(
      new TallymanError('FILE_CHANGED', `${file} still changes, or waits for another file with the same content`, {
        fix: 'The daemon, or the next run, goes on with it.',
      }),
    );
  } finally {
    claim.release();
  }
}

/** One command at a time works on a file: others wait for it, as long as it looks itself, and see what came of it. */
async function claimOf(
  dataDir: string,
  owner: string,
  file: string,
  signal: AbortSignal,
): Promise<Lock | TallymanError> {
  for (let look = 0; look < LOOKS && !signal.aborted; look++) {
    try {
      return acquireClaimLock(dataDir, owner);
    } catch (error) {
      if (!(error instanceof TallymanError && error.code === 'ALREADY_RUNNING')) throw error;
    }
    await sleep(LOOK_MS);
  }
  return signal.aborted
    ? new TallymanError('INTERRUPTED', `${file} was not begun: another \`load\` works on it`)
    : new TallymanError('ALREADY_RUNNING', `${file}: another \`load\` works on it`, {
        fix: 'Wait for its end, then ask again: what is loaded by then is not loaded twice.',
      });
}

/**
 * `--replaces` was asked for and the file has ended: it is loaded, or is reported as it is; where the decision table
 * passed over it, that says so. null = there is no such entry any more.
 */
async function notReplaced(
  ledger: NamedLedger,
  { fileId }: FileEntry,
  { file, replaces }: NamedLoad,
): Promise<NamedOutcome | null> {
  const now = await ledger.entry(fileId);
  if (now === null) return null;
  if (now.state !== 'duplicate' && now.state !== 'ignored' && now.state !== 'superseded') return DONE;
  const why =
    now.state === 'duplicate'
      ? `its content is loaded already${now.duplicateOf === null ? '' : ` as file ${now.duplicateOf}`}`
      : `the decision table passed over it (${now.state})`;
  return failed(
    new TallymanError(
      'WRONG_STATE',
      `${file}: ${why}, so it cannot take the place of load ${replaces.join(', ')}, which stays`,
      {
        fix: `To take those rows out: \`tallyman unload load:${replaces[0] ?? 0} --reason R\`.`,
      },
    ),
  );
}

const DONE: NamedOutcome = { note: null, error: null };
const failed = (error: TallymanError): NamedOutcome => ({ note: null, error });

/** A person took the command back: nobody is to go on with the file later. */
async function letGo(
  ledger: NamedLedger,
  actor: string,
  entry: FileEntry | null,
  file: string,
): Promise<TallymanError> {
  const now = entry === null ? null : await ledger.entry(entry.fileId);
  if (now?.state === 'discovered') {
    if (now.before === null) await ledger.end(now.fileId, { state: 'cleared' }, actor, 'load was interrupted');
    else await ledger.giveBack(now.fileId, actor, 'load was interrupted');
  }
  return new TallymanError('INTERRUPTED', `${file}: interrupted; nothing of it was loaded`);
}

/** The held file that this one waits for; null = none. Only a person can end that wait. */
async function heldTwin(ledger: Finding, entry: FileEntry): Promise<number | null> {
  const waitFor = (await ledger.entry(entry.fileId))?.waitFor ?? null;
  return waitFor !== null && (await ledger.entry(waitFor))?.state === 'held' ? waitFor : null;
}
