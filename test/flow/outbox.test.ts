import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { TallymanError } from '../../src/core/errors.js';
import { YOUNG, type SeenFile } from '../../src/core/file.js';
import type { EndOfFile } from '../../src/core/ledger/queue.js';
import type { FileEntry } from '../../src/core/entry.js';
import type { Ledger } from '../../src/core/ledger/index.js';
import type { ActionEntry } from '../../src/core/report.js';
import type { Source } from '../../src/core/source.js';
import type { Log } from '../../src/core/log.js';
import { Outbox, type OutboxParts } from '../../src/flow/outbox.js';
import { ended, hashOf, load, newLedger } from '../ledger/support.js';
import { localHarness, type LocalHarness } from '../sources/local/local-harness.js';

let store: LocalHarness;
let source: Source;
let ledger: Ledger;
let outbox: Outbox;
let looked: string[];
const quiet: Log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const never = new AbortController().signal;

const outboxOf = (parts: Partial<OutboxParts> = {}): Outbox =>
  new Outbox({
    ledger,
    log: quiet,
    source: () => source,
    lookAgain: (entry) => looked.push(entry.file.path),
    ...parts,
  });

beforeEach(async () => {
  store = await localHarness();
  source = store.source({ recursive: true, patterns: ['*.csv'], exclude: ['done'] });
  ledger = newLedger();
  looked = [];
  outbox = outboxOf();
});
afterEach(() => store.close());

type Action = NonNullable<EndOfFile['action']>;
const DELETE: Action = { kind: 'delete', argument: '', companions: [] };
const MOVE: Action = { kind: 'move', argument: 'done', companions: [] };
const TAG: Action = { kind: 'tag', argument: '{"state":"loaded"}', companions: [] };

/** A version that was loaded, with an action planned. */
async function plan(file: SeenFile, action: Action, marker: string | null = null): Promise<FileEntry> {
  const entry = await ledger.discover(
    { feed: 'orders', file, uri: source.uri(file.path), settleSeconds: 5, marker },
    'daemon',
  );
  return (await load(ledger, entry, { more: { action } })).entry;
}

/** A version that ended as a duplicate of another. */
async function planDuplicate(file: SeenFile, duplicateOf: number | null, action: Action): Promise<FileEntry> {
  return await ended(ledger, file, { state: 'duplicate', sha256: hashOf('same'), duplicateOf, action });
}

/** Its action failed, and is to be tried again in another age. */
async function postponed(entry: FileEntry): Promise<FileEntry> {
  const [action] = await ledger.dueActions('9999-01-01T00:00:00.000Z', 1);
  expect(action?.entry.fileId).toBe(entry.fileId);
  await ledger.actionFailed(action!.actionId, 'no right', '9999-01-01T00:00:00.000Z');
  return entry;
}

async function actionOf(entry: FileEntry): Promise<ActionEntry> {
  return (await ledger.detail(entry.fileId))!.actions.at(-1)!;
}

async function dropped(path: string, content = path): Promise<SeenFile> {
  await store.put(path, content);
  return (await source.statMarker(path))!;
}

describe('a start', () => {
  test('has every action tried: the clock may have been set back while nothing ran', async () => {
    const entry = await postponed(await plan(await dropped('a.csv'), MOVE));
    const stop = new AbortController();
    const running = outbox.run(stop.signal);
    await vi.waitFor(async () => expect(await actionOf(entry)).toMatchObject({ state: 'done' }));
    stop.abort();
    await running;
  });
});

