import { createHash } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { appendFile, open, stat, symlink, utimes } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { hashFile } from '../../src/intake/hash.js';
import { versionOf } from '../../src/sources/local/version.js';
import { listAll } from '../contract/source-suite.js';
import { localHarness, type LocalHarness } from '../sources/local/local-harness.js';

const sha256 = (bytes: Buffer | string): string => createHash('sha256').update(bytes).digest('hex');

describe('hashing a file', () => {
  let store: LocalHarness;
  beforeEach(async () => {
    store = await localHarness();
  });
  afterEach(() => store.close());

  test('gives what sha256sum prints, and the size', async () => {
    await store.put('a.csv', 'id\n1\n');
    const printed = execFileSync('sha256sum', [store.at('a.csv').toString()], { encoding: 'utf8' }).slice(0, 64);
    expect(await hashFile(store.at('a.csv'))).toEqual({ sha256: printed, size: 5, prefixSha256: null });
  });

  test('gives the hash of the first bytes, too, wherever the cut falls', async () => {
    const content = Buffer.alloc(2_500_000, 'row of a file\n');
    await store.put('a.csv', content);
    for (const prefixBytes of [0, 1, 1024 * 1024, 1024 * 1024 + 1, 2_499_999, 2_500_000]) {
      expect(await hashFile(store.at('a.csv'), { prefixBytes })).toEqual({
        sha256: sha256(content),
        size: content.length,
        prefixSha256: sha256(content.subarray(0, prefixBytes)),
      });
    }
  });

  test('there is no prefix hash of a file that is shorter', async () => {
    await store.put('a.csv', 'abc');
    expect((await hashFile(store.at('a.csv'), { prefixBytes: 4 })).prefixSha256).toBeNull();
  });

  test('of another version than the named one is FILE_CHANGED', async () => {
    await store.put('a.csv', 'one');
    const [file] = (await listAll(store.source())).files;
    await store.overwrite('a.csv', 'two');
    await expect(hashFile(store.at('a.csv'), { version: file!.version })).rejects.toMatchObject({
      code: 'FILE_CHANGED',
    });
  });

  /**
   * A large file whose mtime lies in the past, so that any write shows, however coarse the clock of the file system is.
   */
  const largeFile = async (): Promise<string> => {
    await store.put('a.csv', Buffer.alloc(64 * 1024 * 1024));
    await utimes(store.at('a.csv'), 1_600_000_000, 1_600_000_000);
    return versionOf(await stat(store.at('a.csv'), { bigint: true }));
  };

  test('of a file that grows meanwhile is FILE_CHANGED', async () => {
    const version = await largeFile();
    const refused = expect(hashFile(store.at('a.csv'), { version })).rejects.toMatchObject({ code: 'FILE_CHANGED' });
    await appendFile(store.at('a.csv'), 'more');
    await refused;
  });

  test('never blocks on a FIFO and follows no link', async () => {
    execFileSync('mkfifo', [store.at('pipe').toString()]);
    await symlink('pipe', store.at('link'));
    await expect(hashFile(store.at('pipe'))).rejects.toMatchObject({ code: 'FILE_NOT_TAKEN' });
    await expect(hashFile(store.at('link'))).rejects.toMatchObject({ code: 'FILE_NOT_TAKEN' });
    await expect(hashFile(store.at('nothing'))).rejects.toMatchObject({ code: 'FILE_VANISHED' });
  });

  test('of bytes that are still being written is FILE_CHANGED although the size is right', async () => {
    const version = await largeFile();
    const refused = expect(hashFile(store.at('a.csv'), { version })).rejects.toMatchObject({ code: 'FILE_CHANGED' });
    const handle = await open(store.at('a.csv'), 'r+');
    await handle.write('filled', 1_000);
    await handle.close();
    await refused;
  });
});
