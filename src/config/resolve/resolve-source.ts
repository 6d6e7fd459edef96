import path from 'node:path';
import type { NamePattern, ReadySpec, SourceSpec } from '../../core/feed/source.js';
import { IGNORE_DEFAULTS } from './ignore-defaults.js';
import { takenAway } from '../../base/expression/glob-list.js';
import { editDistance } from '../../base/text/nearest.js';
import { parsePart, type PartRegistry } from '../schema/part-section.js';
import { warnOfCase } from './case-only.js';
import { canMeetNothing } from './overlap.js';
import { sourceShape, type SourceInput } from '../schema/schema-feed.js';
import type { Surroundings } from '../read/secrets.js';
import { hasTimeLetter, timeLetterProblem, timeLettersToGlob } from '../../base/time-letters.js';
import type { ConfigNode, MapNode, Path } from '../read/tree.js';
import { isMap } from '../schema/validate.js';
import type { SourceType } from '../../core/source.js';

export interface ResolvedSource {
  readonly part: SourceType;
  readonly spec: SourceSpec;
  readonly written: Readonly<Record<string, unknown>>;
  readonly patterns: readonly string[];
}

/**
 * `source:` of a feed; null after a mistake. `connections` gives the type of each entry, whether it is right or not.
 */
export function resolveSource(
  feed: MapNode,
  parts: PartRegistry,
  connections: ReadonlyMap<string, string | null>,
  around: Surroundings,
): ResolvedSource | null {
  const { problems } = around;
  const node = feed.entries.get('source');
  if (node === undefined) problems.at(feed, ['source'], 'MISSING_KEY', 'is required.');
  if (node === undefined || !isMap(node, problems)) return null;
  const before = problems.count;
  const kind = {
    word: 'source',
    types: parts.sources,
    schemaOf: (part: SourceType) => part.options,
    prepare: absolutePaths(around.base),
  };
  const { common, part, options, written } = parsePart(sourceShape, kind, node, problems);
  checkGlobs(common, node, around);
  const ready = common.ready === undefined ? null : readyOf(common.ready, node, around);
  if (part !== undefined && options !== undefined) checkConnection(part, options, node, connections, around);
  if (part === undefined || options === undefined || ready === null || problems.count > before) return null;
  const { pattern = [], ignore = [], ignore_case: ignoreCase = false, ignore_defaults: ignoreDefaults = true } = common;
  const lettered = pattern.filter((glob) => hasTimeLetter(glob) && takenAway(glob) === null);
  const spec: SourceSpec = {
    type: part.type,
    options,
    patterns: pattern.map(timeLettersToGlob),
    ...(lettered.length === 0
      ? {}
      : { named: lettered.map((captures): NamePattern => ({ glob: timeLettersToGlob(captures), captures })) }),
    ignoreCase,
    recursive: common.recursive ?? part.defaults.recursive,
    ignore: ignore.map(timeLettersToGlob),
    ...(ignoreDefaults ? { ignoreAnyCase: IGNORE_DEFAULTS } : {}),
    pollMs: common.poll ?? part.defaults.pollMs,
    settleMs: common.settle ?? part.defaults.settleMs,
    ready,
  };
  warnOfPatterns(spec, pattern, feed, around);
  return { part, spec, written, patterns: pattern };
}

/** Paths in a part's options are relative to the config file. */
export const absolutePaths =
  (base: string) =>
  (
    part: { readonly pathOptions: readonly string[] },
    plain: Readonly<Record<string, unknown>>,
  ): Readonly<Record<string, unknown>> =>
    Object.fromEntries(
      Object.entries(plain).map(([key, value]) => [
        key,
        part.pathOptions.includes(key) && typeof value === 'string' && value !== '' ? path.resolve(base, value) : value,
      ]),
    );

type Common = { readonly [K in keyof SourceInput]?: SourceInput[K] };

function checkGlobs(common: Common, node: MapNode, { problems }: Surroundings): void {
  for (const key of ['pattern', 'ignore'] as const) {
    const globs = common[key] ?? [];
    globs.forEach((glob, i) => {
      const at = itemPath(node, key, i);
      const away = takenAway(glob);
      // The built-in ignores stand before the first one.
      const first = i === 0 && (key === 'pattern' || common.ignore_defaults === false);
      if (away !== null && (first || away === '' || away.startsWith('!')))
        problems.at(
          node,
          at,
          'BAD_VALUE',
          first
            ? `${JSON.stringify(glob)} takes away from what stands before it, and nothing does.`
            : `${JSON.stringify(glob)} takes nothing away: one ! and a pattern is meant.`,
          key === 'pattern'
            ? `All but those: ["*", ${JSON.stringify(glob)}]; or say ignore: ${JSON.stringify(away)}.`
            : 'A name that begins with ! is written \\!.',
        );
      const mistake = timeLetterProblem(glob);
      if (mistake !== null) problems.at(node, at, 'BAD_VALUE', `${JSON.stringify(glob)}: ${mistake}.`);
      else if (/\[[^\]]*%(?!%)/.test(glob.replaceAll('%%', '')))
        problems.at(node, at, 'BAD_VALUE', 'a date letter cannot stand inside [ ].');
      else if ((away ?? glob).startsWith('/') || (away ?? glob).split('/').includes('..'))
        problems.at(node, at, 'BAD_VALUE', 'patterns begin in the folder of the source, without / and ..');
    });
  }
}

