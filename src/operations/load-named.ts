import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import path from 'node:path';
import { messageOf, TallymanError } from '../core/errors.js';
import type { FeedSpec } from '../core/feed/feed.js';
import type { FileEntry } from '../core/entry.js';
import type { Arrivals } from '../core/ledger/arrivals.js';
import type { Queue } from '../core/ledger/queue.js';
import type { Requests } from '../core/ledger/requests.js';
import { acquireClaimLock } from '../ledger/sqlite/lock.js';
import { direct } from '../sources/local/direct.js';
import { encodeName } from '../sources/common/path-name.js';
import type { Engine } from '../daemon/engine.js';
import { besideDaemon } from '../flow/renamed-feeds.js';
import { processFile } from '../flow/process-file.js';
import { reconcileStores } from '../flow/recover.js';

/**
 * How often a file is looked at again that changed while it was read, or waits for another one to end, and the pause
 * between: a minute.
 */
const LOOKS = 240;
const LOOK_MS = 250;

/**
 * The path in the ledger is the absolute one; the folder's symbolic links are resolved, the file itself must not be
 * one. Throws NOT_FOUND and USAGE.
 */
export async function namedFile(file: string): Promise<string> {
  const full = path.resolve(file);
  try {
    const found = path.join(realpathSync(path.dirname(full)), path.basename(full));
    if ((await direct.stat(encodeName(Buffer.from(found)))) !== null) return found;
  } catch (error) {
    if (error instanceof TallymanError)
      throw new TallymanError('USAGE', `${file}: ${error.message}`, {
        cause: error,
        fix: 'Name a regular file that may be read.',
      });
    throw new TallymanError('NOT_FOUND', `${file}: ${messageOf(error)}`, { cause: error });
  }
  throw new TallymanError('NOT_FOUND', `${file}: there is no such file`);
}

interface NamedParts {
  readonly ledger: Arrivals & Queue & Requests;
  readonly dataDir: string;
  /** The engine's parts, with this worker's name in their claims. */
  readonly engine: (worker: string) => Promise<Engine>;
  readonly actor: string;
  readonly say: (text: string) => void;
}

/** `load FILE`: one file that a person named, down the line at once. null = it has its outcome, reported. */
export async function loadNamed(
  parts: NamedParts,
  feed: FeedSpec,
  file: string,
  replaces: readonly number[],
  signal: AbortSignal,
): Promise<TallymanError | null> {
  const { ledger, actor } = parts;
  const name = encodeName(Buffer.from(file));
  // Held while we work: the daemon beside us leaves this file alone, and takes it over if we die.
  const owner = `load-${createHash('sha256').update(`${feed.name}\0${name}`).digest('hex').slice(0, 32)}`;
  const claim = acquireClaimLock(parts.dataDir, owner);
  try {
    const engine = await parts.engine(owner);
    await besideDaemon(engine.flowParts, () => reconcileStores(engine.flowParts, new Map([[feed.name, feed]])));
    let entry: FileEntry | null = null;
    for (let look = 0; look < LOOKS && !signal.aborted; look++) {
      const seen = await direct.stat(name);
      if (seen === null) return new TallymanError('NOT_FOUND', `${file}: there is no such file`);
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
        parts.say(`${file}: known as file ${entry.fileId}, ${entry.state}; nothing to do`);
        return null;
      }
      const outcome = await processFile(engine.flowParts, entry, feed);
      if (outcome.kind === 'pause-database' || outcome.kind === 'pause-feed') return outcome.error;
      if (outcome.kind !== 'aside') return null;
      const waitsFor = await heldTwin(ledger, entry);
      if (waitsFor !== null) {
        parts.say(
          `${file}: waits for file ${waitsFor}, of the same content, which is held: tallyman release ${waitsFor}, or tallyman ignore ${waitsFor}`,
        );
        await engine.flowParts.reported(entry.fileId);
        return null;
      }
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
    if (signal.aborted) return await letGo(parts, entry, file);
    return new TallymanError('FILE_CHANGED', `${file} still changes, or waits for another file with the same content`, {
      fix: 'The daemon, or the next run, goes on with it.',
    });
  } finally {
    claim.release();
  }
}

/** A person took the command back: nobody is to go on with the file later. */
async function letGo({ ledger, actor }: NamedParts, entry: FileEntry | null, file: string): Promise<TallymanError> {
  const now = entry === null ? null : await ledger.entry(entry.fileId);
  if (now?.state === 'discovered') {
    if (now.before === null) await ledger.end(now.fileId, { state: 'cleared' }, actor, 'load was interrupted');
    else await ledger.giveBack(now.fileId, actor, 'load was interrupted');
  }
  return new TallymanError('INTERRUPTED', `${file}: interrupted; nothing of it was loaded`);
}

/** The held file that this one waits for; null = none. Only a person can end that wait. */
async function heldTwin(ledger: Queue, entry: FileEntry): Promise<number | null> {
  const waitFor = (await ledger.entry(entry.fileId))?.waitFor ?? null;
  return waitFor !== null && (await ledger.entry(waitFor))?.state === 'held' ? waitFor : null;
}
