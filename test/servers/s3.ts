import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
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

const SCRIPT = path.join(import.meta.dirname, 's3-ceph.sh');

export const s3Client = (endpoint: string, accessKeyId: string, secretAccessKey: string): S3 => {
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';
  return new S3({ endpoint, region: 'us-east-1', forcePathStyle: true, credentials: { accessKeyId, secretAccessKey }, requestChecksumCalculation: 'WHEN_REQUIRED', responseChecksumValidation: 'WHEN_REQUIRED' });
};

/** A real server: the one that TALLYMAN_TEST_S3 names (with TALLYMAN_TEST_S3_KEY and _SECRET), else Ceph's radosgw out of Debian's packages; where that cannot be had, ours. */
export async function startS3(): Promise<S3Server> {
  const { TALLYMAN_TEST_S3: named = '', TALLYMAN_TEST_S3_KEY: key = 'TESTKEY123', TALLYMAN_TEST_S3_SECRET: secret = 'testsecret456' } = process.env;
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
  process.stderr.write("Ceph's radosgw cannot be had here (it takes Debian 12 on amd64 and its packages), and TALLYMAN_TEST_S3 names no other server: S3 tests run against a server in the test process.\n");
  const fake = await startFakeS3();
  return over(fake.endpoint, 'fake', () => fake.close());
}

/** null where it does not start: no Debian, no package server. Each file of tests has its own, on ports of its own. */
async function startCeph(): Promise<{ readonly endpoint: string; readonly close: () => Promise<void> } | null> {
  const dir = await mkdtemp(path.join(os.tmpdir(), 'tallyman-s3-'));
  const close = async (): Promise<void> => {
    spawnSync('bash', [SCRIPT, 'stop', dir], { stdio: 'ignore' });
    await rm(dir, { recursive: true, force: true });
  };
  // The monitor takes the port 1,000 above, the others up to 99 beyond that.
  const port = 20_000 + (process.pid % 100) * 100;
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
