import type { HeadObjectCommandOutput } from '@aws-sdk/client-s3';
import { TallymanError } from '../../core/errors.js';
import type { SeenFile } from '../../core/file.js';
import { hasStatus, objectError, storeError } from './errors.js';
import { decodeListed, keyOf, keyRefused, versionToken } from './key.js';
import type { S3Store } from './client.js';

/** What stands under a key. */
export interface Standing {
  readonly file: SeenFile;
  /** null when HEAD is refused and only a listing tells of the object. */
  readonly head: HeadObjectCommandOutput | null;
}

/** What a listing or an answer to HEAD says of an object, in one form. */
interface Told {
  readonly ETag?: string | undefined;
  readonly Size?: number | undefined;
  readonly LastModified?: Date | undefined;
  readonly StorageClass?: string | undefined;
  /** Archived, but a copy of it can be read for a time. */
  readonly restored: boolean;
}

/** A file, or the reason why the object is none. */
export function seenObject(key: string, told: Told): SeenFile | string {
  const refused = keyRefused(key);
  if (refused !== null) return refused;
  if (key.endsWith('/') || key.endsWith('_$folder$')) return 'a folder marker';
  const { ETag: etag, Size: size, LastModified: modified, StorageClass: storage = '' } = told;
  if ((storage === 'GLACIER' || storage === 'DEEP_ARCHIVE') && !told.restored)
    return `archived (${storage}): it must be restored before it can be read`;
  if (etag === undefined || etag === '' || size === undefined || modified === undefined)
    return 'the store does not tell its ETag, size and time, so that a change could not be seen';
  return {
    path: key,
    size,
    mtimeUs: Math.floor(modified.getTime() / 1_000) * 1_000_000,
    version: versionToken(etag, modified),
  };
}

/**
 * What stands under the path now; null = nothing. Throws FILE_NOT_TAKEN when it is no file, SOURCE_UNREACHABLE when the
 * bucket itself cannot be asked.
 */
export async function look(store: S3Store, path: string): Promise<Standing | null> {
  const key = keyOf(path);
  const client = await store.client();
  try {
    const head = await client.headObject({ Bucket: store.bucket, Key: key });
    // `ongoing-request="false"`: a copy has been brought back, and can be read.
    const restored = head.Restore?.includes('ongoing-request="false"') ?? false;
    return standing(key, { ...head, Size: head.ContentLength, restored }, head);
  } catch (error) {
    // An answer to HEAD has no body: no bucket and no object are both 404, a wrong login and a forbidden object both
    // 403. A listing tells them apart.
    if (hasStatus(error, 400, 401, 403, 404)) return await lookInListing(store, key);
    throw objectError(store, key, error, { code: 'FILE_UNREADABLE', right: 's3:GetObject' });
  }
}

async function lookInListing(store: S3Store, key: string): Promise<Standing | null> {
  try {
    const client = await store.client();
    const answer = await client.listObjectsV2({
      Bucket: store.bucket,
      Prefix: key,
      MaxKeys: 1,
      EncodingType: 'url',
      OptionalObjectAttributes: ['RestoreStatus'],
    });
    // In the order of keys the key itself comes before all that begin with it.
    const first = answer.Contents?.[0];
    const listed = answer.EncodingType === 'url' ? decodeListed(first?.Key ?? '') : first?.Key;
    return first === undefined || listed !== key
      ? null
      : standing(key, { ...first, restored: first.RestoreStatus?.IsRestoreInProgress === false }, null);
  } catch (error) {
    throw storeError(store, error);
  }
}

function standing(key: string, told: Told, head: HeadObjectCommandOutput | null): Standing {
  const file = seenObject(key, told);
  if (typeof file === 'string') throw new TallymanError('FILE_NOT_TAKEN', `${key}: ${file}`);
  return { file, head };
}

/** What stands there, proven to be this version. Throws FILE_VANISHED or FILE_CHANGED. */
export async function lookAtVersion(store: S3Store, file: SeenFile): Promise<Standing> {
  const now = await look(store, file.path);
  if (now === null) throw new TallymanError('FILE_VANISHED', `${file.path}: gone`);
  if (now.file.version !== file.version || now.file.size !== file.size)
    throw new TallymanError('FILE_CHANGED', `${file.path}: another version stands there`);
  return now;
}

/**
 * Metadata that its sender put on this version; the store tells names in lower case. Throws FILE_VANISHED, FILE_CHANGED
 * and, where HEAD is refused, FILE_UNREADABLE.
 */
export async function metadataOf(store: S3Store, file: SeenFile): Promise<Readonly<Record<string, string>>> {
  const { head } = await lookAtVersion(store, file);
  if (head === null)
    throw new TallymanError('FILE_UNREADABLE', `${file.path}: its metadata cannot be read`, {
      fix: 'Grant s3:GetObject on the bucket.',
    });
  return Object.fromEntries(Object.entries(head.Metadata ?? {}).map(([name, value]) => [name.toLowerCase(), value]));
}
