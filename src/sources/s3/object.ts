import type { HeadObjectCommandOutput } from '@aws-sdk/client-s3';
import type { NoFile, ObjectHead } from '../../core/object-store.js';

/** Metadata of a copied object: its mark. */
export const MARK = 'tallyman-moved-from';

/** What a listing or an answer to HEAD says of an object, in one form. */
interface Told {
  readonly ETag?: string | undefined;
  readonly Size?: number | undefined;
  readonly LastModified?: Date | undefined;
  readonly StorageClass?: string | undefined;
  /** Archived, but a copy of it can be read for a time. */
  readonly restored: boolean;
}

/** An object as S3 describes it. */
export class S3Object implements ObjectHead {
  readonly key: string;
  readonly size: number;
  readonly mtimeUs: number;
  readonly version: string;
  /** The answer to HEAD; null when it is refused and only a listing shows the object. */
  readonly answer: HeadObjectCommandOutput | null;

  constructor(key: string, size: number, modified: Date, etag: string, answer: HeadObjectCommandOutput | null) {
    this.key = key;
    this.size = size;
    // HEAD has whole seconds.
    this.mtimeUs = Math.floor(modified.getTime() / 1_000) * 1_000_000;
    this.version = versionToken(etag, modified);
    this.answer = answer;
  }

  get metadata(): Readonly<Record<string, string>> | null {
    return this.answer === null ? null : (this.answer.Metadata ?? {});
  }

  get mark(): string | null {
    return this.answer?.Metadata?.[MARK] ?? null;
  }

  /** With keys of KMS the ETag is no hash. */
  get digest(): string | null {
    return [undefined, 'AES256'].includes(this.answer?.ServerSideEncryption) ? digestOf(this.version) : null;
  }
}

/** The object, or why it cannot be read as a file. */
export function objectOf(key: string, told: Told, answer: HeadObjectCommandOutput | null): S3Object | NoFile {
  const { ETag: etag, Size: size, LastModified: modified, StorageClass: storage = '' } = told;
  if ((storage === 'GLACIER' || storage === 'DEEP_ARCHIVE') && !told.restored)
    return { key, reason: `archived (${storage}): it must be restored before it can be read` };
  if (etag === undefined || etag === '' || size === undefined || modified === undefined)
    return { key, reason: 'the store does not tell its ETag, size and time, so that a change could not be seen' };
  return new S3Object(key, size, modified, etag, answer);
}

/**
 * The version token: the ETag and the second of LastModified, as both a listing and HEAD tell them (a listing has no
 * version id). The ETag alone would do for content, but a marker of 0 bytes that is put again has the same one. Never a
 * hash: multi-part and encrypted objects have ETags that are none.
 */
export const versionToken = (etag: string, modified: Date): string =>
  `${bareEtag(etag)}@${Math.floor(modified.getTime() / 1_000)}`;

/** The ETag of a token, without its quotes. */
export const contentOf = (version: string): string => version.slice(0, version.lastIndexOf('@'));

/** The ETag of a token, as If-Match wants it. */
export function etagOf(version: string): string {
  const bare = contentOf(version);
  return bare.startsWith('W/') ? bare : `"${bare}"`;
}

/** Without its quotes: stores give it with and without. */
export const bareEtag = (etag: string): string => (etag.startsWith('W/') ? etag : etag.replaceAll('"', ''));

/** The ETag where it is a plain MD5: an object of one part. */
export function digestOf(version: string): string | null {
  const bare = contentOf(version);
  return /^[0-9a-f]{32}$/.test(bare) ? bare : null;
}
