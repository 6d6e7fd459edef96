import { spawn, type ChildProcess } from 'node:child_process';
import { rm } from 'node:fs/promises';
import type { Readable, Writable } from 'node:stream';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { startFile } from '../../base/built.js';
import { messageOf, TallymanError } from '../../core/errors.js';
import { FrameStream } from './frame-stream.js';
import { isDescribed, isFailure } from './answers.js';
import { COLUMNS, END, FAILED, ROWS, type ColumnPath, type Described, type Request } from './frames.js';

/**
 * Longest wait for an answer. Milliseconds. Decoding a page takes milliseconds; a process that is silent for so long
 * hangs.
 */
const PATIENCE_MS = 120_000;
/** A process without work is kept so long. Milliseconds. Starting one takes 0.3 s, a small file 5 ms. */
const IDLE_MS = 30_000;
/** Files that one process reads before another takes its place: what a native reader may leak is bounded so. */
const MOST_FILES = 1_000;
/** How long a killed process may take to be gone. Milliseconds. */
const GONE_MS = 5_000;
/** Its JavaScript heap in MiB: packing needs a few. */
const HEAP_MB = 128;
/** What it may say on stderr, of which the end is kept for the message of a crash. Bytes. */
const LAST_WORDS = 2_000;

/** One process without work, kept for the next file. A load worker reads one file at a time. */
let idle: { readonly process: ReadingProcess; readonly timer: NodeJS.Timeout } | null = null;

/**
 * The process that reads Parquet (duckdb-worker.ts), as its parent sees it: one file, from `open` to `release` or
 * `kill`. Every wait has an end, a process that died or hangs costs this attempt and nothing else: LOAD_FAILED. What
 * the process says of the file is thrown as it is (FILE_CORRUPT, FORMAT_MISMATCH).
 */
export class ReadingProcess {
  readonly #child: ChildProcess;
  readonly #requests: Writable;
  readonly #frames: FrameStream;
  readonly #gone: Promise<void>;
  #ended: string | null = null;
  #lastWords = '';
  #files = 0;
  #signal: AbortSignal | null = null;
  #scratch: string | null = null;
  readonly #abort = (): void => void this.#child.kill('SIGKILL');

