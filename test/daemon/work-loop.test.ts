import { afterEach, describe, expect, test, vi } from 'vitest';
import { TallymanError } from '../../src/core/errors.js';
import type { FeedSpec } from '../../src/core/feed/feed.js';
import type { FileEntry } from '../../src/core/entry.js';
import { WorkLoop } from '../../src/daemon/work-loop.js';
import type { WorkOutcome } from '../../src/flow/outcome.js';
import { feedOf } from '../load/support.js';

const SMALL = 1_000;
const LARGE = 10_000_000;

/** Files of one run, and a scripted end for each step. */
class Harbour {
  readonly events: string[] = [];
  readonly said: string[] = [];
  readonly aborted = new AbortController();
  readonly loop: WorkLoop;
  readonly #entries: FileEntry[] = [];
  readonly #ends = new Map<string, (outcome: WorkOutcome) => void>();
  readonly #running: Promise<void>;

  constructor(feeds: readonly FeedSpec[], concurrency: number, remote: readonly string[] = []) {
    const step =
      (name: 'land' | 'load') =>
      (entry: FileEntry): Promise<WorkOutcome> => {
        this.events.push(`${name} ${entry.file.path}`);
        return new Promise((resolve) => this.#ends.set(`${name} ${entry.file.path}`, resolve));
      };
    const ledger = {
      waiting: (feed: string) => Promise.resolve(this.#entries.filter((entry) => entry.feed === feed)),
    };
    const say = (_fields: object, message: string): void => void this.said.push(message);
    const log = { debug: () => undefined, info: say, warn: say, error: say };
    this.loop = new WorkLoop({
      feeds,
      ledger,
      log,
      concurrency,
      once: false,
      isRemote: (entry) => remote.includes(entry.feed),
      land: step('land'),
      work: step('load'),
    });
    this.#running = this.loop.run(this.aborted.signal, () => true);
  }

  add(feed: string, path: string, size: number, state: 'discovered' | 'landed' = 'discovered'): void {
    const fileId = this.#entries.length + 1;
    this.#entries.push({
      fileId,
      feed,
      state,
      file: { path, size, mtimeUs: 0, version: '1' },
      deaths: { count: 0, chunk: null },
    } as unknown as FileEntry);
  }

  async tell(): Promise<void> {
    this.loop.notify(null);
    await settled();
  }

  /** The step of that file ends. */
  async end(step: string, outcome: WorkOutcome['kind'] | TallymanError = 'done'): Promise<void> {
    const [name, path] = step.split(' ');
    const at = this.#entries.findIndex((entry) => entry.file.path === path);
    const entry = this.#entries[at]!;
    if (outcome instanceof TallymanError)
      this.#ends.get(step)!({
        kind: outcome.code === 'DATABASE_UNREACHABLE' ? 'pause-database' : 'pause-feed',
        error: outcome,
      });
    else if (name === 'land' && outcome === 'done') {
      const landed = { ...entry, state: 'landed' as const };
      this.#entries[at] = landed;
      this.#ends.get(step)!({ kind: 'landed', entry: landed });
    } else {
      this.#entries.splice(at, 1);
      this.#ends.get(step)!({ kind: 'done' });
    }
    await settled();
  }

  async close(): Promise<void> {
    this.aborted.abort();
    for (const end of this.#ends.values()) end({ kind: 'aside' });
    await this.#running;
  }
}

const settled = async (): Promise<void> => {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
};

let harbour: Harbour;
afterEach(async () => {
  await harbour.close();
});
const open = (
  names: readonly string[],
  concurrency: number,
  remote: readonly string[] = [],
  change: Partial<FeedSpec> = {},
): Harbour =>
  (harbour = new Harbour(
    names.map((name) => feedOf({ name, ...change })),
    concurrency,
    remote,
  ));

describe('the slots', () => {
  test('as many large files at once as concurrency says, the feeds in turn', async () => {
    open(['a', 'b'], 2);
    for (const n of [1, 2, 3]) harbour.add('a', `a${n}`, LARGE);
    harbour.add('b', 'b1', LARGE);
    await harbour.tell();
    expect(harbour.events.toSorted()).toEqual(['load a1', 'load b1']);
    await harbour.end('load b1');
    expect(harbour.events.slice(2)).toEqual(['load a2']);
  });

  test('many small files share a slot', async () => {
    open(['a'], 1);
    for (let n = 1; n <= 40; n++) harbour.add('a', `a${n}`, SMALL);
    await harbour.tell();
    expect(harbour.events).toHaveLength(32);
  });

  test('a large file is not passed by for ever by small ones of another feed', async () => {
    open(['a', 'b'], 1);
    for (let n = 1; n <= 40; n++) harbour.add('a', `a${n}`, SMALL);
    await harbour.tell();
    harbour.add('b', 'b1', LARGE);
    await harbour.tell();
    for (let n = 1; n <= 32; n++) await harbour.end(`load a${n}`);
    if (harbour.events.includes('load a33')) await harbour.end('load a33');
    // It waits until the slot is empty, and no further small file is let in meanwhile.
    expect(harbour.events.slice(32).filter((event) => event !== 'load a33')).toEqual(['load b1']);
  });

  test('two versions of one path are not worked on at once', async () => {
    open(['a'], 2);
    harbour.add('a', 'same', SMALL);
    harbour.add('a', 'same', SMALL);
    await harbour.tell();
    expect(harbour.events).toEqual(['load same']);
  });

  test('a snapshot feed takes one file at a time, landing and all', async () => {
    open(['a'], 2, ['a'], { target: { ...feedOf().target, mode: 'replace_all' }, order: 'newest', serial: true });
    harbour.add('a', 'a1', SMALL);
    harbour.add('a', 'a2', SMALL);
    await harbour.tell();
    expect(harbour.events).toEqual(['load a1']);
  });
});

