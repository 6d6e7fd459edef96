import { randomBytes } from 'node:crypto';
import { symlink } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Secret } from '../../../src/core/secret.js';
import type { Source } from '../../../src/core/source.js';
import { connectionOptions } from '../../../src/sources/sftp/options.js';
import { openSftp } from '../../../src/sources/sftp/index.js';
import { listAll, readAll } from '../../contract/source-suite.js';
import { startEvilServer, type EvilEntry, type EvilServer } from '../../servers/evil-sftp.js';
import { startSshd, type Sshd } from '../../servers/sshd.js';
import { plainSpec } from '../local/local-harness.js';
import { connectionTo, sftpHarness } from './sftp-harness.js';

describe('a server that says what no honest one would', () => {
  let evil: EvilServer;
  let source: Source;
  beforeAll(async () => {
    evil = await startEvilServer();
    const connection = connectionOptions.parse({
      host: '127.0.0.1',
      port: evil.port,
      user: 'u',
      password: new Secret('p'),
      host_key: evil.hostKey,
    });
    source = openSftp(
      { ...plainSpec, type: 'sftp', settleMs: 10_000, patterns: ['**'], recursive: true },
      { connection: 'evil', dir: '/', follow: false },
      connection,
    );
  });
  afterAll(async () => {
    await source.close();
    await evil.close();
  });
  const holds = (...entries: EvilEntry[]): void => {
    evil.entries = entries;
    evil.asked.length = 0;
  };

  test.each(['../x.csv', '/etc/x.csv', 'in/x.csv', 'a\0.csv', '', '../../../../tmp/x.csv'])(
    'a file named %j never becomes a path: skipped with a reason',
    async (name) => {
      holds({ name, content: Buffer.from('x') }, { name: 'good.csv', content: Buffer.from('y') });
      const { paths, skipped } = await listAll(source);
      expect(paths).toEqual(['good.csv']);
      expect(skipped).toEqual([{ path: name, reason: expect.stringContaining('no plain file name') as string }]);
    },
  );

  test.each(['..', '.', '../up', '/etc'])('a folder named %j is never entered', async (name) => {
    holds({ name, kind: 'folder' });
    expect((await listAll(source)).paths).toEqual([]);
    expect(evil.asked).toEqual([]);
  });

  test('a name that is not UTF-8 is skipped with a reason', async () => {
    holds({ name: '\uFFFDbad.csv', content: Buffer.from('x') });
    expect((await listAll(source)).skipped).toEqual([{ path: '\uFFFDbad.csv', reason: 'its name is not UTF-8' }]);
  });

  test.each([
    ['FAILURE', { opendir: 4 }],
    ['permission denied', { opendir: 3 }],
    ['a path that is too long (OpenSSH: bad message)', { opendir: 5 }],
    ['"no such file" of one that it lists', { opendir: 2 }],
    ['FAILURE while its names are read', { readdir: 4 }],
  ])('a subfolder that answers %s is told of, and the rest is listed', async (_what, answers) => {
    holds({ name: 'sub', kind: 'folder', ...answers }, { name: 'good.csv', content: Buffer.from('y') });
    const { paths, skipped } = await listAll(source);
    expect(paths).toEqual(['good.csv']);
    expect(skipped).toEqual([
      { path: 'sub', reason: expect.stringContaining('the folder cannot be listed: ') as string, what: 'unlisted' },
    ]);
  });

  test('the folder of the feed itself cannot be left out', async () => {
    holds({ name: 'good.csv', content: Buffer.from('y') });
    for (const answers of [{ opendir: 4 }, { readdir: 3 }]) {
      evil.root = { name: '', kind: 'folder', ...answers };
      await expect(listAll(source)).rejects.toMatchObject({ code: 'SOURCE_UNREACHABLE' });
    }
    evil.root = { name: '', kind: 'folder' };
  });

  test('a server that tells neither kind nor time: files are taken, folders entered, and another size is a change', async () => {
    const omits = ['mode', 'mtime'] as const;
    holds(
      { name: 'a.csv', content: Buffer.from('x'), omits, longname: '-rw-r--r-- 1 u g 1 Jan 1 00:00 a.csv' },
      { name: 'b.csv', content: Buffer.from('yy'), omits, longname: 'b.csv' },
      { name: 'sub', kind: 'folder', opendir: 4, omits, longname: 'drwxr-xr-x 1 u g 0 Jan 1 00:00 sub' },
    );
    const { files, skipped } = await listAll(source);
    expect(files).toMatchObject([
      { path: 'a.csv', size: 1, mtimeUs: null },
      { path: 'b.csv', size: 2, mtimeUs: null },
    ]);
    expect(skipped).toMatchObject([{ path: 'sub', what: 'unlisted' }]);
    expect(await readAll(source, files[1]!)).toBe('yy');
    holds({ name: 'b.csv', content: Buffer.from('yyy'), omits });
    await expect(readAll(source, files[1]!)).rejects.toMatchObject({ code: 'FILE_CHANGED' });
  });

  test('symbolic links are skipped with a reason', async () => {
    holds({ name: 'link.csv', kind: 'link' });
    expect((await listAll(source)).skipped).toEqual([{ path: 'link.csv', reason: 'a symbolic link' }]);
  });

  test('answers shorter than asked for are put together', async () => {
    const content = randomBytes(100_001);
    evil.maxRead = 7_777;
    holds({ name: 'a.csv', content });
    const file = (await source.stat('a.csv'))!;
    const chunks: Buffer[] = [];
    for await (const chunk of source.open(file, 0, new AbortController().signal)) chunks.push(chunk);
    expect(Buffer.concat(chunks).equals(content)).toBe(true);
    evil.maxRead = 32_768;
  });

  test('a size larger than the bytes that come is FILE_UNREADABLE, in plain words', async () => {
    holds({ name: 'a.csv', size: 1_000, content: Buffer.alloc(600) });
    const file = (await source.stat('a.csv'))!;
    await expect(readAll(source, file)).rejects.toMatchObject({
      code: 'FILE_UNREADABLE',
      message: 'a.csv: the server says 1000 bytes, and its bytes end after 600',
    });
  });

  test('a size smaller than the bytes that come is FILE_UNREADABLE', async () => {
    holds({ name: 'a.csv', size: 600, content: Buffer.alloc(1_000) });
    const file = (await source.stat('a.csv'))!;
    await expect(readAll(source, file)).rejects.toMatchObject({
      code: 'FILE_UNREADABLE',
      message: 'a.csv: the server says 600 bytes, and gives more',
    });
  });

  test('a listing that tells another size than a look is a change', async () => {
    holds({ name: 'a.csv', size: 10, statSize: 20, content: Buffer.alloc(20) });
    const [file] = (await listAll(source)).files;
    await expect(readAll(source, file!)).rejects.toMatchObject({ code: 'FILE_CHANGED' });
  });

  test('without rename of any kind an after action fails, and says so', async () => {
    holds({ name: 'a.csv', content: Buffer.from('x') });
    const file = (await source.stat('a.csv'))!;
    await expect(source.remove(file)).rejects.toMatchObject({ code: 'AFTER_ACTION_FAILED' });
  });

  test('feeds share one connection, and so one login', async () => {
    const connection = connectionOptions.parse({
      host: '127.0.0.1',
      port: evil.port,
      user: 'u',
      password: new Secret('p'),
      host_key: evil.hostKey,
    });
    holds({ name: 'a.csv', content: Buffer.alloc(10) });
    const sources = [1, 2, 3].map(() =>
      openSftp({ ...plainSpec, type: 'sftp' }, { connection: 'evil', dir: '/', follow: false }, connection),
    );
    const before = evil.logins();
    await Promise.all(sources.map(async (one) => await readAll(one, (await listAll(one)).files[0]!)));
    expect(evil.logins() - before).toBe(1);
    await sources[0]!.close();
    expect((await listAll(sources[1]!)).paths).toEqual(['a.csv']);
    expect(evil.logins() - before).toBe(1);
    await Promise.all(sources.map((one) => one.close()));
  });
});

