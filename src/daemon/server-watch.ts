import { wait } from '../base/wait.js';
import { TallymanError } from '../core/errors.js';
import type { ProcessParts } from '../flow/process-parts.js';
import { compareAgain, isAnotherServer } from '../flow/recover.js';

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

/** What it must know of the work loop. */
interface Loop {
  /** The stores were brought together at the start. */
  ready(): boolean;
  /** Loads under way. */
  running(): number;
  /** The hold is over: there may be work. */
  goOn(): void;
}

/**
 * Under a running daemon the address may lead to another server from one moment to the next (failover, restore), and
 * that one may lack the latest commits, or be the wrong one. Ledger and database are then compared again (DESIGN 2.2),
 * and no load begins until that is done.
 */
export class ServerWatch {
  readonly #parts: ProcessParts;
  readonly #loop: Loop;
  #hold: TallymanError | null = null;

  constructor(parts: ProcessParts, loop: Loop) {
    this.#parts = parts;
    this.#loop = loop;
  }

  /** Why no load may begin now; null = they may. */
  get hold(): TallymanError | null {
    return this.#hold;
  }

  /** Until the signal. Never throws: what fails is asked again. */
  async run(signal: AbortSignal): Promise<void> {
    for (;;) {
      await wait(ASK_MS, signal);
      if (signal.aborted) return;
      if (!this.#loop.ready()) continue;
      try {
        if (await isAnotherServer(this.#parts)) await this.#compare(signal);
        this.#release();
      } catch (error) {
        this.#told(TallymanError.of(error));
      }
    }
  }

  async #compare(signal: AbortSignal): Promise<void> {
    this.#hold ??= new TallymanError(
      'DATABASE_BUSY',
      'another server answers than before: what it holds is compared with the ledger before anything is loaded',
    );
    const end = performance.now() + LOADS_MS;
    while (this.#loop.running() > 0 && performance.now() < end && !signal.aborted) await wait(50, signal);
    await compareAgain(this.#parts);
  }

  #release(): void {
    if (this.#hold === null) return;
    this.#hold = null;
    this.#loop.goOn();
  }

  #told(error: TallymanError): void {
    const { log } = this.#parts;
    // Away: whoever loads next says so and pauses. The wrong database: nothing may be loaded into it.
    if (error.blame === 'pause') log.debug({ code: error.code }, error.message);
    else if (this.#hold?.message !== error.message) log.error({ code: error.code, fix: error.fix }, error.message);
    if (error.blame === 'feed') this.#hold = error;
  }
}
