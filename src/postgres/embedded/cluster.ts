import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { TallymanError } from '../../core/errors.js';
import type { EmbeddedBinaries } from './binaries.js';
import { dataOf, pathForServer, type EmbeddedHome } from './home.js';
import { isAlive, uniqueIdentity } from './process-identity.js';

/** The one role and database that are made. */
export const EMBEDDED_NAME = 'tallyman';

/** initdb takes under a second; on a slow disk its fsyncs take longer. */
const INITDB_TIMEOUT_MS = 5 * 60_000;

/** What programs of PostgreSQL get to see of the environment: nothing of ours, which holds secrets. */
export const SERVER_ENV: Readonly<Record<string, string>> = {
  LC_ALL: 'C',
  TZ: 'UTC',
  PATH: process.env['PATH'] ?? '/usr/bin:/bin',
};

/** Makes the cluster when it is not there; checks that it is of our major version. Throws EMBEDDED_FAILED. */
export async function ensureCluster(home: EmbeddedHome, binaries: EmbeddedBinaries): Promise<void> {
  const data = dataOf(home);
  if (!existsSync(data)) await createCluster(home, binaries, data);
  const version = readFileSync(path.join(data, 'PG_VERSION'), 'utf8').trim();
  if (version === String(binaries.major)) return;
  throw new TallymanError(
    'EMBEDDED_FAILED',
    `${data} was made by PostgreSQL ${version}; this tallyman brings PostgreSQL ${binaries.major}, which cannot read it.`,
    {
      fix: `Dump it with PostgreSQL ${version}'s pg_dumpall, move ${home.dir} away, start tallyman once and restore; or install the tallyman that made it.`,
    },
  );
}

/** Made beside and renamed: a killed initdb leaves no half cluster, and of two processes one wins. */
async function createCluster(home: EmbeddedHome, binaries: EmbeddedBinaries, data: string): Promise<void> {
  removeDeadAttempts(home);
  const name = `${ATTEMPT}${uniqueIdentity()}`;
  const fresh = path.join(home.dir, name);
  const args = [
    ['-D', pathForServer(home, name)],
    ['-U', EMBEDDED_NAME, '--auth=scram-sha-256', `--pwfile=${pathForServer(home, 'password')}`],
    // PostgreSQL's own C.UTF-8: the same on every system, whatever locales it has.
    ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'],
  ].flat();
  try {
    await runToEnd(home, binaries.initdb, args);
    renameSync(fresh, data);
  } catch (error) {
    if (!existsSync(path.join(data, 'PG_VERSION'))) throw error;
  } finally {
    rmSync(fresh, { recursive: true, force: true, maxRetries: 3 });
  }
}

const ATTEMPT = 'data.new-';

function removeDeadAttempts(home: EmbeddedHome): void {
  for (const name of readdirSync(home.dir)) {
    if (name.startsWith(ATTEMPT) && !isAlive(name.slice(ATTEMPT.length)))
      rmSync(path.join(home.dir, name), { recursive: true, force: true });
  }
}

function runToEnd(home: EmbeddedHome, program: string, args: readonly string[]): Promise<void> {
  const folder = openSync(home.dir, 'r');
  const child = spawn(program, args, {
    ...home.user,
    cwd: '/',
    env: SERVER_ENV,
    stdio: ['ignore', 'pipe', 'pipe', folder],
    timeout: INITDB_TIMEOUT_MS,
  });
  closeSync(folder);
  const said: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => said.push(text));
  return new Promise((resolve, reject) => {
    const fail = (why: string): void => {
      const output = said.join('').trim().slice(-2000);
      reject(
        new TallymanError(
          'EMBEDDED_FAILED',
          `initdb: ${why}\n${output}`,
          output.includes('user does not exist')
            ? {
                fix: 'PostgreSQL wants its user to have a name: add a line for this user to /etc/passwd, or run as another.',
              }
            : {},
        ),
      );
    };
    child.once('error', (error) => fail(error.message));
    child.once('close', (code, signal) =>
      code === 0 ? resolve() : fail(signal === null ? `exit code ${String(code)}` : `ended by ${signal}`),
    );
  });
}
