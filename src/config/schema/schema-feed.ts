import * as z from 'zod';
import { IGNORE_DEFAULTS } from '../resolve/ignore-defaults.js';
import { duration, oneOrMany, regex, secret, size, text, timeZone } from './scalars.js';

const POLL_LEAST_MS = 10;
const DAY_MS = 86_400_000;

/** Keys of `source:` that every source takes. The type's own keys come from its part. */
export const sourceShape = {
  pattern: oneOrMany(text())
    .prefault('*')
    .describe(
      'Glob (picomatch) after strftime letters became digits; one or a list. Without "/" it meets the file name, with "/" the path.',
    ),
  ignore_case: z.boolean().default(false).describe('Patterns meet names in any case.'),
  recursive: z.boolean().optional().describe('Looks into folders below. Default: local and sftp false, s3 true.'),
  ignore: oneOrMany(text()).optional().describe('Globs that are never data, beside the built-in ones; ! takes back.'),
  ignore_defaults: z
    .boolean()
    .default(true)
    .describe(`The built-in ignores, in any case: ${IGNORE_DEFAULTS.join(' ')}`),
  poll: duration({ min: POLL_LEAST_MS, max: 30 * DAY_MS })
    .optional()
    .describe('Time between full listings. Default 60s.'),
  settle: duration({ max: 30 * DAY_MS })
    .optional()
    .describe('Size and mtime seen unchanged for this long, by our own clock. Default: local 5s, sftp 10s, s3 0s.'),
  ready: z
    .union([
      text(),
      z.strictObject({
        marker: text().describe(
          'Name of the file whose arrival makes the data file ready; {name} = file name, {stem} = without extensions.',
        ),
      }),
      z.strictObject({
        manifest: text().describe('Name of the JSON file that comes with the data file; {name} and {stem} as above.'),
      }),
    ])
    .default('always')
    .describe(
      'When a file may be read: always, { marker: "{name}.done" }, { manifest: "{stem}.manifest.json" }, or a fixed name such as _SUCCESS.',
    ),
};

const action = () =>
  z.union([
    z.enum(['leave', 'delete']),
    z.strictObject({
      move: text().describe('Folder relative to dir (s3: the bucket); strftime letters are the commit time in UTC.'),
    }),
    z.strictObject({ tag: z.record(text(), z.string()).describe('Tags to put on the object (s3).') }),
  ]);

/** Keys under which a control file or an object's metadata says something. */
const said = () =>
  z.strictObject({
    rows: text().optional().describe('Key that holds the number of records.'),
    sha256: text().optional().describe('Key that holds the checksum.'),
    md5: text().optional().describe('Key that holds the MD5 checksum.'),
    sha1: text().optional().describe('Key that holds the SHA-1 checksum.'),
    sha512: text().optional().describe('Key that holds the SHA-512 checksum.'),
  });

