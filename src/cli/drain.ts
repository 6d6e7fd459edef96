import type { App } from '../app.js';

/** After the signal, loads get drain_timeout to end; then they are rolled back. */
export function drainTimer(app: App, signal: AbortSignal): { clear(): void } {
  let timer: NodeJS.Timeout | null = null;
  const start = (): void => {
    timer = setTimeout(() => app.cancelLoads(), app.config.daemon.drainTimeoutMs);
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
