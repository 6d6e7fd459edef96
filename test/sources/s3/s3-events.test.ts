import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { readEvents } from '../../../src/sources/s3/event.js';
import type { Source } from '../../../src/core/source.js';
import { listAll } from '../../contract/source-suite.js';
import { s3Client } from '../../servers/s3.js';
import { startFakeS3, type FakeS3 } from '../../support/fake-s3.js';
import { startFakeSqs, type FakeSqs } from '../../support/fake-sqs.js';
import { s3Harness, type S3Harness } from './s3-harness.js';

const created = (bucket: string, key: string) => ({
  Records: [
    { eventSource: 'aws:s3', eventName: 'ObjectCreated:Put', s3: { bucket: { name: bucket }, object: { key } } },
  ],
});

describe('messages', () => {
  test('S3 own form: the key is URL-encoded, a blank a plus', () => {
    expect(readEvents(JSON.stringify(created('b', 'in/a+b%2Bc%25.csv')))).toEqual([
      { bucket: 'b', key: 'in/a b+c%.csv' },
    ]);
  });

  test('wrapped by SNS', () => {
    expect(
      readEvents(JSON.stringify({ Type: 'Notification', Message: JSON.stringify(created('b', 'a.csv')) })),
    ).toEqual([{ bucket: 'b', key: 'a.csv' }]);
  });

  test('from EventBridge the key stands as it is', () => {
    expect(
      readEvents(
        JSON.stringify({
          'detail-type': 'Object Created',
          detail: { bucket: { name: 'b' }, object: { key: 'a+b%20.csv' } },
        }),
      ),
    ).toEqual([{ bucket: 'b', key: 'a+b%20.csv' }]);
  });

  test.each([
    [
      'a deletion',
      JSON.stringify({
        Records: [{ eventName: 'ObjectRemoved:Delete', s3: { bucket: { name: 'b' }, object: { key: 'a' } } }],
      }),
    ],
    ['the test message of S3', JSON.stringify({ Service: 'Amazon S3', Event: 's3:TestEvent' })],
    ['no JSON', 'hello'],
    ['null', 'null'],
    ['a list', '[1]'],
    [
      'records of another kind',
      JSON.stringify({
        Records: [
          null,
          1,
          { eventName: 'ObjectCreated:Put' },
          { eventName: 'ObjectCreated:Put', s3: { bucket: {}, object: { key: 5 } } },
        ],
      }),
    ],
    ['a key that is not UTF-8', JSON.stringify(created('b', '%FF'))],
  ])('%s is passed over', (_, body) => {
    expect(readEvents(body)).toEqual([]);
  });
});

describe('events: { sqs }', () => {
  let fake: FakeS3;
  let sqs: FakeSqs;
  let store: S3Harness;
  let source: Source;
  let client: ReturnType<typeof s3Client>;
  const hints: (string | null)[] = [];
  const errors: string[] = [];
  let watching: { close(): Promise<void> } | undefined;
  beforeEach(async () => {
    hints.length = 0;
    errors.length = 0;
    fake = await startFakeS3();
    sqs = await startFakeSqs();
    client = s3Client(fake.endpoint, 'KEY', 'secret');
    store = await s3Harness({ endpoint: fake.endpoint, accessKeyId: 'KEY', secretAccessKey: 'secret', client });
    source = store.source(
      { recursive: true, ready: { kind: 'marker', template: '{name}.ok' } },
      { prefix: 'in/', events: { sqs: sqs.queueUrl } },
      { attempts: 1 },
    );
    watching = await source.watch?.(
      (path) => hints.push(path),
      (error) => errors.push(error.message),
    );
  });
  afterEach(async () => {
    await watching?.close();
    await source.close();
    client.destroy();
    await sqs.close();
    await fake.close();
  });

  test('a source without events has nothing to watch', () => {
    expect('watch' in store.source() && store.source().watch !== undefined).toBe(false);
  });

  test('a new object is a hint at once, markers too; the message stays until a listing that began after it has been taken', async () => {
    fake.put(store.bucket, 'in/a.csv', 'x');
    sqs.send(created(store.bucket, 'in/a.csv'));
    sqs.send(created(store.bucket, 'in/a.csv.ok'));
    await vi.waitFor(() => expect(hints).toEqual(['in/a.csv', 'in/a.csv.ok']), 10_000);
    expect(sqs.bodies()).toHaveLength(2);
    await listAll(source);
    expect(sqs.bodies()).toEqual([]);
  });

  test('a listing that was under way before, or that was not taken to its end, deletes nothing', async () => {
    fake.put(store.bucket, 'in/a.csv', 'x');
    const pages = source.list(new AbortController().signal)[Symbol.asyncIterator]();
    await pages.next();
    sqs.send(created(store.bucket, 'in/b.csv'));
    await vi.waitFor(() => expect(hints).toEqual(['in/b.csv']), 10_000);
    expect((await pages.next()).done).toBe(true);
    expect(sqs.bodies()).toHaveLength(1);
    const second = source.list(new AbortController().signal)[Symbol.asyncIterator]();
    await second.next();
    await second.return?.();
    expect(sqs.bodies()).toHaveLength(1);
    fake.fault = () => ({ status: 503, code: 'SlowDown' });
    await expect(listAll(source)).rejects.toMatchObject({ code: 'SOURCE_UNREACHABLE' });
    expect(sqs.bodies()).toHaveLength(1);
  });

  test('messages that are not for this feed are no hints, and go', async () => {
    for (const body of [
      created('other', 'in/a.csv'),
      created(store.bucket, 'out/a.csv'),
      created(store.bucket, 'in/a.txt'),
      { Event: 's3:TestEvent' },
      'garbage',
    ])
      sqs.send(body);
    await vi.waitFor(() => expect(sqs.bodies()).toEqual([]), 10_000);
    expect(hints).toEqual([]);
  });

  test('a queue that cannot be read is told once, and read again when it is back', async () => {
    sqs.broken = true;
    sqs.send(created(store.bucket, 'in/a.csv'));
    // The waiting request got this message; the next ones are refused.
    await vi.waitFor(() => expect(errors).toHaveLength(1), 10_000);
    expect(errors[0]).toContain(sqs.queueUrl);
    sqs.broken = false;
    sqs.send(created(store.bucket, 'in/b.csv'));
    await vi.waitFor(() => expect(hints).toContain('in/b.csv'), 20_000);
    expect(errors).toHaveLength(1);
  });
});
