import { wait } from '../base/wait.js';
import { TallymanError } from '../core/errors.js';
import type { Log } from '../core/log.js';

/**
 * How often PostgreSQL is asked whether it is still the same server, milliseconds: a failover that broke no load is
 * noticed within this.
 */
const ASK_MS = 10_000;
/**
 * Loads under way are waited for before stores are compared; after this the comparison goes on beside them.
 * Milliseconds.
 */
const LOADS_MS = 60_000;

export interface ServerWatchParts {
  readonly log: Log;
  /** Another server answers than the one with which all loads were compared last. */
  isAnotherServer(): Promise<boolean>;
  /** Brings ledger and database together again. */
  compareAgain(): Promise<void>;
  /** The stores were brought together at the start. */
  ready(): boolean;
  /** Loads under way. */
  running(): number;
  /** The hold is over: there may be work. */
  goOn(): void;
  /** How often it asks, milliseconds; for tests. */
  readonly askMs?: number;
}

/**
 * Under a running daemon the address may lead to another server from one moment to the next (failover, restore), and
 * that one may lack the latest commits, or be the wrong one. Ledger and database are then compared again, and no load
 * begins until that is done.
 */
export class ServerWatch {
  readonly #parts: ServerWatchParts;
  #hold: TallymanError | null = null;

  constructor(parts: ServerWatchParts) {
    this.#parts = parts;
  }

  /** Why no load may begin now; null = they may. */
  get hold(): TallymanError | null {
    return this.#hold;
  }

  /** Until the signal. Never throws: what fails is asked again. */
  async run(signal: AbortSignal): Promise<void> {
    for (;;) {
      await wait(this.#parts.askMs ?? ASK_MS, signal);
      if (signal.aborted) return;
      if (!this.#parts.ready()) continue;
      try {
        if (await this.#parts.isAnotherServer()) await this.#compare(signal);
        this.#release();
      } catch (error) {
        this.#report(TallymanError.of(error));
      }
    }
  }

  async #compare(signal: AbortSignal): Promise<void> {
    this.#hold ??= new TallymanError(
      'DATABASE_BUSY',
      'another server answers than before: what it holds is compared with the ledger before anything is loaded',
    );
    const end = performance.now() + LOADS_MS;
    while (this.#parts.running() > 0 && performance.now() < end && !signal.aborted) await wait(50, signal);
    await this.#parts.compareAgain();
  }

  #release(): void {
    if (this.#hold === null) return;
    this.#hold = null;
    this.#parts.goOn();
  }

  #report(error: TallymanError): void {
    const { log } = this.#parts;
    // Away: whoever loads next says so and pauses. The wrong database: nothing may be loaded into it.
    if (error.blame === 'pause') log.debug({ code: error.code }, error.message);
    else if (this.#hold?.message !== error.message) log.error({ code: error.code, fix: error.fix }, error.message);
    if (error.blame === 'feed') this.#hold = error;
  }
}
