import { readFileSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { start, workspace, type Workspace } from '../support/cli.js';
import { startFakeS3, type FakeS3 } from '../support/fake-s3.js';
import { startFakeSqs, type FakeSqs } from '../support/fake-sqs.js';
import { createDatabase, type TestDatabase } from '../support/postgres.js';

const BUCKET = 'drops';
const PATIENCE = { timeout: 30_000, interval: 50 };

let fake: FakeS3;
let sqs: FakeSqs;
let db: TestDatabase;
let ws: Workspace;
const daemons: ReturnType<typeof start>[] = [];
beforeEach(async () => {
  [fake, sqs, db] = await Promise.all([startFakeS3(), startFakeSqs(), createDatabase()]);
  fake.buckets.set(BUCKET, new Map());
});
afterEach(async () => {
  for (const { child, ended } of daemons.splice(0)) {
    child.kill('SIGKILL');
    await ended;
  }
  ws.remove();
  await Promise.all([fake.close(), sqs.close(), db.drop()]);
});

/** A daemon over the bucket. */
function daemon(poll: string): ReturnType<typeof start> {
  if (daemons.length > 0)
    writeFileSync(ws.config, readFileSync(ws.config, 'utf8').replace(/"poll": "\w+"/, `"poll": "${poll}"`));
  else {
    const connections = {
      lake: {
        type: 's3',
        endpoint: fake.endpoint,
        force_path_style: true,
        access_key_id: 'KEY',
        secret_access_key: 'secret',
      },
    };
    const feeds = {
      f: {
        source: {
          type: 's3',
          connection: 'lake',
          bucket: BUCKET,
          prefix: 'in/',
          pattern: '*.csv',
          poll,
          events: { sqs: sqs.queueUrl },
        },
        format: { type: 'csv' },
      },
    };
    ws = workspace(db.url, { unused: {} }, { connections, feeds });
  }
  const started = start(['run', '-c', ws.config], { cwd: ws.dir });
  daemons.push(started);
  return started;
}

function arrive(name: string, text: string): void {
  fake.put(BUCKET, `in/${name}`, text);
  sqs.send({
    Records: [
      {
        eventSource: 'aws:s3',
        eventName: 'ObjectCreated:Put',
        s3: { bucket: { name: BUCKET }, object: { key: `in/${name}` } },
      },
    ],
  });
}

const listings = (): number => fake.log.filter((line) => line === 'GET ').length;
const loads = async (): Promise<string[]> => {
  const { rows: there } = await db.client.query<{ there: boolean }>(
    "select to_regclass('tallyman.loads') is not null there",
  );
  if (there[0]?.there !== true) return [];
  return (await db.client.query<{ path: string }>('select path from tallyman.loads order by load_id')).rows.map(
    (row) => row.path,
  );
};

describe('S3 events through SQS, in a daemon', () => {
  test('a file is loaded at once although the bucket is listed once an hour', async () => {
    daemon('1h');
    await vi.waitFor(() => expect(listings()).toBe(1), PATIENCE);
    arrive('a.csv', 'id\n1\n');
    await vi.waitFor(async () => expect(await loads()).toEqual(['in/a.csv']), PATIENCE);
    arrive('b.csv', 'id\n2\n');
    await vi.waitFor(async () => expect(await loads()).toEqual(['in/a.csv', 'in/b.csv']), PATIENCE);
    expect(listings()).toBe(1);
  });

  test('a message stays until the ledger has the file: not while the store refuses, and then it goes', async () => {
    // The object itself and the listing are refused: the ledger cannot have it.
    fake.fault = ({ key }) => (key === '' || key === 'in/a.csv' ? { status: 503, code: 'SlowDown' } : null);
    daemon('1s');
    arrive('a.csv', 'id\n1\n');
    await vi.waitFor(() => expect(listings()).toBeGreaterThan(3), PATIENCE);
    expect(sqs.bodies()).toHaveLength(1);
    fake.fault = () => null;
    await vi.waitFor(() => expect(sqs.bodies()).toEqual([]), PATIENCE);
    const { items } = (await ws.json('files')) as { items: { path: string }[] };
    expect(items.map((item) => item.path)).toEqual(['in/a.csv']);
    await vi.waitFor(async () => expect(await loads()).toEqual(['in/a.csv']), PATIENCE);
  });

  test('killed between the message and the load: the message comes again, and the file is loaded once', async () => {
    const first = daemon('1h');
    await vi.waitFor(() => expect(listings()).toBe(1), PATIENCE);
    fake.fault = ({ key }) => {
      if (key === 'in/a.csv') first.child.kill('SIGKILL');
      return null;
    };
    arrive('a.csv', 'id\n1\n');
    expect((await first.ended).signal).toBe('SIGKILL');
    fake.fault = () => null;
    expect([await loads(), sqs.bodies().length]).toEqual([[], 1]);

    const second = daemon('1h');
    await vi.waitFor(() => expect(listings()).toBe(2), PATIENCE);
    sqs.reappear();
    await vi.waitFor(async () => expect(await loads()).toEqual(['in/a.csv']), PATIENCE);
    // Killed behind the load: the same message again is a look at a known file.
    second.child.kill('SIGKILL');
    await second.ended;
    daemon('1s');
    sqs.reappear();
    await vi.waitFor(() => expect(sqs.bodies()).toEqual([]), PATIENCE);
    expect(await loads()).toEqual(['in/a.csv']);
    expect(await ws.json('ledger', 'verify')).toEqual({ ok: true, differences: [] });
  });

  test('a queue that cannot be read is said in plain words, and the listing finds the file', async () => {
    sqs.broken = true;
    const running = daemon('1s');
    arrive('a.csv', 'id\n1\n');
    await vi.waitFor(async () => expect(await loads()).toEqual(['in/a.csv']), PATIENCE);
    await vi.waitFor(
      () =>
        expect(running.output()).toMatch(/trouble with events \(queue .*the listing every 1 s finds what they miss/),
      PATIENCE,
    );
  });
});
