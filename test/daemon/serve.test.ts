import { expect, test } from 'vitest';
import type { Config } from '../../src/config/config.js';
import { TallymanError } from '../../src/core/errors.js';
import { Events } from '../../src/core/events.js';
import { serve, type DaemonApp, type RunningEngine, type ServeParts } from '../../src/daemon/serve.js';
import { parse } from '../config/support.js';
import { detailOf } from '../quarantine/support.js';

const CONFIG = parse(`version: 1
data_dir: /data
database: { embedded: true }
daemon: { http: false }
feeds:
  orders: { source: { type: local, dir: a, pattern: '*' }, format: { type: csv } }
`);

/** What was logged, and what the engine was told. */
class Daemon {
  readonly told: string[] = [];
  readonly events = new Events();
  readonly stop = new AbortController();
  reload: () => void = () => undefined;
  /** What the config file holds at the next reload; an error is thrown. */
  next: Config | TallymanError = CONFIG;
  /** How often the config was read. */
  reads = 0;
  /** The exchange of feeds waits for it. */
  gate = Promise.resolve();
  #config = CONFIG;

  async run(names: readonly string[] | null = null, config: Config = CONFIG): Promise<void> {
    this.#config = config;
    const parts: ServeParts<DaemonApp> = {
      app: this.app(),
      reload: () => {
        this.reads++;
        if (this.next instanceof TallymanError) throw this.next;
        return this.next;
      },
      onReload: (reload) => {
        this.reload = reload;
        return () => this.told.push('no more reloads');
      },
      taken: ({ daemon }) => this.told.push(`log level ${daemon.log.level}`),
      startHttp: () => Promise.reject(new TallymanError('USAGE', 'the port is taken')),
    };
    await serve(parts, names, this.stop.signal);
  }

  app(): DaemonApp {
    const say = (fields: object, message: string): void =>
      void this.told.push('changed' in fields ? `${message} ${JSON.stringify(fields)}` : message);
    const config = (): Config => this.#config;
    return {
      get config() {
        return config();
      },
      log: { debug: say, info: say, warn: say, error: say },
      dataDir: CONFIG.dataDir,
      events: this.events,
      feeds: () => config().feeds,
      ledger: () => ({ feeds: () => Promise.resolve([]) }),
      source: () => {
        throw new Error('not asked');
      },
      engine: () => Promise.resolve(this.#engine()),
      askLoads: () => undefined,
      cancelLoads: () => undefined,
      take: (taken) => {
        this.#config = taken;
        return Promise.resolve({} as Awaited<ReturnType<DaemonApp['take']>>);
      },
    };
  }

  #engine(): RunningEngine {
    return {
      databaseError: null,
      ready: true,
      running: 0,
      health: () => null,
      exchange: async ({ feeds, changed }) => {
        this.told.push(`feeds ${feeds.map(({ name }) => name).join(',')}; changed ${[...changed].join(',')}`);
        await this.gate;
      },
      runDaemon: async (signal) => {
        this.told.push('runs');
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
      },
    };
  }

  /** Until that was logged. */
  async until(message: string): Promise<void> {
    await expect.poll(() => this.told).toContain(message);
  }
}

test('runs until the signal, then says so', async () => {
  const daemon = new Daemon();
  const ended = daemon.run();
  await daemon.until('runs');
  daemon.events.tell('file', detailOf({ path: 'a.csv', state: 'ignored' }));
  daemon.stop.abort();
  await ended;
  expect(daemon.told).toEqual([
    'watching',
    'runs',
    'a.csv: ignored',
    'stopped: nothing is left half done',
    'no more reloads',
  ]);
});

test('a right config is taken by the running engine, which hears what differs; the log follows it', async () => {
  const daemon = new Daemon();
  const ended = daemon.run();
  await daemon.until('runs');
  const [orders] = CONFIG.feeds;
  daemon.next = {
    ...CONFIG,
    daemon: { ...CONFIG.daemon, drainTimeoutMs: 1, log: { ...CONFIG.daemon.log, level: 'debug' } },
    feeds: [
      { ...orders!, serial: !orders!.serial },
      { ...orders!, name: 'more' },
    ],
  };
  daemon.reload();
  await daemon.until('goes on with the new config {"changed":["orders"],"added":["more"],"removed":[]}');
  expect(daemon.told).toEqual(expect.arrayContaining(['log level debug', 'feeds orders,more; changed orders,more']));
  daemon.next = { ...daemon.next, feeds: [daemon.next.feeds[1]!] };
  daemon.reload();
  await daemon.until('goes on with the new config {"changed":[],"added":[],"removed":["orders"]}');
  daemon.stop.abort();
  await ended;
});

test('however many signals come while one config is being taken, the file is read once more', async () => {
  const daemon = new Daemon();
  const ended = daemon.run();
  await daemon.until('runs');
  let open = (): void => undefined;
  daemon.gate = new Promise((resolve) => (open = resolve));
  daemon.reload();
  await daemon.until('feeds orders; changed ');
  for (let i = 0; i < 1_000; i++) daemon.reload();
  open();
  await expect.poll(() => daemon.told.filter((line) => line.startsWith('goes on')).length).toBe(2);
  expect(daemon.reads).toBe(2);
  daemon.stop.abort();
  await ended;
});

test('a config that is wrong, lacks a feed that runs, or changes what a process keeps is not taken; what, is said', async () => {
  const daemon = new Daemon();
  const ended = daemon.run(['orders']);
  await daemon.until('runs');
  const old = 'the new config is not taken, the old one stays';
  const { daemon: settings, database } = CONFIG;
  for (const [next, why] of [
    [new TallymanError('CONFIG_INVALID', 'a mistake'), 'a mistake'],
    [{ ...CONFIG, dataDir: '/other' }, 'data_dir cannot change while tallyman runs'],
    [{ ...CONFIG, feeds: [] }, 'there is no feed orders'],
    [
      { ...CONFIG, landing: { ...CONFIG.landing, keepMs: 1 }, database: { ...database, controlSchema: 'x' } },
      'landing, database.control_schema cannot change while tallyman runs',
    ],
    [
      {
        ...CONFIG,
        daemon: {
          ...settings,
          concurrency: 1 + settings.concurrency,
          http: { host: '127.0.0.1', port: 1, token: null },
          log: { ...settings.log, format: 'pretty' as const },
        },
      },
      'daemon.concurrency, daemon.http, daemon.log.format cannot change while tallyman runs',
    ],
  ] as const) {
    daemon.next = next;
    daemon.reload();
    await daemon.until(`${old}: ${why}`);
  }
  expect(daemon.told.join()).not.toContain('goes on with the new config');
  daemon.stop.abort();
  await ended;
});

test('a port that is taken ends the daemon before it works', async () => {
  const daemon = new Daemon();
  const http = { host: '127.0.0.1', port: 1, token: null };
  await expect(daemon.run(null, { ...CONFIG, daemon: { ...CONFIG.daemon, http } })).rejects.toThrow(
    'the port is taken',
  );
  expect(daemon.told).toEqual(['no more reloads']);
});
