import { randomBytes } from 'node:crypto';
import { messageOf, TallymanError } from '../../core/errors.js';
import { decodeListed } from './key.js';
import { hasStatus, refusalOf, storeError } from './errors.js';
import type { S3Store } from './client.js';
import { PRIVATE_PREFIX } from '../common/selection.js';

export interface ProbePlaces {
  /** A prefix of the feed, date letters filled in. */
  readonly prefix: string;
  /** Folders that files are moved to, without their date letters. */
  readonly targets: readonly string[];
}

/**
 * What stands in the way of an S3 feed, for `check --connect`. Each right is tried on a name of our own; nothing that
 * is there is touched.
 */
export async function probeBucket(
  store: S3Store,
  places: ProbePlaces,
  rights: { readonly delete: boolean; readonly move: boolean; readonly tag: boolean },
): Promise<readonly string[]> {
  try {
    await tryReading(store, places.prefix);
  } catch (error) {
    return [error instanceof TallymanError ? `${error.message}. ${error.fix}` : messageOf(error)];
  }
  const name = `${PRIVATE_PREFIX}probe-${randomBytes(6).toString('hex')}`;
  const tries: [boolean, string, () => Promise<void>][] = [
    [
      rights.delete || rights.move,
      'delete files, which needs s3:DeleteObject',
      () => tryDeleting(store, `${places.prefix}${name}`),
    ],
    [
      rights.tag,
      'tag files, which needs s3:GetObjectTagging and s3:PutObjectTagging',
      () => tryTagging(store, `${places.prefix}${name}`),
    ],
    ...places.targets.map((target): (typeof tries)[number] => [
      rights.move,
      `move files to ${target}/, which needs s3:PutObject there`,
      () => tryWriting(store, `${target}/${name}`),
    ]),
  ];
  const findings: string[] = [];
  for (const [asked, what, attempt] of tries) {
    if (!asked) continue;
    try {
      await attempt();
    } catch (error) {
      const { status, code } = refusalOf(error);
      findings.push(
        `${store.name}: after asks to ${what}; the store says ${code}${status === null ? '' : ` (HTTP ${status})`}`,
      );
    }
  }
  return findings;
}

/** Lists, and reads a byte of the first object that it sees. */
async function tryReading(store: S3Store, prefix: string): Promise<void> {
  try {
    const client = await store.client();
    const answer = await client.listObjectsV2({
      Bucket: store.bucket,
      Prefix: prefix,
      MaxKeys: 10,
      EncodingType: 'url',
    });
    const first = answer.Contents?.find(
      (object) => (object.Size ?? 0) > 0 && !['GLACIER', 'DEEP_ARCHIVE'].includes(object.StorageClass ?? ''),
    );
    const key = answer.EncodingType === 'url' ? decodeListed(first?.Key ?? '') : first?.Key;
    if (key === undefined || key === null || key === '') return;
    const { Body } = await client.getObject({ Bucket: store.bucket, Key: key, Range: 'bytes=0-0' });
    await Body?.transformToByteArray();
  } catch (error) {
    // Gone since the listing.
    if (refusalOf(error).code === 'NoSuchKey') return;
    throw storeError(store, error);
  }
}

/**
 * Deleting what is not there is allowed to whom deleting is; the condition keeps a bucket with versions from getting a
 * delete marker.
 */
async function tryDeleting(store: S3Store, key: string): Promise<void> {
  const client = await store.client();
  try {
    await client.deleteObject({ Bucket: store.bucket, Key: key, IfMatch: '"none"' });
  } catch (error) {
    if (!hasStatus(error, 404, 409, 412, 501)) throw error;
  }
}

async function tryTagging(store: S3Store, key: string): Promise<void> {
  const client = await store.client();
  try {
    await client.putObjectTagging({ Bucket: store.bucket, Key: key, Tagging: { TagSet: [] } });
  } catch (error) {
    if (!hasStatus(error, 404)) throw error;
  }
}

async function tryWriting(store: S3Store, key: string): Promise<void> {
  const client = await store.client();
  await client.putObject({ Bucket: store.bucket, Key: key, Body: '', ContentLength: 0 });
  await client.deleteObject({ Bucket: store.bucket, Key: key });
}
