import { stringify } from 'yaml';
import type { AfterAction } from '../core/feed/after-action.js';
import type { DecryptSpec } from '../core/feed/input.js';
import type { ColumnSpec } from '../core/feed/columns.js';
import type { FeedSpec } from '../core/feed/feed.js';
import type { ReadySpec, SourceSpec } from '../core/feed/source.js';
import type { ControlSpec, SaidKeys } from '../core/feed/control.js';
import { MASK, type Secret } from '../core/secret.js';
import type { Config, WrittenFeed } from './config.js';
import { maskUrls } from './mask.js';
import { formatDuration, formatSize } from '../base/units.js';

/**
 * The effective config as plain data in the words of the file: every default filled in, paths absolute, secrets masked
 * (`config print --json`).
 */
export function printableConfig(config: Config): Readonly<Record<string, unknown>> {
  const { database, daemon } = config;
  const masked = (secret: Secret | null): string | undefined => (secret === null ? undefined : MASK);
  return bare({
    version: config.version,
    data_dir: config.dataDir,
    host: config.host,
    landing: bare({
      max: config.landing.maxBytes === null ? undefined : formatSize(config.landing.maxBytes),
      keep: formatDuration(config.landing.keepMs),
    }),
    database: bare({
      url: database.url === null ? undefined : maskUrls(database.url.reveal()),
      embedded: database.embedded,
      password: masked(database.password),
      tls: bare({
        ca: database.tls.ca ?? undefined,
        cert: database.tls.cert ?? undefined,
        key: masked(database.tls.key),
      }),
      staging_schema: database.stagingSchema,
      control_schema: database.controlSchema,
    }),
    daemon: {
      concurrency: daemon.concurrency,
      drain_timeout: formatDuration(daemon.drainTimeoutMs),
      http:
        daemon.http === false
          ? false
          : bare({
              listen: `${daemon.http.host.includes(':') ? `[${daemon.http.host}]` : daemon.http.host}:${daemon.http.port}`,
              token: masked(daemon.http.token),
            }),
      log: daemon.log,
    },
    connections: Object.fromEntries(
      [...config.connections].map(([name, one]) => [name, { type: one.type, ...one.options }]),
    ),
    feeds: Object.fromEntries(config.feeds.map((feed) => [feed.name, printableFeed(feed, config)])),
  });
}

/** The same as YAML; once the masks are filled in it can be loaded again. */
export function printConfig(config: Config): string {
  const plain: unknown = JSON.parse(JSON.stringify(printableConfig(config)), (_key, value: unknown) =>
    typeof value === 'string' ? value.replaceAll('${', '$${') : value,
  );
  return stringify(plain, { lineWidth: 160, version: '1.2' });
}

function printableFeed(feed: FeedSpec, config: Config): Readonly<Record<string, unknown>> {
  const written = config.written.get(feed.name);
  return bare({
    source: printableSource(feed.source, written),
    format: { type: feed.format.type, ...written?.format },
    compression: feed.compression,
    max_expansion: { ratio: feed.maxExpansion.ratio, size: formatSize(feed.maxExpansion.bytes) },
    decrypt: feed.decrypt === undefined ? undefined : printableDecrypt(feed.decrypt),
    members: feed.members ?? undefined,
    columns: feed.columns === null ? 'text' : feed.columns.map(printableColumn),
    unique: feed.unique,
    on_unknown_column: feed.onUnknownColumn,
    on_missing_column: feed.onMissingColumn,
    on_duplicate: feed.onDuplicate,
    on_changed: feed.onChanged,
    identity: feed.identity ?? 'content',
    control: feed.control === null ? undefined : printableControl(feed.control),
    limits: {
      bad_rows: feed.limits.badRows,
      bad_ratio: feed.limits.badRatio,
      min_rows: feed.limits.minRows,
      database_rows: feed.limits.databaseRows,
      unterminated: feed.limits.unterminated ?? 'warn',
    },
    // Only a feed's own name can hold a dot, and then it is the default.
    target: {
      ...(feed.target.table.includes('.') ? {} : { table: `${feed.target.schema}.${feed.target.table}` }),
      mode: feed.target.mode,
      create: feed.target.create,
      load_index: feed.target.loadIndex,
      formerly: feed.target.formerly?.map((one) => `${one.schema}.${one.table}`),
    },
    after: {
      loaded: printableAction(feed.after.loaded),
      rejected: printableAction(feed.after.rejected),
      duplicate: printableAction(feed.after.duplicate),
    },
    retry: {
      attempts: feed.retry.attempts,
      backoff: formatDuration(feed.retry.backoffMs),
      max_backoff: formatDuration(feed.retry.maxBackoffMs),
    },
    names: feed.names,
    timezone: feed.timezone,
    formerly: feed.formerly ?? undefined,
  });
}

