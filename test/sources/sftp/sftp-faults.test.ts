import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, open, rm, truncate, unlink, utimes } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { SeenFile } from '../../../src/core/file.js';
import type { Source } from '../../../src/core/source.js';
import { land, type Landed } from '../../../src/intake/land/land.js';
import { SFTP_LIMITS, type SftpLimits } from '../../../src/sources/sftp/connection.js';
import { listAll, readAll } from '../../contract/source-suite.js';
import { startSshd, type Sshd } from '../../servers/sshd.js';
import { startProxy, type TcpProxy } from '../../support/tcp-proxy.js';
import { connectionTo, sftpHarness, type SftpHarness } from './sftp-harness.js';

/** Bytes of the large file. 200 MB by hand: TALLYMAN_TEST_LARGE=200000000. */
const LARGE = Number(process.env['TALLYMAN_TEST_LARGE'] ?? 12_000_000);
const CONTENT = randomBytes(LARGE);
const SHA = createHash('sha256').update(CONTENT).digest('hex');
/** As usual, but faults are noticed within a second. */
const QUICK: SftpLimits = {
  ...SFTP_LIMITS,
  connectMs: 2_000,
  keepaliveMs: 100,
  idleMs: 400,
  retry: { baseMs: 10, maxMs: 50 },
};

let sshd: Sshd;
let proxy: TcpProxy;
let store: SftpHarness;
let source: Source;
let dir: string;
let file: SeenFile;
beforeAll(async () => {
  // Keys are exchanged anew each 4 MiB, as they are each GiB in life.
  sshd = await startSshd(['RekeyLimit 4M']);
}, 300_000);
afterAll(async () => {
  await sshd.close();
});
beforeEach(async () => {
  proxy = await startProxy('127.0.0.1', sshd.port);
  store = await sftpHarness(sshd, await connectionTo(sshd, { port: proxy.port }), QUICK);
  source = store.source();
  dir = await mkdtemp(path.join(os.tmpdir(), 'tallyman-landing-'));
  await store.put('a.csv', CONTENT);
  await utimes(path.join(store.folder, 'a.csv'), 1_700_000_000, 1_700_000_000);
  file = (await source.stat('a.csv'))!;
});
afterEach(async () => {
  await source.close();
  await proxy.close();
  await store.close();
  await rm(dir, { recursive: true, force: true });
});

const landing = (onProgress: (bytes: number) => void = () => undefined): Promise<Landed> =>
  land(source, file, {
    dir,
    name: 'copy',
    part: 'copy.part',
    signal: new AbortController().signal,
    onProgress,
    pauseMs: () => 50,
  });

/** Does it once, as soon as so many bytes are there. */
const once = (bytes: number, act: () => void): ((now: number) => void) => {
  let done = false;
  return (now) => {
    if (done || now < bytes) return;
    done = true;
    act();
  };
};

describe('a line that fails', () => {
  // Each connection is cut there, not only the first. Two megabytes at least: a line that never brings one whole answer
  // brings nothing. Our own server gives all 4 MiB that are asked for ahead in one go.
  test.each([1, 10, 90])(
    'cut at each %d per cent of the file: it goes on at the offset, and the whole is right',
    async (percent) => {
      proxy.faults.cutAfterDown = Math.max(sshd.kind === 'own' ? 5_000_000 : 2_000_000, (LARGE * percent) / 100);
      const landed = await landing();
      expect(landed.sha256).toBe(SHA);
      expect(proxy.accepted()).toBeGreaterThan(1);
    },
  );

  test('reset, with all that was under way lost: it goes on at the offset', async () => {
    const landed = await landing(once(LARGE / 10, () => proxy.cutAll()));
    expect(landed.sha256).toBe(SHA);
    expect(proxy.accepted()).toBeGreaterThan(1);
    expect(landed.transferred).toBe(LARGE);
  });

  test('stalled without a word: noticed, and gone on with on a new connection', async () => {
    const landed = await landing(
      once(LARGE / 10, () => {
        proxy.faults.stalled = true;
        // What was under way is lost for good; connections made later are well.
        setTimeout(() => (proxy.faults.stalled = false), 1_500);
      }),
    );
    expect([landed.sha256, proxy.accepted()]).toEqual([SHA, expect.any(Number)]);
    expect(proxy.accepted()).toBeGreaterThan(1);
  });

  test('a listing on a dead line is SOURCE_UNREACHABLE, and works again when the line is back', async () => {
    proxy.faults.stalled = true;
    await expect(listAll(source)).rejects.toMatchObject({ code: 'SOURCE_UNREACHABLE' });
    proxy.faults.stalled = false;
    await expect
      .poll(
        async () =>
          await listAll(source).then(
            (listed) => listed.paths,
            () => [],
          ),
        { timeout: 10_000 },
      )
      .toEqual(['a.csv']);
  });
});

