import type { Config } from '../config/config.js';
import type { TallymanError } from '../core/errors.js';
import type { FeedSpec } from '../core/feed/feed.js';
import type { Source } from '../core/source.js';
import { findUnmatched, type Unmatched } from '../flow/unmatched.js';
import { drainTimer, type DrainParts } from '../daemon/drain.js';
import type { Engine } from '../daemon/engine.js';
import type { EngineOptions } from '../daemon/engine-parts.js';

interface RunParts extends DrainParts {
  readonly config: DrainParts['config'] & Pick<Config, 'feeds'>;
  source(feed: FeedSpec): Source;
  /** The feeds of these names, null = all. Throws UNKNOWN_FEED. */
  feeds(names: readonly string[] | null): readonly FeedSpec[];
  /** Every file that it handles is reported by its events. */
  engine(options: EngineOptions): Promise<Pick<Engine, 'runOnce' | 'waitingFor'>>;
}

interface RunInput {
  /** Names; null = all. */
  readonly feeds: readonly string[] | null;
  /** How long files that still change are waited for. */
  readonly settleTimeoutMs: number;
}

export interface RunOutcome {
  /** Files that still change, lack their marker, or wait for another. */
  readonly waiting: number;
  /** What some of these lack, for people. */
  readonly waitingFor: readonly string[];
  /** Files that the listings did not take. */
  readonly notTaken: number;
  /** Sources, folders, the database or feeds that could not work. */
  readonly errors: readonly TallymanError[];
  /** Files below the folders of the feeds that no pattern wants; null = called off. */
  readonly unmatched: Unmatched | null;
}

/** Handles everything that is there now. The caller holds the lock on data_dir. */
export async function runOnce(parts: RunParts, input: RunInput, signal: AbortSignal): Promise<RunOutcome> {
  const feeds = parts.feeds(input.feeds);
  const engine = await parts.engine({ feeds, actor: 'run', once: true });
  const drain = drainTimer(parts, signal);
  try {
    const { waiting, notTaken, errors } = await engine.runOnce(input.settleTimeoutMs, signal);
    // Remote sources would have to be listed a second time.
    const here = feeds.filter(({ source }) => source.type === 'local');
    const unmatched = signal.aborted
      ? null
      : await findUnmatched(parts.config.feeds, here, parts, signal, new Date()).catch((error: unknown) => {
          if (signal.aborted) return null;
          throw error;
        });
    return { waiting, notTaken, errors, waitingFor: engine.waitingFor, unmatched };
  } finally {
    drain.clear();
  }
}
