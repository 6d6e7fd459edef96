import * as z from 'zod';
import { LOG_LEVELS } from '../config.js';
import { duration, identifier, secret, size, text } from './scalars.js';

const HOUR_MS = 3_600_000;

/** `database:`. */
export const databaseShape = {
  url: secret()
    .optional()
    .describe(
      "Connection URL of libpq: postgresql://user@host:5432/database?sslmode=verify-full. libpq's meanings of sslmode.",
    ),
  password: secret().optional().describe('Password, where the URL holds none.'),
  tls: z
    .strictObject({
      ca: text().optional().describe('Path of the certificate authority, PEM.'),
      cert: text().optional().describe('Path of the client certificate, PEM.'),
      key: text().optional().describe('Path of its key, PEM.'),
    })
    .prefault({})
    .describe('Certificates.'),
  embedded: z
    .boolean()
    .default(false)
    .describe('Instead of url: a real PostgreSQL from npm packages, kept in data_dir.'),
  staging_schema: identifier().default('staging').describe('Schema of staging tables whose feed names none.'),
  control_schema: identifier()
    .default('tallyman')
    .describe("Schema of tallyman's own tables: loads, quarantine, meta."),
};

/** `daemon:`. */
export const daemonShape = {
  concurrency: z.number().int().min(1).max(64).default(2).describe('Files loaded at once.'),
  drain_timeout: duration({ max: 24 * HOUR_MS })
    .prefault('60s')
    .describe('How long loads may go on after SIGTERM before they are rolled back.'),
  http: z
    .union([
      z.literal(false),
      z.strictObject({
        listen: text().default('127.0.0.1:8321').describe('HOST:PORT; [::1]:PORT for IPv6.'),
        token: secret().optional().describe('Bearer token. Required when listening on an address other than loopback.'),
      }),
    ])
    .prefault({})
    .describe('Health, metrics and API; false = none. `run --once` never listens.'),
  log: z
    .strictObject({
      level: z.enum(LOG_LEVELS).default('info').describe('Least important messages that are written.'),
      format: z
        .enum(['auto', 'pretty', 'json'])
        .default('auto')
        .describe('auto = pretty on a terminal, JSON elsewhere.'),
    })
    .prefault({})
    .describe('Messages, on stderr.'),
};

/** Top-level keys that are single values. */
export const rootShape = {
  version: z.literal(1).default(1).describe('Version of this format: 1.'),
  data_dir: text()
    .default('./tallyman-data')
    .describe('ledger.db, tallyman.lock, landing/, and postgres/ when embedded. Made with mode 0700.'),
  host: text()
    .optional()
    .describe(
      'Name of this host in receipts: a local file is known by feed, host and path. ' +
        "Default: the host's own name; set it where that name changes, as in a container.",
    ),
  landing: z
    .strictObject({
      max: size({ min: 1024 * 1024 })
        .optional()
        .describe(
          'Most that landed and kept files may take on disk; new landings wait, kept ones go first. Default: as much as the disk holds, less 64MiB.',
        ),
      keep: duration({ max: 3_650 * 24 * HOUR_MS })
        .prefault('0s')
        .describe(
          'How long a landed file is kept after its end, for `reprocess --from-landing` when the source has it no more. 0s: not at all.',
        ),
    })
    .prefault({})
    .describe('Remote files come to data_dir/landing before they are loaded.'),
};

export const databaseSchema = z.strictObject(databaseShape);
export type DatabaseInput = z.output<typeof databaseSchema>;
export const daemonSchema = z.strictObject(daemonShape);
export type DaemonInput = z.output<typeof daemonSchema>;

/** Descriptions of the sections that are put together piece by piece. */
export const SECTIONS = {
  database: 'PostgreSQL: url or embedded.',
  daemon: 'How `tallyman run` works.',
  connections: 'Servers that sources share, by name.',
  defaults: 'Keys of feeds that every feed takes unless it says otherwise: mappings merge, lists and scalars replace.',
  feeds: 'One kind of file each, by name.',
  source: 'Where the files arrive.',
  format: 'How the bytes are read.',
  columns: 'The contract: a list of columns. Absent, or text: every column of the file as text.',
} as const;

/** Named, not built yet (docs/spec/reserved.md). */
export const RESERVED_KEYS: ReadonlySet<string> = new Set([
  'expect',
  'notify',
  'archive',
  'prune',
  'publish',
  'console',
  'sensitive',
  'mask',
  'value',
  'lineage',
]);
