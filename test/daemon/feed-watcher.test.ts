import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { TallymanError } from '../../src/core/errors.js';
import type { FeedSpec } from '../../src/core/feed/feed.js';
import type { ListingPage, SeenFile, SkippedEntry } from '../../src/core/file.js';
import type { Source } from '../../src/core/source.js';
import { FeedWatcher } from '../../src/daemon/feed-watcher.js';
import { look, newLedger } from '../ledger/support.js';
import { feedOf } from '../load/support.js';

const unused = (): never => {
  throw new Error('the watcher has no use for this');
};

/** A folder that stands in memory, counts how often it is listed, and can be out of reach. */
class Folder implements Source {
  readonly type = 'local';
  readonly files = new Map<string, SeenFile>();
  readonly skipped: SkippedEntry[] = [];
  readonly scannedAt: number[] = [];
  looks = 0;
  trouble: Error | null = null;
  closed = 0;
  hint: (path: string | null) => void = unused;

  get scans(): number {
    return this.scannedAt.length;
  }

  put(file: SeenFile): void {
    this.files.set(file.path, file);
  }

  uri(path: string): string {
    return `file:///drop/${path}`;
  }

  async *list(): AsyncGenerator<ListingPage> {
    this.scannedAt.push(performance.now());
    await Promise.resolve();
    if (this.trouble !== null) throw this.trouble;
    yield { files: [...this.files.values()], skipped: this.skipped };
  }

  stat(path: string): Promise<SeenFile | null> {
    this.looks++;
    return this.trouble === null ? Promise.resolve(this.files.get(path) ?? null) : Promise.reject(this.trouble);
  }

  statMarker(path: string): Promise<SeenFile | null> {
    return Promise.resolve(this.files.get(path) ?? null);
  }

  watch(onHint: (path: string | null) => void): Promise<{ close(): Promise<void> }> {
    this.hint = onHint;
    return Promise.resolve({
      close: () => {
        this.closed++;
        return Promise.resolve();
      },
    });
  }

  localPath = unused;
  open = unused;
  readSmall = unused;
  remove = unused;
  move = unused;
  probe = unused;
  close = unused;
}

let folder: Folder;
let found: string[];
let said: string[];
let stop: AbortController;
let running: Promise<void>;

beforeEach(() => {
  folder = new Folder();
  found = [];
  said = [];
  stop = new AbortController();
  running = Promise.resolve();
});
afterEach(async () => {
  stop.abort();
  await running;
});

function watcherOf(source: Partial<FeedSpec['source']> = {}): FeedWatcher {
  const feed = feedOf({ name: 'orders' });
  const say = (_fields: object, message: string): void => void said.push(message);
  return new FeedWatcher({
    feed: { ...feed, source: { ...feed.source, pollMs: 60_000, ...source } },
    source: folder,
    ledger: newLedger(),
    log: { debug: say, info: say, warn: say, error: say },
    actor: 'daemon',
    onFound: () => undefined,
    onDiscovered: (entries) => found.push(...entries.map((entry) => `${entry.file.path} ${entry.file.size}`)),
  });
}

/** The daemon's loop, until the test is over. */
function start(source: Partial<FeedSpec['source']> = {}): FeedWatcher {
  const watcher = watcherOf(source);
  running = watcher.run(stop.signal);
  return watcher;
}

/** A busy machine may need long. */
const eventually = <T>(read: () => T) => expect.poll(read, { timeout: 20_000 });

