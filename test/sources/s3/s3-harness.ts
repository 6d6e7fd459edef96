import type { S3 } from '@aws-sdk/client-s3';
import { Secret } from '../../../src/core/secret.js';
import type { SourceSpec } from '../../../src/core/feed/source.js';
import type { Source } from '../../../src/core/source.js';
import { connectionOptions, sourceOptions } from '../../../src/sources/s3/options.js';
import { S3_LIMITS, type S3Limits } from '../../../src/sources/s3/client.js';
import { openS3, openStore } from '../../../src/sources/s3/index.js';
import type { StoreHarness } from '../../contract/object-store-suite.js';
import type { SourceHarness } from '../../contract/source-suite.js';
import { plainSpec } from '../local/local-harness.js';

export interface Login {
  readonly endpoint: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** An entry of `connections:` as config/ hands it over. */
export const connectionTo = (server: Login): Readonly<Record<string, unknown>> =>
  connectionOptions.parse({
    endpoint: server.endpoint,
    force_path_style: true,
    access_key_id: new Secret(server.accessKeyId),
    secret_access_key: new Secret(server.secretAccessKey),
  });

export interface S3Harness extends SourceHarness, StoreHarness {
  readonly put: StoreHarness['put'];
  readonly bucket: string;
  readonly source: (
    spec?: Partial<SourceSpec>,
    options?: Readonly<Record<string, unknown>>,
    limits?: Partial<S3Limits>,
  ) => Source;
}

/** Keys with slashes, which mean nothing to S3. */
export const SLASHED = [
  '/leading.csv',
  '//two.csv',
  '../up.csv',
  'in/../../up.csv',
  './dot.csv',
  'in//empty part.csv',
  'a b/c+d/100%/%2F.csv',
  'ä/😀\n/x.csv',
];

let buckets = 0;

/**
 * A fresh bucket, and a source over all of it. The root is hidden by deleting the bucket, and comes back with what it
 * held.
 */
export async function s3Harness(server: Login & { readonly client: S3 }): Promise<S3Harness> {
  const bucket = `tallyman-${process.pid}-${Date.now()}-${++buckets}`;
  const { client } = server;
  await client.createBucket({ Bucket: bucket });
  const keys = async (): Promise<string[]> => {
    const all: string[] = [];
    for (let token: string | undefined, more = true; more;) {
      const answer = await client.listObjectsV2({
        Bucket: bucket,
        EncodingType: 'url',
        ...(token === undefined ? {} : { ContinuationToken: token }),
      });
      all.push(...(answer.Contents ?? []).map((object) => decodeURIComponent((object.Key ?? '').replaceAll('+', ' '))));
      token = answer.NextContinuationToken;
      more = token !== undefined;
    }
    return all;
  };
  const read = async (key: string): Promise<string | null> => {
    try {
      const { Body } = await client.getObject({ Bucket: bucket, Key: key });
      return (await Body?.transformToString()) ?? '';
    } catch (error) {
      if (error instanceof Error && error.name === 'NoSuchKey') return null;
      throw error;
    }
  };
  const put = async (
    key: string,
    content: string | Buffer,
    metadata?: Readonly<Record<string, string>>,
  ): Promise<void> => {
    const Metadata = metadata === undefined ? {} : { Metadata: { ...metadata } };
    await client.putObject({ Bucket: bucket, Key: key, Body: content, ...Metadata });
  };
  const empty = async (): Promise<void> => {
    const all = await keys();
    for (let i = 0; i < all.length; i += 50)
      await Promise.all(all.slice(i, i + 50).map((key) => client.deleteObject({ Bucket: bucket, Key: key })));
  };
  const hidden = new Map<string, string>();
  return {
    bucket,
    source: (spec = {}, options = {}, limits = {}) =>
      openS3(
        { ...plainSpec, type: 's3', ...spec },
        sourceOptions.parse({ connection: 'lake', bucket, ...options }),
        connectionTo(server),
        { ...S3_LIMITS, ...limits },
      ),
    store: () => openStore(sourceOptions.parse({ connection: 'lake', bucket }), connectionTo(server)),
    put,
    overwrite: put,
    remove: async (key) => {
      await client.deleteObject({ Bucket: bucket, Key: key });
    },
    read,
    hideRoot: async () => {
      for (const key of await keys()) hidden.set(key, (await read(key)) ?? '');
      await empty();
      await client.deleteBucket({ Bucket: bucket });
    },
    showRoot: async () => {
      await client.createBucket({ Bucket: bucket });
      for (const [key, content] of hidden) await put(key, content);
    },
    hostileNames: [
      'with space.csv',
      'plus+and space.csv',
      'a?b#c&d=e.csv',
      '<xml>&"\'.csv',
      'line\nbreak.csv',
      'carriage\rreturn.csv',
      'tab\t.csv',
      'back\\slash\\..\\up.csv',
      '-rf.csv',
      '$(touch x);`ls`.csv',
      '*.csv',
      '[a-z]{1,2}.csv',
      '100%.csv',
      'a%20b.csv',
      'name%FF.csv',
      'name%25FF.csv',
      'ä-\u202Eright.csv',
      'a\u0308-decomposed.csv',
      'emoji-😀.csv',
      '__proto__',
      `${'x'.repeat(1_020)}.csv`,
      `${'é'.repeat(510)}.csv`,
    ],
    noPaths: ['', 'a\0.csv', 'x'.repeat(1_025)],
    close: async () => {
      await empty();
      await client.deleteBucket({ Bucket: bucket });
    },
  };
}
