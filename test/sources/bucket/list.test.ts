import { beforeEach, describe, expect, test } from 'vitest';
import { TallymanError } from '../../../src/core/errors.js';
import type { EventListener } from '../../../src/core/object-store.js';
import { listAll } from '../../contract/source-suite.js';
import { memoryHarness, type MemoryHarness } from './memory-harness.js';

let store: MemoryHarness;
beforeEach(() => {
  store = memoryHarness();
});
const put = (...keys: readonly string[]): void => {
  for (const key of keys) store.memory.put(key, 'x');
};

describe('listing a bucket', () => {
  test('only the prefixes of lookback and of tomorrow are listed, each once', async () => {
    const day = (offset: number): string => new Date(Date.now() + offset * 86_400_000).toISOString().slice(0, 10);
    put(`in/${day(0)}/a.csv`, `in/${day(-1)}/b.csv`, `in/${day(-5)}/c.csv`);
    const source = store.source({ recursive: true }, { prefix: 'in/%Y-%m-%d/', lookback: 86_400_000 });
    expect((await listAll(source)).paths).toEqual([`in/${day(-1)}/b.csv`, `in/${day(0)}/a.csv`]);
    const asked = store.memory.calls('page');
    expect(new Set(asked).size).toBe(asked.length);
    expect(asked).toEqual(expect.arrayContaining([`in/${day(-1)}/`, `in/${day(0)}/`]));
    // A file of a day that has gone out of lookback is still the feed's.
    expect(await source.stat(`in/${day(-5)}/c.csv`)).toMatchObject({ path: `in/${day(-5)}/c.csv` });
  });

  test('a recursive listing is flat; one without goes by folder and costs nothing of what lies in them', async () => {
    put('a.csv', 'x/b.csv', 'x/y/c.csv');
    store.memory.pageSize = 1;
    expect((await listAll(store.source({ recursive: true }))).paths).toEqual(['a.csv', 'x/b.csv', 'x/y/c.csv']);
    expect(store.memory.calls('page')).toHaveLength(3);
    store.memory.log.length = 0;
    expect((await listAll(store.source())).paths).toEqual(['a.csv']);
    expect(store.memory.calls('page')).toHaveLength(2);
  });

  test('a prefix that may not be listed is told of, the others are listed; where none may, the source is away', async () => {
    const day = (offset: number): string => new Date(Date.now() + offset * 86_400_000).toISOString().slice(0, 10);
    put(`in/${day(0)}/a.csv`, `in/${day(-1)}/b.csv`);
    const deny = (denied: (prefix: string) => boolean): void => {
      store.memory.fault = ({ name, key }) => {
        if (name === 'page' && denied(key)) throw new TallymanError('FOLDER_UNREADABLE', 'HTTP 403 AccessDenied');
      };
    };
    const source = store.source({ recursive: true }, { prefix: 'in/%Y-%m-%d/', lookback: 86_400_000 });
    deny((prefix) => prefix === `in/${day(-1)}/`);
    const { paths, skipped } = await listAll(source);
    expect(paths).toEqual([`in/${day(0)}/a.csv`]);
    expect(skipped).toEqual([
      { path: `in/${day(-1)}/`, reason: expect.stringContaining('AccessDenied') as string, what: 'unlisted' },
    ]);
    deny(() => true);
    await expect(listAll(source)).rejects.toMatchObject({ code: 'SOURCE_UNREACHABLE' });
  });

  test('a move target below the prefix is left out, and costs no page', async () => {
    put('in/a.csv', 'in/new/b.csv', ...Array.from({ length: 50 }, (_, i) => `in/done/2026/f${i}.csv`));
    const source = store.source({ recursive: true, exclude: ['in/done/%Y'] }, { prefix: 'in/' });
    expect((await listAll(source)).paths).toEqual(['in/a.csv', 'in/new/b.csv']);
    expect(store.memory.calls('page')).toEqual(['in/', 'in/new/']);
  });

  test('beside very many folders one flat listing passes the move target over, each file once', async () => {
    put('a.csv', 'done/a.csv', ...Array.from({ length: 250 }, (_, i) => `f${i}/a.csv`));
    const { paths } = await listAll(store.source({ recursive: true, exclude: ['done'] }));
    expect(paths).toHaveLength(251);
    expect(new Set(paths).size).toBe(251);
    expect(store.memory.calls('page')).toHaveLength(2);
  });

  test('ignored folders hold no data, names of dots and nothing are folders like any other', async () => {
    put('in/a.csv', 'in/.staging/b.csv', 'in/../c.csv', 'in//d.csv');
    const source = store.source({ recursive: true, ignore: ['.*'] }, { prefix: 'in/' });
    expect((await listAll(source)).paths).toEqual(['in/../c.csv', 'in//d.csv', 'in/a.csv']);
    await expect(source.stat('in/.staging/b.csv')).rejects.toMatchObject({ code: 'FILE_NOT_TAKEN' });
  });

  test('what is no file is skipped with the reason, and refused when it is looked at', async () => {
    put('a.csv', 'in/', 'in_$folder$', 'x'.repeat(1_025));
    store.memory.put('old.csv', 'x', { archived: 'archived: bring it back first' });
    const source = store.source({ recursive: true, patterns: ['*'] });
    const { paths, skipped } = await listAll(source);
    expect(paths).toEqual(['a.csv']);
    expect(skipped).toEqual([
      { path: 'in/', reason: 'a folder marker', what: 'folder' },
      { path: 'in_$folder$', reason: 'a folder marker', what: 'folder' },
      { path: 'old.csv', reason: 'archived: bring it back first' },
      { path: 'x'.repeat(1_025), reason: 'its key is longer than 1024 bytes' },
    ]);
    await expect(source.stat('old.csv')).rejects.toMatchObject({
      code: 'FILE_NOT_TAKEN',
      message: 'old.csv: archived: bring it back first',
    });
  });

  test('the next page is asked for while one is worked on, and not when nobody wants it any more', async () => {
    put('a.csv', 'b.csv', 'c.csv', 'd.csv');
    store.memory.pageSize = 1;
    for await (const { files } of store.source().list(new AbortController().signal))
      if (files[0]?.path === 'b.csv') break;
    expect(store.memory.calls('page')).toHaveLength(3);
  });

  test('a page that fails is an error of the whole listing', async () => {
    put('a.csv', 'b.csv', 'c.csv');
    store.memory.pageSize = 1;
    store.memory.fault = () => {
      if (store.memory.calls('page').length === 3) throw store.memory.unreachable(new Error('the line is cut'));
    };
    await expect(listAll(store.source())).rejects.toMatchObject({ code: 'SOURCE_UNREACHABLE' });
  });

  test('metadata is of exactly this version, names in lower case; refused it is FILE_UNREADABLE', async () => {
    store.memory.put('a.csv', 'x', { metadata: { Sender: 'acme' } });
    const source = store.source();
    const file = (await source.stat('a.csv'))!;
    expect(await source.metadata?.(file)).toEqual({ sender: 'acme' });
    put('a.csv');
    await expect(source.metadata?.(file)).rejects.toMatchObject({ code: 'FILE_CHANGED' });
  });
});

