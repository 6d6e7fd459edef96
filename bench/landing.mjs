// Landing against what people would use by hand: SFTP against OpenSSH's own `sftp` get, S3 against a plain GetObject of
// the SDK into a file. One file, both sides on this host, in alternation. Ours hashes, proves length and version before
// and after, and has the bytes on the disk (fsync) when it ends; theirs do nothing of this. `node bench/landing.mjs
// [--rounds 5] [--bytes 500000000]` alone; `landing(rounds, bytes)` from elsewhere. Servers: those of test/servers
// (root and Debian 12).
import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  createReadStream,
  createWriteStream,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import process from 'node:process';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { install, modules, root } from '../config/setup.mjs';
import { endAll, endOnSignals, onEnd, temporary } from './cleanup.mjs';
import { cpuOf } from './measure.mjs';
import { alternate, ratio, spread } from './statistics.mjs';

const SERVERS = path.join(root, 'test', 'servers');
/** The login of sshd.sh, and that of s3-ceph.sh. */
const UID = 2001;
const KEY = { access_key_id: 'TESTKEY123', secret_access_key: 'testsecret456' };
const BUCKET = 'bench-landing';

/**
 * { sftp, s3 }, each { ours, theirs, ratio, cpu }: spreads of MB/s, of ours / theirs round by round (above 1 = ours is
 * faster), and of the client's CPU seconds, which hold on a busy machine too; or { missing: why } where the server
 * cannot be had. `told` hears of every single measurement.
 */
export async function landing(rounds, bytes, told = () => undefined) {
  build();
  const work = temporary('landing');
  try {
    // The server's user must reach its home below.
    chmodSync(work.dir, 0o755);
    const file = path.join(work.dir, 'content');
    for (let at = 0, block = randomBytes(1_000_003); at < bytes; at += block.length)
      appendFileSync(file, block.subarray(0, Math.min(block.length, bytes - at)));
    return {
      sftp: await against(() => sftp(work.dir, file), rounds, bytes, told),
      s3: await against(() => s3(work.dir, file), rounds, bytes, told),
    };
  } finally {
    await work.remove();
  }
}

async function against(start, rounds, bytes, told) {
  let contest;
  try {
    contest = await start();
  } catch (error) {
    return { missing: error.message };
  }
  try {
    const timed = (run) => async () => {
      const before = cpu();
      const started = process.hrtime.bigint();
      await run();
      return { speed: bytes / 1e6 / (Number(process.hrtime.bigint() - started) / 1e9), cpu: cpu() - before };
    };
    const { ours, theirs } = await alternate(
      rounds,
      { ours: timed(contest.ours), theirs: timed(contest.theirs) },
      (name, round, { speed }) => told(contest.name, name, round, speed),
    );
    return {
      ours: spread(ours.speed),
      theirs: spread(theirs.speed),
      ratio: ratio(ours.speed, theirs.speed),
      cpu: { ours: spread(ours.cpu), theirs: spread(theirs.cpu) },
    };
  } finally {
    await contest.stop();
  }
}

/** A module of the program's insides. */
const inside = async (file) => await import(path.join(modules(), file));

/** CPU seconds of this process and of the children that have ended. */
function cpu() {
  const { own, ended: children } = cpuOf(process.pid) ?? { own: 0, ended: 0 };
  return own + children;
}

/** Ours, as the daemon does it: `open` gives a source with a connection of its own. */
async function landOurs(dir, open) {
  const { land } = await inside('intake/land/land.js');
  rmSync(path.join(dir, 'ours'), { force: true });
  const { source, name } = open();
  try {
    const file = await source.stat(name);
    await land(source, file, { dir, name: 'ours', part: 'ours.part', signal: new AbortController().signal });
  } finally {
    await source.close();
  }
}

const spec = (type) => ({
  type,
  options: {},
  patterns: ['*'],
  ignoreCase: false,
  recursive: false,
  ignore: [],
  pollMs: 60_000,
  settleMs: 10_000,
  ready: { kind: 'always' },
});

