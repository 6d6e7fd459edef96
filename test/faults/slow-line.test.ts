import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { land } from '../../src/intake/land/land.js';
import { listAll } from '../contract/source-suite.js';
import { startSshd } from '../servers/sshd.js';
import { connectionTo, sftpHarness } from '../sources/sftp/sftp-harness.js';
import { startProxy } from '../support/tcp-proxy.js';

/**
 * Takes minutes, because nothing is quicker than the line: only with `npm run test:faults`. The suite has a fiftieth.
 */
test(
  'SFTP at 20 kB/s with two seconds to the server and back: files come whole over one connection',
  { timeout: 900_000 },
  async () => {
    const sshd = await startSshd();
    const proxy = await startProxy('127.0.0.1', sshd.port);
    proxy.faults.line = { bytesPerSecond: 20_000, delayMs: 1_000 };
    const dir = await mkdtemp(path.join(os.tmpdir(), 'tallyman-landing-'));
    const store = await sftpHarness(sshd, await connectionTo(sshd, { port: proxy.port }));
    const source = store.source();
    try {
      // A minute and a half of the line each, so that the second waits longer than any silence may last.
      const contents = new Map(['a.csv', 'b.csv'].map((name) => [name, randomBytes(1_800_000)]));
      for (const [name, content] of contents) await store.put(name, content);
      const { files } = await listAll(source);
      const signal = new AbortController().signal;
      const landed = await Promise.all(
        files.map((file) => land(source, file, { dir, name: file.path, part: `${file.path}.part`, signal })),
      );
      expect(landed.map((one) => one.sha256)).toEqual(
        [...contents.values()].map((content) => createHash('sha256').update(content).digest('hex')),
      );
      expect(proxy.accepted()).toBe(1);
    } finally {
      await source.close();
      await proxy.close();
      await sshd.close();
      await rm(dir, { recursive: true, force: true });
    }
  },
);
