import type Database from 'better-sqlite3';
import { TallymanError } from '../../../core/errors.js';
import { isBusy, ledgerError, needsReopening } from './sqlite-errors.js';

export type Row = Readonly<Record<string, unknown>>;
/** What SQLite takes and gives. */
export type Value = string | number | bigint | Buffer | null;

interface Job {
  readonly work: () => void;
  readonly resolve: () => void;
  readonly reject: (error: TallymanError) => void;
}

/** Jobs of one transaction at most, and its longest time: the event loop has other things to do. */
const BATCH_JOBS = 1_000;
const BATCH_MS = 50;
/**
 * Callers that wait at once at most. Each caller awaits its own write, so this many means that nobody waits for
 * anything any more.
 */
const QUEUE_LIMIT = 100_000;
const BUSY_RETRY_MS = 25;
/**
 * After a transaction that several callers shared, the next one waits for so many times as long as that one took, at
 * most so many milliseconds: while a disk syncs for 2 ms, the writes of many files at work gather, and three quarters
 * of the time stay for other work. Whoever writes one thing after the other never waits.
 */
const GATHER_TIMES = 3;
const GATHER_MOST_MS = 15;

export interface StoreOptions {
  /**
   * How long another process may hold the write lock before writes fail with LEDGER_UNUSABLE. Waited asynchronously.
   */
  readonly busyMs: number;
  readonly now: () => number;
}

/**
 * One SQLite file: statements prepared once, group commit, errors in our words. The writes of one turn of the event
 * loop share one transaction (one fsync: 670 small files a second otherwise spend most of their time in it); each has a
 * savepoint, so that one that fails fails alone.
 */
export class Store {
  readonly file: string;
  readonly now: () => number;
  readonly #open: () => Database.Database;
  readonly #busyMs: number;
  readonly #statements = new Map<string, Database.Statement<Value[]>>();
  readonly #plucked = new Map<string, Database.Statement<Value[]>>();
  #db: Database.Database | null = null;
  #closed = false;
  #queue: Job[] = [];
  #scheduled = false;
  #busySince: number | null = null;
  /** performance.now() before which the next transaction does not begin. */
  #gatherUntil = 0;

  constructor(file: string, open: () => Database.Database, options: StoreOptions) {
    this.file = file;
    this.#open = open;
    this.#busyMs = options.busyMs;
    this.now = options.now;
  }

  /** Opens the file now, so that a ledger that cannot be used is reported at the start. */
  connect(): void {
    this.#guard(() => this.#connection());
  }

  all(sql: string, ...values: Value[]): readonly Row[] {
    return this.#statement(sql)
      .all(...values)
      .map(asRow);
  }

  get(sql: string, ...values: Value[]): Row | null {
    const found = this.#statement(sql).get(...values);
    return found === undefined ? null : asRow(found);
  }

  /**
   * First column of the first row, as it is; undefined = no row. Always the same use for the same SQL: no object is
   * made.
   */
  value(sql: string, ...values: Value[]): unknown {
    const known = this.#plucked.get(sql);
    if (known !== undefined) return known.get(...values);
    const made = this.#connection().prepare<Value[]>(sql).pluck();
    this.#plucked.set(sql, made);
    return made.get(...values);
  }

  run(sql: string, ...values: Value[]): { readonly changes: number; readonly lastId: number } {
    const result = this.#statement(sql).run(...values);
    return { changes: result.changes, lastId: Number(result.lastInsertRowid) };
  }

  /**
   * Reads now: sees everything committed, nothing that still waits for its transaction. In a transaction of its own:
   * one view of the ledger, and 1,000 lookups take 1 ms instead of 3.5, because SQLite takes and leaves the lock once.
   */
  read<T>(work: () => T): Promise<T> {
    return new Promise((resolve) => {
      resolve(this.#guard(() => this.#view(work)));
    });
  }

  /** Runs `work` in the transaction of this turn. Resolves after COMMIT. */
  write<T>(work: () => T): Promise<T> {
    if (this.#closed) return Promise.reject(closedError(this.file));
    if (this.#queue.length >= QUEUE_LIMIT) {
      return Promise.reject(
        new TallymanError(
          'LEDGER_UNUSABLE',
          `More than ${QUEUE_LIMIT} writes to the ledger ${this.file} wait for their turn.`,
        ),
      );
    }
    return new Promise<T>((resolve, reject) => {
      let result: T;
      this.#queue.push({
        work: () => {
          result = work();
        },
        resolve: () => {
          resolve(result);
        },
        reject,
      });
      this.#schedule();
    });
  }