describe('events of a bucket', () => {
  test('a store without them has nothing to watch', () => {
    expect('watch' in store.source() && store.source().watch !== undefined).toBe(false);
  });

  test('hints go through, and a listing that was taken to its end is told to the store with the mark before it', async () => {
    const told: string[] = [];
    const hints: (string | null)[] = [];
    let listener: EventListener | undefined;
    let arrived = 0;
    store.memory.events = (given) => {
      listener = given;
      return {
        start: () => Promise.resolve(),
        mark: () => arrived,
        listed: (mark) => Promise.resolve(void told.push(`listed ${mark}`)),
        close: () => Promise.resolve(void told.push('closed')),
      };
    };
    put('in/a.csv');
    const source = store.source(
      { recursive: true, ready: { kind: 'marker', template: '{name}.ok' } },
      { prefix: 'in/' },
    );
    const watching = await source.watch?.(
      (path) => hints.push(path),
      () => undefined,
    );
    expect(['in/a.csv', 'in/a.csv.ok', 'in/a.txt', 'out/a.csv'].map((key) => listener?.isWorth(key))).toEqual([
      true,
      true,
      false,
      false,
    ]);
    listener?.onHint('in/a.csv');
    expect(hints).toEqual(['in/a.csv']);
    for await (const page of source.list(new AbortController().signal)) {
      arrived++;
      expect(page.files).toHaveLength(1);
      expect(told).toEqual([]);
    }
    expect(told).toEqual(['listed 0']);
    await watching?.close();
    await source.close();
    expect(told).toEqual(['listed 0', 'closed']);
  });
});