describe('a feed that pauses', () => {
  const locked = new TallymanError('DATABASE_BUSY', 'the table is locked');

  test('holds up no other feed, neither by its pause nor while it tries again', async () => {
    open(['locked', 'free'], 2);
    harbour.add('locked', 'l1', LARGE);
    for (const n of [1, 2]) harbour.add('free', `f${n}`, LARGE);
    await harbour.tell();
    await harbour.end('load l1', locked);
    expect([harbour.loop.feedError('locked')?.code, harbour.loop.databaseError]).toEqual(['DATABASE_BUSY', null]);
    expect(harbour.events.toSorted()).toEqual(['load f1', 'load f2', 'load l1']);
    await harbour.end('load f1');
    // Its pause is over while f2 is still at work: it has its turn beside it.
    await vi.waitFor(() => expect(harbour.events.slice(3)).toEqual(['load l1']), 5_000);
  });
});

describe('landing', () => {
  test('takes no slot of a load: a slow line holds up no other feed', async () => {
    open(['far', 'near'], 1, ['far']);
    harbour.add('far', 'f1', LARGE);
    harbour.add('near', 'n1', LARGE);
    await harbour.tell();
    expect(harbour.events.toSorted()).toEqual(['land f1', 'load n1']);
  });

  test('goes ahead of the loads, but not far', async () => {
    open(['far'], 1, ['far']);
    for (let n = 1; n <= 12; n++) harbour.add('far', `f${n}`, LARGE);
    await harbour.tell();
    for (let n = 1; n <= 5; n++) await harbour.end(`land f${n}`);
    // f1 is being loaded, four more are here or on their way.
    expect(harbour.events).toEqual(['land f1', 'land f2', 'load f1', 'land f3', 'land f4', 'land f5']);
    await harbour.end('load f1');
    expect(harbour.events.slice(6)).toEqual(['load f2', 'land f6']);
  });

  test('what has landed is loaded while the source is away or the disk is full', async () => {
    open(['far'], 1, ['far']);
    for (const n of [1, 2, 3]) harbour.add('far', `f${n}`, LARGE);
    await harbour.tell();
    await harbour.end('land f1');
    await harbour.end('land f2', new TallymanError('LANDING_FULL', 'no room'));
    expect(harbour.loop.feedError('far')?.code).toBe('LANDING_FULL');
    expect(harbour.events).toEqual(['land f1', 'land f2', 'load f1', 'land f3']);
  });
});

describe('a new config', () => {
  test('what is under way holds its slot, what waits is taken with it, a feed that left is not', async () => {
    open(['a', 'b', 'c'], 3, [], { serial: true });
    for (const feed of ['a', 'b', 'c']) for (const n of [1, 2]) harbour.add(feed, `${feed}${n}`, LARGE);
    await harbour.tell();
    expect([...harbour.events].sort()).toEqual(['load a1', 'load b1', 'load c1']);
    harbour.loop.exchange([feedOf({ name: 'a', serial: false }), feedOf({ name: 'b', serial: true })], new Set(['a']));
    let left = false;
    void harbour.loop.ended(new Set(['c'])).then(() => (left = true));
    await harbour.tell();
    expect([harbour.events.length, left]).toEqual([3, false]);
    await harbour.end('load c1');
    expect(left).toBe(true);
    // Not serial any more, and a slot is free.
    expect(harbour.events.slice(3)).toEqual(['load a2']);
    await harbour.end('load b1');
    expect(harbour.events.slice(4)).toEqual(['load b2']);
  });

  test('a serial feed that left while it was loaded and comes back waits for that load', async () => {
    open(['a'], 2, [], { serial: true });
    for (const n of [1, 2]) harbour.add('a', `a${n}`, LARGE);
    await harbour.tell();
    harbour.loop.exchange([], new Set());
    harbour.loop.exchange([feedOf({ name: 'a', serial: true })], new Set(['a']));
    await harbour.tell();
    expect(harbour.events).toEqual(['load a1']);
    await harbour.end('load a1');
    expect(harbour.events).toEqual(['load a1', 'load a2']);
  });
});

test('a database that answers again is said to be back, and what waited is tried at once', async () => {
  open(['a'], 2);
  harbour.add('a', 'a1', LARGE);
  await harbour.tell();
  await harbour.end('load a1', new TallymanError('DATABASE_UNREACHABLE', 'gone'));
  expect([harbour.said, harbour.loop.databaseError?.code]).toEqual([['gone'], 'DATABASE_UNREACHABLE']);
  harbour.loop.databaseAnswers();
  harbour.loop.databaseAnswers();
  await settled();
  expect([harbour.said, harbour.loop.databaseError, harbour.events.length]).toEqual([
    ['gone', 'the database is back'],
    null,
    2,
  ]);
});
