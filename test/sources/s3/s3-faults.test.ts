import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { TallymanError } from '../../../src/core/errors.js';
import type { SeenFile } from '../../../src/core/file.js';
import { listAll, readAll } from '../../contract/source-suite.js';
import { s3Client } from '../../servers/s3.js';
import { startFakeS3, type FakeRequest, type FakeS3 } from '../../support/fake-s3.js';
import { s3Harness, type S3Harness } from './s3-harness.js';

const SECRET = 'canary/secret+key';
const KEY = 'CANARYKEYID';

let fake: FakeS3;
let store: S3Harness;
let client: ReturnType<typeof s3Client>;
beforeEach(async () => {
  fake = await startFakeS3();
  client = s3Client(fake.endpoint, KEY, SECRET);
  store = await s3Harness({ endpoint: fake.endpoint, accessKeyId: KEY, secretAccessKey: SECRET, client });
});
afterEach(async () => {
  client.destroy();
  await fake.close();
});

const put = (key: string, body: string | Buffer, more = {}) => fake.put(store.bucket, key, body, more);
const isRead = ({ method, key }: FakeRequest): boolean => method === 'GET' && key !== '';

async function only(source = store.source()): Promise<SeenFile> {
  const { files } = await listAll(source);
  if (files.length !== 1) throw new Error(`${files.length} files, not one`);
  return files[0]!;
}

/** expect's own gives any. */
const containing = (text: string): unknown => expect.stringContaining(text) as unknown;
const matching = (text: RegExp): unknown => expect.stringMatching(text) as unknown;

