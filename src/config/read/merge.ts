import type { ConfigNode, MapNode } from './tree.js';

/**
 * `defaults` under a feed, key by key (docs/spec/configuration.md#values): mappings merge, lists and scalars of the
 * feed replace. Two exceptions, because merging would only make nonsense there:
 * - a choice that is written as one key (`{ marker: .. }` / `{ manifest: .. }`, `{ move: .. }` / `{ tag: .. }`)
 *   replaces one with another key;
 * - `source` and `format` of another `type` than the defaults' take nothing of that type's own keys (`common` names the
 *   shared ones).
 */
export function mergeFeed(
  defaults: MapNode,
  feed: MapNode,
  common: { readonly source: ReadonlySet<string>; readonly format: ReadonlySet<string> },
): MapNode {
  const fitting = new Map(defaults.entries);
  for (const part of ['source', 'format'] as const) {
    const [mine, theirs] = [feed.entries.get(part), defaults.entries.get(part)];
    if (mine?.kind !== 'map' || theirs?.kind !== 'map' || !differ(mine.entries.get('type'), theirs.entries.get('type')))
      continue;
    fitting.set(part, { ...theirs, entries: new Map([...theirs.entries].filter(([key]) => common[part].has(key))) });
  }
  return mergeMaps({ ...defaults, entries: fitting }, feed);
}

const CHOICES: ReadonlySet<string> = new Set(['marker', 'manifest', 'move', 'tag']);

function mergeMaps(under: MapNode, over: MapNode): MapNode {
  if (isChoice(under) && isChoice(over) && onlyKey(under) !== onlyKey(over)) return over;
  const entries = new Map(under.entries);
  for (const [key, mine] of over.entries) {
    const theirs = entries.get(key);
    entries.set(key, theirs?.kind === 'map' && mine.kind === 'map' ? mergeMaps(theirs, mine) : mine);
  }
  return { ...over, entries };
}

const onlyKey = (node: MapNode): string | undefined =>
  node.entries.size === 1 ? [...node.entries.keys()][0] : undefined;

function isChoice(node: MapNode): boolean {
  const key = onlyKey(node);
  return key !== undefined && CHOICES.has(key);
}

const differ = (a: ConfigNode | undefined, b: ConfigNode | undefined): boolean =>
  a?.kind === 'scalar' && b?.kind === 'scalar' && a.value !== b.value;
