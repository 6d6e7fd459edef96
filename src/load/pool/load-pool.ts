import { rm } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';
import { startFile } from '../../base/built.js';
import { messageOf, TallymanError } from '../../core/errors.js';
import type { FoundContent, LoadJob, LoadProgress, LoadResult } from '../../core/load.js';
import { COMMITTING, IDLE, isAnswer, type PoolRequest, type PoolWorkerData } from './pool-messages.js';
import { progressFile } from '../progress.js';
import { isSmallFile } from './small-file.js';

export interface LoadPoolOptions {
  /** Loads at once (daemon.concurrency). */
  readonly size: number;
  readonly onProgress?: (progress: LoadProgress) => void;
  /** Tests run the worker from its TypeScript. */
  readonly workerUrl?: URL;
  readonly execArgv?: readonly string[];
}

/** Jobs that may wait for a worker; more is a fault of the caller, who knows how many loads run at once. */
const MOST_WAITING = 1_000;
/** Files, and bytes of them, that share a transaction at most. */
const GROUP_FILES = 64;
const GROUP_BYTES = 2 * 1024 * 1024;
/**
 * A thread's JavaScript heap in MiB: rows are never objects, so this is for reports and bad rows. A file that breaks it
 * costs its thread, not the process.
 */
const HEAP_MB = 192;
/**
 * After a load was called off it has so long to roll back before its thread is ended. Milliseconds; longer than
 * load-file.ts waits for PostgreSQL.
 */
const ROLLBACK_MS = 15_000;
/**
 * A thread that takes longer to say that it heard us does nothing but compute, and will not call anything off.
 * Milliseconds.
 */
const HEARD_MS = 3_000;
/** How long an idle worker may take to say goodbye to PostgreSQL. Milliseconds. */
const STOP_MS = 5_000;

/** Does the decision to load the file stand, now that this is known of it? */
type OnContent = (found: FoundContent) => Promise<boolean>;

interface Task {
  readonly kind: 'load' | 'check';
  readonly job: LoadJob;
  readonly resolve: (result: LoadResult) => void;
  readonly onContent: OnContent | null;
  /** May share a transaction; not after a thread died over it. */
  readonly together: boolean;
}

interface Slot {
  readonly worker: Worker;
  readonly state: Int32Array;
  readonly gone: Promise<void>;
  /** Files it works on, in the order of the request; null = its result is there. */
  tasks: (Task | null)[];
  /** It told that it has started. */
  ready: boolean;
  /** What ended the thread, when something did. */
  fault: unknown;
  /** When it was asked whether it listens (performance.now()); null = not asked, or it answered. */
  askedAt: number | null;
  /** Its load was called off: what ends the thread when it does not obey. */
  readonly patience: NodeJS.Timeout[];
}

/**
 * Worker threads that load files, so that the main thread stays free to watch and to answer. A worker keeps its
 * connection between loads. One that dies (out of memory, a fault) costs the load it had, and is replaced.
 */
export class LoadPool {
  readonly #options: LoadPoolOptions;
  readonly #slots = new Set<Slot>();
  readonly #waiting: Task[] = [];
  /** A small file waits for the end of this turn of the event loop. */
  #gathering = false;
  #closing = false;

  constructor(options: LoadPoolOptions) {
    this.#options = options;
  }

