import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { S3 } from '@aws-sdk/client-s3';
import { startFakeS3 } from '../support/fake-s3.js';

/** An S3 server for tests, and a login for it. */
export interface S3Server {
  readonly endpoint: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** What it is: for the names of tests. */
  readonly kind: 'named' | 'ceph' | 'fake';
  readonly client: S3;
  close(): Promise<void>;
}

/** What the script leaves once it has the packages. */
const UNPACKED = path.join(
  process.env['TALLYMAN_TEST_CACHE'] ?? path.join(os.homedir(), '.cache', 'tallyman-test'),
  'ceph',
  'ok',
);
const SCRIPT = path.join(import.meta.dirname, 's3-ceph.sh');

export const s3Client = (endpoint: string, accessKeyId: string, secretAccessKey: string): S3 => {
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';
  return new S3({
    endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
};

/**
 * A real server: the one that TALLYMAN_TEST_S3 names (with TALLYMAN_TEST_S3_KEY and _SECRET), else Ceph's radosgw out
 * of Debian's packages; where that cannot be had, ours.
 */
export async function startS3(): Promise<S3Server> {
  const {
    TALLYMAN_TEST_S3: named = '',
    TALLYMAN_TEST_S3_KEY: key = 'TESTKEY123',
    TALLYMAN_TEST_S3_SECRET: secret = 'testsecret456',
  } = process.env;
  const login = { accessKeyId: key, secretAccessKey: secret };
  const over = (endpoint: string, kind: S3Server['kind'], close: () => Promise<void>): S3Server => {
    const client = s3Client(endpoint, key, secret);
    return {
      endpoint,
      kind,
      client,
      ...login,
      close: async () => {
        client.destroy();
        await close();
      },
    };
  };
  if (named !== '') return over(named, 'named', () => Promise.resolve());
  const ceph = await startCeph();
  if (ceph !== null) return over(ceph.endpoint, 'ceph', () => ceph.close());
  process.stderr.write(
    "Ceph's radosgw cannot be had here (it takes Debian 12 on amd64 and its packages), and TALLYMAN_TEST_S3 names no other server: S3 tests run against a server in the test process.\n",
  );
  const fake = await startFakeS3();
  return over(fake.endpoint, 'fake', () => fake.close());
}

/** Blocks of 100 ports, from 20,000 on; the monitor takes the block ten further. */
const BLOCKS = 100;
const TRIES = 3;

/**
 * null where it does not start: no Debian, no package server. Each file of tests has its own, on ports of its own;
 * those that another run holds are passed by.
 */
async function startCeph(): Promise<{ readonly endpoint: string; readonly close: () => Promise<void> } | null> {
  for (let n = 0; n < TRIES; n++) {
    const block = (process.pid + n * 37) % BLOCKS;
    const started = await startCephAt(20_000 + block * 100);
    if (started !== null) return started;
    // Without the packages another port is no better.
    if (!existsSync(UNPACKED)) return null;
  }
  return null;
}

async function startCephAt(
  port: number,
): Promise<{ readonly endpoint: string; readonly close: () => Promise<void> } | null> {
  for (const one of [port, port + 1_000, port + 1_001]) if (!(await isFree(one))) return null;
  const dir = await mkdtemp(path.join(os.tmpdir(), 'tallyman-s3-'));
  const close = async (): Promise<void> => {
    spawnSync('bash', [SCRIPT, 'stop', dir], { stdio: 'ignore' });
    await rm(dir, { recursive: true, force: true });
  };
  const child = spawn('bash', [SCRIPT, 'start', dir, String(port)], { stdio: ['ignore', 'pipe', 'ignore'] });
  let printed = '';
  child.stdout.on('data', (chunk: Buffer) => {
    printed += chunk.toString();
  });
  const code = await new Promise<number | null>((resolve) => {
    // The servers keep no pipe of the script open: `exit` is enough.
    child.once('exit', resolve);
    child.once('error', () => resolve(null));
  });
  const endpoint = printed.trim();
  if (code === 0 && endpoint !== '' && (await answers(endpoint))) return { endpoint, close };
  await close();
  return null;
}

async function answers(endpoint: string): Promise<boolean> {
  const client = s3Client(endpoint, 'TESTKEY123', 'testsecret456');
  try {
    for (let i = 0; i < 100; i++) {
      try {
        await client.listBuckets({});
        return true;
      } catch {
        await sleep(100);
      }
    }
    return false;
  } finally {
    client.destroy();
  }
}

/** Does nobody listen there? */
function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
