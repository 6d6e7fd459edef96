import type { CompletedPart, HeadObjectCommandOutput, S3 } from '@aws-sdk/client-s3';
import { TallymanError } from '../../core/errors.js';
import { hasStatus } from './errors.js';
import { copySource, etagOf } from './key.js';
import type { Standing } from './look.js';
import type { S3Store } from './client.js';

/** Copies of parts under way at once. */
const PARTS = 4;

/**
 * Copies an object within its bucket, with its properties and `mark` added to its metadata. Asks the store to copy only
 * this version and to overwrite nothing; the caller proves both, for stores that do not know these conditions. Throws
 * the SDK's errors.
 */
export async function copyObject(
  store: S3Store,
  from: Standing,
  key: string,
  mark: Readonly<Record<string, string>>,
): Promise<void> {
  const client = await store.client();
  const properties = propertiesOf(from.head, mark);
  if (from.file.size > store.limits.copyWhole) return await copyParts(store, client, from, key, properties);
  const input = {
    ...target(store, key),
    ...sourceOf(store, from),
    ...properties,
    MetadataDirective: 'REPLACE' as const,
  };
  await unlessUnknown(
    () => client.copyObject({ ...input, IfNoneMatch: '*' }, { requestTimeout: store.limits.copyMs }),
    () => client.copyObject(input, { requestTimeout: store.limits.copyMs }),
  );
}

const target = (store: S3Store, key: string) => ({ Bucket: store.bucket, Key: key });
const sourceOf = (store: S3Store, from: Standing) => ({
  CopySource: copySource(store.bucket, from.file.path),
  CopySourceIfMatch: etagOf(from.file.version),
});

/** Everything that a copy with new metadata would lose. */
function propertiesOf(head: HeadObjectCommandOutput | null, mark: Readonly<Record<string, string>>) {
  if (head === null)
    throw new TallymanError('AFTER_ACTION_FAILED', 'the object cannot be read, so it cannot be copied', {
      fix: 'Give the key that tallyman uses the right s3:GetObject on this object.',
    });
  const { CacheControl, ContentDisposition, ContentEncoding, ContentLanguage, ContentType, StorageClass, SSEKMSKeyId } =
    head;
  const all = { CacheControl, ContentDisposition, ContentEncoding, ContentLanguage, ContentType, StorageClass };
  return {
    ...defined(all),
    ...(SSEKMSKeyId === undefined ? {} : { ServerSideEncryption: 'aws:kms' as const, SSEKMSKeyId }),
    Metadata: { ...head.Metadata, ...mark },
  };
}

function defined<T extends Record<string, unknown>>(all: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

/** Part by part; nothing is visible before all are there. */
async function copyParts(
  store: S3Store,
  client: S3,
  from: Standing,
  key: string,
  properties: ReturnType<typeof propertiesOf>,
): Promise<void> {
  const { TagSet: tags = [] } = await client.getObjectTagging({ ...target(store, from.file.path) });
  const { UploadId } = await client.createMultipartUpload({ ...target(store, key), ...properties });
  if (UploadId === undefined) throw new TallymanError('AFTER_ACTION_FAILED', `${key}: the store gave no upload id`);
  const upload = { ...target(store, key), UploadId };
  try {
    const MultipartUpload = { Parts: await eachPart(store, client, from, upload) };
    await unlessUnknown(
      () =>
        client.completeMultipartUpload(
          { ...upload, MultipartUpload, IfNoneMatch: '*' },
          { requestTimeout: store.limits.copyMs },
        ),
      () => client.completeMultipartUpload({ ...upload, MultipartUpload }, { requestTimeout: store.limits.copyMs }),
    );
    // Not with the upload: Ceph passes tags over there.
    if (tags.length > 0) await client.putObjectTagging({ ...target(store, key), Tagging: { TagSet: tags } });
  } catch (error) {
    // Parts of an upload that is not ended are paid for. When this fails too, the first error is the one to tell.
    await client.abortMultipartUpload(upload).catch(() => undefined);
    throw error;
  }
}

async function eachPart(
  store: S3Store,
  client: S3,
  from: Standing,
  upload: { readonly Bucket: string; readonly Key: string; readonly UploadId: string },
): Promise<CompletedPart[]> {
  const { copyPart } = store.limits;
  const { size } = from.file;
  const parts: CompletedPart[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    while (next * copyPart < size) {
      const index = next++;
      const range = `bytes=${index * copyPart}-${Math.min((index + 1) * copyPart, size) - 1}`;
      const { CopyPartResult } = await client.uploadPartCopy(
        { ...upload, ...sourceOf(store, from), PartNumber: index + 1, CopySourceRange: range },
        { requestTimeout: store.limits.copyMs },
      );
      parts[index] = { PartNumber: index + 1, ETag: CopyPartResult?.ETag };
    }
  };
  const ended = await Promise.allSettled(Array.from({ length: PARTS }, work));
  for (const one of ended) if (one.status === 'rejected') throw one.reason;
  return parts;
}

/** Some stores refuse a header that they do not know; then without. */
async function unlessUnknown(conditional: () => Promise<unknown>, plain: () => Promise<unknown>): Promise<void> {
  try {
    await conditional();
  } catch (error) {
    if (!hasStatus(error, 501)) throw error;
    await plain();
  }
}