describe('a server that fails', () => {
  test('killed and started again: the file comes whole', async () => {
    const landed = await landing(once(LARGE / 10, () => void sshd.kill().then(() => sshd.start()))).catch(async () => {
      await expect
        .poll(async () => await source.stat('a.csv').then((seen) => seen?.path, String), { timeout: 10_000 })
        .toBe('a.csv');
      return await landing();
    });
    expect(landed.sha256).toBe(SHA);
  });

  test('frozen: SOURCE_UNREACHABLE within the time-out', async () => {
    await listAll(source);
    await sshd.freeze(true);
    try {
      await expect(readAll(source, file)).rejects.toMatchObject({ code: 'SOURCE_UNREACHABLE' });
    } finally {
      await sshd.freeze(false);
    }
  });

  test('started again with another host key: HOST_KEY_MISMATCH, and well again with the old one', async () => {
    await listAll(source);
    const keep = path.join(dir, 'hostkey');
    await sshd.kill();
    execFileSync('bash', ['-c', `mv ${sshd.dir}/hostkey ${keep}; mv ${sshd.dir}/hostkey.pub ${keep}.pub`]);
    await sshd.start();
    const message = async (): Promise<string> =>
      await listAll(source).then(
        () => 'listed',
        (error: unknown) => (error instanceof Error && 'code' in error ? String(error.code) : ''),
      );
    await expect.poll(message, { timeout: 10_000 }).toBe('HOST_KEY_MISMATCH');
    await sshd.kill();
    execFileSync('bash', ['-c', `mv -f ${keep} ${sshd.dir}/hostkey; mv -f ${keep}.pub ${sshd.dir}/hostkey.pub`]);
    await sshd.start();
    await expect.poll(message, { timeout: 10_000 }).toBe('listed');
  });
});

describe('a file that changes while it is read', () => {
  const at = (): string => path.join(store.folder, 'a.csv');

  test('overwritten by another under its name: FILE_CHANGED', async () => {
    await expect(landing(once(1, () => void store.overwrite('a.csv', 'other')))).rejects.toMatchObject({
      code: 'FILE_CHANGED',
    });
    expect(existsSync(path.join(dir, 'copy'))).toBe(false);
  });

  test('written into in place: FILE_CHANGED', async () => {
    const write = async (): Promise<void> => {
      const handle = await open(at(), 'r+');
      await handle.write('xxxx', LARGE - 10);
      await handle.close();
    };
    await expect(landing(once(1, () => void write()))).rejects.toMatchObject({ code: 'FILE_CHANGED' });
  });

  test('truncated: FILE_CHANGED', async () => {
    await expect(landing(once(1, () => void truncate(at(), 1_000)))).rejects.toMatchObject({ code: 'FILE_CHANGED' });
  });

  test('appended to: FILE_CHANGED', async () => {
    const append = async (): Promise<void> => {
      const handle = await open(at(), 'a');
      await handle.write('more');
      await handle.close();
    };
    await expect(landing(once(1, () => void append()))).rejects.toMatchObject({ code: 'FILE_CHANGED' });
  });

  test('deleted: FILE_VANISHED', async () => {
    await expect(landing(once(1, () => void unlink(at())))).rejects.toMatchObject({ code: 'FILE_VANISHED' });
  });

  test('changed before a cut transfer goes on: the part is not of this version any more', async () => {
    proxy.faults.cutAfterDown = LARGE / 2;
    await expect(
      landing(once(LARGE / 10, () => void store.overwrite('a.csv', randomBytes(100).toString('hex')))),
    ).rejects.toMatchObject({ code: 'FILE_CHANGED' });
  });
});

describe('versions', () => {
  const at = (): string => path.join(store.folder, 'a.csv');

  test('a file written just now has a token that changes as it grows older: it is looked at once more', async () => {
    const eager = store.source({ settleMs: 0 });
    const now = Math.floor(Date.now() / 1_000);
    await utimes(at(), now, now);
    const young = (await eager.stat('a.csv'))!;
    expect(young.version).toBe(`${now}~`);
    await utimes(at(), now - 10, now - 10);
    expect((await eager.stat('a.csv'))!.version).toBe(String(now - 10));
    await eager.close();
  });

  test('with settle 0 and a server whose clock is ahead, too', async () => {
    const eager = store.source({ settleMs: 0 });
    const ahead = Math.floor(Date.now() / 1_000) + 30;
    await utimes(at(), ahead, ahead);
    expect((await eager.stat('a.csv'))!.version).toBe(`${ahead}~`);
    await eager.close();
  });

  test('where files settle for longer than that there is no such mark', async () => {
    const now = Math.floor(Date.now() / 1_000);
    await utimes(at(), now, now);
    expect((await source.stat('a.csv'))!.version).toBe(String(now));
  });

  test('equal mtimes tell nothing of two files: each is itself', async () => {
    for (const name of ['b.csv', 'c.csv']) {
      await store.put(name, name);
      await utimes(path.join(store.folder, name), 1_700_000_000, 1_700_000_000);
    }
    const { files } = await listAll(source);
    expect(files.map((one) => one.version)).toEqual(['1700000000', '1700000000', '1700000000']);
    expect(
      await readAll(
        source,
        files.find((one) => one.path === 'c.csv')!,
      ),
    ).toBe('c.csv');
  });

  test('a clock on the server that is a day ahead, or decades behind, changes nothing', async () => {
    for (const time of [Math.floor(Date.now() / 1_000) + 86_400, 1]) {
      await utimes(at(), time, time);
      const seen = (await source.stat('a.csv'))!;
      expect([seen.mtimeUs, seen.version]).toEqual([time * 1_000_000, String(time)]);
    }
  });
});
