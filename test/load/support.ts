import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { plainColumn } from '../../src/columns/plain-column.js';
import type { ColumnSpec } from '../../src/core/feed/columns.js';
import type { FeedSpec } from '../../src/core/feed/feed.js';
import type { LoadJob, LoadResult } from '../../src/core/load.js';
import { csv } from '../../src/formats/csv/index.js';
import type { LoadHooks } from '../../src/load/hooks.js';
import { loadFile } from '../../src/load/load-file.js';
import { LoadSession } from '../../src/load/transaction/session.js';
import { connect } from '../../src/postgres/connect/connect.js';
import { ensureControlSchema } from '../../src/postgres/control/control-schema.js';
import { parseDatabaseUrl } from '../../src/postgres/connect/url.js';
import { versionOf } from '../../src/sources/local/version.js';
import { createDatabase, type TestDatabase } from '../support/postgres.js';

/** A column of a contract: only what differs from a plain one. */
export function column(name: string, type = 'text', rest: Partial<ColumnSpec> = {}): ColumnSpec {
  return { ...plainColumn(name, name, type), ...rest };
}

/** A CSV feed into staging.t, with the config's defaults. */
export function feedOf(change: Partial<FeedSpec> = {}): FeedSpec {
  return {
    name: 'f',
    source: {
      type: 'local',
      options: {},
      patterns: ['*'],
      ignoreCase: false,
      recursive: false,
      ignore: [],
      pollMs: 1000,
      settleMs: 0,
      ready: { kind: 'always' },
    },
    format: { type: 'csv', options: {} },
    compression: 'auto',
    maxExpansion: { ratio: 200, bytes: 100e9 },
    members: null,
    columns: [column('id', 'integer'), column('name')],
    unique: [],
    onUnknownColumn: 'reject',
    onMissingColumn: 'reject',
    onDuplicate: 'skip',
    onChanged: 'load',
    control: null,
    limits: { badRows: null, badRatio: 0.5, minRows: 0, databaseRows: 10_000 },
    target: { schema: 'staging', table: 't', mode: 'append', create: true, loadIndex: 'none' },
    order: 'arrival',
    serial: false,
    after: { loaded: { kind: 'leave' }, rejected: { kind: 'leave' }, duplicate: { kind: 'leave' } },
    retry: { attempts: 5, backoffMs: 1000, maxBackoffMs: 1000 },
    names: 'snake',
    timezone: 'UTC',
    formerly: null,
    ...change,
  };
}

export interface Bench {
  readonly db: TestDatabase;
  readonly dir: string;
  readonly session: LoadSession;
  /** Writes a file into the folder; returns its absolute path. */
  put(name: string, content: string | Buffer): string;
  job(file: string, feed?: FeedSpec, change?: Partial<LoadJob>): LoadJob;
  load(job: LoadJob, hooks?: Partial<LoadHooks>): Promise<LoadResult>;
  /** put + job + load. */
  take(name: string, content: string | Buffer, feed?: FeedSpec, change?: Partial<LoadJob>): Promise<LoadResult>;
  query(sql: string, values?: readonly unknown[]): Promise<Record<string, unknown>[]>;
  close(): Promise<void>;
}

/** A database with the control schema, a folder, and one session as a worker has. */
export async function openBench(encoding?: string): Promise<Bench> {
  const db = await createDatabase(encoding);
  const spec = { ...parseDatabaseUrl(db.url, null, { ca: null, cert: null, key: null }), controlSchema: 'tallyman' };
  const control = await connect(spec);
  await ensureControlSchema(control, 'tallyman');
  await control.close();
  const dir = mkdtempSync(path.join(tmpdir(), 'tallyman-load-'));
  const session = new LoadSession();
  let fileId = 0;
  const bench: Bench = {
    db,
    dir,
    session,
    put(name, content) {
      const file = path.join(dir, name);
      writeFileSync(file, content);
      return file;
    },
    job(file, feed = feedOf(), change = {}) {
      const stats = statSync(file, { bigint: true });
      return {
        loadKey: randomUUID(),
        instanceId: 'here',
        host: 'a host',
        fileId: ++fileId,
        feed,
        database: spec,
        workDir: dir,
        file: {
          path: path.basename(file),
          uri: `file://${file}`,
          localPath: file,
          localPathHex: null,
          size: Number(stats.size),
          mtimeUs: Number(stats.mtimeNs / 1000n),
          version: versionOf(stats),
          inPlace: true,
          sha256: null,
        },
        manifest: null,
        generation: 1,
        duplicateAllowed: false,
        replaces: { loadIds: [], path: false, feed: false },
        ...change,
      };
    },
    load(job, hooks = {}) {
      return loadFile(
        job,
        { formats: [csv], decoders: [], onProgress: () => undefined, signal: new AbortController().signal, ...hooks },
        session,
      );
    },
    take(name, content, feed, change) {
      return bench.load(bench.job(bench.put(name, content), feed, change));
    },
    async query(sql, values) {
      const { rows } = await db.client.query<Record<string, unknown>>(
        sql,
        values === undefined ? undefined : [...values],
      );
      return rows;
    },
    async close() {
      await session.close();
      await db.drop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
  return bench;
}