describe('what the outbox does', () => {
  test('delete takes the version away', async () => {
    const entry = await plan(await dropped('a.csv'), DELETE);
    await outbox.drain(never);
    expect(await actionOf(entry)).toMatchObject({ state: 'done', detail: 'deleted' });
    expect(await store.read('a.csv')).toBeNull();
    expect(await ledger.entry(entry.fileId)).toMatchObject({ state: 'loaded', deleted: true });
  });

  test('after a move the ledger knows where the file is', async () => {
    const entry = await plan(await dropped('in/a.csv'), { ...MOVE, argument: 'done/2026' });
    await outbox.drain(never);
    expect(await actionOf(entry)).toMatchObject({ state: 'done', detail: 'moved to done/2026/in/a.csv' });
    const { movedTo } = (await ledger.entry(entry.fileId))!;
    expect(movedTo).toEqual(await source.stat('done/2026/in/a.csv'));
  });

  test('an existing name gets the file ID', async () => {
    await store.put('done/a.csv', 'old');
    const entry = await plan(await dropped('a.csv'), MOVE);
    await outbox.drain(never);
    expect((await ledger.entry(entry.fileId))?.movedTo?.path).toBe(`done/a-${entry.fileId}.csv`);
  });

  test('a file that was moved before is moved from there, under its own path', async () => {
    const file = await dropped('in/a.csv');
    const entry = await ended(ledger, file, { state: 'rejected', action: { ...MOVE, argument: 'bad' } });
    await outbox.drain(never);
    await ledger.transition(entry.fileId, 'discovered', { attempts: 0 }, 'cli', 'retry');
    await load(ledger, (await ledger.entry(entry.fileId))!, { more: { action: MOVE } });
    await outbox.drain(never);
    expect((await ledger.entry(entry.fileId))?.movedTo?.path).toBe('done/in/a.csv');
    expect(await store.read('bad/in/a.csv')).toBeNull();
  });

  test('markers go along with what they released', async () => {
    const file = await dropped('a.csv');
    const marker = (await dropped('a.csv.done')).version;
    const entry = await plan(file, { ...MOVE, companions: ['a.csv.done'] }, marker);
    await outbox.drain(never);
    expect((await actionOf(entry)).detail).toBe('moved to done/a.csv, with a.csv.done');
    expect(await store.read('done/a.csv.done')).toBe('a.csv.done');
    expect(await store.read('a.csv.done')).toBeNull();
  });

  test('a marker that was written just before it released its file, and is only older by now, goes along', async () => {
    const file = await dropped('a.csv');
    const marker = (await dropped('a.csv.done')).version;
    // As an SFTP source tells it in the first two seconds.
    const entry = await plan(file, { ...DELETE, companions: ['a.csv.done'] }, `${marker}${YOUNG}`);
    await outbox.drain(never);
    expect(await actionOf(entry)).toMatchObject({ state: 'done', detail: 'deleted, with a.csv.done' });
    expect(await store.read('a.csv.done')).toBeNull();
  });

  test('a marker that has changed since stays: it belongs to the next version', async () => {
    const file = await dropped('a.csv');
    const marker = (await dropped('a.csv.done')).version;
    await store.overwrite('a.csv.done', 'new');
    const entry = await plan(file, { ...DELETE, companions: ['a.csv.done'] }, marker);
    await outbox.drain(never);
    expect(await actionOf(entry)).toMatchObject({ state: 'done', detail: 'deleted; a.csv.done stays, it is newer' });
    expect(await store.read('a.csv.done')).toBe('new');
  });

  test('many actions are all carried out', async () => {
    const entries = await Promise.all(
      Array.from({ length: 450 }, async (_, i) => await plan(await dropped(`f${i}.csv`), DELETE)),
    );
    await outbox.drain(never);
    const states = await Promise.all(entries.map(async (entry) => (await actionOf(entry)).state));
    expect(states.filter((state) => state !== 'done')).toEqual([]);
  });
});

describe('only the very version', () => {
  test('another version under the name is left and looked at again', async () => {
    const file = await dropped('a.csv');
    await store.overwrite('a.csv', 'newer');
    await store.put('a.csv.done', '');
    const entry = await plan(file, { ...DELETE, companions: ['a.csv.done'] });
    await outbox.drain(never);
    expect(await actionOf(entry)).toMatchObject({ state: 'dropped', detail: 'a.csv: another version stands there' });
    expect(looked).toEqual(['a.csv']);
    expect(await store.read('a.csv')).toBe('newer');
    expect(await store.read('a.csv.done')).toBe('');
  });

  test('a file that is gone need not be deleted; one that is gone cannot be moved', async () => {
    const [a, b] = [await dropped('a.csv'), await dropped('b.csv')];
    await store.remove('a.csv');
    await store.remove('b.csv');
    const [deleted, moved] = [await plan(a, DELETE), await plan(b, MOVE)];
    await outbox.drain(never);
    expect(await actionOf(deleted)).toMatchObject({ state: 'done', detail: 'gone already' });
    expect(await actionOf(moved)).toMatchObject({ state: 'dropped', detail: 'b.csv: gone' });
  });

  test('an action that was done before the process died is done, not dropped', async () => {
    const file = await dropped('a.csv');
    const entry = await plan(file, MOVE);
    await source.move(file, 'done', String(entry.fileId));
    await outbox.drain(never);
    expect((await actionOf(entry)).state).toBe('done');
    expect((await ledger.entry(entry.fileId))?.movedTo?.path).toBe('done/a.csv');
  });
});

