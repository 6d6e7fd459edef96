import { createHash } from 'node:crypto';
import { renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { until, type Listed } from '../../e2e/support.js';
import { start, workspace, type Workspace } from '../../support/cli.js';
import { startProxy, type TcpProxy } from '../../support/tcp-proxy.js';
import type { Chance } from './chance.js';
import { ownServer, type OwnServer, type ServerOptions } from './own-server.js';

/** What a file must have become: its rows as `row,id,v`, hashed, and how many were refused. */
interface Cargo {
  readonly sha256: string;
  readonly good: number;
  readonly bad: number;
  readonly rows: string;
}

const FEEDS = ['plain', 'checked', 'versions'] as const;
type Feed = (typeof FEEDS)[number];

/** Only PostgreSQL refuses these: a CHECK that the contract does not know. */
const REFUSED_ID = 20_011;

/**
 * A daemon at work on three feeds over a proxy, with a PostgreSQL of its own: `plain` (one COPY), `checked` (a CHECK
 * constraint: chunks under savepoints, rows that only PostgreSQL refuses) and `versions` (each version replaces the one
 * before). The role that loads is no superuser.
 */
export class Harbour {
  /** The one that is asked; a failover changes it. */
  server: OwnServer;
  readonly ws: Workspace;
  proxy: TcpProxy;
  readonly #cargo = new Map<string, Cargo>();
  readonly #chance: Chance;
  #daemon: ReturnType<typeof start> | null = null;
  #files = 0;

  private constructor(server: OwnServer, proxy: TcpProxy, ws: Workspace, chance: Chance) {
    this.server = server;
    this.proxy = proxy;
    this.ws = ws;
    this.#chance = chance;
  }

  static async open(chance: Chance, options: ServerOptions = {}): Promise<Harbour> {
    const server = await ownServer(options);
    const proxy = await startProxy('127.0.0.1', server.port);
    await server.query(`create role ingest login; grant create on database postgres to ingest; create schema staging authorization ingest;
      create table staging.checked (_load_id bigint not null, _row bigint not null, id bigint, v numeric(12,2), check (id % ${REFUSED_ID} <> 0));
      alter table staging.checked owner to ingest`);
    const columns = [
      { name: 'id', type: 'bigint', required: true },
      { name: 'v', type: 'numeric(12,2)' },
    ];
    const common = { columns, limits: { bad_ratio: 0.9 } };
    const ws = workspace(`postgresql://ingest@127.0.0.1:${proxy.port}/postgres`, {
      plain: common,
      checked: common,
      versions: { ...common, on_changed: 'replace' },
    });
    return new Harbour(server, proxy, ws, chance);
  }

  async sail(): Promise<void> {
    this.#daemon = start(['run', '-c', this.ws.config], { cwd: this.ws.dir });
    await until(() => this.log().includes('"watching"'), 'the daemon');
  }

  log(): string {
    return this.#daemon?.output() ?? '';
  }

  /**
   * A few files come in: a large one for each way of loading, small ones, a new version of a known path. `large` in
   * rows.
   */
  arrive(large = 40_000): void {
    for (const feed of FEEDS) {
      const isVersion = feed === 'versions';
      this.#put(feed, isVersion ? 'v1.csv' : `f${++this.#files}.csv`, large + this.#chance.below(large));
      if (!isVersion)
        for (let i = 0; i < 2; i++) this.#put(feed, `f${++this.#files}.csv`, 10 + this.#chance.below(500));
    }
  }

  #put(feed: Feed, name: string, rows: number): void {
    // The ids begin elsewhere in every file, so that no two have the same content.
    const base = this.#chance.below(2 ** 30) * 1_000;
    const bad = new Set([1 + this.#chance.below(rows), 1 + this.#chance.below(rows)]);
    const text = ['id,v'];
    const good: string[] = [];
    for (let row = 1; row <= rows; row++) {
      const v = `${row % 1_000}.25`;
      text.push(`${bad.has(row) ? 'x' : ''}${base + row},${v}`);
      if (!bad.has(row) && (feed !== 'checked' || (base + row) % REFUSED_ID !== 0))
        good.push(`${row},${base + row},${v}`);
    }
    const content = `${text.join('\n')}\n`;
    const hash = (algorithm: string, of: string): string => createHash(algorithm).update(of).digest('hex');
    this.#cargo.set(`${feed}/${name}`, {
      sha256: hash('sha256', content),
      good: good.length,
      bad: rows - good.length,
      rows: hash('md5', good.join('\n')),
    });
    const target = path.join(this.ws.dir, 'drop', feed, name);
    // Beside the drop, then renamed: no half-written file is ever seen.
    writeFileSync(path.join(this.ws.dir, 'writing'), content);
    renameSync(path.join(this.ws.dir, 'writing'), target);
  }

  /** A random moment of a load that is under way; returns how many transactions were open then. */
  async inLoad(spreadMs = 400): Promise<number> {
    const open = async (): Promise<number> => {
      const [found] = await this.server.query(
        `select count(*)::int as n from pg_stat_activity where application_name like '%load' and state <> 'idle'`,
      );
      return Number(found?.['n']);
    };
    await until(open, 'a load to begin');
    await sleep(this.#chance.below(spreadMs));
    return await open();
  }

  /** Until every file that came has its live receipt. */
  async settled(seconds = 120): Promise<void> {
    await until(
      async () => {
        const { rows } = await this.#receipts();
        const live = new Map(rows.map((row) => [`${String(row['feed'])}/${String(row['path'])}`, row['sha']]));
        return [...this.#cargo].every(([name, cargo]) => live.get(name) === cargo.sha256);
      },
      'every file to be loaded',
      seconds,
    );
  }

  async #receipts(): Promise<{ readonly rows: readonly Record<string, unknown>[] }> {
    try {
      return {
        rows: await this.server.query(
          `select feed, path, file_sha256 as sha from tallyman.loads where status = 'loaded'`,
        ),
      };
    } catch {
      return { rows: [] };
    }
  }

  /**
   * The oracle, asked of the database: staging equals the files row for row, each content is in once, refused rows are
   * kept, no session is left in a transaction.
   */
  async balances(): Promise<void> {
    const found = new Map<string, unknown>();
    for (const feed of FEEDS) {
      const rows = await this.server.query(
        `select l.path, l.file_sha256 as sha256, l.rows_loaded::int as told, l.rows_quarantined::int as bad, s.n as good, s.rows,
           (select count(*)::int from tallyman.quarantine q where q.load_id = l.load_id) as kept
         from tallyman.loads l left join (select _load_id, count(*)::int as n, md5(string_agg(_row || ',' || id || ',' || v, E'\\n' order by _row)) as rows from staging.${feed} group by 1) s on s._load_id = l.load_id
         where l.feed = $1 and l.status = 'loaded'`,
        [feed],
      );
      for (const { path: name, ...row } of rows) {
        expect(found.has(`${feed}/${String(name)}`), `${feed}/${String(name)} has two live receipts`).toBe(false);
        found.set(`${feed}/${String(name)}`, row);
      }
      const [strays] = await this.server.query(
        `select count(*)::int as n from staging.${feed} where _load_id not in (select load_id from tallyman.loads where status = 'loaded')`,
      );
      expect(strays).toEqual({ n: 0 });
    }
    const expected = new Map(
      [...this.#cargo].map(([name, { sha256, good, bad, rows }]) => [
        name,
        { sha256, told: good, bad, good, rows: good === 0 ? null : rows, kept: bad },
      ]),
    );
    expect(found).toEqual(expected);
    await this.quiet();
  }

  /**
   * The rest of the oracle, asked of the ledger: every file in a named state, none of them blamed, and `ledger verify`
   * clean.
   */
  async ledgerBalances(): Promise<void> {
    const { items } = (await this.ws.json('files', '--limit', '0')) as Listed;
    expect(
      items
        .filter((item) => !['loaded', 'superseded'].includes(item.state))
        .map((item) => [item.path, item.state, item.error]),
    ).toEqual([]);
    const again = items.filter((item) => item.attempts !== 1);
    // What happened to it says why.
    expect(await Promise.all(again.map((item) => this.ws.json('files', 'show', String(item.file_id))))).toEqual([]);
    expect(await this.ws.json('ledger', 'verify')).toEqual({ ok: true, differences: [] });
  }

  /** No session of ours in a transaction, and no more of them than two loads, the shared one and a spare. */
  async quiet(): Promise<void> {
    const sessions = (): Promise<Record<string, unknown>[]> =>
      this.server.query(
        `select application_name, state, query from pg_stat_activity where usename = 'ingest' and backend_type = 'client backend'`,
      );
    await until(
      async () => (await sessions()).every((row) => row['state'] === 'idle'),
      'all sessions to be idle',
      20,
    ).catch(() => undefined);
    const left = await sessions();
    expect(left.filter((row) => row['state'] !== 'idle')).toEqual([]);
    expect(left.length).toBeLessThanOrEqual(4);
    expect(await this.server.query(`select gid from pg_prepared_xacts`)).toEqual([]);
  }

  /** SIGTERM: drains, and leaves no session at all. */
  async land(): Promise<void> {
    const daemon = this.#daemon;
    if (daemon === null) return;
    daemon.child.kill('SIGTERM');
    expect((await daemon.ended).code).toBe(0);
    this.#daemon = null;
    await until(
      async () =>
        (
          await this.server.query(
            `select 1 from pg_stat_activity where usename = 'ingest' and backend_type = 'client backend'`,
          )
        ).length === 0,
      'the sessions to end',
      20,
    );
  }

  /** Files that the database does not know as loaded. */
  async missing(): Promise<number> {
    const { rows } = await this.#receipts();
    return this.#cargo.size - rows.length;
  }

  get files(): number {
    return this.#cargo.size;
  }

  /** Good rows of these files. */
  get rows(): number {
    return [...this.#cargo.values()].reduce((sum, { good }) => sum + good, 0);
  }

  async close(): Promise<void> {
    this.#daemon?.child.kill('SIGKILL');
    await this.#daemon?.ended;
    await this.proxy.close();
    await this.server.remove();
    this.ws.remove();
  }
}
