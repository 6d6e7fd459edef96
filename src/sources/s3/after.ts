import { createHash } from 'node:crypto';
import type { S3 } from '@aws-sdk/client-s3';
import { TallymanError } from '../../core/errors.js';
import type { SeenFile } from '../../core/file.js';
import { copyObject } from './copy.js';
import { hasStatus, objectError } from './errors.js';
import { etagOf, keyOf, keysBeside } from './key.js';
import { look, lookAtVersion, type Standing } from './look.js';
import type { S3Store } from './client.js';

/** Metadata of a moved object: which version it was. A move that died in the middle knows its own copy by it. */
const MOVED_FROM = 'tallyman-moved-from';
/** Tags that an object can have. */
const TAGS_MAX = 10;

const failed = (right: string) => ({ code: 'AFTER_ACTION_FAILED', right }) as const;

/**
 * Deletes exactly this version. It is looked at just before, and the request carries If-Match, which AWS keeps and some
 * stores pass over: there a version that is put in the milliseconds between is deleted with it. In a bucket with
 * versions a delete marker goes on top, nothing is lost.
 */
export async function removeVersion(store: S3Store, file: SeenFile): Promise<void> {
  await lookAtVersion(store, file);
  await deleteIf(store, file.path, etagOf(file.version));
}

async function deleteIf(store: S3Store, key: string, etag: string): Promise<void> {
  const client = await store.client();
  const target = { Bucket: store.bucket, Key: key };
  try {
    try {
      await client.deleteObject({ ...target, IfMatch: etag });
    } catch (error) {
      // Stores that refuse a header they do not know.
      if (!hasStatus(error, 501)) throw error;
      await client.deleteObject(target);
    }
  } catch (error) {
    throw objectError(store, key, error, failed('s3:DeleteObject'));
  }
}

/**
 * Moves exactly this version; see Source.move. S3 has no rename:
 *
 *     look -> copy to a free name, marked with where it comes from -> look again -> delete
 *
 * A crash anywhere leaves the original, the copy, or both; the mark tells the next try.
 */
export async function moveVersion(
  store: S3Store,
  file: SeenFile,
  to: string,
  suffix: string,
  as: string = file.path,
): Promise<string> {
  const target = targetOf(to, as);
  const mark = createHash('sha256')
    .update(JSON.stringify([store.bucket, file.path, file.version, file.size]))
    .digest('hex');
  const now = await look(store, file.path);
  const isThere = now !== null && now.file.version === file.version && now.file.size === file.size;
  const place = await findPlace(store, file, target, suffix, mark);
  if (!isThere) {
    if (place.copy !== null) return place.key;
    throw new TallymanError(
      now === null ? 'FILE_VANISHED' : 'FILE_CHANGED',
      `${file.path}: ${now === null ? 'gone' : 'another version stands there'}`,
    );
  }
  const copy = place.copy ?? (await makeCopy(store, now, place.key, mark));
  await proveStill(store, file, copy);
  await deleteIf(store, file.path, etagOf(file.version));
  return place.key;
}

function targetOf(to: string, path: string): string {
  const parts = to.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.length === 0 || parts.includes('..') || to.startsWith('/')) {
    throw new TallymanError('AFTER_ACTION_FAILED', `move to ${JSON.stringify(to)}: not a folder in the bucket`, {
      fix: 'Set after.*.move to a folder relative to the bucket, without "..".',
    });
  }
  const target = `${parts.join('/')}/${keyOf(path)}`;
  if (Buffer.byteLength(target) > 1_024)
    throw new TallymanError(
      'AFTER_ACTION_FAILED',
      `${path}: its key below ${to} would be longer than the 1,024 bytes that S3 takes`,
      { fix: 'Set after.*.move to a shorter folder.' },
    );
  return target;
}