/** What was thrown, so that all of it can be looked at. */
async function thrown(work: Promise<unknown>): Promise<TallymanError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof TallymanError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('listing', () => {
  test('2,500 keys over three pages, once each', async () => {
    for (let i = 0; i < 2_500; i++) put(`f${String(i).padStart(4, '0')}.csv`, 'x');
    const { paths, pages } = await listAll(store.source());
    expect(pages).toBe(3);
    expect(new Set(paths).size).toBe(2_500);
    expect(paths).toHaveLength(2_500);
  });

  test('500 and 503 SlowDown on 30 % of the calls: all files come, and come whole', async () => {
    for (let i = 0; i < 40; i++) put(`f${i}.csv`, `content ${i}`);
    fake.pageSize = 5;
    let calls = 0;
    // Every third call or so, in a pattern that no five tries in a row fall into.
    fake.fault = () =>
      ++calls % 10 < 3
        ? { status: calls % 2 === 0 ? 500 : 503, code: calls % 2 === 0 ? 'InternalError' : 'SlowDown' }
        : null;
    const source = store.source();
    const { files } = await listAll(source);
    expect(files).toHaveLength(40);
    for (const file of files.slice(0, 10))
      expect(await readAll(source, file)).toBe(`content ${file.path.slice(1, -4)}`);
  });

  test('a store that stays away is SOURCE_UNREACHABLE after a few tries, and no file is blamed', async () => {
    put('a.csv', 'x');
    const source = store.source({}, {}, { attempts: 2 });
    const file = await only(source);
    for (const [status, code] of [
      [503, 'SlowDown'],
      [500, 'InternalError'],
      [429, 'TooManyRequests'],
    ] as const) {
      fake.fault = () => ({ status, code });
      expect(await thrown(listAll(source))).toMatchObject({
        code: 'SOURCE_UNREACHABLE',
        blame: 'pause',
        message: containing(code),
      });
      expect(await thrown(source.stat('a.csv'))).toMatchObject({ code: 'SOURCE_UNREACHABLE' });
      expect(await thrown(readAll(source, file))).toMatchObject({ code: 'SOURCE_UNREACHABLE' });
      expect(await thrown(source.remove(file))).toMatchObject({ code: 'SOURCE_UNREACHABLE' });
    }
  });

  test('a listing that breaks off in the middle is an error, never a short listing', async () => {
    for (let i = 0; i < 10; i++) put(`f${i}.csv`, 'x');
    fake.pageSize = 4;
    fake.fault = ({ query }) => (query.has('continuation-token') ? { status: 400, code: 'InvalidArgument' } : null);
    expect(await thrown(listAll(store.source()))).toMatchObject({ code: 'SOURCE_UNREACHABLE' });
  });

  test('folder markers and archived objects are skipped with the reason, also for a look at the path', async () => {
    put('a.csv', 'x');
    put('in/', '');
    put('in_$folder$', '');
    put('old.csv', 'x', { storageClass: 'GLACIER' });
    const source = store.source({ recursive: true, patterns: ['*'] });
    const { paths, skipped } = await listAll(source);
    expect(paths).toEqual(['a.csv']);
    expect(skipped).toEqual([
      { path: 'in/', reason: 'a folder marker', what: 'folder' },
      { path: 'in_$folder$', reason: 'a folder marker', what: 'folder' },
      { path: 'old.csv', reason: 'archived (GLACIER): it must be restored before it can be read' },
    ]);
    expect(await thrown(source.stat('old.csv'))).toMatchObject({
      code: 'FILE_NOT_TAKEN',
      message: containing('archived'),
    });
  });

  test('an archived object that was restored is taken', async () => {
    put('old.csv', 'x', {
      storageClass: 'GLACIER',
      headers: { 'x-amz-restore': 'ongoing-request="false", expiry-date="Fri, 21 Dec 2040 00:00:00 GMT"' },
    });
    expect(await store.source().stat('old.csv')).toMatchObject({ path: 'old.csv' });
  });

  test('a move target below the prefix costs no listing of what was moved there', async () => {
    put('in/a.csv', 'x');
    put('in/new/b.csv', 'x');
    for (let i = 0; i < 50; i++) put(`in/done/2026/f${i}.csv`, 'x');
    fake.pageSize = 5;
    fake.log.length = 0;
    const source = store.source({ recursive: true, exclude: ['in/done/%Y'] }, { prefix: 'in/' });
    expect((await listAll(source)).paths).toEqual(['in/a.csv', 'in/new/b.csv']);
    expect(fake.log).toHaveLength(2);
  });

  test('beside very many folders the move target is passed over in one flat listing', async () => {
    for (let i = 0; i < 250; i++) put(`f${i}/a.csv`, 'x');
    put('a.csv', 'x');
    put('done/a.csv', 'x');
    fake.log.length = 0;
    const { paths } = await listAll(store.source({ recursive: true, exclude: ['done'] }));
    expect(paths).toHaveLength(251);
    expect(new Set(paths).size).toBe(251);
    expect(fake.log.length).toBeLessThan(5);
  });

  test('ignored folders hold no data, except where the prefix names them', async () => {
    for (const key of ['in/a.csv', 'in/.staging/b.csv', 'in/x/.staging/c.csv', 'in/../d.csv', '.hidden/e.csv'])
      put(key, 'x');
    const source = store.source({ recursive: true, ignore: ['.*'] }, { prefix: 'in/' });
    expect((await listAll(source)).paths).toEqual(['in/../d.csv', 'in/a.csv']);
    expect(await thrown(source.stat('in/x/.staging/c.csv'))).toMatchObject({ code: 'FILE_NOT_TAKEN' });
    expect((await listAll(store.source({ recursive: true, ignore: ['.*'] }, { prefix: '.hidden/' }))).paths).toEqual([
      '.hidden/e.csv',
    ]);
  });

  test('a key outside the prefix is not taken', async () => {
    put('out/a.csv', 'x');
    expect(await thrown(store.source({ recursive: true }, { prefix: 'in/' }).stat('out/a.csv'))).toMatchObject({
      code: 'FILE_NOT_TAKEN',
    });
  });

  test('equal times and later arrivals hide nothing: there is no watermark', async () => {
    const modified = new Date(Date.now() - 60_000);
    put('b.csv', 'x', { modified });
    const source = store.source();
    expect((await listAll(source)).paths).toEqual(['b.csv']);
    put('a.csv', 'x', { modified });
    put('c.csv', 'x', { modified: new Date(modified.getTime() - 86_400_000) });
    expect((await listAll(source)).paths).toEqual(['a.csv', 'b.csv', 'c.csv']);
  });

  test('a server clock that is hours wrong does no harm', async () => {
    fake.skewMs = 5 * 3_600_000;
    put('a.csv', 'content');
    const source = store.source();
    expect(await readAll(source, await only(source))).toBe('content');
  });
});

