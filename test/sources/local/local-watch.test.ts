import { execFileSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { appendFile, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { SourceSpec } from '../../../src/core/feed/source.js';
import type { Source } from '../../../src/core/source.js';
import { listAll } from '../../contract/source-suite.js';
import { localHarness, type LocalHarness } from './local-harness.js';

let store: LocalHarness;
let source: Source;
let hints: (string | null)[];
let errors: string[];
let handle: { close(): Promise<void> } | null;
let changed: () => void;

beforeEach(async () => {
  store = await localHarness();
  hints = [];
  errors = [];
  handle = null;
  changed = () => undefined;
});
afterEach(async () => {
  await handle?.close();
  await source.close();
  await store.close();
});

async function watch(spec: Partial<SourceSpec> = {}): Promise<void> {
  source = store.source(spec);
  handle = await source.watch!(
    (path) => {
      hints.push(path);
      changed();
    },
    (error) => {
      errors.push(error.message);
      changed();
    },
  );
}

/** Waits until the condition holds; the test's own time limit ends it. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise<void>((resolve) => (changed = resolve));
}

/** A file whose hint comes last shows that nothing else is coming. */
async function hintsUpTo(last: string): Promise<(string | null)[]> {
  await store.put(last, 'x');
  await until(() => hints.includes(last));
  return [...new Set(hints.filter((hint) => hint !== last))];
}

describe('events of a local folder', () => {
  test('a new file, a changed one and one renamed into place are hints with their path', async () => {
    await store.put('old.csv', 'x');
    await store.put('upload.tmp', 'x');
    await watch({ ignore: ['*.tmp'] });
    await store.put('new.csv', 'x');
    await appendFile(store.at('old.csv'), 'more');
    await rename(store.at('upload.tmp'), store.at('renamed.csv'));
    expect((await hintsUpTo('last.csv')).sort()).toEqual(['new.csv', 'old.csv', 'renamed.csv']);
  });

  test('names that the feed does not take are no hints; markers are', async () => {
    await watch({ ignore: ['*.tmp'], patterns: ['*.csv'], ready: { kind: 'marker', template: '{name}.done' } });
    for (const name of ['a.csv.tmp', 'a.txt', '.tallyman-0123', 'a.csv.done']) await store.put(name, 'x');
    expect(await hintsUpTo('last.csv')).toEqual(['a.csv.done']);
  });

  test('hints have the form of paths, also of names with %', async () => {
    await watch();
    await writeFile(`${store.dir}/100%.csv`, 'x');
    await writeFile(`${store.dir}/a%FF.csv`, 'x');
    expect((await hintsUpTo('last.csv')).sort()).toEqual(['100%.csv', 'a%25FF.csv']);
  });

  test('a name that is not UTF-8 is a hint to look anywhere', async () => {
    await watch();
    await store.put('caf%E9.csv', 'x');
    await until(() => hints.includes(null));
    expect((await listAll(source)).paths).toEqual(['caf%E9.csv']);
  });

  test('a FIFO in the folder hangs nothing', async () => {
    execFileSync('mkfifo', [store.at('pipe.csv').toString()]);
    await watch();
    await hintsUpTo('last.csv');
    expect(errors).toEqual([]);
  });

  test('subfolders count when the feed is recursive, and a new one is a hint to look anywhere', async () => {
    await mkdir(store.at('in'));
    await watch({ recursive: true });
    await store.put('in/a.csv', 'x');
    await until(() => hints.includes('in/a.csv'));
    await store.put('new/b.csv', 'x');
    await until(() => hints.includes(null));
  });

  test('subfolders and move targets that are not listed give no hints', async () => {
    for (const folder of ['done', 'in', '.snapshot']) await mkdir(store.at(folder));
    await watch({ recursive: true, exclude: ['done/%Y'], ignore: ['.*'] });
    await store.put('done/a.csv', 'x');
    await store.put('.snapshot/a.csv', 'x');
    expect(await hintsUpTo('in/last.csv')).toEqual([]);
  });

  test('a closed watch gives no more hints', async () => {
    await watch();
    await hintsUpTo('first.csv');
    await handle!.close();
    const before = hints.length;
    await store.put('second.csv', 'x');
    await listAll(source);
    expect(hints.length).toBe(before);
  });
});

describe('a root that goes and comes', () => {
  test('is watched anew after a listing has seen the new one', async () => {
    await watch();
    await rm(store.dir, { recursive: true });
    await expect(listAll(source)).rejects.toMatchObject({ code: 'SOURCE_UNREACHABLE' });
    await mkdir(store.dir);
    await listAll(source);
    // The hint to look anywhere says that events are on again.
    await until(() => hints.includes(null));
    await hintsUpTo('back.csv');
  });

  test('that is not there yet is watched as soon as a listing finds it', async () => {
    await store.hideRoot();
    await watch();
    await store.showRoot();
    await listAll(source);
    await until(() => hints.includes(null));
    await hintsUpTo('late.csv');
    expect(errors).toEqual([]);
  });
});

test('a folder of more than 10,000 names is listed, not watched, and that is said once', async () => {
  for (let i = 0; i < 10_001; i++) closeSync(openSync(`${store.dir}/f${i}.csv`, 'w'));
  await watch();
  await listAll(source);
  await listAll(source);
  await until(() => errors.length > 0);
  expect(errors).toHaveLength(1);
  expect(errors[0]).toMatch(/has more than 10000 names/);
});
