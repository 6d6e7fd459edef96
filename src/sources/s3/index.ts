import { TallymanError } from '../../core/errors.js';
import type { ObjectStore } from '../../core/object-store.js';
import type { SourceSpec } from '../../core/feed/source.js';
import type { Source, SourceType } from '../../core/source.js';
import { BucketSource } from '../bucket/source.js';
import { S3_LIMITS, S3Bucket, type S3Limits } from './client.js';
import { connectionOptions, sourceOptions, type S3Options } from './options.js';
import { S3Store } from './store.js';

/** A bucket, or what begins with a prefix in it. Its objects are landed before they are read. */
export const s3: SourceType<S3Options> = {
  type: 's3',
  options: sourceOptions,
  pathOptions: [],
  connectionOption: 'connection',
  defaults: { pollMs: 60_000, settleMs: 0, recursive: true },
  canTag: true,
  hasMetadata: true,
  connection: {
    options: connectionOptions,
    secretOptions: ['access_key_id', 'secret_access_key', 'session_token'],
    pathOptions: ['ca'],
  },
  open: (spec, options, connection) => openS3(spec, options, connection),
};

/** `limits` other than the usual ones are for tests. */
export const openS3 = (
  spec: SourceSpec,
  options: S3Options,
  connection: Readonly<Record<string, unknown>> | undefined,
  limits: S3Limits = S3_LIMITS,
): Source => new BucketSource(spec, options, openStore(options, connection, limits), limits);

/** The bucket of these options alone, request by request. */
export function openStore(
  options: S3Options,
  connection: Readonly<Record<string, unknown>> | undefined,
  limits: S3Limits = S3_LIMITS,
): ObjectStore {
  if (connection === undefined)
    throw new TallymanError('INTERNAL', `connection ${options.connection} did not reach its source`);
  return new S3Store(new S3Bucket(connectionOptions.parse(connection), options.bucket, limits), options.events?.sqs);
}
