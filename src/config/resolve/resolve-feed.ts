import { Buffer } from 'node:buffer';
import type { FeedSpec } from '../../core/feed/feed.js';
import type { LimitsSpec } from '../../core/feed/limits.js';
import type { TableName, TargetSpec } from '../../core/feed/target.js';
import type { FormatType } from '../../core/format.js';
import type { WrittenFeed } from '../config.js';
import { moveTargets } from './move-targets.js';
import { suggestion } from '../../base/text/nearest.js';
import type { Watched } from './overlap.js';
import { parsePart, type PartRegistry } from '../schema/part-section.js';
import type { Problems } from '../problems/problem-list.js';
import { resolveAfter } from './resolve-after.js';
import { resolveDecrypt } from './resolve-decrypt.js';
import { checkControl, controlOf } from './resolve-control.js';
import { resolveColumns, type ResolvedColumns } from './resolve-columns.js';
import { resolveSource } from './resolve-source.js';
import { feedShape, type FeedInput } from '../schema/schema-feed.js';
import type { Surroundings } from '../read/secrets.js';
import type { MapNode } from '../read/tree.js';
import { isMap, parseKeys } from '../schema/validate.js';

/** Keys of a feed that are looked at piece by piece. */
export const FEED_SECTIONS = ['source', 'format', 'columns'] as const;

export interface FeedSurroundings extends Surroundings {
  readonly parts: PartRegistry;
  /** Names of `connections:` with their types; null = the entry has a mistake. */
  readonly connections: ReadonlyMap<string, string | null>;
  readonly stagingSchema: string;
  readonly feedNames: ReadonlySet<string>;
}

export interface ResolvedFeed {
  /** null after a mistake. */
  readonly spec: FeedSpec | null;
  readonly written: WrittenFeed | null;
  /** null when the source has a mistake. */
  readonly watched: Watched | null;
}

type Keys = { readonly [K in keyof FeedInput]?: FeedInput[K] };

/** What counts as the same file, and what becomes of one. */
const sameness = (keys: Keys): Pick<FeedSpec, 'onDuplicate' | 'onChanged' | 'identity'> => ({
  onDuplicate: keys.on_duplicate ?? 'skip',
  onChanged: keys.on_changed ?? 'load',
  ...(keys.identity === 'bytes' && { identity: keys.identity }),
});

/**
 * One feed, `defaults` merged already. All its mistakes are reported; nothing is kept back because something else is
 * wrong.
 */
export function resolveFeed(name: string, node: MapNode, around: FeedSurroundings): ResolvedFeed {
  const { problems } = around;
  const before = problems.count;
  checkFeedName(name, node, problems);
  const keys = parseKeys(feedShape, node, problems, FEED_SECTIONS);
  const source = resolveSource(node, around.parts, around.connections, around);
  const format = resolveFormat(node, around);
  const timezone = keys.timezone ?? 'UTC';
  const columns = resolveColumns(node, timezone, problems);
  const after = keys.after === undefined ? null : resolveAfter(keys.after, source?.part ?? null, node, problems);
  const decrypt = keys.decrypt === undefined ? null : resolveDecrypt(keys.decrypt, node, around);
  checkCompression(keys, node, around);
  checkColumnNames(keys, columns, node, problems, format);
  if (format !== null) checkContract(format.part, columns, node, problems);
  checkControl(keys.control, { source, format, columns, feed: node }, problems);
  checkRetry(keys, node, problems);
  checkFormerly(name, keys, node, around);
  const target = resolveTarget(name, keys, node, around);
  const sidecar = keys.control?.checksum;
  const place =
    source === null
      ? null
      : {
          ...source.spec,
          exclude: after === null ? [] : moveTargets(after),
          ...(sidecar === undefined ? {} : { checksum: sidecar }),
        };
  const watched = place === null ? null : { name, node, source: place, after };
  if (
    problems.count > before ||
    source === null ||
    place === null ||
    format === null ||
    after === null ||
    target === null
  )
    return { spec: null, written: null, watched };
  const contract = columns.kind === 'list';
  const snapshot = target.mode === 'replace_all';
  const spec: FeedSpec = {
    name,
    source: place,
    format: { type: format.part.type, options: format.options },
    compression: keys.compression ?? 'auto',
    maxExpansion: { ratio: keys.max_expansion?.ratio ?? 200, bytes: keys.max_expansion?.size ?? 100e9 },
    ...(decrypt === null ? {} : { decrypt }),
    members: keys.members ?? null,
    columns: columns.kind === 'list' ? columns.specs : null,
    unique: keys.unique ?? [],
    onUnknownColumn: keys.on_unknown_column ?? (contract ? (format.part.unknownColumn ?? 'reject') : 'add'),
    onMissingColumn: keys.on_missing_column ?? (contract ? 'reject' : 'fill_null'),
    ...sameness(keys),
    control: controlOf(keys.control),
    limits: limitsOf(keys, target),
    target,
    order: snapshot ? 'newest' : 'arrival',
    serial: snapshot,
    after,
    retry: {
      attempts: keys.retry?.attempts ?? 5,
      backoffMs: keys.retry?.backoff ?? 10_000,
      maxBackoffMs: Math.max(keys.retry?.max_backoff ?? 600_000, keys.retry?.backoff ?? 0),
    },
    names: keys.names ?? 'snake',
    timezone,
    formerly: keys.formerly ?? null,
  };
  return { spec, written: { source: source.written, format: format.written, patterns: source.patterns }, watched };
}