/** Where the i-th of one-or-many stands. */
function itemPath(node: MapNode, key: string, i: number): Path {
  return node.entries.get(key)?.kind === 'list' ? [key, i] : [key];
}

function checkConnection(
  part: SourceType,
  options: Readonly<Record<string, unknown>>,
  node: MapNode,
  connections: ReadonlyMap<string, string | null>,
  { problems }: Surroundings,
): void {
  const key = part.connectionOption;
  const name = key === null ? undefined : options[key];
  if (key === null || typeof name !== 'string') return;
  const type = connections.get(name);
  if (type === undefined) {
    problems.at(
      node,
      [key],
      'UNKNOWN_NAME',
      `there is no connection ${name}.`,
      connections.size === 0 ? 'Add it under connections.' : `There are ${[...connections.keys()].join(', ')}.`,
    );
  } else if (type !== null && type !== part.type) {
    problems.at(node, [key], 'CONFLICT', `connection ${name} is of type ${type}, the source of type ${part.type}.`);
  }
}

function readyOf(ready: SourceInput['ready'], node: MapNode, { problems }: Surroundings): ReadySpec | null {
  if (ready === 'always') return { kind: 'always' };
  if (typeof ready === 'string' && editDistance(ready.toLowerCase(), 'always') <= 2) {
    problems.at(
      node,
      ['ready'],
      'BAD_VALUE',
      `${ready} is no fixed name that anyone would use.`,
      'Did you mean always? A file of this name: { marker: .. }.',
    );
    return null;
  }
  const [spec, at]: [ReadySpec, Path] =
    typeof ready === 'string'
      ? [{ kind: 'marker', template: ready }, ['ready']]
      : 'marker' in ready
        ? [{ kind: 'marker', template: ready.marker }, ['ready', 'marker']]
        : [{ kind: 'manifest', template: ready.manifest }, ['ready', 'manifest']];
  const mistake = templateProblem(spec.template);
  if (mistake === null) return spec;
  problems.at(node, at, 'BAD_VALUE', mistake);
  return null;
}

export function templateProblem(template: string): string | null {
  const unknown = [...template.matchAll(/\{([^}]*)\}/g)].find(([, name]) => name !== 'name' && name !== 'stem');
  if (unknown !== undefined) return `${unknown[0]} is unknown: {name} = file name, {stem} = without extensions.`;
  if (template === '{name}') return 'this is the data file itself.';
  if (template.startsWith('/') || template.split('/').includes('..'))
    return 'the name is relative to the folder of the data file, without ..';
  return null;
}

/** Not wrong, but seldom meant. */
function warnOfPatterns(spec: SourceSpec, written: readonly string[], feed: MapNode, { problems }: Surroundings): void {
  const node: ConfigNode = feed.entries.get('source') ?? feed;
  if (!spec.ignoreCase)
    warnOfCase(
      'pattern',
      written,
      node,
      (i) => (node.kind === 'map' ? itemPath(node, 'pattern', i) : ['pattern']),
      problems,
    );
  written.forEach((pattern, i) => {
    if (takenAway(pattern) !== null) return;
    const at = node.kind === 'map' ? itemPath(node, 'pattern', i) : ['pattern'];
    if (canMeetNothing(spec, i)) {
      const deep = pattern.includes('/') && !spec.recursive;
      problems.warn(
        node,
        at,
        'NEVER_MATCHES',
        `${JSON.stringify(pattern)} can meet no file.`,
        deep
          ? 'With "/" it meets files in folders below: set recursive: true.'
          : 'All its names are ignored or taken away: see ignore, ignore_defaults and patterns with ! behind it.',
      );
    } else if (!/[*?[(]/.test(pattern) && !hasTimeLetter(pattern) && !feed.entries.has('on_changed')) {
      problems.warn(
        feed,
        ['source', ...at],
        'FIXED_NAME',
        `${JSON.stringify(pattern)} is one name for every delivery, and on_changed is unset: each new content is loaded beside the old.`,
        'Say on_changed: load, replace, hold or skip.',
      );
    }
  });
}
