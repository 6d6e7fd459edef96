import type { BatchEncoder } from '../../columns/rows/batch-encoder.js';
import type { Batch } from '../../core/batch.js';
import type { CopyBuffer } from '../../core/codec.js';
import { TallymanError } from '../../core/errors.js';
import { classify, isServerError, publicMessage, type ServerError } from '../../postgres/connect/errors.js';
import { visibleString } from '../../base/visible-string.js';
import { Chunk } from './chunk.js';
import type { LoadContext } from '../context.js';
import { CopyStream } from './copy-stream.js';
import type { CopyTarget } from './copy-target.js';
import { isolate } from './isolate.js';
import { judgeDatabaseRows } from '../limits.js';
import type { RowWriter } from './row-loop.js';

/** In one round trip; the RELEASE is reached only when the COPY was accepted. */
const underSavepoint = (copy: string): string => `SAVEPOINT tallyman_chunk; ${copy}; RELEASE SAVEPOINT tallyman_chunk`;
const ROLLBACK = 'ROLLBACK TO SAVEPOINT tallyman_chunk; RELEASE SAVEPOINT tallyman_chunk';
/** Bytes a write; see whole-copy.ts. */
const PIECE = 256 * 1024;

/**
 * Chunks of 16 MiB, each one COPY under a savepoint, for tables where PostgreSQL may refuse what the contract accepts.
 * A chunk is sent while it fills and kept until it is accepted; the rows that PostgreSQL refuses are found and
 * quarantined as `database-error`.
 */
export class ChunkedCopy implements RowWriter {
  /** Rows that only PostgreSQL refused. */
  refused = 0;
  readonly #context: LoadContext;
  readonly #target: CopyTarget;
  readonly #encoder: BatchEncoder;
  readonly #chunk = new Chunk();
  #stream: CopyStream | null = null;
  #inFlight: Promise<void> = Promise.resolve();
  #sent = 0;
  #failure: ServerError | null = null;
  #copied = 0;

  constructor(context: LoadContext, target: CopyTarget, encoder: BatchEncoder) {
    this.#context = context;
    this.#target = target;
    this.#encoder = encoder;
  }

  get out(): CopyBuffer {
    return this.#chunk.out;
  }

  get flushAt(): number {
    return this.#sent + PIECE;
  }

  async advance(batch: Batch, from: number, to: number): Promise<void> {
    this.#chunk.add(this.#encoder, batch, from, to);
    if (this.#chunk.out.pos - this.#sent >= PIECE) await this.#send();
    if (this.#chunk.full) await this.#endChunk();
    if (this.#context.record.full) {
      await this.#endChunk();
      await this.#context.quarantine.flush();
    }
  }

  async finish(): Promise<number> {
    await this.#endChunk();
    return this.#copied;
  }

  async abort(reason: string): Promise<void> {
    await this.#stream?.abort(reason);
    this.#stream = null;
  }

  /** Sends what was encoded since the last time. After a refusal the rest of the chunk is only gathered. */
  async #send(): Promise<void> {
    const { out } = this.#chunk;
    const from = this.#sent;
    this.#sent = out.pos;
    if (this.#failure !== null) return;
    try {
      if (this.#stream === null) {
        this.#stream = new CopyStream(this.#context.connection, underSavepoint(this.#target.sql));
        if (this.#target.header.length > 0) await this.#stream.write(this.#target.header);
      }
      await this.#inFlight;
      this.#inFlight = this.#stream.write(out.buf.subarray(from, out.pos));
      this.#inFlight.catch(() => undefined);
    } catch (error) {
      this.#failure = rowError(error);
    }
  }

  async #endChunk(): Promise<void> {
    const chunk = this.#chunk;
    if (chunk.rows > 0) {
      await this.#send();
      const error = this.#failure ?? (await this.#close());
      if (error !== null) {
        await this.#context.connection.queryAll(ROLLBACK);
        await isolate(
          chunk.rows,
          error,
          (from, to) => this.#attempt(from, to),
          (row, refusal) => this.#refuse(row, refusal),
        );
      }
    }
    chunk.clear();
    this.#stream = null;
    this.#failure = null;
    this.#sent = 0;
    this.#inFlight = Promise.resolve();
  }

  /** Ends the COPY under way; returns the error when PostgreSQL refused it for a row. */
  async #close(): Promise<ServerError | null> {
    const stream = this.#stream;
    if (stream === null) return null;
    try {
      await this.#inFlight;
      if (this.#target.trailer.length > 0) await stream.write(this.#target.trailer);
      this.#copied += await stream.finish();
      return null;
    } catch (error) {
      return rowError(error);
    }
  }

  /**
   * Rows of the chunk once more, by themselves. Sent in pieces, so that a refusal at their beginning stops the rest.
   */
  async #attempt(from: number, to: number): Promise<ServerError | null> {
    const { connection } = this.#context;
    const stream = new CopyStream(connection, underSavepoint(this.#target.sql));
    this.#stream = stream;
    try {
      const { header, trailer } = this.#target;
      if (header.length > 0) await stream.write(header);
      const encoded = this.#chunk.encoded(from, to);
      for (let at = 0; at < encoded.length; at += PIECE) await stream.write(encoded.subarray(at, at + PIECE));
      if (trailer.length > 0) await stream.write(trailer);
      this.#copied += await stream.finish();
      return null;
    } catch (error) {
      const refusal = rowError(error);
      await connection.queryAll(ROLLBACK);
      return refusal;
    }
  }

  #refuse(row: number, error: ServerError): void {
    this.refused++;
    const raw = this.#chunk.raw(row);
    const message = visibleString(error.message);
    const named =
      error.constraint === undefined || message.includes(error.constraint)
        ? message
        : `${message} (${error.constraint})`;
    this.#context.record.add(
      this.#chunk.place(row),
      [{ column: error.column ?? null, class: 'database-error', rule: null, message: named, value: null }],
      raw,
      raw.length,
    );
    judgeDatabaseRows(this.#context.job.feed.limits, this.refused, publicMessage(error));
  }
}

/** The error when it is a row's fault; anything else goes on upwards. */
function rowError(error: unknown): ServerError {
  if (isServerError(error) && classify(error) === 'row') return error;
  if (error instanceof Error) throw error;
  throw new TallymanError('INTERNAL', 'COPY failed without an error');
}
