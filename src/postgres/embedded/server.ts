import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { appendPrivately, replacePrivately } from '../../base/host/private-file.js';
import { messageOf, TallymanError } from '../../core/errors.js';
import type { EmbeddedBinaries } from './binaries.js';
import { SERVER_ENV } from './cluster.js';
import { dataOf, logOf, pathForServer, type EmbeddedHome } from './home.js';
import { processStart, worksIn } from './process-identity.js';
import { hasCode } from '../../base/errno.js';

/** A running server, as postmaster.pid says. */
export interface RunningServer {
  readonly pid: number;
  readonly port: number;
}

/** A clean stop ends sessions and writes a checkpoint. */
const STOP_TIMEOUT_MS = 60_000;
const LOG_LIMIT = 10 * 1024 * 1024;

/**
 * The server of this home, started by us or by a tallyman that is gone; null = none runs. A pid file left by a crash
 * does not count.
 */
export function findServer(home: EmbeddedHome): RunningServer | null {
  const file = path.join(dataOf(home), 'postmaster.pid');
  let lines: readonly string[];
  try {
    lines = readFileSync(file, 'utf8').split('\n');
  } catch {
    // No pid file: nothing runs.
    return null;
  }
  // Line 1 pid, line 4 port. Written in steps: without a port it is about to be.
  const pid = Number(lines[0]);
  if (!Number.isSafeInteger(pid) || pid <= 0) return null;
  if (!worksIn(pid, dataOf(home))) {
    // Left by a crash. If the pid is another program's by now, PostgreSQL would not start, fearing that it is the old
    // server.
    if (processStart(pid) !== null) rmSync(file, { force: true });
    return null;
  }
  return { pid, port: Number(lines[3] ?? 0) };
}

/** A server that was started and did not end at once; `ended` tells how when it does. */
export interface StartedServer {
  readonly port: number;
  ended(): string | null;
}

/**
 * Starts the server in a session of its own, so that Ctrl-C and our end do not reach it. It listens on 127.0.0.1 only,
 * no Unix socket.
 */
export function spawnServer(home: EmbeddedHome, binaries: EmbeddedBinaries, port: number): StartedServer {
  rotateLog(home);
  const folder = openSync(home.dir, 'r');
  const log = appendPrivately(logOf(home));
  // Errors of statements reach the client that made them; in the log their DETAIL would quote the rows that PostgreSQL
  // refused. What the server itself has to say, and FATAL, stay.
  const quiet = { log_min_messages: 'log', log_error_verbosity: 'terse' };
  const settings = {
    listen_addresses: '127.0.0.1',
    port: String(port),
    unix_socket_directories: '',
    fsync: 'on',
    password_encryption: 'scram-sha-256',
    timezone: 'UTC',
    log_timezone: 'UTC',
    ...quiet,
  };
  const args = [
    '-D',
    pathForServer(home, 'data'),
    ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ];
  let end: string | null = null;
  try {
    const child = spawn(binaries.postgres, args, {
      ...home.user,
      cwd: '/',
      env: SERVER_ENV,
      detached: true,
      stdio: ['ignore', log, log, folder],
    });
    child.once('error', (error) => (end = messageOf(error)));
    child.once('exit', (code, signal) => (end = signal === null ? `exit code ${String(code)}` : `ended by ${signal}`));
    child.unref();
  } finally {
    closeSync(log);
    closeSync(folder);
  }
  return { port, ended: () => end };
}

/** Stops it cleanly (sessions are ended, everything is written); after a minute at once. Gone already is fine. */
export async function stopServer(home: EmbeddedHome): Promise<void> {
  const server = findServer(home);
  if (server === null) return;
  const born = processStart(server.pid);
  for (const [signal, timeoutMs] of [
    ['SIGINT', STOP_TIMEOUT_MS],
    ['SIGQUIT', STOP_TIMEOUT_MS / 6],
  ] as const) {
    if (born === null || !sendSignal(server.pid, signal)) return;
    const end = performance.now() + timeoutMs;
    while (performance.now() < end) {
      if (processStart(server.pid) !== born) return;
      await sleep(20);
    }
  }
  throw new TallymanError('EMBEDDED_FAILED', `The embedded PostgreSQL (process ${server.pid}) does not stop.`, {
    fix: `Look at ${logOf(home)}.`,
  });
}

/** False when there is no such process any more. */
function sendSignal(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch (error) {
    if (hasCode(error, 'ESRCH')) return false;
    throw error;
  }
}

/**
 * The port that was used last time when it is free, else another one, remembered: a URL noted yesterday should work
 * today.
 */
export async function choosePort(home: EmbeddedHome): Promise<number> {
  const file = path.join(home.dir, 'port');
  const remembered = Number(readIfThere(file));
  if (Number.isInteger(remembered) && remembered > 0 && remembered < 65_536 && (await listenOnce(remembered)) !== null)
    return remembered;
  const free = await listenOnce(0);
  if (free === null) throw new TallymanError('EMBEDDED_FAILED', 'No port of 127.0.0.1 is free.');
  replacePrivately(file, `${free}\n`);
  return free;
}

/** The last lines of server.log, for messages. */
export function logTail(home: EmbeddedHome): string {
  return (readIfThere(logOf(home)) ?? '').trimEnd().split('\n').slice(-15).join('\n').slice(-3000);
}

function readIfThere(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    // Not there (yet).
    return null;
  }
}

function rotateLog(home: EmbeddedHome): void {
  const log = logOf(home);
  if ((statSync(log, { throwIfNoEntry: false })?.size ?? 0) > LOG_LIMIT) renameSync(log, `${log}.1`);
}

/** Returns the port (0 = any that is free) when it could be had, null when not. */
function listenOnce(port: number): Promise<number | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(null));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(address === null || typeof address === 'string' ? null : address.port));
    });
  });
}
