import type { Connection } from '../../postgres/connect/connect.js';

/**
 * Far below idle_in_transaction_session_timeout of a load (begin.ts), which lets the server free itself of a process
 * that hangs. Milliseconds.
 */
const EVERY_MS = 60_000;

/**
 * Waits for work that asks nothing of the database, however long it takes: a slow disk, a long stretch of refused rows,
 * a second reading of the file. Meanwhile the session says now and then that somebody is there; the server would end
 * it otherwise, and each further attempt in the same way. Does nothing while a COPY is under way, where no such clock
 * runs.
 */
export async function whileAwake<T>(
  connection: Connection | null,
  work: Promise<T>,
  everyMs: number = EVERY_MS,
): Promise<T> {
  if (connection === null) return work;
  // What goes wrong with it shows at the next statement of the load.
  const say = async (): Promise<void> => {
    if (connection.idle) await connection.query('SELECT 1').catch(() => undefined);
  };
  // Looked at below; until then nobody listens.
  work.catch(() => undefined);
  // Many short waits are a long one, when nothing was asked between them.
  if (performance.now() - connection.askedAt > everyMs) await say();
  let saying: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    saying = say();
  }, everyMs);
  try {
    return await work;
  } finally {
    clearInterval(timer);
    await saying;
  }
}