/** Everything under `feeds.NAME` but source, format and columns, which are checked piece by piece. */
export const feedShape = {
  compression: text()
    .default('auto')
    .describe('auto (by magic bytes), none, gzip, zstd, bzip2, xz or zip. A name: anything else is refused.'),
  max_expansion: z
    .strictObject({
      ratio: z
        .number()
        .min(1)
        .default(200)
        .describe('Decoded bytes past the first 10MB may be this many times the delivered ones.'),
      size: size({ min: 1 }).prefault('100GB').describe('Decoded bytes in all.'),
    })
    .prefault({})
    .describe('Past either, a compressed file is taken for a bomb and rejected while it is read (EXPANSION_LIMIT).'),
  decrypt: z
    .strictObject({
      private_key: z
        .union([secret(), z.array(secret()).min(1, 'is an empty list')])
        .describe('Armored PGP private key, or a list of them (the old and the new one).'),
      passphrase: secret().optional().describe('Unlocks the private keys that are locked.'),
      verify: z
        .enum(['optional', 'required'])
        .default('optional')
        .describe(
          'required: the file must have a right signature by one of the signers. optional: a wrong one by a signer is refused, none is needed.',
        ),
      signers: oneOrMany(text()).default([]).describe('Files with the armored public keys of those who sign.'),
    })
    .optional()
    .describe('PGP (gpg): files are decrypted before all else, and nothing but encrypted files is taken.'),
  members: oneOrMany(text())
    .optional()
    .describe(
      'Globs of the members of a zip archive that are read, in its order. Without "/" they meet the name, with "/" the path. Default: all files in it but hidden ones.',
    ),
  unique: z.array(z.array(text()).min(1)).default([]).describe('Unique keys over several columns: [[a, b]].'),
  on_unknown_column: z
    .enum(['reject', 'ignore', 'add', 'rescue'])
    .optional()
    .describe(
      'A file column that the contract does not know: reject, ignore, add (as text, last), rescue (into a jsonb column _rescued). Default: reject; without columns add; JSON with columns ignore.',
    ),
  on_missing_column: z
    .enum(['reject', 'fill_null'])
    .optional()
    .describe(
      'A contract column that the file lacks; required columns always reject. Default: reject; without columns fill_null.',
    ),
  on_duplicate: z
    .enum(['skip', 'load', 'hold'])
    .default('skip')
    .describe('Content that was seen before under another path.'),
  on_changed: z
    .enum(['load', 'replace', 'hold', 'skip'])
    .optional()
    .describe(
      'New content under a path that is loaded: load as a further version, replace its earlier rows, hold, skip. Default: load.',
    ),
  identity: z
    .enum(['bytes', 'content'])
    .default('content')
    .describe(
      'When two files are the same: content (what is packed or encrypted in them is equal, however it was delivered) ' +
        'or bytes (they were delivered byte for byte equal).',
    ),
  control: z
    .strictObject({
      header: regex()
        .optional()
        .describe(
          'Regular expression of the first record, before the header line, with groups as trailer has them. The record is taken out of the data; absent = rejected.',
        ),
      trailer: regex()
        .optional()
        .describe(
          'Regular expression of the last non-blank record, with groups: (?<rows>..) and those that totals names. The record is taken out of the data; absent = rejected.',
        ),
      rows_offset: z
        .number()
        .int()
        .default(0)
        .describe('What the declared number counts beside data records (2 = header and trailer).'),
      manifest: said()
        .optional()
        .describe(
          'Keys of the control file that is named under source.ready: JSON (also a.b), lines of key=value, or CSV.',
        ),
      metadata: said()
        .optional()
        .describe('Keys of the metadata that is kept with the object (s3), without x-amz-meta-.'),
      checksum: text()
        .optional()
        .describe(
          'Name of the checksum file, such as "{name}.sha256" (md5, sha1, sha512) or SHA256SUMS. It is waited for like a marker.',
        ),
      totals: z
        .record(text(), text())
        .default({})
        .describe(
          'Column: name of its declared sum over all records read (group of header or trailer, or key of manifest or metadata).',
        ),
    })
    .optional()
    .describe('What the sender says the file holds; any that is present joins the tally.'),
  limits: z
    .strictObject({
      bad_rows: z
        .number()
        .int()
        .min(0)
        .nullable()
        .default(null)
        .describe('More bad rows than this reject the file, at once. null = no limit.'),
      bad_ratio: z
        .number()
        .min(0)
        .max(1)
        .nullable()
        .default(0.5)
        .describe('A greater share of bad rows rejects the file. null = no limit.'),
      min_rows: z
        .number()
        .int()
        .min(0)
        .optional()
        .describe('Fewer records reject the file. Default 0; mode replace_all 1.'),
      database_rows: z
        .number()
        .int()
        .min(0)
        .default(10_000)
        .describe('More rows that only PostgreSQL refused reject the file.'),
      unterminated: z
        .enum(['warn', 'reject'])
        .default('warn')
        .describe(
          'A text file whose last line has no line end. warn: loads, told as drift unless usual. reject: rejected.',
        ),
    })
    .prefault({})
    .describe('When a file as a whole is bad.'),
  target: z
    .strictObject({
      table: text()
        .optional()
        .describe("Staging table, or schema.table. Default: the feed's name, in database.staging_schema."),
      mode: z
        .enum(['append', 'replace_all'])
        .default('append')
        .describe('replace_all: a snapshot feed, each file replaces the one before.'),
      create: z.boolean().default(true).describe('Creates the table and adds missing nullable columns.'),
      load_index: z
        .enum(['none', 'brin', 'btree'])
        .default('none')
        .describe(
          'Index on _load_id, made together with the table: for feeds that often replace, and for tables from which old rows are deleted (new rows then fill old pages, and without an index they are counted by a scan of the whole table).',
        ),
      formerly: oneOrMany(text())
        .optional()
        .describe(
          'Former names (table or schema.table) of this very table, which was renamed or moved: loads whose ' +
            'receipts name them are found here.',
        ),
    })
    .prefault({})
    .describe('Where the rows go.'),
  after: z
    .strictObject({
      loaded: action().default('leave').describe('After a load.'),
      rejected: action().default('leave').describe('After a rejection.'),
      duplicate: action().default('leave').describe('For a file whose content is loaded already.'),
    })
    .prefault({})
    .describe(
      'What becomes of the file once its outcome is committed: leave, delete, { move: "done/%Y/%m" } or { tag: { .. } }.',
    ),
  retry: z
    .strictObject({
      attempts: z.number().int().min(1).max(1_000).default(5).describe('Attempts before a file is failed.'),
      backoff: duration({ min: 1, max: DAY_MS })
        .prefault('10s')
        .describe('Wait before the second attempt; it doubles each time.'),
      max_backoff: duration({ min: 1, max: 7 * DAY_MS })
        .prefault('10m')
        .describe('Longest wait.'),
    })
    .prefault({})
    .describe('How a file that failed is tried again.'),
  names: z
    .enum(['snake', 'keep'])
    .default('snake')
    .describe('Names made from headers: snake_case, or kept as they are.'),
  timezone: timeZone().default('UTC').describe('IANA zone of timestamptz values without an offset.'),
  formerly: text()
    .optional()
    .describe('Name of the feed that has gone and whose ledger and receipts go over to this one; or none.'),
};

export const sourceSchema = z.strictObject(sourceShape);
export type SourceInput = z.output<typeof sourceSchema>;
export const feedSchema = z.strictObject(feedShape);
export type FeedInput = z.output<typeof feedSchema>;
