import { Readable } from 'node:stream';
import type { _Object as Listed } from '@aws-sdk/client-s3';
import { TallymanError } from '../../core/errors.js';
import type {
  ByteRange,
  EventListener,
  NoFile,
  ObjectBody,
  ObjectEvents,
  ObjectHead,
  ObjectPage,
  ObjectStore,
  PageQuery,
  Right,
} from '../../core/object-store.js';
import type { S3Bucket } from './client.js';
import { copyObject } from './copy.js';
import { deniedError, hasCode, hasStatus, objectError, storeError, unlessUnknown } from './errors.js';
import { decodeListed, s3Uri } from './key.js';
import { bareEtag, contentOf, digestOf, etagOf, objectOf, S3Object } from './object.js';
import { probeReading, tryRight } from './probe.js';
import { S3Watch } from './watch.js';

const RIGHTS = {
  read: 's3:GetObject',
  delete: 's3:DeleteObject',
  tag: 's3:GetObjectTagging and s3:PutObjectTagging',
  write: 's3:PutObject',
} as const;

const unreadable = { code: 'FILE_UNREADABLE', right: RIGHTS.read } as const;
const failed = (right: string) => ({ code: 'AFTER_ACTION_FAILED', right }) as const;

/** A bucket of S3, or of a store that speaks its protocol. */
export class S3Store implements ObjectStore {
  readonly service = 'S3';
  readonly rights = RIGHTS;
  readonly abilities = {
    // AWS keeps If-Match, and it knows no more of the version than the ETag; some stores pass it over.
    conditionalDelete: false,
    tagsMax: 10,
    keyMax: 1_024,
  };
  /** Only with a queue. */
  readonly events?: (listener: EventListener) => ObjectEvents;
  readonly #at: S3Bucket;

  constructor(at: S3Bucket, queueUrl: string | undefined) {
    this.#at = at;
    if (queueUrl !== undefined) this.events = (listener) => new S3Watch(at, queueUrl, listener);
  }

  get bucket(): string {
    return this.#at.bucket;
  }

  get name(): string {
    return this.#at.name;
  }

  uri(key: string): string {
    return s3Uri(this.bucket, key);
  }

  contentOf(version: string): string {
    return contentOf(version);
  }

  digestOf(version: string): string | null {
    return digestOf(version);
  }

