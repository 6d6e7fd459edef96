import { constants } from 'node:fs';
import { open, readFile, rm, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import type { LoadJob, LoadProgress } from '../core/load.js';

/** Bytes of the note: the chunk number in decimal, blank-filled, so that each write lays itself exactly over the one before. */
const NOTE = 20;
/** Bytes of the delivered file a chunk: the same places in every attempt at it. */
const CHUNK = 16 * 1024 * 1024;
/** Milliseconds between two reports: a person sees no more than four a second. */
const REPORT_EVERY = 250;

export function progressFile(workDir: string, fileId: number): string {
  return path.join(workDir, `progress-${fileId}`);
}

/** The chunk in which the load of this file stood when its process died. */
export async function readProgress(workDir: string, fileId: number): Promise<number> {
  try {
    return Number.parseInt(await readFile(progressFile(workDir, fileId), 'latin1'), 10) || 0;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return 0;
    throw error;
  }
}

/**
 * Tells how far a load is: to whoever watches, a few times a second, and to a small file that survives the death of the process (poison rule, DESIGN
 * 2.2). No file means chunk 0, so that a small file costs none. Written at each chunk without fsync: the page cache outlives the process, and a power
 * loss is nobody's poison.
 */
export class Progress {
  readonly #of: Pick<LoadProgress, 'fileId' | 'path' | 'totalBytes'>;
  readonly #name: string;
  readonly #report: (progress: LoadProgress) => void;
  readonly #text = Buffer.alloc(NOTE, ' ');
  #handle: FileHandle | null = null;
  #lastReport = 0;
  #chunk = 0;

  constructor(job: Pick<LoadJob, 'workDir' | 'fileId' | 'file'>, report: (progress: LoadProgress) => void) {
    this.#of = { fileId: job.fileId, path: job.file.path, totalBytes: job.file.size };
    this.#name = progressFile(job.workDir, job.fileId);
    this.#report = report;
  }

  /** Forgets what an earlier attempt left. */
  async start(): Promise<void> {
    this.#chunk = 0;
    await this.end();
  }

  /** `bytes` of the delivered file were read; `rows` and `bad` so far. */
  async reach(bytes: number, rows: number, bad: number): Promise<void> {
    const chunk = Math.floor(bytes / CHUNK);
    if (chunk > this.#chunk) await this.#note(chunk);
    const now = performance.now();
    if (now - this.#lastReport < REPORT_EVERY) return;
    this.#lastReport = now;
    this.#report({ ...this.#of, bytes, rows, bad, chunk });
  }

  /** The load ended, however: only the death of the process leaves the note behind. */
  async end(): Promise<void> {
    await this.#handle?.close();
    this.#handle = null;
    await rm(this.#name, { force: true });
  }

  async #note(chunk: number): Promise<void> {
    this.#chunk = chunk;
    this.#handle ??= await open(this.#name, constants.O_WRONLY | constants.O_CREAT, 0o600);
    this.#text.fill(' ');
    this.#text.write(String(chunk), 'latin1');
    await this.#handle.write(this.#text, 0, NOTE, 0);
  }
}
