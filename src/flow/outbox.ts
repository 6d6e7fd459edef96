import { messageOf, TallymanError } from '../core/errors.js';
import type { FileEntry } from '../core/entry.js';
import type { PlannedAction, PlannedActions } from '../core/ledger/outbox.js';
import type { Queue } from '../core/ledger/queue.js';
import type { Source } from '../core/source.js';
import { isOpen } from '../core/states.js';
import { backoff } from '../base/backoff.js';
import { wait } from '../base/wait.js';
import type { Log } from '../core/log.js';
import { isGoneOrOther, runAction } from './run-action.js';

/** Actions under way at once. Renames and deletes are short; more would only queue on the same disk or server. */
const CONCURRENCY = 4;
/** Actions fetched at once. */
const BATCH = 200;
/** How often the ledger is asked for due actions, milliseconds. */
const POLL_MS = 1_000;
/** Pauses between tries of an action that fails: it is tried without end. */
const RETRY = { baseMs: 5_000, maxMs: 10 * 60_000 };
/** An action waits this long while its file is being taken again (reprocess). */
const BUSY_MS = 5_000;
/** Clocks are slewed by less than this between two looks. */
const SET_BACK_MS = 2_000;
/** Later than any backoff: `drain` tries the pending ones now (`run --once`). */
const END_OF_TIME = '9999-12-31T23:59:59.999Z';

export interface OutboxParts {
  readonly ledger: PlannedActions & Pick<Queue, 'entry'>;
  readonly log: Log;
  /** The source that holds the entry's bytes; throws UNKNOWN_FEED when its feed is no longer in the config. */
  source(entry: FileEntry): Source;
  /** Another version stands under the name: look at the path again. */
  lookAgain(entry: FileEntry): void;
}

/**
 * Runs the after actions (docs/spec/after.md) that the ledger planned with each outcome: after the commit, in their own
 * time, tried without end, and never touching what became of the file. What an action finds decides:
 *
 * - the very version: acted on, markers and manifests with it
 * - another version, or none: dropped with the reason; another one is looked at again
 * - a duplicate whose original is not loaded (any more): dropped, these bytes may be the only ones
 * - anything else: tried again later
 */
export class Outbox {
  readonly #parts: OutboxParts;

  constructor(parts: OutboxParts) {
    this.#parts = parts;
  }

  /**
   * The daemon's loop, until the signal; actions under way are ended first. Never throws: a ledger that cannot be read
   * now is asked again.
   */
  async run(signal: AbortSignal): Promise<void> {
    let failures = 0;
    // At the start nobody knows what the clock was when it was down.
    let ahead = Infinity;
    while (!signal.aborted) {
      // The next tries stand in the ledger by the wall clock: when it has been set back they would wait for as long as
      // it was, so all have their turn.
      const offset = Date.now() - performance.now();
      const setBack = offset < ahead - SET_BACK_MS;
      ahead = offset;
      try {
        await this.#pass(setBack ? END_OF_TIME : new Date().toISOString(), signal);
        failures = 0;
      } catch (error) {
        failures++;
        this.#parts.log.error({}, `after actions wait: ${messageOf(error)}`);
      }
      await wait(failures === 0 ? POLL_MS : backoff(failures, RETRY), signal);
    }
  }

  /** Every planned action once, those in a backoff too. */
  async drain(signal: AbortSignal): Promise<void> {
    await this.#pass(END_OF_TIME, signal);
  }