describe('reading', () => {
  test('an object replaced between the listing and the read is FILE_CHANGED', async () => {
    put('a.csv', 'one');
    const source = store.source();
    const file = await only(source);
    put('a.csv', 'two');
    expect(await thrown(readAll(source, file))).toMatchObject({ code: 'FILE_CHANGED' });
  });

  test.each([
    ['near', Infinity, 2],
    ['far', -1, 5],
  ])(
    'an object replaced between two ranges is FILE_CHANGED, and no byte of the new one comes (a %s store)',
    async (_, farMs, at) => {
      const size = 70 * 1024 * 1024;
      put('a.csv', Buffer.alloc(size, 'a'));
      const source = store.source({}, {}, { farMs, fastEnough: Infinity });
      const file = await only(source);
      let reads = 0;
      fake.fault = (request) => {
        if (isRead(request) && ++reads === at) put('a.csv', Buffer.alloc(size, 'b'));
        return null;
      };
      let foreign = 0;
      const read = async (): Promise<void> => {
        for await (const chunk of source.open(file, 0, new AbortController().signal))
          if (chunk.includes('b')) foreign++;
      };
      expect(await thrown(read())).toMatchObject({ code: 'FILE_CHANGED' });
      expect(foreign).toBe(0);
    },
  );

  test.each([
    ['answers in time', { farMs: Infinity, fastEnough: Infinity }, 2],
    ['answers late and gives slowly', { farMs: -1, fastEnough: Infinity }, 9],
    ['answers late and gives fast', { farMs: -1, fastEnough: 0 }, 2],
  ])('a large object from a store that %s comes whole, in as many ranges as pay', async (_, limits, ranges) => {
    const content = Buffer.alloc(70 * 1024 * 1024, 'a').fill('b', 40 * 1024 * 1024);
    put('a.csv', content);
    const source = store.source({}, {}, limits);
    const file = await only(source);
    let reads = 0;
    fake.fault = (request) => {
      if (isRead(request)) reads++;
      return null;
    };
    // Not toBe(content): that would print 70 MB.
    expect((await readAll(source, file)) === content.toString()).toBe(true);
    expect(reads).toBe(ranges);
  });

  test('an object replaced before it is gone on with at an offset is FILE_CHANGED', async () => {
    put('a.csv', 'one, two');
    const source = store.source();
    const file = await only(source);
    put('a.csv', 'six, ten');
    expect(await thrown(readAll(source, file, 4))).toMatchObject({ code: 'FILE_CHANGED' });
    expect(await thrown(readAll(source, file, 8))).toMatchObject({ code: 'FILE_CHANGED' });
  });

  test('a body that stops is SOURCE_UNREACHABLE after the idle time, and the rest comes from where it stopped', async () => {
    put('a.csv', 'abcdefgh');
    const source = store.source({}, {}, { idleMs: 200 });
    const file = await only(source);
    fake.fault = (request) => (isRead(request) ? { stallAfter: 3 } : null);
    const got: Buffer[] = [];
    const read = async (): Promise<void> => {
      for await (const chunk of source.open(file, 0, new AbortController().signal)) got.push(chunk);
    };
    expect(await thrown(read())).toMatchObject({ code: 'SOURCE_UNREACHABLE', message: containing('no byte came') });
    expect(Buffer.concat(got).toString()).toBe('abc');
    fake.fault = () => null;
    expect(await readAll(source, file, 3)).toBe('defgh');
  });

  test('a body that is cut is an error, never a short file', async () => {
    put('a.csv', 'abcdefgh');
    const source = store.source();
    const file = await only(source);
    fake.fault = (request) => (isRead(request) ? { cutAfter: 3 } : null);
    expect(await thrown(readAll(source, file))).toMatchObject({ code: 'SOURCE_UNREACHABLE' });
    expect(await thrown(source.readSmall('a.csv', 100))).toMatchObject({ code: 'SOURCE_UNREACHABLE' });
  });

  test('a store that gives fewer bytes than it listed is told so: FILE_UNREADABLE, that file only', async () => {
    put('a.csv', 'abcdefgh');
    const source = store.source();
    const file = await only(source);
    fake.fault = (request) => (isRead(request) ? { shortBy: 2 } : null);
    expect(await thrown(readAll(source, file))).toMatchObject({
      code: 'FILE_UNREADABLE',
      message: containing('the listing says 8 bytes, the store gives an object of 6'),
    });
  });

  test('a body of a range that is short is an error', async () => {
    put('a.csv', 'abcdefgh');
    const source = store.source();
    const file = await only(source);
    fake.fault = (request) => (isRead(request) ? { shortBy: 2 } : null);
    expect(await thrown(readAll(source, file, 1))).toMatchObject({
      code: 'SOURCE_UNREACHABLE',
      message: containing('ended after 5 of 7 bytes'),
    });
  });

  test('one forbidden object does not stop the prefix: it is listed, looked at, and refused when it is read', async () => {
    for (const key of ['a.csv', 'b.csv', 'c.csv']) put(key, key);
    fake.fault = ({ key }) => (key === 'b.csv' ? { status: 403, code: 'AccessDenied' } : null);
    const source = store.source();
    const { files } = await listAll(source);
    expect(files).toHaveLength(3);
    expect(await source.stat('b.csv')).toEqual(files[1]);
    expect(await thrown(readAll(source, files[1]!))).toMatchObject({
      code: 'FILE_UNREADABLE',
      fix: containing('s3:GetObject'),
    });
    expect(await readAll(source, files[2]!)).toBe('c.csv');
  });

  test('an abort ends a read at once, with the reason', async () => {
    put('a.csv', 'abcdefgh');
    const source = store.source();
    const file = await only(source);
    fake.fault = (request) => (isRead(request) ? { stallAfter: 3 } : null);
    const abort = new AbortController();
    const read = async (): Promise<void> => {
      for await (const chunk of source.open(file, 0, abort.signal))
        if (chunk.length > 0) abort.abort(new Error('enough'));
    };
    await expect(read()).rejects.toThrow('enough');
  });
});

