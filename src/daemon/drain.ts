import type { Config } from '../config/config.js';

export interface DrainParts {
  readonly config: Pick<Config, 'daemon'>;
  /** Asks who of those that load still listens. */
  askLoads(): void;
  /** Rolls back every load under way. */
  cancelLoads(): void;
}

/**
 * After the signal, loads get drain_timeout to end; then they are rolled back, and a thread that did not answer since
 * the signal is ended.
 */
export function drainTimer(parts: DrainParts, signal: AbortSignal): { clear(): void } {
  let timer: NodeJS.Timeout | null = null;
  const start = (): void => {
    parts.askLoads();
    timer = setTimeout(() => parts.cancelLoads(), parts.config.daemon.drainTimeoutMs);
  };
  if (signal.aborted) start();
  else signal.addEventListener('abort', start, { once: true });
  return {
    clear() {
      signal.removeEventListener('abort', start);
      if (timer !== null) clearTimeout(timer);
    },
  };
}
