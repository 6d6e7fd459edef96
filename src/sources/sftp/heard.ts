import { setTimeout as sleep } from 'node:timers/promises';

/**
 * When a line last brought something. A slow line is not a dead one: what waits for an answer counts its silence from
 * the last byte, because the answer may stand behind megabytes of others.
 */
export class Heard {
  /** The last byte of any kind, also of an answer to a keepalive. `performance.now()`. */
  lineAt = performance.now();
  /** The last byte of an answer to what an SFTP channel asked: a server may answer keepalives and nothing else. */
  sftpAt = 0;
}

export interface Patience {
  /** Nothing at all for this long is the end, milliseconds. */
  readonly silentMs: number;
  /** The end in any case, milliseconds. */
  readonly totalMs: number;
}

/**
 * Waits for `work` as long as bytes come. Rejects with what `late` makes of the seconds when `lastByte()` is too long
 * ago, or the whole took too long. The work itself goes on, and nobody waits for it any more.
 */
export async function whileHeard<T>(
  work: Promise<T>,
  patience: Patience,
  lastByte: () => number,
  late: (why: string) => Error,
): Promise<T> {
  const began = performance.now();
  const done = new AbortController();
  const watch = async (): Promise<never> => {
    for (;;) {
      const now = performance.now();
      const silent = now - Math.max(began, lastByte());
      if (silent >= patience.silentMs) throw late(`no answer for ${seconds(silent)} s`);
      if (now - began >= patience.totalMs) throw late(`not ready after ${seconds(now - began)} s`);
      const left = Math.min(patience.silentMs - silent, patience.totalMs - (now - began));
      await sleep(Math.max(5, Math.ceil(left)), undefined, { signal: done.signal });
    }
  };
  const watching = watch();
  watching.catch(() => undefined);
  try {
    return await Promise.race([work, watching]);
  } finally {
    done.abort();
  }
}

/** For people: whole seconds, but a fault that was noticed within one is not "0 s". */
export const seconds = (ms: number): string => (ms < 950 ? (ms / 1_000).toFixed(1) : String(Math.round(ms / 1_000)));