  unreachable(error: unknown): TallymanError {
    return storeError(this.#at, error);
  }

  async page({ prefix, byFolder, after }: PageQuery, signal: AbortSignal): Promise<ObjectPage> {
    try {
      const client = await this.#at.client();
      const answer = await client.listObjectsV2(
        {
          Bucket: this.bucket,
          EncodingType: 'url',
          OptionalObjectAttributes: ['RestoreStatus'],
          ...(prefix === '' ? {} : { Prefix: prefix }),
          ...(byFolder ? { Delimiter: '/' } : {}),
          ...(after === null ? {} : { ContinuationToken: after }),
        },
        { abortSignal: signal },
      );
      // Some stores do not know encoding-type; then the keys stand as they are.
      const decode = (text: string): string | null => (answer.EncodingType === 'url' ? decodeListed(text) : text);
      const listed = (answer.Contents ?? []).map((told) => ({ told, key: decode(told.Key ?? '') }));
      const next = answer.IsTruncated === true ? (answer.NextContinuationToken ?? after) : null;
      if (answer.IsTruncated === true && next === after)
        throw new Error('the listing breaks off: there is more, and the store does not say where it goes on');
      return {
        objects: listed.flatMap(({ told, key }) => (key === null ? [] : [listedObject(key, told)])),
        folders: (answer.CommonPrefixes ?? []).flatMap(({ Prefix = '' }) => decode(Prefix) ?? []),
        skipped: listed.flatMap(({ told, key }) =>
          key === null ? [{ path: told.Key ?? '', reason: 'its key is not UTF-8' }] : [],
        ),
        next,
      };
    } catch (error) {
      throw hasCode(error, 'AccessDenied') ? deniedError(this.#at, error) : storeError(this.#at, error);
    }
  }

  async head(key: string): Promise<S3Object | NoFile | null> {
    const client = await this.#at.client();
    try {
      const answer = await client.headObject({ Bucket: this.bucket, Key: key });
      // `ongoing-request="false"`: a copy has been brought back, and can be read.
      const restored = answer.Restore?.includes('ongoing-request="false"') ?? false;
      return objectOf(key, { ...answer, Size: answer.ContentLength, restored }, answer);
    } catch (error) {
      // An answer to HEAD has no body: no bucket and no object are both 404, a wrong login and a forbidden object both
      // 403. A listing tells them apart.
      if (hasStatus(error, 400, 401, 403, 404)) return await this.#headInListing(key);
      throw objectError(this.#at, key, error, unreadable);
    }
  }

  async #headInListing(key: string): Promise<S3Object | NoFile | null> {
    try {
      const client = await this.#at.client();
      const answer = await client.listObjectsV2({
        Bucket: this.bucket,
        Prefix: key,
        MaxKeys: 1,
        EncodingType: 'url',
        OptionalObjectAttributes: ['RestoreStatus'],
      });
      // In the order of keys the key itself comes before all that begin with it.
      const first = answer.Contents?.[0];
      const listed = answer.EncodingType === 'url' ? decodeListed(first?.Key ?? '') : first?.Key;
      return first === undefined || listed !== key ? null : listedObject(key, first);
    } catch (error) {
      throw storeError(this.#at, error);
    }
  }

  async get(key: string, range: ByteRange | null, ifVersion: string | null, signal: AbortSignal): Promise<ObjectBody> {
    try {
      const client = await this.#at.client();
      const answer = await client.getObject(
        {
          Bucket: this.bucket,
          Key: key,
          ...(ifVersion === null ? {} : { IfMatch: etagOf(ifVersion) }),
          ...(range === null ? {} : { Range: `bytes=${range.from}-${range.end - 1}` }),
        },
        { abortSignal: signal },
      );
      const stream: unknown = answer.Body;
      if (!(stream instanceof Readable)) throw new TallymanError('INTERNAL', `${key}: the answer has no body`);
      return {
        content: answer.ETag === undefined ? null : bareEtag(answer.ETag),
        contentRange: answer.ContentRange ?? null,
        contentLength: answer.ContentLength ?? null,
        stream,
      };
    } catch (error) {
      throw objectError(this.#at, key, error, unreadable);
    }
  }

  async copy(from: ObjectHead, to: string, mark: string): Promise<void> {
    try {
      await copyObject(this.#at, from, to, mark);
    } catch (error) {
      throw objectError(this.#at, from.key, error, failed(`${RIGHTS.read}, and ${RIGHTS.write} below the target,`));
    }
  }

  async remove(key: string, ifVersion: string): Promise<void> {
    const client = await this.#at.client();
    const target = { Bucket: this.bucket, Key: key };
    try {
      await unlessUnknown(
        () => client.deleteObject({ ...target, IfMatch: etagOf(ifVersion) }),
        () => client.deleteObject(target),
      );
    } catch (error) {
      throw objectError(this.#at, key, error, failed(RIGHTS.delete));
    }
  }

  async tags(object: ObjectHead): Promise<ReadonlyMap<string, string>> {
    try {
      const client = await this.#at.client();
      const { TagSet = [] } = await client.getObjectTagging(this.#thatVersion(object));
      return new Map(TagSet.map(({ Key, Value }) => [Key ?? '', Value ?? '']));
    } catch (error) {
      throw objectError(this.#at, object.key, error, failed(RIGHTS.tag));
    }
  }

  async putTags(object: ObjectHead, tags: ReadonlyMap<string, string>): Promise<void> {
    try {
      const client = await this.#at.client();
      const TagSet = [...tags].map(([Key, Value]) => ({ Key, Value }));
      await client.putObjectTagging({ ...this.#thatVersion(object), Tagging: { TagSet } });
    } catch (error) {
      throw objectError(this.#at, object.key, error, failed(RIGHTS.tag));
    }
  }

  /** In a bucket with versions, the one that was looked at. */
  #thatVersion(object: ObjectHead) {
    const id = object instanceof S3Object ? object.answer?.VersionId : undefined;
    return { Bucket: this.bucket, Key: object.key, ...(id === undefined ? {} : { VersionId: id }) };
  }

  async probe(prefix: string): Promise<void> {
    await probeReading(this.#at, prefix);
  }

  async tryRight(right: Right, key: string): Promise<string | null> {
    return await tryRight(this.#at, right, key);
  }

  async close(): Promise<void> {
    await this.#at.close();
  }
}

const listedObject = (key: string, told: Listed): S3Object | NoFile =>
  objectOf(key, { ...told, restored: told.RestoreStatus?.IsRestoreInProgress === false }, null);