describe('what stands against an action', () => {
  test('a duplicate goes while its original is loaded', async () => {
    const original = await plan(await dropped('a.csv'), MOVE);
    const entry = await planDuplicate(await dropped('b.csv'), original.fileId, DELETE);
    await outbox.drain(never);
    expect((await actionOf(entry)).state).toBe('done');
    expect(await store.read('b.csv')).toBeNull();
  });

  test.each(['cleared', 'superseded', 'failed'] as const)(
    'a duplicate stays when its original is %s by then',
    async (state) => {
      const original = await plan(await dropped('a.csv'), MOVE);
      const entry = await planDuplicate(await dropped('b.csv'), original.fileId, DELETE);
      const changed = {
        ...ledger,
        entry: async (id: number) => ({ ...(await ledger.entry(id))!, ...(id === original.fileId ? { state } : {}) }),
      };
      await outboxOf({ ledger: changed }).drain(never);
      expect(await actionOf(entry)).toMatchObject({ state: 'dropped' });
      expect(await store.read('b.csv')).toBe('b.csv');
    },
  );

  test('a duplicate waits while its original is being taken again', async () => {
    const original = await plan(await dropped('a.csv'), MOVE);
    const entry = await planDuplicate(await dropped('b.csv'), original.fileId, DELETE);
    await ledger.transition(original.fileId, 'discovered', {}, 'cli', 'reprocess');
    await outbox.drain(never);
    expect(await actionOf(entry)).toMatchObject({ state: 'pending', attempts: 1 });
    expect(await store.read('b.csv')).toBe('b.csv');
  });

  test("a duplicate of another instance's load may be moved, not deleted", async () => {
    const [kept, moved] = [
      await planDuplicate(await dropped('a.csv'), null, DELETE),
      await planDuplicate(await dropped('b.csv'), null, MOVE),
    ];
    await outbox.drain(never);
    expect((await actionOf(kept)).state).toBe('dropped');
    expect(await store.read('a.csv')).toBe('a.csv');
    expect((await actionOf(moved)).state).toBe('done');
  });

  test('a file that was cleared is left alone', async () => {
    const entry = await plan(await dropped('a.csv'), DELETE);
    const changed = {
      ...ledger,
      entry: async (id: number) => ({ ...(await ledger.entry(id))!, state: 'cleared' as const }),
    };
    await outboxOf({ ledger: changed }).drain(never);
    expect(await actionOf(entry)).toMatchObject({ state: 'dropped', detail: 'the file is cleared now' });
    expect(await store.read('a.csv')).toBe('a.csv');
  });

  test.each(['discovered', 'loading'] as const)(
    'a file that is being taken again (%s) is waited for',
    async (state) => {
      const entry = await plan(await dropped('a.csv'), DELETE);
      const changed = { ...ledger, entry: async (id: number) => ({ ...(await ledger.entry(id))!, state }) };
      await outboxOf({ ledger: changed }).drain(never);
      expect(await actionOf(entry)).toMatchObject({ state: 'pending', attempts: 1 });
      expect(await store.read('a.csv')).toBe('a.csv');
    },
  );

  test('a loaded file that a later version took the place of is still moved', async () => {
    const entry = await plan(await dropped('a.csv'), MOVE);
    const later = await ledger.discover(
      { feed: 'orders', file: await dropped('b.csv'), uri: '', settleSeconds: 0 },
      'daemon',
    );
    await load(ledger, later, { replaced: [entry.loadId!] });
    expect((await ledger.entry(entry.fileId))?.state).toBe('superseded');
    await outbox.drain(never);
    expect((await actionOf(entry)).state).toBe('done');
  });
});

