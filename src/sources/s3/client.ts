import process from 'node:process';
import type { S3, S3ClientConfig } from '@aws-sdk/client-s3';
import { MASK, renewSecrets } from '../../core/secret.js';
import { agentsOf } from './agents.js';
import { READ_LIMITS, type ReadLimits } from '../bucket/read.js';
import type { S3Connection } from './options.js';

/** Waits and sizes of the source. Milliseconds, bytes. */
export interface S3Limits extends ReadLimits {
  /** TCP and TLS. */
  readonly connectMs: number;
  /** From the end of a request to the head of its answer. */
  readonly answerMs: number;
  /** The same for a copy on the server: it answers when all is copied. */
  readonly copyMs: number;
  /** Tries of one request, by the SDK, before the source counts as unreachable. */
  readonly attempts: number;
  /** Objects above this are copied part by part: one request copies 5 GiB at most. */
  readonly copyWhole: number;
  readonly copyPart: number;
}

export const S3_LIMITS: S3Limits = {
  ...READ_LIMITS,
  connectMs: 10_000,
  answerMs: 60_000,
  copyMs: 900_000,
  attempts: 5,
  copyWhole: 5 * 1024 ** 3,
  // 10,000 parts at most: enough for the 5 TiB that an object can have.
  copyPart: 1024 ** 3,
};

/** The bucket of one feed, and how to reach it. */
export class S3Bucket {
  readonly bucket: string;
  readonly limits: S3Limits;
  readonly #connection: S3Connection;
  #client: Promise<S3> | null = null;
  #refused = false;

  constructor(connection: S3Connection, bucket: string, limits: S3Limits) {
    this.#connection = connection;
    this.bucket = bucket;
    this.limits = limits;
  }

  /** For messages: holds no secret. */
  get name(): string {
    const { endpoint, region } = this.#connection;
    const where = endpoint === undefined ? region : new URL(endpoint).host;
    return `bucket ${this.bucket}${where === undefined ? '' : ` at ${where}`}`;
  }

  /**
   * Loaded when first used: the SDK takes 0.5 s and 22 MB, which commands without S3 and the load workers do not pay.
   */
  async client(): Promise<S3> {
    if (this.#refused) this.#renew();
    const opening = (this.#client ??= openClient(this.#connection, this.limits));
    try {
      return await opening;
    } catch (error) {
      if (this.#client === opening) this.#client = null;
      throw error;
    }
  }

  /** The keys were refused: they are read again before the next request. */
  loginRefused(): void {
    this.#refused = true;
  }

  /** With other keys a new client; the old one ends with what it has under way. */
  #renew(): void {
    this.#refused = false;
    if (renewSecrets(this.#connection)) this.#client = null;
  }

  async clientConfig(): Promise<S3ClientConfig> {
    return await clientConfig(this.#connection, this.limits);
  }

  /** Takes every secret of the connection out of a text: a server may repeat in its message what it was sent. */
  masked(text: string): string {
    const { access_key_id: id, secret_access_key: key, session_token: token } = this.#connection;
    let clean = text;
    for (const secret of [key, token, id]) {
      for (const plain of secret?.texts ?? []) if (plain !== '') clean = clean.replaceAll(plain, MASK);
    }
    return clean;
  }

  async close(): Promise<void> {
    const client = this.#client;
    this.#client = null;
    if (client !== null) (await client).destroy();
  }
}

async function openClient(connection: S3Connection, limits: S3Limits): Promise<S3> {
  quietSdk();
  const { S3 } = await import('@aws-sdk/client-s3');
  const client = new S3(await clientConfig(connection, limits));
  // Signed with the rest, so it is added before that.
  if (connection.requester_pays)
    client.middlewareStack.add(
      (next) => async (args) => {
        const { request } = args;
        if (typeof request === 'object' && request !== null && 'headers' in request)
          Reflect.set(Object(request.headers), 'x-amz-request-payer', 'requester');
        return await next(args);
      },
      { step: 'build' },
    );
  return client;
}

/** The pinned SDK runs on Node 20; its notice about later ones would stand before every JSON error on stderr. */
export function quietSdk(): void {
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
}

async function clientConfig(connection: S3Connection, limits: S3Limits): Promise<S3ClientConfig> {
  const { endpoint, access_key_id: id, secret_access_key: key, session_token: token } = connection;
  const region = connection.region ?? (endpoint === undefined ? undefined : 'us-east-1');
  return {
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(connection.anonymous
      ? {
          credentials: { accessKeyId: '', secretAccessKey: '' },
          signer: { sign: (request) => Promise.resolve(request) },
        }
      : {}),
    ...(id === undefined || key === undefined
      ? {}
      : {
          credentials: {
            accessKeyId: id.reveal(),
            secretAccessKey: key.reveal(),
            ...(token === undefined ? {} : { sessionToken: token.reveal() }),
          },
        }),
    forcePathStyle: connection.force_path_style,
    // Stores other than AWS refuse or miss the newer checksums; what is read has its own sha256.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    maxAttempts: limits.attempts,
    requestHandler: {
      connectionTimeout: limits.connectMs,
      requestTimeout: limits.answerMs,
      // Without this the SDK only warns.
      throwOnRequestTimeout: true,
      ...(await agentsOf(connection, limits.connectMs)),
    },
  };
}
