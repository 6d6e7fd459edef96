import { constants } from 'node:fs';
import { open, rm, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import type { LoadProgress } from '../core/load.js';

/** Bytes of the note: the chunk number in decimal, blank-filled, so that each write lays itself exactly over the one before. */
const NOTE = 20;
/** Milliseconds between two reports: a person sees no more than four a second. */
const REPORT_EVERY = 250;

export function progressFile(workDir: string, fileId: number): string {
  return path.join(workDir, `progress-${fileId}`);
}

/**
 * Tells how far a load is: to whoever watches, a few times a second, and to a small file that survives the death of the process (poison rule, DESIGN
 * 2.2). No file means chunk 0, so that a small file costs none. Written at each chunk without fsync: the page cache outlives the process, and a power
 * loss is nobody's poison.
 */
export class Progress {
  readonly #fileId: number;
  readonly #name: string;
  readonly #report: (progress: LoadProgress) => void;
  readonly #note = Buffer.alloc(NOTE, ' ');
  #handle: FileHandle | null = null;
  #lastReport = 0;
  #chunk = 0;

  constructor(workDir: string, fileId: number, report: (progress: LoadProgress) => void) {
    this.#fileId = fileId;
    this.#name = progressFile(workDir, fileId);
    this.#report = report;
  }

  /** Forgets what an earlier attempt left. */
  async start(): Promise<void> {
    this.#chunk = 0;
    await this.end();
  }

  /** Work on the next chunk begins. */
  async next(): Promise<void> {
    this.#chunk++;
    this.#handle ??= await open(this.#name, constants.O_WRONLY | constants.O_CREAT, 0o600);
    this.#note.fill(' ');
    this.#note.write(String(this.#chunk), 'latin1');
    await this.#handle.write(this.#note, 0, NOTE, 0);
  }

  tell(bytes: number, rows: number, bad: number): void {
    const now = performance.now();
    if (now - this.#lastReport < REPORT_EVERY) return;
    this.#lastReport = now;
    this.#report({ fileId: this.#fileId, bytes, rows, bad, chunk: this.#chunk });
  }

  /** The load ended, however: only the death of the process leaves the note behind. */
  async end(): Promise<void> {
    await this.#handle?.close();
    this.#handle = null;
    await rm(this.#name, { force: true });
  }
}
