import { closeSync, readFileSync, rmSync, unlinkSync, writeSync } from 'node:fs';
import path from 'node:path';
import { messageOf, TallymanError } from '../core/errors.js';
import type { LoadJob, LoadProgress } from '../core/load.js';
import { hasCode } from '../base/errno.js';
import { makePrivateFolder, openPrivately } from '../base/host/private-file.js';

/**
 * Bytes of the note: the chunk number in decimal, blank-filled, so that each write lays itself exactly over the one
 * before.
 */
const NOTE = 20;
/**
 * Records a chunk: the same places in every attempt at the file, and so small (1 ms of work) that three deaths of the
 * process in one of them are no chance. With 1 MiB of input a chunk (10 ms and more), a good file of one chunk that is
 * tried alone after each of many random kills could be parked by chance.
 */
const CHUNK_ROWS = 1_024;
/** Milliseconds between two reports: a person sees no more than four a second. */
const REPORT_EVERY = 250;

/** Where the private files of loads are, within data_dir. */
export const workDirOf = (dataDir: string): string => path.join(dataDir, 'work');

export const progressFile = (workDir: string, fileId: number): string => path.join(workDir, `progress-${fileId}`);

/** The chunk at which the parsing of this file stood when its process died; null = it was not being parsed then. */
export function readProgress(dataDir: string, fileId: number): number | null {
  try {
    const chunk = Number.parseInt(readFileSync(progressFile(workDirOf(dataDir), fileId), 'latin1'), 10);
    return Number.isNaN(chunk) ? null : chunk;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null;
    throw error;
  }
}

/** Takes the note of a death away once it is known. */
export function forgetProgress(dataDir: string, fileId: number): void {
  rmSync(progressFile(workDirOf(dataDir), fileId), { force: true });
}

/**
 * Reports how far a load is: to whoever watches, a few times a second, and to a small file that survives the death of
 * the process (poison: docs/architecture.md#recovery). The file is there only while records are parsed, written at each
 * chunk without fsync: the page cache outlives the process, and a power loss is nobody's poison. Synchronous: 30
 * microseconds a load and 2 a chunk, where the thread pool would take ten times that.
 */
export class Progress {
  readonly #of: Pick<LoadProgress, 'fileId' | 'path' | 'totalBytes'>;
  readonly #name: string;
  readonly #report: (progress: LoadProgress) => void;
  readonly #text = Buffer.alloc(NOTE, ' ');
  #fd: number | null = null;
  #lastReport = 0;
  #chunk = 0;

  constructor(job: Pick<LoadJob, 'workDir' | 'fileId' | 'file'>, report: (progress: LoadProgress) => void) {
    this.#of = { fileId: job.fileId, path: job.file.path, totalBytes: job.file.size };
    this.#name = progressFile(job.workDir, job.fileId);
    this.#report = report;
  }

  /** Records are being parsed from here on. Throws DISK_FULL. */
  start(): void {
    this.end();
    try {
      this.#fd = this.#open();
      this.#note(0);
    } catch (error) {
      throw new TallymanError('DISK_FULL', `${this.#name}: ${messageOf(error)}`, { cause: error });
    }
  }

  /** `bytes` of the delivered file were read; `rows` and `bad` so far. */
  reach(bytes: number, rows: number, bad: number): void {
    const chunk = Math.floor(rows / CHUNK_ROWS);
    if (chunk !== this.#chunk) this.#note(chunk);
    const now = performance.now();
    if (now - this.#lastReport < REPORT_EVERY) return;
    this.#lastReport = now;
    this.#report({ ...this.#of, bytes, rows, bad, chunk });
  }

  /** Parsing ended, however: only the death of the process leaves the note behind. */
  end(): void {
    if (this.#fd === null) return;
    closeSync(this.#fd);
    this.#fd = null;
    // Not rmSync: it looks first.
    try {
      unlinkSync(this.#name);
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) throw error;
    }
  }

  #open(): number {
    try {
      return openPrivately(this.#name);
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) throw error;
      makePrivateFolder(path.dirname(this.#name));
      return openPrivately(this.#name);
    }
  }

  #note(chunk: number): void {
    this.#chunk = chunk;
    if (this.#fd === null) return;
    this.#text.fill(' ');
    this.#text.write(String(chunk), 'latin1');
    writeSync(this.#fd, this.#text, 0, NOTE, 0);
  }
}
