import type { BatchEncoder } from '../../columns/rows/batch-encoder.js';
import type { Batch } from '../../core/batch.js';
import type { CopyBuffer } from '../../core/codec.js';
import { TallymanError } from '../../core/errors.js';
import { databaseError, endsSession, isServerError, type ServerError } from '../../postgres/connect/errors.js';
import { cellOf, publicRowMessage, rowFault } from '../../postgres/connect/row-fault.js';
import { visibleString } from '../../base/text/visible-string.js';
import { Chunk } from './chunk.js';
import type { LoadContext } from '../context.js';
import { CopyStream } from './copy-stream.js';
import type { CopyTarget } from './copy-target.js';
import { isolate } from './isolate.js';
import { judgeDatabaseRows } from '../limits.js';
import type { RowWriter } from './row-loop.js';
import { witness } from './witness.js';

/** In one round trip; the RELEASE is reached only when the COPY was accepted. */
const underSavepoint = (copy: string): string => `${rehearsal(copy)}; RELEASE SAVEPOINT tallyman_chunk`;
const rehearsal = (copy: string): string => `SAVEPOINT tallyman_chunk; ${copy}`;
const ROLLBACK = 'ROLLBACK TO SAVEPOINT tallyman_chunk; RELEASE SAVEPOINT tallyman_chunk';
/** Bytes a write; see whole-copy.ts. */
const PIECE = 256 * 1024;
/** What a row that is in already meets when it is tried once more: so far it got, and no farther. */
const ALREADY_IN = new Set(['23505', '23P01']);

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
  /** A row, encoded, that PostgreSQL has taken; null = none yet. */
  #taken: Buffer | null = null;

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
      if (error === null) {
        this.#taken ??= Buffer.from(chunk.encoded(0, 1));
      } else {
        await this.#undo(error);
        await isolate(
          chunk.rows,
          error,
          (from, to) => this.#attempt(from, to),
          (row, refusal) => this.#judge(row, refusal),
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

  /** Rows of the chunk once more, by themselves. */
  async #attempt(from: number, to: number): Promise<ServerError | null> {
    const encoded = this.#chunk.encoded(from, to);
    try {
      this.#copied += await this.#copy(underSavepoint(this.#target.sql), encoded);
      this.#taken ??= Buffer.from(this.#chunk.encoded(from, from + 1));
      return null;
    } catch (error) {
      const refusal = rowError(error);
      await this.#undo(refusal);
      return refusal;
    }
  }

  /** The same without leaving a trace. */
  async #rehearse(encoded: Buffer): Promise<ServerError | null> {
    let refusal: ServerError | null = null;
    try {
      await this.#copy(rehearsal(this.#target.sql), encoded);
    } catch (error) {
      refusal = rowError(error);
    }
    await this.#undo(refusal);
    return refusal;
  }

  /** Sent in pieces, so that a refusal at the beginning stops the rest. Returns the rows that PostgreSQL took. */
  async #copy(sql: string, encoded: Buffer): Promise<number> {
    const stream = new CopyStream(this.#context.connection, sql);
    this.#stream = stream;
    const { header, trailer } = this.#target;
    if (header.length > 0) await stream.write(header);
    for (let at = 0; at < encoded.length; at += PIECE) await stream.write(encoded.subarray(at, at + PIECE));
    if (trailer.length > 0) await stream.write(trailer);
    return await stream.finish();
  }

  /**
   * Back to before the COPY. A session that cannot go back is over: because of what it said last when that ended it,
   * else it was lost meanwhile, and no row is to blame.
   */
  async #undo(error: ServerError | null): Promise<void> {
    try {
      await this.#context.connection.queryAll(ROLLBACK);
    } catch (failure) {
      throw error !== null && endsSession(error) ? error : failure;
    }
  }

  /** A row that PostgreSQL refused by itself: to the quarantine, once it is certain that it is to blame. */
  async #judge(row: number, error: ServerError): Promise<void> {
    if (rowFault(error) === 'row') {
      this.#refuse(row, this.#chunk.raw(row), error);
      return;
    }
    if (!(await this.#othersPass(row)))
      throw databaseError(error, 'loading', undefined, publicRowMessage(error, this.#chunk.raw(row)));
    // Whatever stood in its way may have gone meanwhile.
    const again = await this.#attempt(row, row + 1);
    if (again !== null) this.#refuse(row, this.#chunk.raw(row), again);
  }

  /** True when PostgreSQL takes another row of the file at this very moment. */
  async #othersPass(row: number): Promise<boolean> {
    if (this.#taken !== null) {
      const error = await this.#rehearse(this.#taken);
      if (error === null || ALREADY_IN.has(error.code)) return true;
    }
    const passed = await witness(this.#chunk.rows, row, (one) => this.#rehearse(this.#chunk.encoded(one, one + 1)));
    if (passed === null) return false;
    this.#taken = Buffer.from(this.#chunk.encoded(passed, passed + 1));
    return true;
  }

  #refuse(row: number, raw: Buffer, error: ServerError): void {
    this.refused++;
    const message = visibleString(error.message);
    const named =
      error.constraint === undefined || message.includes(error.constraint)
        ? message
        : `${message} (${error.constraint})`;
    const column = error.column ?? this.#columnOf(error);
    this.#context.record.add(
      this.#chunk.place(row),
      [{ column, class: 'database-error', rule: null, message: named, value: null }],
      raw,
      raw.length,
    );
    judgeDatabaseRows(this.#context.job.feed.limits, this.refused, publicRowMessage(error, raw));
  }

  /** CONTEXT is text in the server's language: only a column that there is counts. */
  #columnOf(error: ServerError): string | null {
    const name = cellOf(error);
    return name !== null && this.#target.columns.includes(name) ? name : null;
  }
}

/** The error when it may be a row's fault; anything else goes on upwards. */
function rowError(error: unknown): ServerError {
  if (isServerError(error) && rowFault(error) !== 'never') return error;
  if (error instanceof Error) throw error;
  throw new TallymanError('INTERNAL', 'COPY failed without an error');
}