describe('the daemon finds', () => {
  test('what the listing shows, each version once', async () => {
    folder.put(look('a.csv', 1));
    const watcher = start({ pollMs: 20 });
    await eventually(() => folder.scans).toBeGreaterThan(2);
    expect(found).toEqual(['a.csv 1']);
    folder.put(look('a.csv', 2));
    await eventually(() => found).toEqual(['a.csv 1', 'a.csv 2']);
    expect(watcher.health).toMatchObject({ healthy: true, error: null, waiting: 0 });
  });

  test('a file when it has not changed for the settle time, without another listing', async () => {
    folder.put(look('a.csv', 1));
    const started = performance.now();
    const watcher = start({ settleMs: 1_000 });
    await eventually(() => watcher.health.waiting).toBe(1);
    folder.put(look('a.csv', 2));
    await eventually(() => found).toEqual(['a.csv 2']);
    // The look after the first second saw a change: another second from there.
    expect(performance.now() - started).toBeGreaterThan(1_990);
    expect(folder.scans).toBe(1);
  });

  test('nothing of a file that goes while it settles', async () => {
    folder.put(look('a.csv'));
    const watcher = start({ settleMs: 1_000 });
    await eventually(() => watcher.health.waiting).toBe(1);
    folder.files.clear();
    await eventually(() => watcher.health.waiting).toBe(0);
    expect(found).toEqual([]);
  });

  test('a path that it is told of, at once and without a listing', async () => {
    const watcher = start();
    await eventually(() => watcher.health.lastScanAt).not.toBeNull();
    folder.put(look('a.csv', 1));
    watcher.look('a.csv');
    await eventually(() => found).toEqual(['a.csv 1']);
    folder.put(look('b.csv', 2));
    folder.hint('b.csv');
    await eventually(() => found).toEqual(['a.csv 1', 'b.csv 2']);
    expect(folder.scans).toBe(1);
  });

  test('everything again on request, and when an event names no path', async () => {
    const watcher = start();
    await eventually(() => watcher.health.lastScanAt).not.toBeNull();
    folder.put(look('a.csv', 1));
    watcher.rescan();
    await eventually(() => found).toEqual(['a.csv 1']);
    folder.put(look('b.csv', 2));
    folder.hint(null);
    await eventually(() => found).toEqual(['a.csv 1', 'b.csv 2']);
    expect(folder.scans).toBe(3);
  });

  test('a file whose marker comes later, and says meanwhile what it waits for', async () => {
    folder.put(look('a.csv', 1));
    const watcher = start({ ready: { kind: 'marker', template: '{name}.done' } });
    await eventually(() => watcher.waitingFor).toHaveLength(1);
    expect(watcher.waitingFor[0]).toMatch(/^a\.csv waits: .*a\.csv\.done/);
    expect(found).toEqual([]);
    folder.put(look('a.csv.done', 0));
    folder.hint('a.csv.done');
    await eventually(() => found).toEqual(['a.csv 1']);
    expect(watcher.waitingFor).toEqual([]);
  });

  test('no more after the signal, and its watch is closed', async () => {
    const watcher = start();
    await eventually(() => watcher.health.lastScanAt).not.toBeNull();
    stop.abort();
    await running;
    expect(folder.closed).toBe(1);
  });
});

describe('a source out of reach', () => {
  test('is unhealthy, tried again with backoff, said once, and back by itself', async () => {
    folder.trouble = new TallymanError('SOURCE_UNREACHABLE', 'no such server');
    folder.put(look('a.csv', 1));
    const watcher = start();
    await eventually(() => folder.scans).toBeGreaterThanOrEqual(3);
    expect(watcher.health).toMatchObject({ healthy: false, lastScanAt: null });
    expect(watcher.health.error?.message).toBe('no such server');
    expect(said).toEqual(['no such server']);
    folder.trouble = null;
    await eventually(() => found).toEqual(['a.csv 1']);
    expect(said).toEqual(['no such server', 'source is back']);
    expect(watcher.health).toMatchObject({ healthy: true, error: null });
  });

  test('an error of its own kind counts as out of reach', async () => {
    folder.trouble = new Error('socket hang up');
    const watcher = start();
    await eventually(() => watcher.health.error?.code).toBe('SOURCE_UNREACHABLE');
  });

  test('is left alone between two tries', async () => {
    folder.trouble = new TallymanError('SOURCE_UNREACHABLE', 'no such server');
    start();
    await eventually(() => folder.scans).toBeGreaterThanOrEqual(2);
    const [first, second] = folder.scannedAt;
    // Of the first pause, a second, half may be taken off; a timer may fire a little early.
    expect(second! - first!).toBeGreaterThan(495);
    expect(folder.looks).toBe(0);
  });
});

describe('names that are not taken', () => {
  test('are told once a reason', async () => {
    folder.skipped.push({ path: 'pipe', reason: 'a socket or device' });
    start({ pollMs: 20 });
    await eventually(() => folder.scans).toBeGreaterThan(3);
    expect(said).toEqual(['not taken: a socket or device']);
  });
});

describe('one pass (`run --once`)', () => {
  test('waits until what it saw has settled', async () => {
    folder.put(look('a.csv', 1));
    await expect(watcherOf({ settleMs: 100 }).once(10_000, stop.signal)).resolves.toBe(0);
    expect(found).toEqual(['a.csv 1']);
  });

  test('waits no longer than it may, and gives how many still wait', async () => {
    folder.put(look('a.csv', 1));
    await expect(watcherOf({ settleMs: 60_000 }).once(100, stop.signal)).resolves.toBe(1);
    await expect(
      watcherOf({ ready: { kind: 'marker', template: '{name}.done' } }).once(100, stop.signal),
    ).resolves.toBe(1);
    expect(found).toEqual([]);
  });

  test('throws when the source is out of reach', async () => {
    folder.trouble = new TallymanError('SOURCE_UNREACHABLE', 'no such server');
    await expect(watcherOf().once(1_000, stop.signal)).rejects.toThrow('no such server');
  });
});
