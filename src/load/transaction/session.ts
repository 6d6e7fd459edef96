import type { FeedSpec } from '../../core/feed/feed.js';
import type { DatabaseSpec } from '../../core/database.js';
import { inspectTable, lookAtTable, type TargetTable } from '../../postgres/staging/catalog.js';
import { connect, type Connection } from '../../postgres/connect/connect.js';
import type { KnownControl } from './begin.js';
import { planStaging } from '../../postgres/staging/staging-plan.js';
import { ensureStaging } from '../../postgres/staging/staging-table.js';
import type { StagingColumn } from '../../postgres/staging/staging-sql.js';

/** Tables remembered; past it all are forgotten. */
const MOST_TABLES = 200;

/**
 * What a worker keeps between loads: its one connection, made anew when it was lost, and what the catalog said about
 * each table. The latter may be old: each load compares fingerprints under its lock (begin.ts).
 */
export class LoadSession {
  readonly control: KnownControl = { others: false };
  #spec: DatabaseSpec | null = null;
  #connection: Connection | null = null;
  readonly #tables = new Map<string, TargetTable>();
  /** Pages of a table's leaves when this session's last load into it ended. */
  readonly #ended = new Map<string, readonly number[]>();

  /** Throws DATABASE_UNREACHABLE, DATABASE_LOGIN, DATABASE_BUSY. */
  async connection(spec: DatabaseSpec): Promise<Connection> {
    if (this.#connection?.lost === false && JSON.stringify(this.#spec) === JSON.stringify(spec))
      return this.#connection;
    await this.close();
    this.#connection = await connect(spec, 'load');
    this.#spec = spec;
    return this.#connection;
  }

  /** The feed's table as it stands, without changing it; null = not there. */
  async lookAt(connection: Connection, { target }: FeedSpec): Promise<TargetTable | null> {
    const known = this.#tables.get(key(target));
    if (known !== undefined) return known;
    const found = await lookAtTable(connection, () => inspectTable(connection, target.schema, target.table));
    if (found !== null) this.#remember(target, found);
    return found;
  }

  /**
   * The feed's table, created or given missing columns where the feed allows it. Throws CONTRACT_MISFIT,
   * DATABASE_RIGHTS.
   */
  async table(connection: Connection, { target }: FeedSpec, columns: readonly StagingColumn[]): Promise<TargetTable> {
    const known = this.#tables.get(key(target));
    if (known !== undefined && planStaging(target, columns, known).kind === 'ok') return known;
    const table = await ensureStaging(connection, target, columns);
    this.#remember(target, table);
    return table;
  }

  /** Names of the columns of a table that is there, where the feed has no contract of its own. */
  async presentColumns(connection: Connection, feed: FeedSpec): Promise<readonly string[] | null> {
    if (feed.columns !== null) return null;
    const table = await this.lookAt(connection, feed);
    return table === null
      ? null
      : table.columns.map((column) => column.name).filter((name) => name !== '_load_id' && name !== '_row');
  }

  forgetTable({ target }: FeedSpec): void {
    this.#tables.delete(key(target));
    this.#ended.delete(key(target));
  }

  /** Where the last load of this session into the table ended (TallyScan.ended); null = this is the first. */
  endOf({ target }: FeedSpec): readonly number[] | null {
    return this.#ended.get(key(target)) ?? null;
  }

  ended({ target }: FeedSpec, pages: readonly number[]): void {
    if (this.#ended.size >= MOST_TABLES) this.#ended.clear();
    this.#ended.set(key(target), pages);
  }

  /** Cuts the connection at once; its backend rolls back. */
  hangUp(): void {
    this.#connection?.destroy();
  }

  async close(): Promise<void> {
    const connection = this.#connection;
    this.#connection = null;
    this.#tables.clear();
    this.#ended.clear();
    await connection?.close();
  }

  #remember(target: FeedSpec['target'], table: TargetTable): void {
    if (this.#tables.size >= MOST_TABLES) this.#tables.clear();
    this.#tables.set(key(target), table);
  }
}

const key = (target: FeedSpec['target']): string => JSON.stringify([target.schema, target.table]);