async function sftp(work, file) {
  const dir = path.join(work, 'sshd');
  mkdirSync(dir);
  const port = await freePort();
  const server = spawn('bash', [path.join(SERVERS, 'sshd.sh'), dir, String(port)], {
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
  });
  const exited = new Promise((resolve) => server.once('exit', resolve));
  const stop = onEnd(async () => {
    if (server.exitCode === null && server.pid !== undefined) process.kill(-server.pid, 'SIGKILL');
    await exited;
  });
  await new Promise((resolve, reject) => {
    let said = '';
    server.stderr.on('data', (chunk) => {
      said += chunk;
      if (said.includes('Server listening')) resolve();
    });
    server.once('error', reject);
    server.once('exit', () => reject(new Error(`no sshd here: ${said.trim().split('\n').at(-1)}`)));
  });
  const upload = path.join(dir, 'home', 'ingest', 'upload', 'content');
  spawnSync('cp', [file, upload]);
  chownSync(upload, UID, UID);
  utimesSync(upload, 1_700_000_000, 1_700_000_000);
  const hostKey = readFileSync(path.join(dir, 'hostkey.pub'), 'utf8').split(' ').slice(0, 2).join(' ');
  const knownHosts = path.join(work, 'known_hosts');
  writeFileSync(knownHosts, `[127.0.0.1]:${port} ${hostKey}\n`);
  const { openSftp } = await inside('sources/sftp/index.js');
  const { connectionOptions } = await inside('sources/sftp/options.js');
  const { Secret } = await inside('core/secret.js');
  const key = readFileSync(path.join(dir, 'userkey'), 'utf8');
  const open = () => ({
    source: openSftp(
      spec('sftp'),
      { connection: 'c', dir: 'upload', follow: false },
      connectionOptions.parse({
        host: '127.0.0.1',
        port,
        user: 'ingest',
        private_key: new Secret(key),
        host_key: hostKey,
      }),
    ),
    name: 'content',
  });
  const target = path.join(work, 'theirs');
  const batch = path.join(work, 'batch');
  writeFileSync(batch, `get upload/content ${target}\n`);
  const args = [
    '-q',
    '-b',
    batch,
    '-P',
    String(port),
    '-i',
    path.join(dir, 'userkey'),
    '-o',
    `UserKnownHostsFile=${knownHosts}`,
    '-o',
    'StrictHostKeyChecking=yes',
    '-F',
    '/dev/null',
    'ingest@127.0.0.1',
  ];
  return {
    name: 'sftp',
    ours: () => landOurs(work, open),
    theirs: async () => {
      rmSync(target, { force: true });
      await ended(spawn('sftp', args, { stdio: ['ignore', 'ignore', 'inherit'] }), 'sftp');
      if (statSync(target).size !== statSync(file).size) throw new Error('sftp brought another size');
    },
    stop,
  };
}

async function s3(work, file) {
  const dir = path.join(work, 'ceph');
  // The monitor takes the port 1,000 above, the others up to 99 beyond that.
  const server = spawnSync(
    'bash',
    [path.join(SERVERS, 's3-ceph.sh'), 'start', dir, String(23_000 + (process.pid % 90) * 100)],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
  );
  const stop = onEnd(() => spawnSync('bash', [path.join(SERVERS, 's3-ceph.sh'), 'stop', dir]));
  const endpoint = server.stdout.trim();
  if (server.status !== 0 || endpoint === '') {
    await stop();
    throw new Error('no radosgw here');
  }
  const { quietSdk } = await inside('sources/s3/client.js');
  quietSdk();
  const { S3 } = await import('@aws-sdk/client-s3');
  const login = {
    endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId: KEY.access_key_id, secretAccessKey: KEY.secret_access_key },
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  };
  const client = new S3(login);
  await client.createBucket({ Bucket: BUCKET });
  await client.putObject({
    Bucket: BUCKET,
    Key: 'content',
    Body: createReadStream(file),
    ContentLength: statSync(file).size,
  });
  client.destroy();
  const { openS3 } = await inside('sources/s3/index.js');
  const { connectionOptions, sourceOptions } = await inside('sources/s3/options.js');
  const { Secret } = await inside('core/secret.js');
  const connection = connectionOptions.parse({
    endpoint,
    force_path_style: true,
    access_key_id: new Secret(KEY.access_key_id),
    secret_access_key: new Secret(KEY.secret_access_key),
  });
  const target = path.join(work, 'theirs');
  return {
    name: 's3',
    ours: () =>
      landOurs(work, () => ({
        source: openS3(spec('s3'), sourceOptions.parse({ connection: 'c', bucket: BUCKET }), connection),
        name: 'content',
      })),
    theirs: async () => {
      rmSync(target, { force: true });
      const plain = new S3(login);
      const { Body } = await plain.getObject({ Bucket: BUCKET, Key: 'content' });
      await pipeline(Body, createWriteStream(target));
      plain.destroy();
      if (statSync(target).size !== statSync(file).size) throw new Error('the SDK brought another size');
    },
    stop,
  };
}

async function ended(child, name) {
  const code = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', resolve);
  });
  if (code !== 0) throw new Error(`${name} ended with ${code}`);
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

if (process.argv[1] !== undefined && path.resolve(process.argv[1]) === import.meta.filename) {
  endOnSignals();
  install();
  const { values } = parseArgs({
    options: { rounds: { type: 'string', default: '5' }, bytes: { type: 'string', default: '500000000' } },
  });
  const told = (what, who, round, speed) =>
    process.stderr.write(`${what} ${who} ${round === 0 ? 'warm-up' : `round ${round}`}: ${speed.toFixed(0)} MB/s\n`);
  try {
    const result = await landing(Number(values.rounds), Number(values.bytes), told);
    for (const [what, one] of Object.entries(result)) {
      const text = ({ median, low, high }, digits) =>
        `${median.toFixed(digits)} (${low.toFixed(digits)} to ${high.toFixed(digits)})`;
      process.stdout.write(
        'missing' in one
          ? `${what}: ${one.missing}\n`
          : `${what}: ours ${text(one.ours, 0)} MB/s, theirs ${text(one.theirs, 0)} MB/s, ratio ${text(one.ratio, 2)}; client CPU ours ${text(one.cpu.ours, 2)} s, theirs ${text(one.cpu.theirs, 2)} s\n`,
      );
    }
  } finally {
    await endAll();
  }
}