describe('what fails', () => {
  test('is tried again without end, and does not stop the others', async () => {
    await store.put('done', 'a file where the folder should be');
    const stuck = await plan(await dropped('a.csv'), MOVE);
    const other = await plan(await dropped('b.csv'), DELETE);
    for (let i = 0; i < 8; i++) await outbox.drain(never);
    expect((await actionOf(other)).state).toBe('done');
    expect(await actionOf(stuck)).toMatchObject({ state: 'pending', attempts: 8 });
    expect(await ledger.dueActions(new Date().toISOString(), 10)).toEqual([]);
    expect(await store.read('a.csv')).toBe('a.csv');
    expect((await ledger.entry(stuck.fileId))?.state).toBe('loaded');
  });

  test('is carried out as soon as it can be', async () => {
    await store.put('done', 'a file where the folder should be');
    const entry = await plan(await dropped('a.csv'), MOVE);
    await outbox.drain(never);
    await store.remove('done');
    await outbox.drain(never);
    expect((await ledger.entry(entry.fileId))?.movedTo?.path).toBe('done/a.csv');
  });

  test('250 actions that cannot be done do not hide the one that can', async () => {
    await store.put('done', 'a file where the folder should be');
    const stuck = await Promise.all(
      Array.from({ length: 250 }, async (_, i) => await plan(await dropped(`f${i}.csv`), MOVE)),
    );
    const last = await plan(await dropped('b.csv'), DELETE);
    await outbox.drain(never);
    expect((await actionOf(last)).state).toBe('done');
    expect(new Set(await Promise.all(stuck.map(async (entry) => (await actionOf(entry)).attempts)))).toEqual(
      new Set([1]),
    );
  });

  test('a source that cannot be reached, or a feed that is not in the config, is waited for', async () => {
    const entry = await plan(await dropped('a.csv'), DELETE);
    await store.hideRoot();
    await outbox.drain(never);
    await store.showRoot();
    const unknown = (): Source => {
      throw new TallymanError('UNKNOWN_FEED', 'feed orders is not in the config');
    };
    await outboxOf({ source: unknown }).drain(never);
    expect(await actionOf(entry)).toMatchObject({
      state: 'pending',
      attempts: 2,
      detail: 'feed orders is not in the config',
    });
    await outbox.drain(never);
    expect((await actionOf(entry)).state).toBe('done');
  });

  test('tags on a source without tags are dropped with the reason', async () => {
    const entry = await plan(await dropped('a.csv'), TAG);
    await outbox.drain(never);
    expect(await actionOf(entry)).toMatchObject({ state: 'dropped', detail: 'a local source has no tags' });
  });
});

describe('the loop', () => {
  const until = async (holds: () => Promise<boolean>): Promise<void> => {
    while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 10));
  };

  test('takes up what comes, leaves backoffs alone, and ends with the signal', async () => {
    const first = await plan(await dropped('first.csv'), DELETE);
    const stop = new AbortController();
    let closed = false;
    const running = outboxOf({
      ledger: { ...ledger, dueActions: async (now, limit) => (closed ? [] : await ledger.dueActions(now, limit)) },
    }).run(stop.signal);
    await until(async () => (await actionOf(first)).state === 'done');
    closed = true;
    const waiting = await postponed(await plan(await dropped('a.csv'), DELETE));
    const entry = await plan(await dropped('b.csv'), DELETE);
    closed = false;
    await until(async () => (await actionOf(entry)).state === 'done');
    stop.abort();
    await running;
    expect((await actionOf(waiting)).state).toBe('pending');
  });

  test('says that a ledger could not be read, and ends with the signal all the same', async () => {
    const told: string[] = [];
    const broken = { ...ledger, dueActions: () => Promise.reject(new TallymanError('LEDGER_UNUSABLE', 'locked')) };
    const stop = new AbortController();
    const running = outboxOf({
      ledger: broken,
      log: { ...quiet, error: (_fields, message) => told.push(message) },
    }).run(stop.signal);
    await until(() => Promise.resolve(told.length > 0));
    stop.abort();
    await running;
    expect(told).toEqual(['after actions wait: locked']);
  });
});
