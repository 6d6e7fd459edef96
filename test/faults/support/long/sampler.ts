import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';
import pg from 'pg';

/** One look at the daemon. Memory in MiB, lag in milliseconds. null = could not be had (PostgreSQL was down). */
export interface Sample {
  /** Seconds since the beginning of the run. */
  readonly t: number;
  /** 1 for the first process, one more after each SIGKILL. */
  readonly life: number;
  readonly rss: number;
  /** Of the main thread, as V8 and Node count it. */
  readonly heap: number;
  readonly external: number;
  readonly handles: number;
  readonly threads: number;
  /** Share of one core since the sample before, 0 to 2 on two cores. */
  readonly cpu: number;
  readonly sessions: number | null;
  readonly inTransaction: number | null;
  /** Sessions idle inside a transaction for more than 30 s. */
  readonly stuck: number | null;
  readonly lag: number;
  readonly lagMax: number;
  /** Ledger entries in an end state, and on their way. */
  readonly done: number;
  readonly waiting: number;
  readonly ledger: number;
}

const MIB = 2 ** 20;
const EVERY_MS = 2_000;
/** Clock ticks of /proc/PID/stat: 100 a second on every Linux that Node runs on. */
const TICKS = 100;

export interface Sampled {
  readonly samples: readonly Sample[];
  /** Seconds since the beginning. */
  readonly now: () => number;
  stop(): Promise<void>;
}

/** Looks every two seconds until it is stopped. `daemon` gives the process that runs now; null = none. */
export function startSampler(
  dataDir: string,
  admin: string,
  probe: string,
  httpPort: number,
  daemon: () => { readonly pid: number; readonly life: number } | null,
): Sampled {
  const samples: Sample[] = [];
  const began = performance.now();
  const now = (): number => (performance.now() - began) / 1_000;
  const sessions = askSessions(admin);
  const ledger = path.join(dataDir, 'ledger.db');
  let before = { pid: 0, ticks: 0, at: 0 };
  let running = true;

  const look = async (): Promise<void> => {
    const process_ = daemon();
    if (process_ === null || !existsSync(ledger)) return;
    const { pid, life } = process_;
    process.kill(pid, 'SIGUSR2');
    const [found] = await Promise.all([sessions.ask(), scrape(httpPort), sleep(50)]);
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    const ticks = cpuTicks(pid);
    const cpu = before.pid === pid ? (ticks - before.ticks) / TICKS / (now() - before.at) : 0;
    before = { pid, ticks, at: now() };
    const {
      heapUsed = 0,
      external = 0,
      p99 = 0,
      max = 0,
    } = existsSync(probe) ? (JSON.parse(readFileSync(probe, 'utf8')) as Partial<Record<string, number>>) : {};
    const field = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0);
    samples.push({
      t: now(),
      life,
      rss: field('VmRSS') / 1_024,
      heap: heapUsed / MIB,
      external: external / MIB,
      handles: readdirSync(`/proc/${pid}/fd`).length,
      threads: field('Threads'),
      cpu,
      ...found,
      lag: p99,
      lagMax: max,
      ...countFiles(ledger),
      ledger:
        [ledger, `${ledger}-wal`].reduce((sum, file) => sum + (existsSync(file) ? statSync(file).size : 0), 0) / MIB,
    });
  };

  const loop = (async () => {
    while (running) {
      const next = performance.now() + EVERY_MS;
      try {
        await look();
      } catch (error) {
        // The process was killed while it was looked at; anything else is a fault of this test.
        if (!(error instanceof Error && 'code' in error && (error.code === 'ESRCH' || error.code === 'ENOENT')))
          throw error;
      }
      await sleep(Math.max(0, next - performance.now()));
    }
  })();
  return {
    samples,
    now,
    async stop() {
      running = false;
      await loop;
      await sessions.end();
    },
  };
}

function cpuTicks(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
    .replace(/^.*\) /, '')
    .split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

/** As Prometheus does; that the answer may be missing while the daemon starts is no matter here. */
async function scrape(port: number): Promise<void> {
  await fetch(`http://127.0.0.1:${port}/metrics`, { signal: AbortSignal.timeout(1_500) }).then(
    (answer) => answer.text(),
    () => '',
  );
}

function countFiles(ledger: string): { readonly done: number; readonly waiting: number } {
  const database = new Database(ledger, { readonly: true, timeout: 1_000 });
  try {
    const rows = database
      .prepare<[], { state: string; n: number }>('select state, count(*) as n from entry group by state')
      .all();
    let [done, waiting] = [0, 0];
    for (const { state, n } of rows) {
      if (['discovered', 'landing', 'landed', 'loading'].includes(state)) waiting += n;
      else done += n;
    }
    return { done, waiting };
  } finally {
    database.close();
  }
}

interface Sessions {
  readonly sessions: number | null;
  readonly inTransaction: number | null;
  readonly stuck: number | null;
}

/** Straight to the server, on a connection that is made anew when the server had gone. */
function askSessions(admin: string): { ask(): Promise<Sessions>; end(): Promise<void> } {
  let client: pg.Client | null = null;
  return {
    async ask() {
      try {
        if (client === null) {
          const fresh = new pg.Client({
            connectionString: admin,
            connectionTimeoutMillis: 1_000,
            query_timeout: 1_500,
          });
          fresh.on('error', () => (client = null));
          await fresh.connect();
          client = fresh;
        }
        const { rows } = await client.query<{ sessions: number; open: number; stuck: number }>(
          `select count(*)::int as sessions, (count(*) filter (where state like 'idle in transaction%' or state = 'active'))::int as open,
             (count(*) filter (where state like 'idle in transaction%' and state_change < now() - interval '30 s'))::int as stuck
           from pg_stat_activity where usename = 'ingest' and backend_type = 'client backend'`,
        );
        return { sessions: rows[0]?.sessions ?? 0, inTransaction: rows[0]?.open ?? 0, stuck: rows[0]?.stuck ?? 0 };
      } catch {
        // PostgreSQL is down: one of the faults. The graph has a gap there.
        client = null;
        return { sessions: null, inTransaction: null, stuck: null };
      }
    },
    async end() {
      await client?.end();
    },
  };
}
