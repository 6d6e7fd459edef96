import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { FileReport } from '../core/report.js';
import { END_STATES } from '../core/states.js';

/**
 * Prometheus metrics (docs/spec/running.md#http). Counters move only when a file has ended, and all counts of a file
 * together, so that a scrape never sees half a file and rows_read = loaded + quarantined + skipped holds in every
 * scrape for loaded files.
 */
export class Metrics {
  readonly #registry = new Registry();
  readonly #files = this.#counter('tallyman_files_total', 'Files that ended, by state.', ['feed', 'state']);
  readonly #rowsRead = this.#counter('tallyman_rows_read_total', 'Rows of committed loads.', ['feed']);
  readonly #rowsLoaded = this.#counter('tallyman_rows_loaded_total', 'Rows loaded.', ['feed']);
  readonly #rowsQuarantined = this.#counter('tallyman_rows_quarantined_total', 'Rows quarantined by committed loads.', [
    'feed',
  ]);
  readonly #bytes = this.#counter('tallyman_bytes_total', 'Bytes of loaded files, as delivered.', ['feed']);
  readonly #attempts = this.#counter('tallyman_failed_attempts_total', 'Attempts that failed and will be made again.', [
    'feed',
    'code',
  ]);
  readonly #lastLoad = new Gauge({
    name: 'tallyman_last_load_timestamp_seconds',
    help: 'When the newest file of the feed was loaded.',
    labelNames: ['feed'],
    registers: [this.#registry],
  });
  readonly #seconds = new Histogram({
    name: 'tallyman_load_seconds',
    help: 'Claim to commit.',
    labelNames: ['feed'],
    buckets: [0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 1_800, 7_200],
    registers: [this.#registry],
  });
  readonly #healthy = new Gauge({
    name: 'tallyman_feed_healthy',
    help: '1 when the source can be listed and the feed works.',
    labelNames: ['feed'],
    registers: [this.#registry],
  });
  readonly #waiting = new Gauge({
    name: 'tallyman_feed_waiting_files',
    help: 'Files seen that still change or lack their marker.',
    labelNames: ['feed'],
    registers: [this.#registry],
  });
  readonly #stopped = new Gauge({
    name: 'tallyman_feed_stopped',
    help: '1 for a feed that works no file until a person acts, with the code of the error.',
    labelNames: ['feed', 'code'],
    registers: [this.#registry],
  });
  readonly #skipped = new Gauge({
    name: 'tallyman_feed_skipped_files',
    help: 'Files that the last listing did not take.',
    labelNames: ['feed'],
    registers: [this.#registry],
  });
  readonly #unlisted = new Gauge({
    name: 'tallyman_feed_unlisted_folders',
    help: 'Folders that the last listing could not list.',
    labelNames: ['feed'],
    registers: [this.#registry],
  });
  readonly #unmatched = new Gauge({
    name: 'tallyman_feed_unmatched_files',
    help: 'Files in the local folder of the feed that no pattern of any feed wants; looked at once a minute.',
    labelNames: ['feed'],
    registers: [this.#registry],
  });
  readonly #running = new Gauge({
    name: 'tallyman_loads_running',
    help: 'Files being worked on.',
    registers: [this.#registry],
  });
  readonly #database = new Gauge({
    name: 'tallyman_database_up',
    help: '1 when PostgreSQL answers.',
    registers: [this.#registry],
  });

  /** Feeds whose counters are there. */
  readonly #known = new Set<string>();

  /** A counter that appears with its first file would hide that file from whoever looks at its growth. */
  #know(feed: string): void {
    if (this.#known.has(feed)) return;
    this.#known.add(feed);
    for (const state of END_STATES) this.#files.inc({ feed, state }, 0);
    for (const counter of [this.#rowsRead, this.#rowsLoaded, this.#rowsQuarantined, this.#bytes])
      counter.inc({ feed }, 0);
  }

  file(report: FileReport): void {
    const { feed, state, rows } = report;
    if (state === 'discovered' || state === 'loading') {
      this.#attempts.inc({ feed, code: report.error?.code ?? 'UNKNOWN' });
      return;
    }
    this.#files.inc({ feed, state });
    if (state !== 'loaded') return;
    this.#rowsRead.inc({ feed }, rows.read);
    this.#rowsLoaded.inc({ feed }, rows.loaded);
    this.#rowsQuarantined.inc({ feed }, rows.quarantined);
    this.#bytes.inc({ feed }, report.size);
    this.#seconds.observe({ feed }, report.seconds.load);
    if (report.finished_at !== null) this.#lastLoad.set({ feed }, Date.parse(report.finished_at) / 1_000);
  }

  /** Gauges are read when they are asked for. */
  async text(now: {
    readonly running: number;
    readonly databaseUp: boolean;
    readonly feeds: readonly {
      readonly feed: string;
      readonly healthy: boolean;
      readonly waiting: number;
      /** Code of the error that stopped it; null = it works. */
      readonly stopped: string | null;
      readonly skipped: number;
      readonly unlisted: number;
    }[];
    /** By feed; omitted = not looked at. */
    readonly unmatched?: Readonly<Record<string, number>>;
  }): Promise<string> {
    this.#running.set(now.running);
    this.#database.set(now.databaseUp ? 1 : 0);
    this.#stopped.reset();
    for (const { feed, healthy, waiting, stopped, skipped, unlisted } of now.feeds) {
      if (stopped !== null) this.#stopped.set({ feed, code: stopped }, 1);
      this.#skipped.set({ feed }, skipped);
      this.#unlisted.set({ feed }, unlisted);
      this.#know(feed);
      this.#healthy.set({ feed }, healthy ? 1 : 0);
      this.#waiting.set({ feed }, waiting);
    }
    for (const [feed, count] of Object.entries(now.unmatched ?? {})) this.#unmatched.set({ feed }, count);
    return await this.#registry.metrics();
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  #counter<T extends string>(name: string, help: string, labelNames: readonly T[]): Counter<T> {
    return new Counter({ name, help, labelNames, registers: [this.#registry] });
  }
}