describe('login and secrets', () => {
  test('expired keys pause the feed and say what to do', async () => {
    put('a.csv', 'x');
    const source = store.source();
    const file = await only(source);
    fake.fault = () => ({ status: 400, code: 'ExpiredToken', message: 'The provided token has expired.' });
    for (const work of [
      () => listAll(source),
      () => source.stat('a.csv'),
      () => readAll(source, file),
      () => source.remove(file),
      () => source.move(file, 'done', '7'),
    ]) {
      expect(await thrown(work())).toMatchObject({ code: 'SOURCE_UNREACHABLE', fix: containing('expired') });
    }
    fake.fault = () => null;
    expect(await readAll(source, file)).toBe('x');
  });

  test('a server that repeats the keys in its answer does not get them into an error', async () => {
    fake.fault = () => ({ status: 403, code: 'InvalidAccessKeyId', message: `no key ${KEY} with ${SECRET}` });
    const error = await thrown(listAll(store.source()));
    const all = inspect(error, { depth: 20, showHidden: true }) + JSON.stringify(error.reported());
    expect(all).not.toContain(KEY);
    expect(all).not.toContain(SECRET);
    expect(error.message).toContain('InvalidAccessKeyId');
  });
});

describe('after actions', () => {
  test('where the store passes conditions over, the version is still looked at first', async () => {
    fake.ignoresConditions = true;
    put('a.csv', 'one');
    const source = store.source();
    const file = await only(source);
    put('a.csv', 'two');
    expect(await thrown(source.remove(file))).toMatchObject({ code: 'FILE_CHANGED' });
    expect(await thrown(source.move(file, 'done', '7'))).toMatchObject({ code: 'FILE_CHANGED' });
    expect(await store.read('a.csv')).toBe('two');
    expect(await store.read('done/a.csv')).toBeNull();
  });

  test('an object replaced between the look and the delete stays: If-Match', async () => {
    put('a.csv', 'one');
    const source = store.source();
    const file = await only(source);
    fake.fault = ({ method }) => {
      if (method === 'DELETE') put('a.csv', 'two');
      return null;
    };
    expect(await thrown(source.remove(file))).toMatchObject({ code: 'FILE_CHANGED' });
    expect(await store.read('a.csv')).toBe('two');
  });

  test.each([false, true])(
    'an object replaced during the copy of a move stays, and the copy is taken away (conditions passed over: %s)',
    async (ignores) => {
      fake.ignoresConditions = ignores;
      put('a.csv', 'one');
      const source = store.source({ exclude: ['done'] });
      const file = await only(source);
      fake.fault = ({ headers }) => {
        if (headers['x-amz-copy-source'] !== undefined) put('a.csv', 'two');
        return null;
      };
      expect(await thrown(source.move(file, 'done', '7'))).toMatchObject({ code: 'FILE_CHANGED' });
      expect(await store.read('a.csv')).toBe('two');
      expect(await store.read('done/a.csv')).toBeNull();
    },
  );

  test('a move that died after its copy goes on with that copy', async () => {
    put('a.csv', 'one');
    const source = store.source({ exclude: ['done'] });
    const file = await only(source);
    fake.fault = ({ method }) => (method === 'DELETE' ? { status: 403, code: 'AccessDenied' } : null);
    expect(await thrown(source.move(file, 'done', '7'))).toMatchObject({
      code: 'AFTER_ACTION_FAILED',
      fix: containing('s3:DeleteObject'),
    });
    expect(await store.read('done/a.csv')).toBe('one');
    fake.fault = () => null;
    expect(await source.move(file, 'done', '7')).toBe('done/a.csv');
    expect([...(fake.buckets.get(store.bucket) ?? new Map<string, unknown>()).keys()]).toEqual(['done/a.csv']);
  });

  test('a store that does not know the conditions at all (501) is asked without them', async () => {
    put('a.csv', 'one');
    put('b.csv', 'two');
    fake.fault = ({ headers, method }) =>
      (method === 'DELETE' && headers['if-match'] !== undefined) ||
      (method === 'PUT' && headers['if-none-match'] !== undefined)
        ? { status: 501, code: 'NotImplemented' }
        : null;
    const source = store.source({ exclude: ['done'] }, {}, { attempts: 1 });
    const { files } = await listAll(source);
    await source.remove(files[0]!);
    expect(await source.move(files[1]!, 'done', '7')).toBe('done/b.csv');
    expect([...(fake.buckets.get(store.bucket) ?? new Map<string, unknown>()).keys()]).toEqual(['done/b.csv']);
  });

  test('probe names each right that is missing', async () => {
    fake.fault = ({ method }) =>
      method === 'DELETE' || method === 'PUT' ? { status: 403, code: 'AccessDenied' } : null;
    const source = store.source({ exclude: ['done'] });
    expect(await source.probe({ delete: false, move: false, tag: false })).toEqual([]);
    expect(await source.probe({ delete: true, move: true, tag: true })).toEqual([
      matching(/s3:DeleteObject.*AccessDenied \(HTTP 403\)/),
      matching(/s3:PutObjectTagging.*AccessDenied/),
      matching(/move files to done\/, which needs s3:PutObject.*AccessDenied/),
    ]);
  });
});
