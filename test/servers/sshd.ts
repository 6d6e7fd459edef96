import { spawn, type ChildProcess } from 'node:child_process';
import { chownSync } from 'node:fs';
import { chown, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { startOwnSftp } from './own-sftp.js';

/**
 * OpenSSH's sshd on a loopback port (sshd.sh), or ours where it cannot be had. User and login as that script makes
 * them.
 */
export interface Sshd {
  readonly kind: 'openssh' | 'own';
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** Private keys, OpenSSH form. */
  readonly key: string;
  readonly lockedKey: string;
  readonly passphrase: string;
  /** `ssh-ed25519 AAAA...` */
  readonly hostKey: () => Promise<string>;
  /** Folder on this host that the login sees as `upload`. */
  readonly upload: string;
  readonly dir: string;
  /** Makes a path the login's own. */
  readonly give: (at: string | Buffer) => Promise<void>;
  /** SIGKILL to the server and all its sessions. */
  readonly kill: () => Promise<void>;
  /** Starts again on the same port. */
  readonly start: () => Promise<void>;
  /** SIGSTOP / SIGCONT to all sessions. */
  readonly freeze: (frozen: boolean) => Promise<void>;
  /** What sshd has said so far, all starts together. Waits a moment, because it writes from other processes. */
  readonly log: () => Promise<string>;
  readonly close: () => Promise<void>;
}

const UID = 2001;
const SCRIPT = path.join(import.meta.dirname, 'sshd.sh');

export async function freePort(): Promise<number> {
  return await new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() =>
        typeof address === 'object' && address !== null ? resolve(address.port) : reject(new Error('no port')),
      );
    });
  });
}

/** TALLYMAN_TEST_SSHD=own: ours also where sshd could be had. `options`: lines for sshd's own configuration. */
export async function startSshd(options: readonly string[] = []): Promise<Sshd> {
  const dir = await mkdtemp(path.join(os.tmpdir(), 'tallyman-sshd-'));
  const port = await freePort();
  if (process.env['TALLYMAN_TEST_SSHD'] === 'own') return await ownServer(dir, port);
  try {
    return await realServer(dir, port, options);
  } catch (error) {
    // Said, because it proves less: a server by the same authors as the client.
    process.stderr.write(
      `OpenSSH's sshd cannot be had here (it takes root, Debian and its packages); SFTP tests run against a server in the test process. ${String(error)}\n`,
    );
    await rm(dir, { recursive: true, force: true });
    return await ownServer(await mkdtemp(path.join(os.tmpdir(), 'tallyman-sshd-')), port);
  }
}

async function ownServer(dir: string, port: number): Promise<Sshd> {
  const { kill, start, freeze, log } = await startOwnSftp(dir, port);
  return {
    kind: 'own',
    ...(await login(dir, port)),
    kill,
    start,
    freeze,
    log: () => Promise.resolve(log()),
    close: async () => {
      await kill();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** Makes a path the login's own. Without root it is ours already, and so is the server. */
export function giveToLogin(at: string): void {
  if (process.getuid?.() === 0) chownSync(at, UID, UID);
}

/** What both kinds have in common: files that lie in their folder. */
async function login(
  dir: string,
  port: number,
): Promise<Omit<Sshd, 'kind' | 'kill' | 'start' | 'freeze' | 'log' | 'close'>> {
  const read = (name: string): Promise<string> => readFile(path.join(dir, name), 'utf8');
  return {
    host: '127.0.0.1',
    port,
    user: 'ingest',
    password: 's3cret pass',
    key: await read('userkey'),
    lockedKey: await read('userkey_pp'),
    passphrase: 'phrase',
    hostKey: async () => (await read('hostkey.pub')).split(' ').slice(0, 2).join(' '),
    upload: path.join(dir, 'home/ingest/upload'),
    dir,
    give: async (at) => {
      if (process.getuid?.() === 0) await chown(at, UID, UID);
    },
  };
}

async function realServer(dir: string, port: number, options: readonly string[]): Promise<Sshd> {
  let child: ChildProcess | null = null;
  let log = '';
  const start = async (): Promise<void> => {
    const started = spawn('bash', [SCRIPT, dir, String(port), ...options], {
      stdio: ['ignore', 'ignore', 'pipe'],
      detached: true,
    });
    child = started;
    let said = '';
    await new Promise<void>((resolve, reject) => {
      started.stderr.on('data', (chunk: Buffer) => {
        said += chunk.toString();
        log += chunk.toString();
        if (said.includes('Server listening')) resolve();
      });
      started.once('error', reject);
      started.once('exit', () => reject(new Error(`sshd did not start: ${said}`)));
    });
  };
  const pids = async (): Promise<number[]> => (child?.pid === undefined ? [] : await descendants(child.pid));
  const kill = async (): Promise<void> => {
    const running = child;
    if (running?.exitCode !== null || running.signalCode !== null) return;
    const gone = new Promise((resolve) => running.once('exit', resolve));
    for (const pid of (await pids()).reverse()) signal(pid, 'SIGKILL');
    await gone;
  };
  await start();
  return {
    kind: 'openssh',
    ...(await login(dir, port)),
    kill,
    start,
    freeze: async (frozen) => {
      const [, ...sessions] = await pids();
      for (const pid of sessions) signal(pid, frozen ? 'SIGSTOP' : 'SIGCONT');
    },
    log: async () => {
      for (let before = -1; before !== log.length;) {
        before = log.length;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      return log;
    },
    close: async () => {
      await kill();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

/** The process and all below it, parents first. */
async function descendants(pid: number): Promise<number[]> {
  const found = [pid];
  for (const parent of found) {
    const children = await readFile(`/proc/${parent}/task/${parent}/children`, 'utf8').catch(() => '');
    found.push(...children.split(' ').filter(Boolean).map(Number));
  }
  return found;
}
