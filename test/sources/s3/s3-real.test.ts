import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { SeenFile } from '../../../src/core/file.js';
import { listAll, readAll } from '../../contract/source-suite.js';
import { startS3, type S3Server } from '../../servers/s3.js';
import { s3Harness, SLASHED, type S3Harness } from './s3-harness.js';

let server: S3Server;
let store: S3Harness;
beforeAll(async () => {
  server = await startS3();
}, 300_000);
afterAll(async () => {
  await server.close();
});
beforeEach(async () => {
  store = await s3Harness(server);
});
afterEach(async () => {
  await store.close();
});

const bigEnough = Buffer.alloc(6 * 1024 * 1024, 'abcdefg\n');

/** An object in two parts: its ETag is no hash. */
async function putInParts(key: string): Promise<Buffer> {
  const target = { Bucket: store.bucket, Key: key };
  const { UploadId = '' } = await server.client.createMultipartUpload({
    ...target,
    ContentType: 'text/csv',
    Metadata: { sender: 'acme' },
  });
  const parts: { PartNumber: number; ETag: string | undefined }[] = [];
  for (const [i, Body] of [bigEnough, Buffer.from('the end\n')].entries()) {
    const { ETag } = await server.client.uploadPart({ ...target, UploadId, PartNumber: i + 1, Body });
    parts.push({ PartNumber: i + 1, ETag });
  }
  await server.client.completeMultipartUpload({ ...target, UploadId, MultipartUpload: { Parts: parts } });
  return Buffer.concat([bigEnough, Buffer.from('the end\n')]);
}

async function only(path: string, source = store.source({ recursive: true })): Promise<SeenFile> {
  const file = (await listAll(source)).files.find((one) => one.path === path);
  if (file === undefined) throw new Error(`${path} is not listed`);
  return file;
}

describe('S3, against a real server', () => {
  test('slashes, blanks, dots and percent signs anywhere in a key are data: listed, read, moved and deleted', async () => {
    const source = store.source({ recursive: true });
    for (const key of SLASHED) await store.put(key, `content of ${key}`);
    expect((await listAll(source)).paths).toEqual([...SLASHED].sort());
    for (const key of SLASHED) {
      const file = await only(key, source);
      expect(await source.stat(key)).toEqual(file);
      expect(await readAll(source, file)).toBe(`content of ${key}`);
      expect(await source.move(file, 'done', '7')).toBe(`done/${key}`);
      expect(await store.read(`done/${key}`)).toBe(`content of ${key}`);
    }
    for (const { path } of (await listAll(source)).files) await source.remove(await only(path, source));
    expect((await listAll(source)).files).toEqual([]);
  });

  test('an object of several parts has an ETag that is no hash, and is read and moved like any other', async () => {
    const content = await putInParts('a.csv');
    const source = store.source({ recursive: true, exclude: ['done'] });
    const file = await only('a.csv', source);
    expect(file.version).toMatch(/-2@\d+$/);
    expect(await readAll(source, file, bigEnough.length)).toBe('the end\n');
    await source.move(file, 'done', '7');
    expect(await store.read('done/a.csv')).toBe(content.toString());
    expect(await store.read('a.csv')).toBeNull();
  });

  test('a large object is moved part by part, its properties with it', async () => {
    const content = await putInParts('in/a.csv');
    await server.client.putObjectTagging({
      Bucket: store.bucket,
      Key: 'in/a.csv',
      Tagging: { TagSet: [{ Key: 'of', Value: 'acme & sons' }] },
    });
    const source = store.source(
      { recursive: true, exclude: ['done'] },
      {},
      { copyWhole: 1024 * 1024, copyPart: 5 * 1024 * 1024 },
    );
    expect(await source.move(await only('in/a.csv', source), 'done', '7')).toBe('done/in/a.csv');
    expect(await store.read('done/in/a.csv')).toBe(content.toString());
    const target = { Bucket: store.bucket, Key: 'done/in/a.csv' };
    expect(await server.client.headObject(target)).toMatchObject({
      ContentType: 'text/csv',
      Metadata: { sender: 'acme' },
    });
    expect((await server.client.getObjectTagging(target)).TagSet).toEqual([{ Key: 'of', Value: 'acme & sons' }]);
    expect((await server.client.listMultipartUploads({ Bucket: store.bucket })).Uploads ?? []).toEqual([]);
  });

  test.each([
    ['far', -1],
    ['near', Infinity],
  ])('a large object from a %s store comes whole and in order, from any offset', async (_, farMs) => {
    const content = Buffer.alloc(65 * 1024 * 1024 + 3);
    for (let i = 0; i < content.length; i += 4) content.writeUInt32LE(i, Math.min(i, content.length - 4));
    await store.put('a.csv', content);
    const source = store.source({}, {}, { farMs, fastEnough: Infinity });
    const file = await only('a.csv', source);
    for (const offset of [0, 1_000_001]) {
      const chunks: Buffer[] = [];
      for await (const chunk of source.open(file, offset, new AbortController().signal)) chunks.push(chunk);
      expect(Buffer.concat(chunks).equals(content.subarray(offset))).toBe(true);
    }
  });

  test('tags are set beside those that are there, and again without harm', async () => {
    await store.put('a.csv', 'x');
    const target = { Bucket: store.bucket, Key: 'a.csv' };
    await server.client.putObjectTagging({ ...target, Tagging: { TagSet: [{ Key: 'of', Value: 'acme' }] } });
    const source = store.source();
    const file = await only('a.csv', source);
    await source.tag?.(file, { state: 'loaded' });
    await source.tag?.(file, { state: 'loaded' });
    expect((await server.client.getObjectTagging(target)).TagSet).toEqual(
      expect.arrayContaining([
        { Key: 'of', Value: 'acme' },
        { Key: 'state', Value: 'loaded' },
      ]),
    );
  });

  test('in a bucket with versions a deleted file can be brought back', async () => {
    await server.client.putBucketVersioning({ Bucket: store.bucket, VersioningConfiguration: { Status: 'Enabled' } });
    await store.put('a.csv', 'x');
    const source = store.source();
    await source.remove(await only('a.csv', source));
    expect((await listAll(source)).files).toEqual([]);
    const { Versions = [], DeleteMarkers = [] } = await server.client.listObjectVersions({ Bucket: store.bucket });
    expect(Versions).toHaveLength(1);
    for (const { Key, VersionId } of [...Versions, ...DeleteMarkers])
      await server.client.deleteObject({ Bucket: store.bucket, Key, VersionId });
  });

  test('probe tries reading, deleting, moving and tagging, and leaves nothing behind', async () => {
    await store.put('in/a.csv', 'x');
    const source = store.source({ recursive: true, exclude: ['done/%Y'] }, { prefix: 'in/' });
    expect(await source.probe({ delete: true, move: true, tag: true })).toEqual([]);
    expect((await listAll(store.source({ recursive: true, patterns: ['**'], ignore: [] }))).paths).toEqual([
      'in/a.csv',
    ]);
  });

  test('a wrong key is said in plain words, without the secret', async () => {
    const wrong = await s3Harness({ ...server, secretAccessKey: 'not-the-secret-at-all' });
    const [finding = ''] = await wrong.source().probe({ delete: false, move: false, tag: false });
    expect(finding).toMatch(/SignatureDoesNotMatch|AccessDenied|InvalidAccessKeyId/);
    expect(finding).toMatch(/access_key_id/);
    expect(finding).not.toContain('not-the-secret-at-all');
    expect(finding).not.toContain(server.accessKeyId);
    await wrong.close();
  });
});
