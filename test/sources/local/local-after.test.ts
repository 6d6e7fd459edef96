import { link, mkdir, readdir, rename, stat, truncate, utimes } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { SeenFile } from '../../../src/core/file.js';
import type { Source } from '../../../src/core/source.js';
import { copyVersion, equalBytes } from '../../../src/sources/local/copy.js';
import { moveAcross } from '../../../src/sources/local/move.js';
import { grab, privatePath } from '../../../src/sources/local/private-name.js';
import { LocalRoot } from '../../../src/sources/local/root.js';
import { localHarness, type LocalHarness } from './local-harness.js';

let store: LocalHarness;
let source: Source;
let root: LocalRoot;
let file: SeenFile;
let hidden: string;

beforeEach(async () => {
  store = await localHarness();
  source = store.source();
  root = new LocalRoot(store.dir);
  await store.put('a.csv', 'one');
  file = (await source.stat('a.csv'))!;
  hidden = privatePath(file);
});
afterEach(() => store.close());

const names = async (): Promise<string[]> => (await readdir(store.dir, { recursive: true })).sort();

describe('an after action that died between taking the file and acting on it', () => {
  beforeEach(() => rename(store.at('a.csv'), store.at(hidden)));

  test('remove goes on where it was', async () => {
    await source.remove(file);
    expect(await names()).toEqual([]);
  });

  test('move goes on where it was', async () => {
    expect(await source.move(file, 'done', '7')).toBe('done/a.csv');
    expect(await names()).toEqual(['done', 'done/a.csv']);
  });

  test('a newer file that took the name meanwhile is left alone', async () => {
    await store.put('a.csv', 'two');
    await source.remove(file);
    expect(await store.read('a.csv')).toBe('two');
    expect(await names()).toEqual(['a.csv']);
  });

  test('the hidden file is not listed', async () => {
    const found: SeenFile[] = [];
    for await (const page of store.source({ patterns: ['*'] }).list(new AbortController().signal))
      found.push(...page.files);
    expect(found).toEqual([]);
  });
});

describe('an after action that died having taken another file', () => {
  test('gives it its name back', async () => {
    await store.overwrite('a.csv', 'two');
    await rename(store.at('a.csv'), store.at(hidden));
    await expect(source.remove(file)).rejects.toMatchObject({ code: 'FILE_CHANGED' });
    expect(await names()).toEqual(['a.csv']);
    expect(await store.read('a.csv')).toBe('two');
  });

  test('puts it beside a third one that has the name by now: nobody loses bytes', async () => {
    await store.overwrite('a.csv', 'two');
    await rename(store.at('a.csv'), store.at(hidden));
    await store.put('a.csv', 'three');
    await expect(source.move(file, 'done', '7')).rejects.toMatchObject({ code: 'FILE_CHANGED' });
    expect(await store.read('a.csv')).toBe('three');
    const beside = (await names()).filter((name) => /^a-[0-9a-f]{8}\.csv$/.test(name));
    expect(await store.read(beside[0]!)).toBe('two');
  });
});

describe('an after action that died between two names of one file', () => {
  test('the file is not left under its own name', async () => {
    await link(store.at('a.csv'), store.at(hidden));
    await source.remove(file);
    expect(await names()).toEqual([]);
  });

  test('a move whose file has its new name already ends there', async () => {
    await mkdir(store.at('done'));
    await rename(store.at('a.csv'), store.at(hidden));
    await link(store.at(hidden), store.at('done/a.csv'));
    expect(await source.move(file, 'done', '7')).toBe('done/a.csv');
    expect(await names()).toEqual(['done', 'done/a.csv']);
  });

  test('a move that found its name taken says the other name again', async () => {
    await store.put('done/a.csv', 'old');
    expect(await source.move(file, 'done', '7')).toBe('done/a-7.csv');
    await store.put('a.csv', 'two');
    expect(await source.move(file, 'done', '7')).toBe('done/a-7.csv');
    expect(await store.read('a.csv')).toBe('two');
  });
});