function resolveFormat(
  feed: MapNode,
  around: FeedSurroundings,
): {
  readonly part: FormatType;
  readonly options: Readonly<Record<string, unknown>>;
  readonly written: Readonly<Record<string, unknown>>;
} | null {
  const { problems } = around;
  const node = feed.entries.get('format');
  if (node === undefined)
    problems.at(
      feed,
      ['format', 'type'],
      'MISSING_KEY',
      'is required.',
      `One of ${around.parts.formats.map((f) => f.type).join(', ')}.`,
    );
  if (node === undefined || !isMap(node, problems)) return null;
  const kind = { word: 'format', types: around.parts.formats, schemaOf: (part: FormatType) => part.options };
  const { part, options, written } = parsePart({}, kind, node, problems);
  if (part === undefined || options === undefined) return null;
  for (const { key, message, hint } of part.unused?.(options) ?? [])
    problems.warn(node, [key], 'NO_EFFECT', message, hint);

  // What a preset gives is shown as it is, not as it would be without one.
  const preset = Object.entries(options).filter(([key]) => key in written && !node.entries.has(key));
  return {
    part,
    options,
    written: node.entries.has('preset') ? { ...written, ...Object.fromEntries(preset) } : written,
  };
}

function checkFeedName(name: string, node: MapNode, problems: Problems): void {
  // A feed's name stands in tables, metrics, file names of exports and on command lines.
  if (name === 'none')
    problems.at(node, [], 'BAD_VALUE', 'a feed cannot be called none: formerly: none means something else.');
  else if (name.trim() !== name || name === '' || /\p{Cc}/u.test(name) || name.length > 100)
    problems.at(
      node,
      [],
      'BAD_VALUE',
      'a name has 1 to 100 characters, no blanks around them and no control characters.',
    );
}

function checkCompression(keys: Keys, node: MapNode, { parts, problems }: FeedSurroundings): void {
  const names = ['auto', 'none', ...parts.decoders.map((d) => d.name)];
  if (keys.compression === undefined || names.includes(keys.compression)) return;
  problems.at(
    node,
    ['compression'],
    'UNKNOWN_NAME',
    `there is no compression ${keys.compression}.`,
    suggestion(keys.compression, names, 'There are'),
  );
}

/** What is rescued has a column of its own: unknown columns, and cells behind the last one (`long_rows`). */
function checkRescue(
  keys: Keys,
  columns: ResolvedColumns,
  format: WrittenFormat,
  node: MapNode,
  problems: Problems,
): void {
  const unknown = keys.on_unknown_column === 'rescue';
  const longRows = format?.options['long_rows'] === 'rescue';
  if (columns.kind === 'none' || !(unknown || longRows) || !columns.names.has('_rescued')) return;
  problems.at(
    node,
    unknown ? ['on_unknown_column'] : ['format', 'long_rows'],
    'RESERVED_COLUMN',
    'rescue fills a column _rescued of its own, and the contract has one.',
    'Give that column another name.',
  );
}

type WrittenFormat = ReturnType<typeof resolveFormat>;

/** Names of columns in other keys, and policies that columns make void. */
function checkColumnNames(
  keys: Keys,
  columns: ResolvedColumns,
  node: MapNode,
  problems: Problems,
  format: WrittenFormat,
): void {
  checkRescue(keys, columns, format, node, problems);
  if (columns.kind === 'none') {
    if ((keys.unique ?? []).length > 0)
      problems.at(
        node,
        ['unique'],
        'CONFLICT',
        'unique needs columns: without a contract nobody knows which columns come.',
      );
    return;
  }
  (keys.unique ?? []).forEach((key, i) => {
    key.forEach((column, j) => {
      if (!columns.names.has(column))
        problems.at(
          node,
          ['unique', i, j],
          'UNKNOWN_NAME',
          `there is no column ${column}.`,
          suggestion(column, [...columns.names], 'Columns'),
        );
      else if (key.indexOf(column) < j)
        problems.at(node, ['unique', i, j], 'CONFLICT', `column ${column} stands twice in the key.`);
    });
  });
  if (keys.on_missing_column === 'fill_null' && columns.complete && columns.specs.every((c) => c.required)) {
    problems.warn(
      node,
      ['on_missing_column'],
      'NO_EFFECT',
      'every column is required, and required columns are never filled with NULL.',
      'A file that lacks one is rejected all the same.',
    );
  }
}

