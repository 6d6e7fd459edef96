import type { DatabaseSpec } from '../../core/database.js';
import { connect, type Connection } from './connect.js';
import { databaseError, endsSession } from './errors.js';

/**
 * One small connection, opened when first asked for, opened anew when it was lost, used by one task at a time. For
 * everything outside a load.
 */
export class SharedSession {
  readonly #spec: DatabaseSpec;
  readonly #name: string;
  #connection: Connection | null = null;
  #last: Promise<unknown> = Promise.resolve();

  constructor(spec: DatabaseSpec, name: string) {
    this.#spec = spec;
    this.#name = name;
  }

  /**
   * Runs a task that may be run again: once more when the connection turns out to have died while it lay idle. Errors
   * come out as TallymanError, with `doing` in front.
   */
  run<T>(doing: string, task: (connection: Connection) => Promise<T>): Promise<T> {
    const turn = this.#last.then(() => this.#attempt(doing, task));
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  async close(): Promise<void> {
    await this.#last;
    await this.#connection?.close();
    this.#connection = null;
  }

  async #attempt<T>(doing: string, task: (connection: Connection) => Promise<T>): Promise<T> {
    const idle = this.#connection?.lost === false ? this.#connection : null;
    if (idle !== null) {
      try {
        return await task(idle);
      } catch (error) {
        if (!endsSession(error) && !idle.lost) throw databaseError(error, doing);
      }
    }
    this.#connection?.destroy();
    this.#connection = null;
    const fresh = await connect(this.#spec, this.#name);
    this.#connection = fresh;
    try {
      return await task(fresh);
    } catch (error) {
      throw databaseError(error, doing);
    }
  }
}
