import { afterAll, beforeAll } from 'vitest';
import { sourceSuite } from '../../contract/source-suite.js';
import { startSshd, type Sshd } from '../../servers/sshd.js';
import { connectionTo, sftpHarness } from './sftp-harness.js';

let sshd: Sshd;
let connection: Readonly<Record<string, unknown>>;
beforeAll(async () => {
  sshd = await startSshd();
  connection = await connectionTo(sshd);
}, 300_000);
afterAll(async () => {
  await sshd.close();
});

sourceSuite('sftp', () => sftpHarness(sshd, connection));
