import { execFileSync } from 'node:child_process';
import { createServer } from 'node:net';
import {
  appendFile,
  link,
  mkdir,
  open,
  rename,
  rm,
  stat,
  symlink,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { SourceType } from '../../../src/core/source.js';
import { direct } from '../../../src/sources/local/direct.js';
import { local } from '../../../src/sources/local/index.js';
import { decodeName } from '../../../src/sources/common/path-name.js';
import { listAll, readAll } from '../../contract/source-suite.js';
import { localHarness, plainSpec, type LocalHarness } from './local-harness.js';

let store: LocalHarness;
beforeEach(async () => {
  store = await localHarness();
});
afterEach(() => store.close());

const run = (command: string, ...args: string[]): string => execFileSync(command, args, { encoding: 'utf8' });

describe('what a local folder holds beside files', () => {
  test('links, FIFOs, sockets, devices and folders with a fitting name are skipped with the reason, and nothing hangs', async () => {
    await store.put('a.csv', 'x');
    await symlink('/etc/passwd', store.at('link.csv'));
    await symlink('nowhere', store.at('dangling.csv'));
    run('mkfifo', store.at('pipe.csv').toString());
    await mkdir(store.at('folder.csv'));
    const server = createServer().listen(store.at('socket.csv').toString());
    await new Promise((resolve) => server.once('listening', resolve));
    const { paths, skipped } = await listAll(store.source());
    server.close();
    expect(paths).toEqual(['a.csv']);
    expect(Object.fromEntries(skipped.map(({ path, reason }) => [path, reason]))).toEqual({
      'dangling.csv': 'a symbolic link',
      'folder.csv': 'a folder',
      'link.csv': 'a symbolic link',
      'pipe.csv': 'a FIFO',
      'socket.csv': 'a socket',
    });
  });

  test('a path of more than 2,000 bytes is refused by name, at the listing and when it is asked for', async () => {
    // 1,992 bytes of folders, and a name of 8 or of 10.
    const folders = `${Array.from({ length: 8 }, () => 'd'.repeat(248)).join('/')}/`;
    const [fits, tooLong] = [`${folders}ää.csv`, `${folders}äää.csv`];
    await store.put(fits, 'x');
    await store.put(tooLong, 'x');
    const source = store.source({ recursive: true });
    const { paths, skipped } = await listAll(source);
    expect(paths).toEqual([fits]);
    expect(skipped).toEqual([{ path: tooLong, reason: expect.stringContaining('2,000 bytes') as string }]);
    await expect(source.stat(tooLong)).rejects.toMatchObject({ code: 'FILE_NOT_TAKEN' });
    await expect(direct.stat(`${store.dir}/${tooLong}`)).rejects.toMatchObject({ code: 'FILE_NOT_TAKEN' });
  });

  test('what the feed does not take is not even mentioned', async () => {
    await symlink('/etc/passwd', store.at('passwd'));
    await mkdir(store.at('in'));
    expect((await listAll(store.source())).skipped).toEqual([]);
  });

  test('stat says why a FIFO or a link is not taken, and does not wait for a writer', async () => {
    run('mkfifo', store.at('pipe.csv').toString());
    await symlink('/etc/passwd', store.at('link.csv'));
    const source = store.source();
    await expect(source.stat('pipe.csv')).rejects.toMatchObject({
      code: 'FILE_NOT_TAKEN',
      message: 'pipe.csv: a FIFO',
    });
    await expect(source.stat('link.csv')).rejects.toMatchObject({
      code: 'FILE_NOT_TAKEN',
      message: 'link.csv: a symbolic link',
    });
  });

  test('names that are not UTF-8 are listed, read and found by localPath', async () => {
    const name = Buffer.from('caf\xe9 100%.csv', 'latin1');
    await writeFile(Buffer.concat([Buffer.from(`${store.dir}/`), name]), 'x');
    const source = store.source();
    const [file] = (await listAll(source)).files;
    expect(file!.path).toBe('caf%E9 100%25.csv');
    expect(await readAll(source, file!)).toBe('x');
    expect((await stat(decodeName(source.localPath(file!.path)!))).size).toBe(1);
    expect(source.uri(file!.path)).toBe(`file://${store.dir}/caf%E9%20100%25.csv`);
  });
});

describe('the root', () => {
  test('may itself be a symbolic link, also one that is turned to another folder', async () => {
    await store.put('a.csv', 'x');
    await mkdir(`${store.dir}.other`);
    await writeFile(`${store.dir}.other/b.csv`, 'x');
    await symlink(store.dir, `${store.dir}.link`);
    const source = local.open(plainSpec, { dir: `${store.dir}.link` });
    expect((await listAll(source)).paths).toEqual(['a.csv']);
    await rm(`${store.dir}.link`);
    await symlink(`${store.dir}.other`, `${store.dir}.link`);
    expect((await listAll(source)).paths).toEqual(['b.csv']);
  });

  test('that is a file is SOURCE_UNREACHABLE', async () => {
    await store.put('a.csv', 'x');
    await expect(listAll(local.open(plainSpec, { dir: `${store.dir}/a.csv` }))).rejects.toMatchObject({
      code: 'SOURCE_UNREACHABLE',
    });
  });

  test('that was exchanged while it was listed is SOURCE_UNREACHABLE', async () => {
    for (let i = 0; i < 1_100; i++) await store.put(`f${i}.csv`, 'x');
    const pages = store.source().list(new AbortController().signal)[Symbol.asyncIterator]();
    await pages.next();
    await rename(store.dir, `${store.dir}.old`);
    await mkdir(store.dir);
    const rest = async (): Promise<void> => {
      while ((await pages.next()).done !== true);
    };
    await expect(rest()).rejects.toMatchObject({ code: 'SOURCE_UNREACHABLE' });
  });
});

describe('symbolic links below the root', () => {
  beforeEach(async () => {
    await mkdir(`${store.dir}.outside`);
    await writeFile(`${store.dir}.outside/secret.csv`, 'secret');
  });

  test('are not followed into other folders by a listing', async () => {
    await symlink(`${store.dir}.outside`, store.at('in'));
    expect((await listAll(store.source({ recursive: true }))).files).toEqual([]);
  });

  test('are not followed by stat, reading or deleting', async () => {
    await symlink(`${store.dir}.outside`, store.at('in'));
    const source = store.source({ recursive: true });
    const file = { path: 'in/secret.csv', size: 6, mtimeUs: null, version: '0-0-0' };
    await expect(source.stat(file.path)).rejects.toMatchObject({ code: 'FILE_NOT_TAKEN' });
    await expect(source.statMarker(file.path)).rejects.toMatchObject({ code: 'FILE_NOT_TAKEN' });
    await expect(readAll(source, file)).rejects.toMatchObject({ code: 'FILE_NOT_TAKEN' });
    await expect(source.readSmall(file.path, 100)).rejects.toMatchObject({ code: 'FILE_NOT_TAKEN' });
    await expect(source.remove(file)).rejects.toMatchObject({ code: 'FILE_NOT_TAKEN' });
  });

  test('put in place of a file between stat and open are refused', async () => {
    await store.put('a.csv', 'secret');
    const source = store.source();
    const file = (await source.stat('a.csv'))!;
    await store.remove('a.csv');
    await symlink(`${store.dir}.outside/secret.csv`, store.at('a.csv'));
    await expect(readAll(source, file)).rejects.toMatchObject({ code: 'FILE_NOT_TAKEN' });
    await expect(source.remove(file)).rejects.toMatchObject({ code: 'FILE_CHANGED' });
    expect(await store.read('a.csv')).toBe('secret');
  });

  test('put in place of a folder between stat and open are refused', async () => {
    await store.put('in/secret.csv', 'secret');
    const source = store.source({ recursive: true });
    const file = (await source.stat('in/secret.csv'))!;
    await rm(store.at('in'), { recursive: true });
    await symlink(`${store.dir}.outside`, store.at('in'));
    await expect(readAll(source, file)).rejects.toMatchObject({ code: 'FILE_NOT_TAKEN' });
  });

  test('are no way out for move', async () => {
    await store.put('a.csv', 'one');
    await symlink(`${store.dir}.outside`, store.at('done'));
    const source = store.source();
    const file = (await source.stat('a.csv'))!;
    await expect(source.move(file, 'done', '7')).rejects.toMatchObject({ code: 'FILE_NOT_TAKEN' });
    expect(await store.read('a.csv')).toBe('one');
  });
});

describe('versions of local files', () => {
  test('a file renamed over another is another version, also with equal size and time', async () => {
    const source = store.source();
    await store.put('a.csv', 'one');
    await utimes(store.at('a.csv'), 1_600_000_000, 1_600_000_000);
    const before = await source.stat('a.csv');
    await store.put('b.up', 'two');
    await utimes(store.at('b.up'), 1_600_000_000, 1_600_000_000);
    await rename(store.at('b.up'), store.at('a.csv'));
    const after = await source.stat('a.csv');
    expect(after).toMatchObject({ size: before!.size, mtimeUs: before!.mtimeUs });
    expect(after!.version).not.toBe(before!.version);
  });

  test('a growing file whose mtime is set back to 2020 each time is another version each time', async () => {
    const source = store.source();
    const seen = new Set<string>();
    for (let i = 0; i < 5; i++) {
      await appendFile(store.at('a.csv'), 'row\n');
      run('touch', '-d', '2020-01-01', store.at('a.csv').toString());
      const file = (await source.stat('a.csv'))!;
      expect(file.mtimeUs).toBe(new Date(2020, 0, 1).getTime() * 1_000);
      seen.add(`${file.size} ${file.version}`);
    }
    expect(seen.size).toBe(5);
  });

  test('mtimes before 1970 and in the far future are told as they are', async () => {
    await store.put('a.csv', 'x');
    for (const seconds of [-100_000, 4_000_000_000]) {
      run('touch', '-d', `@${seconds}`, store.at('a.csv').toString());
      const source = store.source();
      const file = (await source.stat('a.csv'))!;
      expect(file.mtimeUs).toBe(seconds * 1_000_000);
      expect(await readAll(source, file)).toBe('x');
    }
  });

  test.each([
    ['grows', (path: Buffer) => appendFile(path, 'more')],
    ['is cut off', (path: Buffer) => truncate(path, 300_000)],
    [
      'is overwritten in place with equal size',
      async (path: Buffer): Promise<void> => {
        const handle = await open(path, 'r+');
        await handle.write('other', 900_000);
        await handle.close();
      },
    ],
  ])('a file that %s while it is read is FILE_CHANGED', async (_what, change) => {
    await store.put('a.csv', Buffer.alloc(1_000_000, 'row\n'));
    await utimes(store.at('a.csv'), 1_600_000_000, 1_600_000_000);
    const source = store.source();
    const chunks = source.open((await source.stat('a.csv'))!, 0, new AbortController().signal)[Symbol.asyncIterator]();
    expect((await chunks.next()).value).toHaveLength(262_144);
    await change(store.at('a.csv'));
    const rest = async (): Promise<void> => {
      while ((await chunks.next()).done !== true);
    };
    await expect(rest()).rejects.toMatchObject({ code: 'FILE_CHANGED' });
  });

  test('a file that is deleted while it is read ends as FILE_CHANGED', async () => {
    await store.put('a.csv', Buffer.alloc(1_000_000, 'row\n'));
    const source = store.source();
    const file = (await source.stat('a.csv'))!;
    let size = 0;
    const read = async (): Promise<void> => {
      for await (const chunk of source.open(file, 0, new AbortController().signal)) {
        if (size === 0) await store.remove('a.csv');
        size += chunk.length;
      }
    };
    // unlink changes the ctime of the open file: all was read, but it is not proven to be the version that was seen.
    await expect(read()).rejects.toMatchObject({ code: 'FILE_CHANGED' });
    expect(size).toBe(1_000_000);
  });

  test('reading ends at once when it is aborted', async () => {
    await store.put('a.csv', Buffer.alloc(1_000_000));
    const source = store.source();
    const abort = new AbortController();
    const chunks = source.open((await source.stat('a.csv'))!, 0, abort.signal)[Symbol.asyncIterator]();
    await chunks.next();
    abort.abort(new Error('enough'));
    await expect(chunks.next()).rejects.toThrow('enough');
  });
});

describe('files named on the command line', () => {
  test('are known by their absolute path, through links in folders, too', async () => {
    await store.put('a.txt', 'x');
    await symlink(store.dir, `${store.dir}.link`);
    for (const path of [`${store.dir}/a.txt`, `${store.dir}.link/a.txt`]) {
      const file = (await direct.stat(path))!;
      expect(file).toMatchObject({ path, size: 1 });
      expect(direct.localPath(path)).toBe(path);
      expect(direct.uri(path)).toBe(`file://${path}`);
      expect(await readAll(direct, file)).toBe('x');
    }
    expect(await direct.stat(`${store.dir}/nothing.txt`)).toBeNull();
  });

  test('are refused when they are links or FIFOs', async () => {
    await symlink('/etc/passwd', store.at('link'));
    run('mkfifo', store.at('pipe').toString());
    for (const name of ['link', 'pipe'])
      await expect(direct.stat(`${store.dir}/${name}`)).rejects.toMatchObject({ code: 'FILE_NOT_TAKEN' });
  });
});

describe('the kind of source', () => {
  test('takes dir and nothing else', () => {
    expect(local.options.safeParse({ dir: '/srv/drop' }).success).toBe(true);
    for (const options of [{}, { dir: '' }, { dir: 7 }, { dir: 'x', path: 'y' }])
      expect(local.options.safeParse(options).success).toBe(false);
  });

  test('fits the registry', () => {
    const types: readonly SourceType[] = [local];
    expect(types.map(({ type, pathOptions }) => [type, pathOptions])).toEqual([['local', ['dir']]]);
  });
});

test('two names of one file are two paths', async () => {
  await store.put('a.csv', 'x');
  await link(store.at('a.csv'), store.at('b.csv'));
  expect((await listAll(store.source())).paths).toEqual(['a.csv', 'b.csv']);
});