  /** Writes what waits, then closes. */
  close(): void {
    this.#closed = true;
    this.#busySince ??= this.now() - this.#busyMs;
    while (this.#queue.length > 0) this.#flush();
    this.#disconnect();
  }

  #view<T>(work: () => T): T {
    this.run('begin');
    try {
      const result = work();
      this.run('commit');
      return result;
    } catch (error) {
      this.#rollback();
      throw error;
    }
  }

  #schedule(delayMs = 0): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    const turn = (): void => {
      this.#scheduled = false;
      this.#flush();
    };
    const wait = Math.max(delayMs, this.#gatherUntil - performance.now());
    if (wait <= 0) setImmediate(turn);
    else setTimeout(turn, wait);
  }

  #flush(): void {
    if (this.#queue.length === 0) return;
    try {
      this.#begin();
    } catch (error) {
      this.#notBegun(error);
      return;
    }
    this.#busySince = null;
    const began = performance.now();
    const outcomes: (TallymanError | null)[] = [];
    let started = 0;
    try {
      const until = Date.now() + BATCH_MS;
      while (started < this.#queue.length && started < BATCH_JOBS && Date.now() <= until) {
        const job = this.#queue[started]!;
        started++;
        outcomes.push(this.#savepoint(job));
      }
      this.run('commit');
    } catch (error) {
      this.#failAll(error, started);
      return;
    }
    const ended = performance.now();
    this.#gatherUntil = started > 1 ? ended + Math.min(GATHER_MOST_MS, GATHER_TIMES * (ended - began)) : 0;
    const jobs = this.#queue.slice(0, started);
    this.#queue = this.#queue.slice(started);
    for (const [i, job] of jobs.entries()) {
      const error = outcomes[i] ?? null;
      if (error === null) job.resolve();
      else job.reject(error);
    }
    if (this.#queue.length > 0) this.#schedule();
  }

  #begin(): void {
    this.#connection();
    this.run('begin immediate');
  }

  #notBegun(error: unknown): void {
    if (isBusy(error)) {
      this.#busySince ??= this.now();
      if (this.now() - this.#busySince < this.#busyMs) {
        this.#schedule(BUSY_RETRY_MS);
        return;
      }
      this.#busySince = null;
    }
    this.#failAll(error, this.#queue.length);
  }

  /** null = done. Throws when the transaction itself is gone (disk full, I/O error: SQLite may roll all of it back). */
  #savepoint(job: Job): TallymanError | null {
    this.run('savepoint job');
    try {
      job.work();
      this.run('release job');
      return null;
    } catch (error) {
      if (this.#db?.inTransaction !== true) throw error;
      this.run('rollback to job');
      this.run('release job');
      if (needsReopening(error)) throw error;
      return ledgerError(error, this.file);
    }
  }

  /** The transaction is lost: its jobs fail, the next call starts afresh. */
  #failAll(error: unknown, jobs: number): void {
    this.#rollback();
    if (needsReopening(error)) this.#disconnect();
    const told = ledgerError(error, this.file);
    const lost = this.#queue.slice(0, jobs);
    this.#queue = this.#queue.slice(jobs);
    for (const job of lost) job.reject(told);
    if (this.#queue.length > 0) this.#schedule();
  }

  #rollback(): void {
    if (this.#db?.inTransaction !== true) return;
    try {
      this.run('rollback');
    } catch {
      // A connection that cannot even roll back is of no use: closing it rolls back.
      this.#disconnect();
    }
  }

  #guard<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (needsReopening(error)) this.#disconnect();
      throw ledgerError(error, this.file);
    }
  }

  #connection(): Database.Database {
    if (this.#db !== null) return this.#db;
    if (this.#closed && this.#queue.length === 0) throw closedError(this.file);
    this.#db = this.#open();
    return this.#db;
  }

  #disconnect(): void {
    const db = this.#db;
    this.#db = null;
    this.#statements.clear();
    this.#plucked.clear();
    db?.close();
  }

  #statement(sql: string): Database.Statement<Value[]> {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const made = this.#connection().prepare<Value[]>(sql);
    this.#statements.set(sql, made);
    return made;
  }
}

const closedError = (file: string): TallymanError =>
  new TallymanError('LEDGER_UNUSABLE', `The ledger ${file} is closed.`);

function asRow(value: unknown): Row {
  if (!isRow(value)) throw new TallymanError('LEDGER_UNUSABLE', 'The ledger gave something that is no row.');
  return value;
}

const isRow = (value: unknown): value is Row => typeof value === 'object' && value !== null;
