import { parentPort, workerData } from 'node:worker_threads';
import { DECODERS, FORMATS } from './registry.js';
import { TallymanError } from './core/errors.js';
import type { FoundContent, LoadJob, LoadResult } from './core/load.js';
import { checkFile } from './load/dry-run.js';
import type { LoadHooks } from './load/hooks.js';
import { loadFile } from './load/load-file.js';
import { loadGroup } from './load/load-group.js';
import { COMMITTING, IDLE, isRequest, isWorkerData, type PoolAnswer } from './load/pool/pool-messages.js';
import { LoadSession } from './load/transaction/session.js';

/**
 * The thread that loads files for load-pool.ts: one after the other, small ones together, over one connection that it
 * keeps.
 */
const port = parentPort;
if (port === null || !isWorkerData(workerData))
  throw new TallymanError('INTERNAL', 'load-worker.js is started by the load pool');

const state = new Int32Array(workerData.state);
const session = new LoadSession();
let running: AbortController | null = null;

/** Files that wait to hear whether they may go on. At most as many as are read at once: one. */
const asked = new Map<number, (goOn: boolean) => void>();
/** The main thread only looks into its ledger; far longer means that it hangs. Milliseconds. */
const ANSWER_MS = 60_000;

const answer = (message: PoolAnswer): void => port.postMessage(message);

/** Called off or left without an answer, it goes on: what must not be loaded twice is refused at COMMIT. */
function mayGoOn(found: FoundContent, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const done = (goOn: boolean): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', calledOff);
      asked.delete(found.fileId);
      resolve(goOn);
    };
    const calledOff = (): void => done(true);
    const timer = setTimeout(calledOff, ANSWER_MS);
    signal.addEventListener('abort', calledOff, { once: true });
    asked.set(found.fileId, done);
    answer({ kind: 'content', found });
  });
}

async function work(kind: 'load' | 'check', jobs: readonly LoadJob[]): Promise<void> {
  const abort = new AbortController();
  running = abort;
  const hooks: LoadHooks = {
    formats: FORMATS,
    decoders: DECODERS,
    onProgress: (progress) => answer({ kind: 'progress', progress }),
    signal: abort.signal,
    onContent: (found) => mayGoOn(found, abort.signal),
    onCommit: () => Atomics.store(state, 0, COMMITTING),
  };
  const together = kind === 'load' && jobs.length > 1 ? await loadGroup(jobs, hooks, session) : [];
  const done = (index: number, result: LoadResult): void => {
    Atomics.store(state, 0, IDLE);
    answer({ kind: 'result', index, result });
  };
  const alone: number[] = [];
  for (const index of jobs.keys()) {
    const result = together[index] ?? null;
    if (result === null) alone.push(index);
    else done(index, result);
  }
  for (const index of alone) {
    const job = jobs[index]!;
    done(index, kind === 'load' ? await loadFile(job, hooks, session) : await checkFile(job, hooks));
  }
  running = null;
}

async function stop(): Promise<void> {
  running?.abort();
  await session.close();
  port?.close();
}

port.on('message', (request: unknown) => {
  if (!isRequest(request)) throw new TallymanError('INTERNAL', 'a request that the load worker does not know');
  // A rejection here ends the thread with its error; the pool reports it as the job's outcome.
  if (request.kind === 'cancel' || request.kind === 'ask') {
    answer({ kind: 'heard' });
    if (request.kind === 'cancel') running?.abort();
  } else if (request.kind === 'content') asked.get(request.fileId)?.(request.goOn);
  else if (request.kind === 'stop') void stop();
  else void work(request.kind, request.jobs);
});

answer({ kind: 'ready' });