describe('symbolic links on a real server', () => {
  let sshd: Sshd;
  beforeAll(async () => {
    sshd = await startSshd();
  }, 300_000);
  afterAll(async () => {
    await sshd.close();
  });

  test('links to files and folders are left alone, and no path leads through one', async () => {
    const store = await sftpHarness(sshd, await connectionTo(sshd));
    await store.put('real/a.csv', 'x');
    await symlink('real', path.join(store.folder, 'linked'));
    await symlink('real/a.csv', path.join(store.folder, 'b.csv'));
    const source = store.source({ recursive: true });
    const { paths, skipped } = await listAll(source);
    expect([paths, skipped.map((one) => one.path)]).toEqual([['real/a.csv'], ['b.csv']]);
    await expect(source.stat('linked/a.csv')).rejects.toMatchObject({ code: 'FILE_NOT_TAKEN' });
    await expect(source.stat('b.csv')).rejects.toMatchObject({ code: 'FILE_NOT_TAKEN' });
    await source.close();
  });

  test('follow: true takes them, and does not walk in circles', async () => {
    const store = await sftpHarness(sshd, await connectionTo(sshd));
    await store.put('real/a.csv', 'x');
    await symlink('real', path.join(store.folder, 'linked'));
    await symlink('../real/a.csv', path.join(store.folder, 'real/b.csv'));
    await symlink('..', path.join(store.folder, 'real/up'));
    await symlink('nowhere', path.join(store.folder, 'dangling.csv'));
    const source = store.source({ recursive: true }, { follow: true });
    const { paths, files } = await listAll(source);
    expect(paths).toEqual(['linked/a.csv', 'linked/b.csv', 'real/a.csv', 'real/b.csv']);
    for (const file of files) expect(await readAll(source, file)).toBe('x');
    await source.close();
  });

  test('probe says which right is missing', async () => {
    const store = await sftpHarness(sshd, await connectionTo(sshd));
    const { chmod, chown } = await import('node:fs/promises');
    await chown(store.folder, 0, 0);
    await chmod(store.folder, 0o755);
    const source = store.source();
    expect(await source.probe({ delete: false, move: false, tag: false })).toEqual([]);
    expect(await source.probe({ delete: false, move: true, tag: true })).toEqual([
      expect.stringContaining('asks to move files'),
      expect.stringContaining('tags'),
    ]);
    await source.close();
  });

  test('files of another owner in a folder of ours are moved and deleted', async () => {
    const store = await sftpHarness(sshd, await connectionTo(sshd));
    const { writeFile } = await import('node:fs/promises');
    for (const name of ['a.csv', 'b.csv']) await writeFile(path.join(store.folder, name), name);
    const source = store.source();
    const { files } = await listAll(source);
    const [a, b] = ['a.csv', 'b.csv'].map((name) => files.find((file) => file.path === name)!);
    expect(await source.move(a!, 'done', '1')).toBe('done/a.csv');
    await source.remove(b!);
    expect([await store.read('done/a.csv'), await store.read('b.csv')]).toEqual(['a.csv', null]);
    await source.close();
  });

  test('the uri names server, port, folder and path', async () => {
    const store = await sftpHarness(sshd, await connectionTo(sshd));
    const source = store.source();
    expect(source.uri('in/a b%.csv')).toBe(`sftp://127.0.0.1:${sshd.port}/${store.dir}/in/a%20b%25.csv`);
    await source.close();
  });
});
