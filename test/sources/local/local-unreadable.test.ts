import { chmod, mkdir } from 'node:fs/promises';
import process from 'node:process';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { hashFile } from '../../../src/intake/hash.js';
import { listAll, readAll } from '../../contract/source-suite.js';
import { localHarness, type LocalHarness } from './local-harness.js';

/*
 * What a user without rights meets. For root no file is unreadable, so this file's process (every test file has its
 * own) gives root up for good, as uid "nobody", before anything else happens in it.
 */
let store: LocalHarness;

beforeAll(() => {
  if (process.getuid?.() !== 0) return;
  process.setgroups?.([]);
  process.setgid?.(65_534);
  process.setuid?.(65_534);
});
beforeEach(async () => {
  store = await localHarness();
  return async () => {
    await chmod(store.dir, 0o700);
    await store.close();
  };
});
afterAll(() => {
  expect(process.getuid?.()).not.toBe(0);
});

describe('without rights', () => {
  test('an unreadable file is skipped with the reason', async () => {
    await store.put('a.csv', 'x');
    await store.put('b.csv', 'x');
    await chmod(store.at('b.csv'), 0);
    const source = store.source();
    const { paths, skipped } = await listAll(source);
    expect(paths).toEqual(['a.csv']);
    expect(skipped).toEqual([{ path: 'b.csv', reason: 'it may not be read (EACCES)' }]);
    await expect(source.stat('b.csv')).rejects.toMatchObject({ code: 'FILE_NOT_TAKEN' });
  });

  test('a file that becomes unreadable before it is read is FILE_UNREADABLE', async () => {
    await store.put('a.csv', 'x');
    const source = store.source();
    const file = (await source.stat('a.csv'))!;
    await chmod(store.at('a.csv'), 0);
    await expect(readAll(source, file)).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
    await expect(hashFile(store.at('a.csv'))).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
  });

  test.each([0o300, 0o600, 0])('a root that may not be listed or entered is SOURCE_UNREACHABLE', async (mode) => {
    await store.put('a.csv', 'x');
    await chmod(store.dir, mode);
    await expect(listAll(store.source())).rejects.toMatchObject({ code: 'SOURCE_UNREACHABLE' });
  });

  test('a subfolder that may not be listed is skipped with the reason, the rest is listed', async () => {
    await store.put('in/a.csv', 'x');
    await store.put('b.csv', 'x');
    await chmod(store.at('in'), 0);
    const { paths, skipped } = await listAll(store.source({ recursive: true }));
    await chmod(store.at('in'), 0o700);
    expect(paths).toEqual(['b.csv']);
    expect(skipped).toMatchObject([{ path: 'in', what: 'unlisted' }]);
  });

  test('in a folder without the right to write nothing is moved or deleted, and the file stays as it is', async () => {
    await store.put('a.csv', 'x');
    await mkdir(store.at('done'));
    await chmod(store.dir, 0o500);
    const source = store.source();
    const file = (await source.stat('a.csv'))!;
    await expect(source.remove(file)).rejects.toMatchObject({ code: 'AFTER_ACTION_FAILED' });
    await expect(source.move(file, 'done', '7')).rejects.toMatchObject({ code: 'AFTER_ACTION_FAILED' });
    expect(await source.stat('a.csv')).toEqual(file);
  });

  test('a target folder without the right to write leaves the file as it is', async () => {
    await store.put('a.csv', 'x');
    await mkdir(store.at('done'), { mode: 0o500 });
    const source = store.source();
    const file = (await source.stat('a.csv'))!;
    await expect(source.move(file, 'done', '7')).rejects.toMatchObject({ code: 'AFTER_ACTION_FAILED' });
    expect(await source.stat('a.csv')).toEqual(file);
  });

  test('probe says that names in the folder cannot be changed', async () => {
    await chmod(store.dir, 0o500);
    const source = store.source();
    expect(await source.probe({ delete: false, move: false, tag: false })).toEqual([]);
    const findings = await source.probe({ delete: true, move: false, tag: false });
    expect(findings).toHaveLength(1);
    expect(findings[0]).toMatch(/names in it cannot be changed/);
  });
});
