import { from as copyFrom, type CopyStreamQuery } from 'pg-copy-streams';
import { TallymanError } from '../../core/errors.js';
import type { Connection } from '../../postgres/connect/connect.js';

/**
 * A server that takes no byte and gives no answer for so long is gone: TCP keepalive does not notice a stopped backend.
 * Milliseconds.
 */
const STALL_MS = 10 * 60_000;
/** How long an aborted COPY may take to say so before the connection is cut. Milliseconds. */
const ABORT_MS = 5_000;

/**
 * One COPY FROM STDIN on a connection, with back-pressure. Only one write at a time. After any failure nothing more is
 * sent; the connection is then either ready for ROLLBACK or lost, which the connection itself knows.
 */
export class CopyStream {
  readonly #connection: Connection;
  readonly #stream: CopyStreamQuery;
  readonly #stall: NodeJS.Timeout;
  #failure: Error | null = null;
  #reject: ((error: Error) => void) | null = null;

  /** `sql`: the whole COPY statement. Its refusal shows at the first write or at finish. */
  constructor(connection: Connection, sql: string) {
    this.#connection = connection;
    // 0: Node must hold no chunk back, so that a finished write means a buffer that the socket has taken.
    this.#stream = copyFrom(sql, { highWaterMark: 0 });
    this.#stream.on('error', (error) => this.#fail(error));
    this.#stall = setTimeout(() => {
      this.#fail(new TallymanError('DATABASE_UNREACHABLE', `PostgreSQL took no data for ${STALL_MS / 60_000} minutes`));
      connection.destroy();
    }, STALL_MS);
    this.#stall.unref();
    connection.client.query(this.#stream);
  }

  /**
   * Resolves when the socket has taken all of the chunk: its buffer may then be used again. True only for chunks of 64
   * KiB or more (below the socket's own high-water mark Node keeps a reference); a smaller one must be the last before
   * `finish`.
   */
  write(chunk: Buffer): Promise<void> {
    return this.#wait((resolve, reject) => {
      this.#stream.write(chunk, (error) => (error ? reject(error) : resolve()));
    });
  }

  /** Ends the COPY; returns PostgreSQL's own count of rows. */
  async finish(): Promise<number> {
    await this.#wait((resolve) => this.#stream.end(resolve));
    clearTimeout(this.#stall);
    return this.#stream.rowCount;
  }

  /**
   * Takes the COPY back (CopyFail). Never rejects; a server that does not answer loses the connection. Does nothing
   * after a failure or the end.
   */
  async abort(reason: string): Promise<void> {
    clearTimeout(this.#stall);
    if (this.#failure !== null || this.#stream.writableFinished) return;
    if (this.#stream.writableEnded) {
      this.#connection.destroy();
      return;
    }
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => {
        this.#connection.destroy();
        resolve();
      }, ABORT_MS);
      this.#stream.once('close', () => {
        clearTimeout(timer);
        resolve();
      });
      this.#stream.destroy(new Error(reason));
    });
  }

  #wait(start: (resolve: () => void, reject: (error: Error) => void) => void): Promise<void> {
    if (this.#failure !== null) return Promise.reject(this.#failure);
    this.#stall.refresh();
    return new Promise((resolve, reject) => {
      this.#reject = reject;
      start(() => {
        this.#reject = null;
        resolve();
      }, reject);
    });
  }

  #fail(error: Error): void {
    clearTimeout(this.#stall);
    this.#failure ??= error;
    this.#reject?.(this.#failure);
    this.#reject = null;
  }
}
