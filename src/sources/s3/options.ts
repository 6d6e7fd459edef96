import * as z from 'zod';
import { text } from '../../config/schema/scalars.js';
import { Secret } from '../../core/secret.js';
import { checkPrefix, prefixOptions } from '../bucket/options.js';

const httpUrl = (what: string) =>
  text().superRefine((value, context) => {
    const issue = (message: string): void => context.addIssue({ code: 'custom', message });
    const url = URL.canParse(value) ? new URL(value) : null;
    if (url === null || !['http:', 'https:'].includes(url.protocol)) issue(`is no ${what}: write it as https://host`);
    else if (url.username !== '' || url.password !== '')
      issue('holds a login: write keys as access_key_id and secret_access_key');
  });

/** arn:aws:s3:REGION:ACCOUNT:accesspoint/NAME, in any partition. */
const ACCESS_POINT = /^arn:aws[a-z-]*:s3:[a-z0-9-]*:\d{12}:accesspoint[/:][A-Za-z0-9.-]+$/;

const events = () =>
  z.strictObject({
    sqs: httpUrl('address of a queue').describe(
      'URL of an SQS queue that gets the event notifications of the bucket, and that is for this feed alone.',
    ),
  });

/** `source:` of type s3. Made when a config has such a feed, as those of connections: it takes 15 ms. */
export const sourceOptions = z.lazy(() =>
  z
    .strictObject({
      connection: text().describe('Name of an entry of connections: of type s3.'),
      bucket: text()
        .refine(
          (name) => !name.includes('/') || ACCESS_POINT.test(name),
          'is no name of a bucket: put what comes behind the "/" under prefix',
        )
        .describe('The bucket in which files arrive, or the ARN of an access point of it.'),
      ...prefixOptions(),
      events: events()
        .optional()
        .describe(
          'Event notifications of the bucket, which make arrival prompt. The periodic listing stays the truth.',
        ),
    })
    .superRefine(checkPrefix)
    .superRefine(({ bucket, events: queue }, context) => {
      if (queue !== undefined && bucket.includes(':'))
        context.addIssue({
          code: 'custom',
          path: ['events'],
          message: 'needs the name of the bucket itself: events do not tell of access points',
        });
    }),
);
export type S3Options = z.output<typeof sourceOptions>;

const secretText = () => z.instanceof(Secret);

/** `connections:` of type s3. */
export const connectionOptions = z.lazy(() =>
  z
    .strictObject({
      region: text()
        .optional()
        .describe(
          'Region of the bucket. Default: what the AWS environment or profile says; us-east-1 with an endpoint of your own.',
        ),
      endpoint: httpUrl('address of a server').optional().describe('Address of an S3-compatible store. Default: AWS.'),
      force_path_style: z
        .boolean()
        .default(false)
        .describe('Bucket in the path instead of the host name: most stores other than AWS want it.'),
      ca: text()
        .optional()
        .describe(
          'Path of a PEM file with the authorities that sign the certificate of the store, besides the usual ones.',
        ),
      proxy: httpUrl('address of a proxy')
        .optional()
        .describe(
          'HTTP proxy that the store is reached through (CONNECT). Default: none, whatever the environment says.',
        ),
      anonymous: z
        .boolean()
        .default(false)
        .describe('Send requests without a login: buckets that are open to everybody.'),
      requester_pays: z
        .boolean()
        .default(false)
        .describe('Say with each request that we pay for it: buckets that ask for that.'),
      access_key_id: secretText()
        .optional()
        .describe('Access key. Default: the AWS chain (environment, profile, role of the host or container).'),
      secret_access_key: secretText().optional().describe('Secret of the access key.'),
      session_token: secretText().optional().describe('Session token of temporary keys.'),
    })
    .superRefine((value, context) => {
      const issue = (path: string, message: string): void =>
        context.addIssue({ code: 'custom', path: [path], message });
      if (value.access_key_id !== undefined && value.secret_access_key === undefined)
        issue('secret_access_key', 'is required beside access_key_id');
      if (value.access_key_id === undefined && value.secret_access_key !== undefined)
        issue('access_key_id', 'is required beside secret_access_key');
      if (value.anonymous && value.access_key_id !== undefined) issue('anonymous', 'cannot stand beside access_key_id');
      if (value.session_token !== undefined && value.access_key_id === undefined)
        issue('session_token', 'is of no use without access_key_id and secret_access_key');
    }),
);
export type S3Connection = z.output<typeof connectionOptions>;