  private constructor() {
    this.#child = spawn(
      process.execPath,
      [`--max-old-space-size=${HEAP_MB}`, fileURLToPath(startFile('duckdb-worker'))],
      {
        stdio: ['pipe', 'ignore', 'pipe', 'pipe'],
        env: environment(),
        cwd: path.parse(process.cwd()).root,
        windowsHide: true,
      },
    );
    const [requests, , words, answers] = this.#child.stdio;
    if (!isWritable(requests) || !isReadable(words) || !isReadable(answers))
      throw new TallymanError('INTERNAL', 'the Parquet reader has no pipes');
    this.#requests = requests;
    this.#frames = new FrameStream(answers);
    // A pipe to a process that died: told by its end.
    requests.on('error', () => undefined);
    words.on('error', () => undefined);
    words.on(
      'data',
      (chunk: Buffer) => (this.#lastWords = (this.#lastWords + chunk.toString('latin1')).slice(-LAST_WORDS)),
    );
    this.#gone = new Promise((resolve) => {
      this.#child.once('error', (error) => {
        this.#ended ??= messageOf(error);
        resolve();
      });
      this.#child.once('exit', (code, signal) => {
        this.#ended ??= signal ?? `exit code ${code ?? 0}`;
        if (idle?.process === this) idle = null;
        resolve();
      });
    });
  }

  /** A process ready for a file: the one that waits for work, or a new one. It is killed when `signal` fires. */
  static take(signal: AbortSignal | null): ReadingProcess {
    const waiting = idle;
    idle = null;
    if (waiting !== null) clearTimeout(waiting.timer);
    const taken = waiting?.process.isReady === true ? waiting.process : new ReadingProcess();
    taken.#keepAlive(true);
    taken.#signal = signal;
    signal?.addEventListener('abort', taken.#abort, { once: true });
    if (signal?.aborted === true) taken.#abort();
    return taken;
  }

  /** Is it there to be asked? */
  get isReady(): boolean {
    return this.#ended === null;
  }

  /** Opens a file. Throws FILE_CORRUPT, FORMAT_MISMATCH, LOAD_FAILED. */
  async open(file: string, scratch: string): Promise<Described> {
    this.#files += 1;
    this.#scratch = scratch;
    this.#ask({ op: 'open', path: file, scratch });
    const { kind, body } = await this.#answer();
    const described: unknown = kind === COLUMNS ? JSON.parse(body.toString('utf8')) : null;
    if (!isDescribed(described))
      throw new TallymanError('INTERNAL', 'the Parquet reader gave another answer than the columns');
    return described;
  }

  /** Starts reading; rows() gives what comes. */
  read(columns: readonly ColumnPath[]): Promise<void> {
    this.#ask({ op: 'read', columns });
    return Promise.resolve();
  }

  /** The next frame of rows; null = that was all. */
  async rows(): Promise<Buffer | null> {
    const { kind, body } = await this.#answer();
    if (kind === END) return null;
    if (kind !== ROWS) throw new TallymanError('INTERNAL', 'the Parquet reader gave another answer than rows');
    return body;
  }

  /** The file is done with; the process waits for the next one. */
  async release(): Promise<void> {
    this.#leave();
    await this.#tidy();
    if (this.#ended !== null) return;
    if (idle !== null || this.#files >= MOST_FILES) {
      this.#requests.end();
      this.#keepAlive(false);
      return;
    }
    const timer = setTimeout(() => {
      if (idle?.process === this) idle = null;
      this.#requests.end();
    }, IDLE_MS);
    timer.unref();
    idle = { process: this, timer };
    this.#keepAlive(false);
  }

  /** Ends it at once, and takes away what it left. */
  async kill(): Promise<void> {
    this.#leave();
    this.#child.kill('SIGKILL');
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([this.#gone, new Promise((resolve) => (timer = setTimeout(resolve, GONE_MS)))]);
    clearTimeout(timer);
    await this.#tidy();
  }

  async #tidy(): Promise<void> {
    if (this.#scratch !== null) await rm(this.#scratch, { force: true });
    this.#scratch = null;
  }

  #leave(): void {
    this.#signal?.removeEventListener('abort', this.#abort);
    this.#signal = null;
  }

  #ask(request: Request): void {
    this.#requests.write(`${JSON.stringify(request)}\n`);
  }

  async #answer(): Promise<{ readonly kind: number; readonly body: Buffer }> {
    const frame = await this.#frames.next(PATIENCE_MS);
    if (frame === 'late') {
      this.#child.kill('SIGKILL');
      throw new TallymanError(
        'LOAD_FAILED',
        `The process that reads Parquet gave no answer for ${PATIENCE_MS / 1000} s, and was ended.`,
      );
    }
    if (frame === 'end') {
      await Promise.race([this.#gone, new Promise((resolve) => setTimeout(resolve, GONE_MS).unref())]);
      this.#signal?.throwIfAborted();
      const words = this.#lastWords.trim().split('\n').at(0) ?? '';
      throw new TallymanError(
        'LOAD_FAILED',
        `The process that reads Parquet died (${this.#ended ?? 'its pipe was closed'}${words === '' ? '' : `: ${words}`}). If it does so again with this file, the file is damaged in a way that it cannot bear.`,
      );
    }
    if (frame.kind === FAILED) {
      const failure: unknown = JSON.parse(frame.body.toString('utf8'));
      if (!isFailure(failure)) throw new TallymanError('INTERNAL', 'the Parquet reader failed without saying why');
      throw new TallymanError(failure.code, failure.message, failure.fix === null ? {} : { fix: failure.fix });
    }
    return frame;
  }

  /** A process without work must not keep ours from ending. */
  #keepAlive(yes: boolean): void {
    for (const handle of [this.#child, ...this.#child.stdio]) {
      if (handle === null || handle === undefined) continue;
      const change = yes ? 'ref' : 'unref';
      if (change in handle) (handle as { ref(): unknown; unref(): unknown })[change]();
    }
  }
}

const isWritable = (stream: unknown): stream is Writable =>
  typeof stream === 'object' && stream !== null && 'write' in stream;
const isReadable = (stream: unknown): stream is Readable =>
  typeof stream === 'object' && stream !== null && 'read' in stream;

/** Nothing of ours but what a process needs to start: no passwords, no home folder. */
function environment(): NodeJS.ProcessEnv {
  const kept = ['PATH', 'LD_LIBRARY_PATH', 'SystemRoot', 'TMPDIR', 'TEMP'];
  return {
    TZ: 'UTC',
    ...Object.fromEntries(kept.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]]))),
  };
}