function printableSource(source: SourceSpec, written: WrittenFeed | undefined): Readonly<Record<string, unknown>> {
  return {
    type: source.type,
    // A part's schema may give other names than it takes, so its keys are shown as they were written, paths resolved.
    ...resolvedPaths(written?.source ?? {}, source.options),
    pattern: written?.patterns ?? source.patterns,
    ignore_case: source.ignoreCase,
    recursive: source.recursive,
    ignore: undefinedIfEmpty(source.ignore),
    ignore_defaults: source.ignoreAnyCase !== undefined,
    poll: formatDuration(source.pollMs),
    settle: formatDuration(source.settleMs),
    ready: printableReady(source.ready),
  };
}

function printableControl(control: ControlSpec): Readonly<Record<string, unknown>> {
  return bare({
    header: control.header ?? undefined,
    trailer: control.trailer ?? undefined,
    rows_offset: control.rowsOffset,
    manifest: printableKeys(control.manifest),
    metadata: printableKeys(control.metadata),
    checksum: control.checksum ?? undefined,
    totals: control.totals,
  });
}

function printableKeys(said: SaidKeys | null): unknown {
  return said === null
    ? undefined
    : bare({
        rows: said.rows ?? undefined,
        ...Object.fromEntries(said.digests.map(({ algorithm, key }) => [algorithm, key])),
      });
}

const printableDecrypt = ({ privateKeys, passphrase, verify, signers }: DecryptSpec): unknown =>
  bare({
    private_key: privateKeys.length === 1 ? MASK : privateKeys.map(() => MASK),
    passphrase: passphrase === null ? undefined : MASK,
    verify,
    signers: undefinedIfEmpty(signers.map(({ file }) => file)),
  });

function printableReady(ready: ReadySpec): unknown {
  return ready.kind === 'always' ? 'always' : { [ready.kind]: ready.template };
}

function printableAction(action: AfterAction): unknown {
  if (action.kind === 'move') return { move: action.to };
  return action.kind === 'tag' ? { tag: action.tags } : action.kind;
}

/** Only what differs from the default: a contract of 200 columns stays readable. */
export function printableColumn(column: ColumnSpec): Readonly<Record<string, unknown>> {
  const one = <T>(list: readonly T[]): T | readonly T[] | undefined => (list.length > 1 ? list : list[0]);
  const said = <T>(value: T | null | false): T | undefined => (value === null || value === false ? undefined : value);
  return bare({
    name: column.name,
    from: column.from.length === 1 && column.from[0] === column.name ? undefined : one(column.from),
    type: column.type,
    required: said(column.required),
    unique: said(column.unique),
    default: said(column.default),
    trim: said(column.trim),
    format: one(column.formats),
    timezone: said(column.timezone),
    locale: said(column.locale),
    decimal: column.decimal === '.' ? undefined : column.decimal,
    thousands: said(column.thousands),
    negative: column.negative ?? undefined,
    currency: undefinedIfEmpty(column.currency),
    percent: said(column.percent),
    round: said(column.round),
    true_values: said(column.trueValues),
    false_values: said(column.falseValues),
    min: said(column.min),
    max: said(column.max),
    min_length: said(column.minLength),
    max_length: said(column.maxLength),
    pattern: said(column.pattern),
    enum: said(column.enum),
    start: said(column.start),
    width: said(column.width),
  });
}

const undefinedIfEmpty = <T>(list: readonly T[]): readonly T[] | undefined => (list.length === 0 ? undefined : list);

const resolvedPaths = (
  written: Readonly<Record<string, unknown>>,
  options: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    Object.entries(written).map(([key, value]) => [
      key,
      typeof value === 'string' && typeof options[key] === 'string' ? options[key] : value,
    ]),
  );

const bare = (value: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined));
