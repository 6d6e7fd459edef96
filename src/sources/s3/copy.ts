import type { CompletedPart, HeadObjectCommandOutput, S3 } from '@aws-sdk/client-s3';
import { TallymanError } from '../../core/errors.js';
import type { ObjectHead } from '../../core/object-store.js';
import type { S3Bucket } from './client.js';
import { unlessUnknown } from './errors.js';
import { copySource } from './key.js';
import { etagOf, MARK, S3Object } from './object.js';

/** Copies of parts under way at once. */
const PARTS = 4;

/** See ObjectStore.copy. Throws the SDK's errors. */
export async function copyObject(at: S3Bucket, from: ObjectHead, key: string, mark: string): Promise<void> {
  const client = await at.client();
  const properties = propertiesOf(from instanceof S3Object ? from.answer : null, mark);
  if (from.size > at.limits.copyWhole) return await copyParts(at, client, from, key, properties);
  const input = {
    ...target(at, key),
    ...sourceOf(at, from),
    ...properties,
    MetadataDirective: 'REPLACE' as const,
  };
  await unlessUnknown(
    () => client.copyObject({ ...input, IfNoneMatch: '*' }, { requestTimeout: at.limits.copyMs }),
    () => client.copyObject(input, { requestTimeout: at.limits.copyMs }),
  );
}

const target = (at: S3Bucket, key: string) => ({ Bucket: at.bucket, Key: key });
const sourceOf = (at: S3Bucket, from: ObjectHead) => ({
  CopySource: copySource(at.bucket, from.key),
  CopySourceIfMatch: etagOf(from.version),
});

/** Everything that a copy with new metadata would lose. */
function propertiesOf(head: HeadObjectCommandOutput | null, mark: string) {
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
    Metadata: { ...head.Metadata, [MARK]: mark },
  };
}

function defined<T extends Record<string, unknown>>(all: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

/** Part by part; nothing is visible before all are there. */
async function copyParts(
  at: S3Bucket,
  client: S3,
  from: ObjectHead,
  key: string,
  properties: ReturnType<typeof propertiesOf>,
): Promise<void> {
  const { TagSet: tags = [] } = await client.getObjectTagging({ ...target(at, from.key) });
  const { UploadId } = await client.createMultipartUpload({ ...target(at, key), ...properties });
  if (UploadId === undefined) throw new TallymanError('AFTER_ACTION_FAILED', `${key}: the store gave no upload id`);
  const upload = { ...target(at, key), UploadId };
  try {
    const MultipartUpload = { Parts: await eachPart(at, client, from, upload) };
    await unlessUnknown(
      () =>
        client.completeMultipartUpload(
          { ...upload, MultipartUpload, IfNoneMatch: '*' },
          { requestTimeout: at.limits.copyMs },
        ),
      () => client.completeMultipartUpload({ ...upload, MultipartUpload }, { requestTimeout: at.limits.copyMs }),
    );
    // Not with the upload: Ceph passes tags over there.
    if (tags.length > 0) await client.putObjectTagging({ ...target(at, key), Tagging: { TagSet: tags } });
  } catch (error) {
    // Parts of an upload that is not ended are paid for. When this fails too, the first error is the one to tell.
    await client.abortMultipartUpload(upload).catch(() => undefined);
    throw error;
  }
}

async function eachPart(
  at: S3Bucket,
  client: S3,
  from: ObjectHead,
  upload: { readonly Bucket: string; readonly Key: string; readonly UploadId: string },
): Promise<CompletedPart[]> {
  const { copyPart } = at.limits;
  const { size } = from;
  const parts: CompletedPart[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    while (next * copyPart < size) {
      const index = next++;
      const range = `bytes=${index * copyPart}-${Math.min((index + 1) * copyPart, size) - 1}`;
      const { CopyPartResult } = await client.uploadPartCopy(
        { ...upload, ...sourceOf(at, from), PartNumber: index + 1, CopySourceRange: range },
        { requestTimeout: at.limits.copyMs },
      );
      parts[index] = { PartNumber: index + 1, ETag: CopyPartResult?.ETag };
    }
  };
  const ended = await Promise.allSettled(Array.from({ length: PARTS }, work));
  for (const one of ended) if (one.status === 'rejected') throw one.reason;
  return parts;
}
