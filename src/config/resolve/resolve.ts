import { hostname } from 'node:os';
import path from 'node:path';
import type { FeedSpec } from '../../core/feed/feed.js';
import { Secret } from '../../core/secret.js';
import type { Config, ConnectionConfig, WrittenFeed } from '../config.js';
import { mergeFeed } from '../read/merge.js';
import { shareMoveTargets } from './move-targets.js';
import { warnOfCase } from './case-only.js';
import { checkOverlaps, type Watched } from './overlap.js';
import { parsePart, type PartRegistry } from '../schema/part-section.js';
import type { Problems } from '../problems/problem-list.js';
import { resolveDaemon, resolveDatabase } from './resolve-server.js';
import { FEED_SECTIONS, resolveFeed } from './resolve-feed.js';
import { absolutePaths } from './resolve-source.js';
import { secret } from '../schema/scalars.js';
import { feedShape, sourceShape } from '../schema/schema-feed.js';
import { rootShape, SECTIONS } from '../schema/schema.js';
import { readSecret, type Surroundings } from '../read/secrets.js';
import { emptyMap, nodeAt, type ConfigNode, type MapNode } from '../read/tree.js';
import { isMap, parseKeys, parseNode } from '../schema/validate.js';
import type { SourceType } from '../../core/source.js';

const COMMON = { source: new Set(['type', ...Object.keys(sourceShape)]), format: new Set(['type']) };

/** The tree as a Config; null after any mistake. Every section is looked at, whatever is wrong in the others. */
export function resolve(root: ConfigNode, parts: PartRegistry, around: Surroundings): Config | null {
  const { problems } = around;
  if (!isMap(root, problems)) return null;
  const sections = Object.keys(SECTIONS).filter((key) => !FEED_SECTIONS.some((own) => own === key));
  const keys = parseKeys(rootShape, root, problems, sections);
  const database = resolveDatabase(root.entries.get('database') ?? emptyMap(root), root, parts, around);
  const daemon = resolveDaemon(section(root, 'daemon', problems) ?? emptyMap(root), around);
  const connections = resolveConnections(section(root, 'connections', problems), parts, around);
  const defaults = section(root, 'defaults', problems);
  // Also when there is no feed yet, or each feed says otherwise.
  if (defaults !== null) parseKeys(feedShape, defaults, problems, FEED_SECTIONS);
  const feeds = resolveFeeds(root, defaults, {
    ...around,
    parts,
    connections: connections.types,
    stagingSchema: database?.stagingSchema ?? 'staging',
  });
  if (
    problems.count > 0 ||
    database === null ||
    daemon === null ||
    keys.data_dir === undefined ||
    keys.landing === undefined
  )
    return null;
  return {
    version: 1,
    dataDir: path.resolve(around.base, keys.data_dir),
    host: keys.host ?? hostname(),
    landing: { maxBytes: keys.landing.max ?? null, keepMs: keys.landing.keep },
    database,
    daemon,
    feeds: shareMoveTargets(feeds.specs),
    connections: connections.entries,
    warnings: problems.warnings,
    unsetSecrets: problems.unsetSecrets,
    secrets: around.secrets,
    written: feeds.written,
  };
}

/** A mapping of the top level; `feeds:` with nothing behind it is as good as none. */
function section(root: MapNode, key: string, problems: Problems): MapNode | null {
  const node = root.entries.get(key);
  if (node === undefined || (node.kind === 'scalar' && node.value === null)) return null;
  return isMap(node, problems) ? node : null;
}

function resolveFeeds(
  root: MapNode,
  defaults: MapNode | null,
  around: Omit<Parameters<typeof resolveFeed>[2], 'feedNames'>,
): { readonly specs: readonly FeedSpec[]; readonly written: ReadonlyMap<string, WrittenFeed> } {
  const { problems } = around;
  const feeds = section(root, 'feeds', problems);
  const specs: FeedSpec[] = [];
  const written = new Map<string, WrittenFeed>();
  const watched: Watched[] = [];
  if (feeds === null || feeds.entries.size === 0) {
    problems.warn(root, ['feeds'], 'NO_EFFECT', 'there is no feed, so nothing is loaded.');
    return { specs, written };
  }
  const feedNames = new Set(feeds.entries.keys());
  for (const [name, node] of feeds.entries) {
    if (!isMap(node, problems)) continue;
    const feed = resolveFeed(name, defaults === null ? node : mergeFeed(defaults, node, COMMON), {
      ...around,
      feedNames,
    });
    if (feed.spec !== null) specs.push(feed.spec);
    if (feed.written !== null) written.set(name, feed.written);
    if (feed.watched !== null) watched.push(feed.watched);
  }
  const names = [...feedNames];
  warnOfCase('feed', names, feeds, (i) => [names[i]!], problems);
  checkOverlaps(watched, problems);
  return { specs, written };
}

interface Connections {
  readonly entries: ReadonlyMap<string, ConnectionConfig>;
  /** Every name that is written; null for an entry with a mistake, so that feeds that use it are not blamed too. */
  readonly types: ReadonlyMap<string, string | null>;
}

function resolveConnections(node: MapNode | null, parts: PartRegistry, around: Surroundings): Connections {
  const entries = new Map<string, ConnectionConfig>();
  const types = new Map<string, string | null>();
  const able = parts.sources.flatMap((source) =>
    source.connection === undefined ? [] : [{ ...source.connection, type: source.type }],
  );
  for (const [name, entry] of node?.entries ?? []) {
    types.set(name, null);
    if (!isMap(entry, around.problems)) continue;
    const kind = {
      word: 'connection',
      types: able,
      schemaOf: (part: (typeof able)[number]) => part.options,
      prepare: prepareConnection(around),
    };
    const { part, options } = parsePart({}, kind, entry, around.problems);
    if (part === undefined || options === undefined) continue;
    types.set(name, part.type);
    entries.set(name, { type: part.type, options });
  }
  return { entries, types };
}

/** Paths made absolute, secrets read: the type's schema sees Secret where a secret is. */
const prepareConnection =
  (around: Surroundings) =>
  (
    part: NonNullable<SourceType['connection']>,
    plain: Readonly<Record<string, unknown>>,
    node: MapNode,
  ): Readonly<Record<string, unknown>> => {
    const entries = Object.entries(absolutePaths(around.base)(part, plain)).map(([key, value]) => {
      const own = part.secretOptions.includes(key) ? nodeAt(node, [key]) : null;
      if (own === null) return [key, value] as const;
      const input = parseNode(secret(), own, around.problems);
      // A mistake is reported already: an empty Secret keeps the schema from telling another one here.
      return [key, input === undefined ? new Secret('') : readSecret(input, node, [key], around)] as const;
    });
    const options = Object.fromEntries(entries);
    return around.asks === true && part.unproven !== undefined ? part.unproven(options) : options;
  };