/** What only the format knows to be wrong with the columns. Not asked while a column has a mistake of its own. */
function checkContract(format: FormatType, columns: ResolvedColumns, node: MapNode, problems: Problems): void {
  if (columns.kind === 'list' && !columns.complete) return;
  for (const { column, key, message, hint } of format.contractProblems?.(
    columns.kind === 'list' ? columns.specs : null,
  ) ?? []) {
    problems.at(
      node,
      ['columns', ...(column === null ? [] : [column]), ...(key === null ? [] : [key])],
      key === null ? 'MISSING_KEY' : 'CONFLICT',
      message,
      hint,
    );
  }
}

function checkRetry({ retry }: Keys, node: MapNode, problems: Problems): void {
  const written = node.entries.get('retry');
  // Omitted, max_backoff gives way: 1h after the first attempt is no contradiction to a default that nobody wrote.
  const said = written?.kind === 'map' && written.entries.has('max_backoff');
  if (said && retry !== undefined && retry.backoff > retry.max_backoff)
    problems.at(node, ['retry', 'backoff'], 'CONFLICT', 'backoff is longer than max_backoff.');
}

function checkFormerly(
  name: string,
  { formerly }: Keys,
  node: MapNode,
  { feedNames, problems }: FeedSurroundings,
): void {
  if (formerly === undefined || formerly === 'none') return;
  if (formerly === name) problems.at(node, ['formerly'], 'CONFLICT', 'this is the feed itself.');
  else if (feedNames.has(formerly))
    problems.at(
      node,
      ['formerly'],
      'CONFLICT',
      `feed ${formerly} is still there.`,
      'Only a feed that has gone can go over to another.',
    );
}

/** `table` or `schema.table`. The feed's own name is one name, dots and all. */
function resolveTarget(
  name: string,
  { target }: Keys,
  node: MapNode,
  { stagingSchema, problems }: FeedSurroundings,
): TargetSpec | null {
  if (target === undefined) return null;
  const formerly = (target.formerly ?? []).map((former, i) =>
    formerTable(former, i, node, { stagingSchema, problems }),
  );
  const written = target.table === undefined ? [name] : target.table.split('.');
  const table = written.at(-1) ?? '';
  const schema = written.length === 2 ? (written[0] ?? '') : stagingSchema;
  const tooLong = [schema, table].find((part) => Buffer.byteLength(part) > 63);
  if (written.length > 2 || written.includes(''))
    problems.at(node, ['target', 'table'], 'BAD_VALUE', 'must be table or schema.table.');
  else if (tooLong !== undefined)
    problems.at(
      node,
      ['target', 'table'],
      'BAD_VALUE',
      `${tooLong} is longer than 63 bytes, PostgreSQL would cut it.`,
      target.table === undefined ? 'Set target.table.' : '',
    );
  else {
    const itself = formerly.findIndex((one) => one.schema === schema && one.table === table);
    if (itself >= 0)
      problems.at(node, ['target', 'formerly', itself], 'CONFLICT', `${schema}.${table} is the name of today.`);
    else
      return {
        schema,
        table,
        mode: target.mode,
        create: target.create,
        loadIndex: target.load_index,
        ...(formerly.length === 0 ? {} : { formerly }),
      };
  }
  return null;
}

function formerTable(
  written: string,
  i: number,
  node: MapNode,
  { stagingSchema, problems }: Pick<FeedSurroundings, 'stagingSchema' | 'problems'>,
): TableName {
  const parts = written.split('.');
  if (parts.length > 2 || parts.includes(''))
    problems.at(node, ['target', 'formerly', i], 'BAD_VALUE', 'must be table or schema.table.');
  return { schema: parts.length === 2 ? (parts[0] ?? '') : stagingSchema, table: parts.at(-1) ?? '' };
}

function limitsOf({ limits }: Keys, target: TargetSpec): LimitsSpec {
  return {
    badRows: limits?.bad_rows ?? null,
    // null is a value here: no limit.
    badRatio: limits === undefined ? 0.5 : limits.bad_ratio,
    minRows: limits?.min_rows ?? (target.mode === 'replace_all' ? 1 : 0),
    databaseRows: limits?.database_rows ?? 10_000,
    unterminated: limits?.unterminated ?? 'warn',
  };
}
