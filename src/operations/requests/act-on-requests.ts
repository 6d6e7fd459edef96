import type { TallymanError } from '../../core/errors.js';
import type { Config } from '../../config/config.js';
import { drainTimer, type DrainParts } from '../../daemon/drain.js';
import type { EngineOptions } from '../../daemon/engine-parts.js';
import type { Engine } from '../../daemon/engine.js';
import type { Lock } from '../../ledger/sqlite/lock.js';

interface ActParts extends DrainParts {
  readonly config: Pick<Config, 'daemon' | 'feeds'>;
  /** Throws ALREADY_RUNNING. */
  lock(): Lock;
  engine(options: EngineOptions): Promise<Pick<Engine, 'runRequests'>>;
}

/**
 * Carries out what was asked for, where no daemon does it: all open requests, and what else waits in the feeds of these
 * names. Throws ALREADY_RUNNING when one has come meanwhile. Returns what could not work.
 */
export async function actOnRequests(
  parts: ActParts,
  input: { readonly feeds: readonly string[]; readonly actor: string },
  signal: AbortSignal,
): Promise<readonly TallymanError[]> {
  const lock = parts.lock();
  const drain = drainTimer(parts, signal);
  try {
    const feeds = parts.config.feeds.filter(({ name }) => input.feeds.includes(name));
    const engine = await parts.engine({ feeds, actor: input.actor, once: true });
    return (await engine.runRequests(signal)).errors;
  } finally {
    drain.clear();
    lock.release();
  }
}
