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
        .refine((name) => !name.includes('/'), 'is no name of a bucket: put what comes behind the "/" under prefix')
        .describe('The bucket in which files arrive.'),
      ...prefixOptions(),
      events: events()
        .optional()
        .describe(
          'Event notifications of the bucket, which make arrival prompt. The periodic listing stays the truth.',
        ),
    })
    .superRefine(checkPrefix),
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
      if (value.session_token !== undefined && value.access_key_id === undefined)
        issue('session_token', 'is of no use without access_key_id and secret_access_key');
    }),
);
export type S3Connection = z.output<typeof connectionOptions>;
