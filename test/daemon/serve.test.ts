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

/** What was logged, which apps started an engine and which were closed. */
class Daemon {
  readonly told: string[] = [];
  readonly events = new Events();
  readonly stop = new AbortController();
  reload: () => void = () => undefined;
  /** What the config file holds at the next reload; an error is thrown. */
  next: Config | TallymanError = CONFIG;
  #apps = 0;

  async run(names: readonly string[] | null = null, config: Config = CONFIG): Promise<void> {
    const parts: ServeParts<DaemonApp> = {
      first: this.app(config),
      reload: () => {
        if (this.next instanceof TallymanError) throw this.next;
        return this.app(this.next);
      },
      onReload: (reload) => {
        this.reload = reload;
        return () => this.told.push('no more reloads');
      },
      startHttp: () => Promise.reject(new TallymanError('USAGE', 'the port is taken')),
    };
    await serve(parts, names, this.stop.signal);
  }

  app(config: Config): DaemonApp {
    const name = `app ${++this.#apps}`;
    const say = (_fields: object, message: string): void => void this.told.push(message);
    return {
      config,
      log: { debug: say, info: say, warn: say, error: say },
      dataDir: config.dataDir,
      events: this.events,
      feeds: (names) => {
        const wrong = names?.find((one) => !config.feeds.some((feed) => feed.name === one));
        if (wrong !== undefined) throw new TallymanError('UNKNOWN_FEED', `there is no feed ${wrong}`);
        return config.feeds;
      },
      ledger: () => ({ feeds: () => Promise.resolve([]) }),
      engine: () => Promise.resolve(scripted(name, this.told)),
      askLoads: () => undefined,
      cancelLoads: () => undefined,
      close: () => Promise.resolve(void this.told.push(`${name} closed`)),
    };
  }

  /** Until that was logged. */
  async until(message: string): Promise<void> {
    await expect.poll(() => this.told).toContain(message);
  }
}

/** Runs until it is stopped. */
const scripted = (name: string, told: string[]): RunningEngine => ({
  databaseError: null,
  ready: true,
  running: 0,
  health: () => null,
  async runDaemon(signal) {
    told.push(`${name} runs`);
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  },
});

test('runs until the signal, then says so', async () => {
  const daemon = new Daemon();
  const ended = daemon.run();
  await daemon.until('app 1 runs');
  daemon.stop.abort();
  await ended;
  expect(daemon.told).toEqual(['watching', 'app 1 runs', 'stopped: nothing is left half done', 'no more reloads']);
});

test('a right config goes on in a new app, which hears the same events; the old one is closed before', async () => {
  const daemon = new Daemon();
  const ended = daemon.run();
  await daemon.until('app 1 runs');
  daemon.reload();
  await daemon.until('app 2 runs');
  daemon.events.tell('file', detailOf({ path: 'a.csv', state: 'ignored' }));
  daemon.stop.abort();
  await ended;
  expect(daemon.told).toEqual([
    'watching',
    'app 1 runs',
    'app 1 closed',
    'goes on with the new config',
    'watching',
    'app 2 runs',
    'a.csv: ignored',
    'stopped: nothing is left half done',
    'no more reloads',
    'app 2 closed',
  ]);
});

test('a config that is wrong, lacks a feed that runs, or has another data_dir is not taken', async () => {
  const daemon = new Daemon();
  const ended = daemon.run(['orders']);
  await daemon.until('app 1 runs');
  const old = 'the new config is not taken, the old one stays';
  for (const [next, why] of [
    [new TallymanError('CONFIG_INVALID', 'a mistake'), 'a mistake'],
    [{ ...CONFIG, dataDir: '/other' }, 'data_dir cannot change while tallyman runs'],
    [{ ...CONFIG, feeds: [] }, 'there is no feed orders'],
  ] as const) {
    daemon.next = next;
    daemon.reload();
    await daemon.until(`${old}: ${why}`);
  }
  expect(daemon.told).not.toContain('goes on with the new config');
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
