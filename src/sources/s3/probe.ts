import type { Right } from '../../core/object-store.js';
import type { S3Bucket } from './client.js';
import { hasStatus, refusalOf, storeError } from './errors.js';
import { decodeListed } from './key.js';

/** See ObjectStore.probe. */
export async function probeReading(at: S3Bucket, prefix: string): Promise<void> {
  try {
    const client = await at.client();
    const answer = await client.listObjectsV2({
      Bucket: at.bucket,
      Prefix: prefix,
      MaxKeys: 10,
      EncodingType: 'url',
    });
    const first = answer.Contents?.find(
      (object) => (object.Size ?? 0) > 0 && !['GLACIER', 'DEEP_ARCHIVE'].includes(object.StorageClass ?? ''),
    );
    const key = answer.EncodingType === 'url' ? decodeListed(first?.Key ?? '') : first?.Key;
    if (key === undefined || key === null || key === '') return;
    const { Body } = await client.getObject({ Bucket: at.bucket, Key: key, Range: 'bytes=0-0' });
    await Body?.transformToByteArray();
  } catch (error) {
    // Gone since the listing.
    if (refusalOf(error).code === 'NoSuchKey') return;
    throw storeError(at, error);
  }
}

/** See ObjectStore.tryRight. */
export async function tryRight(at: S3Bucket, right: Right, key: string): Promise<string | null> {
  try {
    await ATTEMPTS[right](at, key);
    return null;
  } catch (error) {
    const { status, code } = refusalOf(error);
    return `${code}${status === null ? '' : ` (HTTP ${status})`}`;
  }
}

const ATTEMPTS: Readonly<Record<Right, (at: S3Bucket, key: string) => Promise<void>>> = {
  delete: tryDeleting,
  tag: tryTagging,
  write: tryWriting,
};

/**
 * Deleting what is not there is allowed to whom deleting is; the condition keeps a bucket with versions from getting a
 * delete marker.
 */
async function tryDeleting(at: S3Bucket, key: string): Promise<void> {
  const client = await at.client();
  try {
    await client.deleteObject({ Bucket: at.bucket, Key: key, IfMatch: '"none"' });
  } catch (error) {
    if (!hasStatus(error, 404, 409, 412, 501)) throw error;
  }
}

async function tryTagging(at: S3Bucket, key: string): Promise<void> {
  const client = await at.client();
  try {
    await client.putObjectTagging({ Bucket: at.bucket, Key: key, Tagging: { TagSet: [] } });
  } catch (error) {
    if (!hasStatus(error, 404)) throw error;
  }
}

async function tryWriting(at: S3Bucket, key: string): Promise<void> {
  const client = await at.client();
  await client.putObject({ Bucket: at.bucket, Key: key, Body: '', ContentLength: 0 });
  await client.deleteObject({ Bucket: at.bucket, Key: key });
}
