import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Source } from '../../../src/core/source.js';
import { land } from '../../../src/intake/land/land.js';
import { SFTP_LIMITS, type SftpLimits } from '../../../src/sources/sftp/connection.js';
import { ReadAhead } from '../../../src/sources/sftp/read-ahead.js';
import { listAll } from '../../contract/source-suite.js';
import { startSshd, type Sshd } from '../../servers/sshd.js';
import { startProxy, type TcpProxy } from '../../support/tcp-proxy.js';
import { connectionTo, sftpHarness, type SftpHarness } from './sftp-harness.js';

/**
 * A fiftieth of life, the line and the times alike: 20 kB/s with two seconds are 1 MB/s with 40 ms here, a minute is
 * 1.2 s. With the times of life it is test/faults/slow-line.test.ts.
 */
const SCALE = 50;
const LINE = { bytesPerSecond: 20_000 * SCALE, delayMs: 1_000 / SCALE };
const LIMITS: SftpLimits = {
  ...SFTP_LIMITS,
  connectMs: SFTP_LIMITS.connectMs / SCALE,
  loginMs: SFTP_LIMITS.loginMs / SCALE,
  keepaliveMs: SFTP_LIMITS.keepaliveMs / SCALE,
  idleMs: SFTP_LIMITS.idleMs / SCALE,
  totalMs: SFTP_LIMITS.totalMs / SCALE,
};

let sshd: Sshd;
let proxy: TcpProxy;
let store: SftpHarness;
let source: Source;
let dir: string;
beforeAll(async () => {
  sshd = await startSshd();
}, 300_000);
afterAll(async () => {
  await sshd.close();
});
beforeEach(async () => {
  proxy = await startProxy('127.0.0.1', sshd.port);
  store = await sftpHarness(sshd, await connectionTo(sshd, { port: proxy.port }), LIMITS);
  source = store.source();
  dir = await mkdtemp(path.join(os.tmpdir(), 'tallyman-landing-'));
});
afterEach(async () => {
  await source.close();
  await proxy.close();
  await store.close();
  await rm(dir, { recursive: true, force: true });
});

describe('a slow line is slow, not dead', () => {
  test('20 kB/s and two seconds: several files come whole over one connection, and listings go on beside them', async () => {
    proxy.faults.line = LINE;
    const contents = new Map(['a.csv', 'b.csv', 'c.csv'].map((name) => [name, randomBytes(1_000_000)]));
    for (const [name, content] of contents) await store.put(name, content);
    const { files } = await listAll(source);
    const signal = new AbortController().signal;
    let under = true;
    const listings = async (): Promise<number> => {
      let listed = 0;
      for (; under; listed++) expect((await listAll(source)).paths).toEqual(['a.csv', 'b.csv', 'c.csv']);
      return listed;
    };
    const listing = listings();
    const landed = await Promise.all(
      files.map((file) => land(source, file, { dir, name: file.path, part: `${file.path}.part`, signal })),
    ).finally(() => (under = false));
    expect(landed.map((one) => one.sha256)).toEqual(
      [...contents.values()].map((content) => createHash('sha256').update(content).digest('hex')),
    );
    expect([await listing, proxy.accepted()]).toEqual([expect.any(Number), 1]);
  });

  test('a server that says nothing for less than a minute is waited for; one that says nothing for longer is not', async () => {
    await store.put('a.csv', 'x');
    await listAll(source);
    await sshd.freeze(true);
    const within = listAll(source);
    await new Promise((resolve) => setTimeout(resolve, LIMITS.idleMs * 0.7));
    await sshd.freeze(false);
    expect((await within).paths).toEqual(['a.csv']);
    expect(proxy.accepted()).toBe(1);
    await sshd.freeze(true);
    try {
      await expect(listAll(source)).rejects.toMatchObject({
        code: 'SOURCE_UNREACHABLE',
        message: expect.stringMatching(/no answer for 1 s|not one byte for \d s/) as string,
      });
    } finally {
      await sshd.freeze(false);
    }
  });
});

describe('how much is asked for ahead', () => {
  /**
   * A line that gives so many bytes a second after so long, asked through a window. Seconds' worth that it settles at.
   */
  function settled(bytesPerSecond: number, delayMs: number): { readonly window: number; readonly read: number } {
    const ahead = new ReadAhead();
    let free = 0;
    let now = 0;
    const queue: { readonly asked: number; readonly length: number; readonly done: number }[] = [];
    for (let answers = 0, underWay = 0; answers < 2_000; answers++) {
      while (underWay < ahead.window) {
        const length = ahead.readSize(261_120);
        free = Math.max(free, now + delayMs / 2) + (length / bytesPerSecond) * 1_000;
        queue.push({ asked: now, length, done: free + delayMs / 2 });
        underWay += length;
      }
      const first = queue.shift()!;
      now = Math.max(now, first.done);
      underWay -= first.length;
      ahead.answered(first.length, now - first.asked);
    }
    return { window: ahead.window, read: ahead.readSize(261_120) };
  }

  test.each([
    ['a fast near line', 100_000_000, 0.2],
    ['a fast far line', 30_000_000, 200],
  ])('%s: four megabytes, in reads as large as the server takes', (_what, rate, delay) => {
    expect(settled(rate, delay)).toEqual({ window: 4 * 1024 * 1024, read: 261_120 });
  });

  test.each([
    ['20 kB/s with two seconds', 20_000, 2_000],
    ['64 kB/s', 64_000, 50],
    ['5 kB/s with four seconds', 5_000, 4_000],
  ])('%s: seconds of it, in small reads', (_what, rate, delay) => {
    const { window, read } = settled(rate, delay);
    expect([window / rate < 15, read]).toEqual([true, 32 * 1024]);
  });
});