  /** Fetches and runs until nothing is due that has not failed in this pass. */
  async #pass(due: string, signal: AbortSignal): Promise<void> {
    const failed = new Set<number>();
    for (let stuck = 0; !signal.aborted;) {
      // Those that failed may be due still: asked for so many more, the others are among them.
      const limit = BATCH + stuck;
      const actions = await this.#parts.ledger.dueActions(due, limit);
      const fresh = actions.filter((action) => !failed.has(action.actionId));
      if (fresh.length === 0 && actions.length < limit) return;
      stuck = actions.length - fresh.length;
      const queue = fresh.values();
      const worker = async (): Promise<void> => {
        for (const action of queue) {
          if (signal.aborted) return;
          if (!(await this.#act(action))) failed.add(action.actionId);
        }
      };
      await Promise.all(Array.from({ length: CONCURRENCY }, worker));
    }
  }

  /** False when it is to be tried again. */
  async #act(action: PlannedAction): Promise<boolean> {
    const { ledger, log } = this.#parts;
    // As it is now: an operator may have cleared it, or asked for it again, since the action was planned.
    const entry = (await ledger.entry(action.entry.fileId)) ?? action.entry;
    const told = { feed: entry.feed, path: entry.file.path, action: action.kind };
    try {
      const objection = await this.#objection(entry, action);
      if (objection?.kind === 'wait') return await this.#postpone(action, objection.reason, BUSY_MS);
      if (objection?.kind === 'drop')
        return await this.#end(action, { state: 'dropped', detail: objection.reason, movedTo: null });
      const { detail, movedTo } = await runAction(this.#parts.source(entry), action, entry);
      log.debug(told, detail);
      return await this.#end(action, { state: 'done', detail, movedTo });
    } catch (error) {
      const reason = messageOf(error);
      if (isGoneOrOther(error)) {
        log.info(told, `not done: ${reason}`);
        this.#parts.lookAgain(entry);
        return await this.#end(action, { state: 'dropped', detail: reason, movedTo: null });
      }
      log.warn(
        {
          ...told,
          code: 'AFTER_ACTION_FAILED',
          ...(error instanceof TallymanError ? { code: error.code, fix: error.fix } : {}),
        },
        `failed, tried again later: ${reason}`,
      );
      return await this.#postpone(action, reason, backoff(action.attempts + 1, RETRY));
    }
  }

  /** Why the action must not run although the very version may be there; null = nothing stands against it. */
  async #objection(entry: FileEntry, action: PlannedAction): Promise<Objection | null> {
    if (isOpen(entry.state)) return { kind: 'wait', reason: `the file is being taken again (${entry.state})` };
    if (entry.deleted) return { kind: 'drop', reason: 'it was deleted before' };
    if (entry.state === 'duplicate') return await this.#objectionToDuplicate(entry, action);
    const acts = ['loaded', 'superseded', 'rejected', 'failed'].includes(entry.state);
    return acts ? null : { kind: 'drop', reason: `the file is ${entry.state} now` };
  }

  /**
   * The original must be loaded at this moment. Of one that another instance loaded the ledger cannot tell: moving is
   * safe, deleting is not.
   */
  async #objectionToDuplicate(entry: FileEntry, action: PlannedAction): Promise<Objection | null> {
    if (entry.duplicateOf === null)
      return action.kind === 'delete'
        ? { kind: 'drop', reason: 'its original was loaded by another tallyman: these bytes may be the only ones here' }
        : null;
    const original = await this.#parts.ledger.entry(entry.duplicateOf);
    if (original?.state === 'loaded') return null;
    if (original !== null && isOpen(original.state))
      return {
        kind: 'wait',
        reason: `its original, file ${original.fileId}, is being taken again (${original.state})`,
      };
    return {
      kind: 'drop',
      reason: `its original, file ${entry.duplicateOf}, is ${original?.state ?? 'gone'}, not loaded: these bytes may be the only ones`,
    };
  }

  async #end(action: PlannedAction, outcome: Parameters<PlannedActions['actionDone']>[1]): Promise<true> {
    await this.#parts.ledger.actionDone(action.actionId, outcome);
    return true;
  }

  async #postpone(action: PlannedAction, reason: string, ms: number): Promise<false> {
    await this.#parts.ledger.actionFailed(action.actionId, reason, new Date(Date.now() + ms).toISOString());
    return false;
  }
}

interface Objection {
  readonly kind: 'wait' | 'drop';
  readonly reason: string;
}