describe('taking exactly one version', () => {
  test('a change of mode or a second name does not make it another file', async () => {
    await link(store.at('a.csv'), store.at('other.name'));
    await source.remove(file);
    expect(await names()).toEqual(['other.name']);
  });

  test('an old mtime on other bytes of equal size does', async () => {
    const { atimeMs, mtimeMs } = await stat(store.at('a.csv'));
    await store.overwrite('a.csv', 'two');
    await utimes(store.at('a.csv'), atimeMs / 1000, mtimeMs / 1000);
    await expect(grab(root, file)).rejects.toMatchObject({ code: 'FILE_CHANGED' });
  });

  test('a token that is no local version is FILE_CHANGED', async () => {
    await expect(source.remove({ ...file, version: 'etag' })).rejects.toMatchObject({ code: 'FILE_CHANGED' });
  });

  test('a folder that cannot be made leaves the file under its name, untouched', async () => {
    await store.put('done', 'a file, no folder');
    await expect(source.move(file, 'done/2026', '7')).rejects.toMatchObject({ code: 'AFTER_ACTION_FAILED' });
    expect(await source.stat('a.csv')).toEqual(file);
  });

  test('a name of 255 bytes gets its suffix by losing its end', async () => {
    const long = `${'x'.repeat(251)}.csv`;
    await store.put(`done/${long}`, 'old');
    await store.put(long, 'new');
    const path = await source.move((await source.stat(long))!, 'done', '4711');
    expect(path).toBe(`done/${'x'.repeat(246)}-4711.csv`);
    expect(await store.read(path)).toBe('new');
  });
});

describe('moving to another file system', () => {
  beforeEach(() => mkdir(store.at('done')));

  test('copies with time and mode, then lets go of the original', async () => {
    await utimes(store.at('a.csv'), 1_600_000_000.123456, 1_600_000_000.123456);
    file = (await source.stat('a.csv'))!;
    expect(await moveAcross(root, file, 'a.csv', 'done/a.csv', '7')).toBe('done/a.csv');
    expect(await names()).toEqual(['done', 'done/a.csv']);
    expect(await store.read('done/a.csv')).toBe('one');
    const moved = await stat(store.at('done/a.csv'));
    expect(Math.round(moved.mtimeMs * 1000) / 1000).toBeCloseTo(1_600_000_000_123.456, 2);
  });

  test('never overwrites', async () => {
    await store.put('done/a.csv', 'old');
    expect(await moveAcross(root, file, 'a.csv', 'done/a.csv', '7')).toBe('done/a-7.csv');
    expect(await store.read('done/a.csv')).toBe('old');
    expect(await store.read('done/a-7.csv')).toBe('one');
  });

  test('writes a half copy of a crash anew', async () => {
    await store.put(`done/${hidden}`, 'o');
    expect(await moveAcross(root, file, 'a.csv', 'done/a.csv', '7')).toBe('done/a.csv');
    expect(await store.read('done/a.csv')).toBe('one');
    expect(await names()).toEqual(['done', 'done/a.csv']);
  });

  test('knows the copy that a crash left beside the original, by its bytes', async () => {
    await copyVersion(root, file, 'a.csv', 'done/a.csv');
    expect(await moveAcross(root, file, 'a.csv', 'done/a.csv', '7')).toBe('done/a.csv');
    expect(await names()).toEqual(['done', 'done/a.csv']);
  });

  test('takes a file of equal size and time but other bytes for what it is', async () => {
    await copyVersion(root, file, 'a.csv', 'done/a.csv');
    const { atimeMs, mtimeMs } = await stat(store.at('done/a.csv'));
    await store.put('done/a.csv', 'two');
    await utimes(store.at('done/a.csv'), atimeMs / 1000, mtimeMs / 1000);
    expect(await moveAcross(root, file, 'a.csv', 'done/a.csv', '7')).toBe('done/a-7.csv');
    expect(await store.read('done/a.csv')).toBe('two');
    expect(await store.read('done/a-7.csv')).toBe('one');
  });

  test('copies no other version', async () => {
    await store.overwrite('a.csv', 'two');
    await expect(moveAcross(root, file, 'a.csv', 'done/a.csv', '7')).rejects.toMatchObject({ code: 'FILE_CHANGED' });
    expect(await names()).toEqual(['a.csv', 'done']);
  });

  test('leaves no half copy when the file changes while it is copied', async () => {
    await store.put('a.csv', Buffer.alloc(32 * 1024 * 1024));
    file = (await source.stat('a.csv'))!;
    const refused = expect(copyVersion(root, file, 'a.csv', 'done/.tallyman-copy')).rejects.toMatchObject({
      code: 'FILE_CHANGED',
    });
    await truncate(store.at('a.csv'), 5);
    await refused;
    expect(await readdir(store.at('done'))).toEqual([]);
  });

  test('equal bytes are equal to the last one', async () => {
    await store.put('b.csv', Buffer.alloc(2_100_000, 'x'));
    await store.put('c.csv', Buffer.alloc(2_100_000, 'x'));
    await store.put('d.csv', Buffer.concat([Buffer.alloc(2_099_999, 'x'), Buffer.from('y')]));
    expect([
      await equalBytes(root, 'b.csv', 'c.csv'),
      await equalBytes(root, 'b.csv', 'd.csv'),
      await equalBytes(root, 'a.csv', 'b.csv'),
    ]).toEqual([true, false, false]);
  });
});
