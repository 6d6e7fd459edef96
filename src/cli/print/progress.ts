import process from 'node:process';
import type { LoadProgress } from '../../core/load.js';
import { bytes, count, seconds } from '../../base/text/readable-numbers.js';
import { oneLine } from '../../base/text/terminal-text.js';
import type { Output } from './output.js';
import { isTerminal, showBelow } from './streams.js';

/** A load shorter than this shows nothing: a line that flickers tells nobody anything. Milliseconds. */
const SHOW_AFTER_MS = 1_000;

interface Running {
  readonly started: number;
  progress: LoadProgress;
}

/** One line on the terminal for the loads that take long: bytes, rows/s, time left. Nothing at all elsewhere. */
export class Progress {
  readonly #on: boolean;
  readonly #running = new Map<number, Running>();

  constructor(out: Output) {
    this.#on = isTerminal(2) && !out.json && !out.quiet;
  }

  update(progress: LoadProgress): void {
    if (!this.#on) return;
    const running = this.#running.get(progress.fileId);
    if (running === undefined) this.#running.set(progress.fileId, { started: performance.now(), progress });
    else running.progress = progress;
    this.#draw();
  }

  done(fileId: number): void {
    if (this.#running.delete(fileId)) this.#draw();
  }

  end(): void {
    this.#running.clear();
    if (this.#on) showBelow('');
  }

  #draw(): void {
    const now = performance.now();
    const parts = [...this.#running.values()]
      .filter((running) => now - running.started > SHOW_AFTER_MS)
      .map(({ started, progress }) => {
        const s = (now - started) / 1_000;
        const share = progress.totalBytes > 0 ? progress.bytes / progress.totalBytes : 0;
        const left = share > 0.01 ? `, ${seconds((s / share) * (1 - share))} left` : '';
        return `${progress.path}: ${bytes(progress.bytes)} of ${bytes(progress.totalBytes)} (${Math.floor(share * 100)} %), ${count(Math.round(progress.rows / s))} rows/s${left}`;
      });
    const width = Math.max(20, (process.stderr.columns || 80) - 1);
    showBelow(oneLine(parts.join(' | ')).slice(0, width));
  }
}