  /**
   * Starts a first worker before there is work for it: its 0.2 s of start-up then runs beside what the main thread does
   * meanwhile.
   */
  warm(): void {
    if (!this.#closing && this.#slots.size === 0) this.#start();
  }

  /**
   * Loads in a worker as soon as one is free. Never rejects; after close() the outcome is `unreachable` with
   * INTERRUPTED.
   */
  run(job: LoadJob, onContent: OnContent | null = null): Promise<LoadResult> {
    return this.#submit('load', job, onContent);
  }

  /** A dry run (`load --dry-run`): reads and checks the file, touches no database. */
  check(job: LoadJob): Promise<LoadResult> {
    return this.#submit('check', job, null);
  }

  /**
   * Calls the load of this file off: it is rolled back and ends as `unreachable` with INTERRUPTED, unless COMMIT was
   * sent. No such load = nothing.
   */
  cancel(fileId: number): void {
    for (const task of this.#waiting.filter(({ job }) => job.fileId === fileId)) {
      this.#waiting.splice(this.#waiting.indexOf(task), 1);
      task.resolve(interrupted());
    }
    // Small files beside it in its transaction are called off with it, and taken again.
    for (const slot of this.#slots) if (slot.tasks.some((task) => task?.job.fileId === fileId)) callOff(slot);
  }

  /** Asks every thread at work whether it listens: calling off need not wait then for one that does not. */
  ask(): void {
    for (const slot of this.#slots) {
      if (isFree(slot)) continue;
      slot.askedAt ??= performance.now();
      send(slot, { kind: 'ask' });
    }
  }

  /** Calls off every load, under way or waiting. */
  cancelAll(): void {
    for (const task of this.#waiting.splice(0)) task.resolve(interrupted());
    for (const slot of this.#slots) if (!isFree(slot)) callOff(slot);
  }

  /**
   * Takes no more; gives the loads under way `drainMs` to end, then calls them off. Resolves when all threads are gone.
   */
  async close(drainMs = 0): Promise<void> {
    this.#closing = true;
    for (const task of this.#waiting.splice(0)) task.resolve(interrupted());
    await Promise.all([...this.#slots].map((slot) => end(slot, drainMs)));
  }

  #submit(kind: Task['kind'], job: LoadJob, onContent: OnContent | null): Promise<LoadResult> {
    if (this.#closing) return Promise.resolve(interrupted());
    if (this.#waiting.length >= MOST_WAITING)
      return Promise.resolve(failed(`more than ${MOST_WAITING} loads wait for a worker`));
    return new Promise((resolve) => {
      const together = kind === 'load' && isSmall(job);
      this.#waiting.push({ kind, job, resolve, onContent, together });
      if (!together) this.#next();
      else if (!this.#gathering) {
        // Files that were claimed with one write come within one turn: the first of them would go alone otherwise (435
        // files a second, 462 with it).
        this.#gathering = true;
        setImmediate(() => {
          this.#gathering = false;
          this.#next();
        });
      }
    });
  }

  #next(): void {
    if (this.#waiting.length === 0) return;
    let slot = [...this.#slots].find(isFree);
    if (slot === undefined) {
      // One at a time: a thread opens some 50 files at once while it starts. Four together ran into a limit of 256, and
      // what a thread had open when it died of that stays open.
      if (this.#slots.size >= this.#options.size || [...this.#slots].some(({ ready }) => !ready)) return;
      slot = this.#start();
    }
    const tasks = this.#take();
    slot.tasks = [...tasks];
    send(slot, { kind: tasks[0]!.kind, jobs: tasks.map(({ job }) => job) });
    this.#next();
  }

  /**
   * The next load, with the small files of its feed that wait behind it. What waits is what came while the threads were
   * busy: nothing waits for company.
   */
  #take(): readonly Task[] {
    const first = this.#waiting.shift()!;
    if (!first.together) return [first];
    const group = [first];
    let bytes = first.job.file.size;
    for (let i = 0; i < this.#waiting.length && group.length < GROUP_FILES;) {
      const next = this.#waiting[i]!;
      if (!next.together || next.job.feed !== first.job.feed || bytes + next.job.file.size > GROUP_BYTES) {
        i++;
        continue;
      }
      bytes += next.job.file.size;
      group.push(next);
      this.#waiting.splice(i, 1);
    }
    return group;
  }

  #start(): Slot {
    const data: PoolWorkerData = { state: new SharedArrayBuffer(4) };
    const worker = new Worker(this.#options.workerUrl ?? startFile('load-worker'), {
      workerData: data,
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB, maxYoungGenerationSizeMb: 16 },
      ...(this.#options.execArgv === undefined ? {} : { execArgv: [...this.#options.execArgv] }),
    });
    const gone = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
    const slot: Slot = {
      worker,
      state: new Int32Array(data.state),
      gone,
      tasks: [],
      ready: false,
      fault: null,
      askedAt: null,
      patience: [],
    };
    this.#slots.add(slot);
    worker.on('message', (message: unknown) => this.#hear(slot, message));
    worker.on('messageerror', (error) => {
      slot.fault ??= error;
    });
    worker.on('error', (error) => {
      slot.fault ??= error;
    });
    worker.once('exit', (code) => this.#died(slot, code));
    return slot;
  }

  #hear(slot: Slot, message: unknown): void {
    if (!isAnswer(message)) return;
    if (message.kind === 'ready') {
      slot.ready = true;
      if (!this.#closing) this.#next();
      return;
    }
    if (message.kind === 'heard') {
      slot.askedAt = null;
      return;
    }
    if (message.kind === 'progress') {
      this.#options.onProgress?.(message.progress);
      return;
    }
    if (message.kind === 'content') {
      void answer(slot, message.found);
      return;
    }
    const task = slot.tasks[message.index];
    slot.tasks[message.index] = null;
    task?.resolve(message.result);
    if (isFree(slot)) forgive(slot);
    if (!this.#closing && isFree(slot)) this.#next();
  }

  #died(slot: Slot, code: number): void {
    this.#slots.delete(slot);
    const calledOff = slot.patience.length > 0;
    forgive(slot);
    const tasks = slot.tasks.filter((task) => task !== null);
    slot.tasks = [];
    const why = slot.fault === null ? `exit code ${code}` : messageOf(slot.fault);
    const committing = Atomics.load(slot.state, 0) === COMMITTING;
    // One of several is to blame, and nobody knows which: each goes alone now, and the one that kills its thread again
    // pays for it.
    const again = tasks.length > 1 && !committing && !this.#closing && !calledOff;
    void forget(tasks).then(() => {
      if (!slot.ready) for (const task of tasks) task.resolve(unstartable(why));
      else if (again) this.#waiting.unshift(...tasks.map((task) => ({ ...task, together: false })));
      else
        for (const task of tasks)
          if (committing) task.resolve(unknown(why));
          else if (calledOff && tasks.length > 1) task.resolve(interrupted());
          else task.resolve(failed(`the thread that loaded the file died: ${why}`));
      if (!this.#closing) this.#next();
      else for (const task of this.#waiting.splice(0)) task.resolve(interrupted());
    });
  }
}

/** The note on the chunk is for deaths of the process; here the attempt was counted. */
async function forget(tasks: readonly Task[]): Promise<void> {
  for (const { job } of tasks) await rm(progressFile(job.workDir, job.fileId), { force: true }).catch(() => undefined);
}

/** Calls off what the thread does, and ends the thread when it does not hear that, or does not come to an end. */
function callOff(slot: Slot): void {
  send(slot, { kind: 'cancel' });
  if (slot.patience.length > 0) return;
  const now = performance.now();
  slot.askedAt ??= now;
  const end = (why: string): void => {
    slot.fault ??= new TallymanError('LOAD_FAILED', why);
    // The exit tells the rest.
    slot.worker.terminate().catch(() => undefined);
  };
  const deaf = setTimeout(
    () => {
      if (slot.askedAt !== null) end('it was called off and did not hear that, so it was ended');
    },
    Math.max(0, slot.askedAt + HEARD_MS - now),
  );
  const slow = setTimeout(() => {
    // While it waits for the answer to COMMIT nobody may end it: the answer is worth the wait.
    if (Atomics.load(slot.state, 0) !== COMMITTING)
      end(`it was called off and not rolled back within ${ROLLBACK_MS / 1000} seconds, so it was ended`);
  }, ROLLBACK_MS);
  slot.patience.push(deaf, slow);
}

/** What was called off has ended. */
function forgive(slot: Slot): void {
  for (const timer of slot.patience.splice(0)) clearTimeout(timer);
  slot.askedAt = null;
}

const isFree = (slot: Slot): boolean => slot.tasks.every((task) => task === null);

function send(slot: Slot, request: PoolRequest): void {
  if (request.kind === 'load' || request.kind === 'check') Atomics.store(slot.state, 0, IDLE);
  slot.worker.postMessage(request);
}

/** Who cannot be asked does not stand in the way: the unique index on content does, where it must. */
async function answer(slot: Slot, found: FoundContent): Promise<void> {
  const ask = slot.tasks.find((task) => task?.job.fileId === found.fileId)?.onContent ?? null;
  const goOn = ask === null ? true : await ask(found).catch(() => true);
  send(slot, { kind: 'content', fileId: found.fileId, goOn });
}

async function end(slot: Slot, drainMs: number): Promise<void> {
  const idle = (): boolean => isFree(slot);
  await until(idle, slot.gone, drainMs);
  if (!idle()) {
    send(slot, { kind: 'cancel' });
    await until(idle, slot.gone, ROLLBACK_MS);
  }
  if (idle()) send(slot, { kind: 'stop' });
  if (!(await settles(slot.gone, idle() ? STOP_MS : 0))) await slot.worker.terminate();
}

/** Waits until it is so, the thread is gone, or the time is up. */
async function until(so: () => boolean, gone: Promise<void>, ms: number): Promise<void> {
  const deadline = performance.now() + ms;
  while (!so() && performance.now() < deadline) {
    if (await settles(gone, Math.min(20, deadline - performance.now()))) return;
  }
}

async function settles(gone: Promise<void>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  try {
    return await Promise.race([gone.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** What may share a transaction: appended as it is, with nothing else to be settled (load-group.ts). */
function isSmall({ file, feed, replaces }: LoadJob): boolean {
  return (
    isSmallFile(file.size, feed) &&
    feed.control === null &&
    replaces.loadIds.length === 0 &&
    !replaces.path &&
    !replaces.feed
  );
}

const failed = (message: string): LoadResult => ({
  outcome: 'failed',
  error: new TallymanError('LOAD_FAILED', message).reported(),
});
/** No file is to blame: nothing was read. The work pauses and is tried again. */
const unstartable = (why: string): LoadResult => ({
  outcome: 'unreachable',
  error: new TallymanError('WORKER_UNUSABLE', `no thread for loads can be started: ${why}`).reported(),
});
const unknown = (why: string): LoadResult => ({
  outcome: 'unknown',
  error: new TallymanError(
    'LOAD_FAILED',
    `the thread died while it waited for the answer to COMMIT: ${why}`,
  ).reported(),
});
const interrupted = (): LoadResult => ({
  outcome: 'unreachable',
  error: new TallymanError('INTERRUPTED', 'the load was called off before it began').reported(),
});