/** The first name that is free, or that holds what an earlier try copied there. */
async function findPlace(
  store: S3Store,
  file: SeenFile,
  target: string,
  suffix: string,
  mark: string,
): Promise<{ readonly key: string; readonly copy: Standing | null }> {
  for (const key of keysBeside(target, suffix)) {
    const there = await look(store, key);
    if (there === null) return { key, copy: null };
    if (there.head?.Metadata?.[MOVED_FROM] === mark && mayBeCopy(there, file)) return { key, copy: there };
  }
  throw new TallymanError('AFTER_ACTION_FAILED', `${target} and all names beside it are taken`);
}

async function makeCopy(store: S3Store, from: Standing, key: string, mark: string): Promise<Standing> {
  const { file } = from;
  try {
    await copyObject(store, from, key, { [MOVED_FROM]: mark });
  } catch (error) {
    throw objectError(store, file.path, error, failed('s3:GetObject, and s3:PutObject below the target,'));
  }
  const copy = await look(store, key);
  if (copy?.head?.Metadata?.[MOVED_FROM] !== mark)
    throw new TallymanError(
      'AFTER_ACTION_FAILED',
      `${file.path}: ${key} was written by somebody else at the same time`,
    );
  return copy;
}

/**
 * False when the copy has other content for certain: another size, or another ETag where both are plain MD5s (one part,
 * no keys of KMS).
 */
function mayBeCopy(copy: Standing, file: SeenFile): boolean {
  const etags = [etagOf(copy.file.version), etagOf(file.version)];
  const arePlain =
    etags.every((etag) => /^"[0-9a-f]{32}"$/.test(etag)) &&
    [undefined, 'AES256'].includes(copy.head?.ServerSideEncryption);
  return copy.file.size === file.size && (!arePlain || etags[0] === etags[1]);
}

/**
 * The store may not know conditions on a copy: what was copied is the version only if that stands there before and
 * after.
 */
async function proveStill(store: S3Store, file: SeenFile, copy: Standing): Promise<void> {
  try {
    await lookAtVersion(store, file);
    if (!mayBeCopy(copy, file)) throw new TallymanError('FILE_CHANGED', `${file.path}: it changed while it was copied`);
  } catch (error) {
    // The copy is ours, and of nobody knows what.
    if (error instanceof TallymanError && error.blame === 'version')
      await deleteIf(store, copy.file.path, etagOf(copy.file.version));
    throw error;
  }
}

/** Sets tags on exactly this content, beside those that it has. */
export async function tagVersion(
  store: S3Store,
  file: SeenFile,
  tags: Readonly<Record<string, string>>,
): Promise<void> {
  const now = await look(store, file.path);
  if (now === null) throw new TallymanError('FILE_VANISHED', `${file.path}: gone`);
  // The ETag alone: on some stores tagging moves LastModified on, and this may be the second try.
  if (etagOf(now.file.version) !== etagOf(file.version) || now.file.size !== file.size)
    throw new TallymanError('FILE_CHANGED', `${file.path}: another version stands there`);
  const target = {
    Bucket: store.bucket,
    Key: file.path,
    ...(now.head?.VersionId === undefined ? {} : { VersionId: now.head.VersionId }),
  };
  try {
    await putTags(await store.client(), target, tags);
  } catch (error) {
    throw objectError(store, file.path, error, failed('s3:GetObjectTagging and s3:PutObjectTagging'));
  }
}

async function putTags(
  client: S3,
  target: { readonly Bucket: string; readonly Key: string; readonly VersionId?: string },
  tags: Readonly<Record<string, string>>,
): Promise<void> {
  const { TagSet: present = [] } = await client.getObjectTagging(target);
  const merged = new Map([
    ...present.map(({ Key, Value }) => [Key ?? '', Value ?? ''] as const),
    ...Object.entries(tags),
  ]);
  if (merged.size > TAGS_MAX)
    throw new TallymanError(
      'AFTER_ACTION_FAILED',
      `${target.Key}: has ${present.length} tags already, and an object takes ${TAGS_MAX}`,
    );
  if (merged.size === present.length && present.every(({ Key, Value }) => merged.get(Key ?? '') === Value)) return;
  await client.putObjectTagging({
    ...target,
    Tagging: { TagSet: [...merged].map(([Key, Value]) => ({ Key, Value })) },
  });
}
