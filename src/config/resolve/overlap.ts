import type { AfterSpec } from '../../core/feed/after-action.js';
import type { SourceSpec } from '../../core/feed/source.js';
import { someTextMeets } from './glob-meet.js';
import { either, FLAT, FOLDERS, inOrder, literal, parseGlob, type Glob } from './globs.js';
import type { Problems } from '../problems/problem-list.js';
import { IGNORE_DEFAULTS } from './ignore-defaults.js';
import { takenAway } from '../../base/expression/glob-list.js';
import { hasTimeLetter, timeLettersToGlob } from '../../base/time-letters.js';
import type { ConfigNode } from '../read/tree.js';

/** What the check for overlapping feeds needs of one. */
export interface Watched {
  readonly name: string;
  readonly node: ConfigNode;
  readonly source: SourceSpec;
  /** null when `after` itself has a mistake. */
  readonly after: AfterSpec | null;
}

/**
 * Two feeds may take the same file only when both leave it where it is: else one moves or deletes it under the other
 * (docs/spec/configuration.md#overlapping-feeds). They can meet when one folder is the other or lies in it, and some
 * path meets a pattern of both and an ignore of neither. Symbolic links between folders, and two connections to one
 * server, are not seen.
 */
export function checkOverlaps(feeds: readonly Watched[], problems: Problems): void {
  const areas = feeds.map((feed) => ({
    ...feed,
    area: areaOf(feed.source),
    moves: feed.after === null ? null : firstMove(feed.after),
  }));
  const told = new Map<string, number>();
  areas.forEach((one, i) => {
    for (const other of areas.slice(i + 1)) {
      const mover = one.moves !== null ? one : other;
      const count = told.get(mover.name) ?? 0;
      if (mover.moves === null || count >= PARTNERS_TOLD || !mayMeet(one.area, other.area)) continue;
      const rest = mover === one ? other : one;
      told.set(mover.name, count + 1);
      problems.at(
        mover.node,
        ['after', mover.moves],
        'FEEDS_OVERLAP',
        `a file can belong to this feed and to ${rest.name}, which would find it gone.`,
        'Make dir and patterns (or ignore) disjoint, or set after to leave in both.',
      );
    }
  });
}

/** Of a pattern that meets those of a hundred feeds, these few say as much, and finding the others takes seconds. */
const PARTNERS_TOLD = 3;

const firstMove = (after: AfterSpec): string | null =>
  (['loaded', 'rejected', 'duplicate'] as const).find((outcome) => after[outcome].kind !== 'leave') ?? null;

interface Area {
  /** The same for two sources whose paths can be compared. */
  readonly store: string;
  /** "/" at the end, unless it is a prefix of keys. */
  readonly folder: string;
  readonly recursive: boolean;
  /** How every path of the source that is taken begins: to tell most pairs apart at once. */
  readonly head: string;
  /** Paths below `folder` that are taken: each meets all of `must` and none of `never` of one of these. */
  readonly ways: readonly Way[];
}

interface Way {
  readonly must: readonly Glob[];
  readonly never: readonly Glob[];
}

/**
 * Two sources with the same store can have the same file; options that say how to read it make no other place of it.
 */
export const storeOf = ({ type, options }: SourceSpec): string =>
  JSON.stringify([type, options['connection'] ?? null, options['bucket'] ?? null]);

/**
 * Sources with `dir` have paths below it; sources with `prefix` (object stores) have whole keys, which a pattern with
 * "/" meets as a whole.
 */
function areaOf(source: SourceSpec): Area {
  const { dir, prefix } = source.options;
  const store = storeOf(source);
  if (typeof dir !== 'string') {
    const start = typeof prefix === 'string' ? prefix : '';
    // Date letters in a prefix stand for the days that are looked at; everything else in it is literal.
    const keys = parseGlob(
      `${timeLettersToGlob(start.replace(/[\\*?+@!()[\]{}]/g, '\\$&'))}${source.recursive ? '**' : '*'}`,
      false,
    );
    const ways = waysOf(source, (p) => globOf(p, source.ignoreCase), [keys]);
    return { store, folder: '', recursive: true, head: start.replace(/%.*/s, ''), ways };
  }
  const folder = dir.endsWith('/') ? dir : `${dir}/`;
  const onlyNames =
    source.patterns.length === 1 && !source.recursive ? headOf(source.patterns[0]!, source.ignoreCase) : '';
  const ways = waysOf(
    source,
    (p) => (p.includes('/') || !source.recursive ? parseGlob(p, source.ignoreCase) : globOf(p, source.ignoreCase)),
    source.recursive ? [] : [FLAT],
  );
  return { store, folder, recursive: source.recursive, head: folder + onlyNames, ways };
}

/**
 * How a path comes to be taken: it meets a pattern and none of those that take away behind it; and it meets no ignore,
 * or one that takes it back and no ignore behind that.
 */
function waysOf(source: SourceSpec, parse: (pattern: string) => Glob, must: readonly Glob[]): readonly Way[] {
  const { patterns, ignore } = source;
  const away = (list: readonly string[], from: number): readonly string[] =>
    list.slice(from).flatMap((glob) => takenAway(glob) ?? []);
  const byPattern = new Map<number, { readonly adding: string[]; readonly minus: readonly string[] }>();
  patterns.forEach((pattern, i) => {
    if (takenAway(pattern) !== null) return;
    const minus = away(patterns, i);
    const one = byPattern.get(minus.length) ?? { adding: [], minus };
    one.adding.push(pattern);
    byPattern.set(minus.length, one);
  });
  const never = ignored(source, 0);
  const notIgnored: readonly Way[] = [
    { must: [], never: [...builtIn(source), ...never] },
    ...ignore.flatMap((glob, i): readonly Way[] => {
      const back = takenAway(glob);
      return back === null ? [] : [{ must: [globOf(back, source.ignoreCase)], never: ignored(source, i) }];
    }),
  ];
  const moved = (source.exclude ?? []).flatMap(belowTarget);
  return [...byPattern.values()].flatMap(({ adding, minus }) =>
    notIgnored.map((way) => ({
      must: [either(adding.map(parse)), ...must, ...way.must],
      never: [...minus.map(parse).filter((glob) => glob.exact), ...way.never, ...moved],
    })),
  );
}

const ANY_PATH: Glob = inOrder([FOLDERS, FLAT]);

/** Without "/" a glob meets the name in any folder. */
const globOf = (pattern: string, ignoreCase: boolean): Glob =>
  pattern.includes('/') ? parseGlob(pattern, ignoreCase) : inOrder([FOLDERS, parseGlob(pattern, ignoreCase)]);

/** The ignores that most feeds share are one and the same Glob, so that a search follows each once. */
const BUILT_IN = IGNORE_DEFAULTS.map((pattern) => globOf(pattern, true));

const builtIn = (source: SourceSpec): readonly Glob[] => (source.ignoreAnyCase === undefined ? [] : BUILT_IN);

/** Ignores that are not exactly understood are left out: they must not hide an overlap. */
const ignored = (source: SourceSpec, from: number): readonly Glob[] =>
  source.ignore
    .slice(from)
    .filter((glob) => takenAway(glob) === null)
    .map((glob) => globOf(glob, false))
    .filter((glob) => glob.exact);

/** Files that were moved are not taken again: all below the parts of a move target before its first date letter. */
function belowTarget(target: string): readonly Glob[] {
  const parts = target.split('/').filter((part) => part !== '' && part !== '.');
  const lettered = parts.findIndex(hasTimeLetter);
  const fixed = lettered < 0 ? parts : parts.slice(0, lettered);
  return fixed.length === 0 ? [] : [inOrder([literal(`${fixed.join('/').replaceAll('%%', '%')}/`), ANY_PATH])];
}

const headOf = (pattern: string, ignoreCase: boolean): string =>
  ignoreCase ? '' : (/^[^*?[\]{}()!+@\\]*/.exec(pattern)?.[0] ?? '');

function mayMeet(a: Area, b: Area): boolean {
  if (a.store !== b.store || !(a.head.startsWith(b.head) || b.head.startsWith(a.head))) return false;
  const [outer, inner] = a.folder.length <= b.folder.length ? [a, b] : [b, a];
  if (!inner.folder.startsWith(outer.folder) || (inner.folder !== outer.folder && !outer.recursive)) return false;
  // Paths of the inner folder as the outer one sees them.
  const below = literal(inner.folder.slice(outer.folder.length));
  const seen = (glob: Glob): Glob => (inner.folder === outer.folder ? glob : inOrder([below, glob]));
  return outer.ways.some((one) =>
    inner.ways.some((other) =>
      someTextMeets([...new Set([...one.must, ...other.must.map(seen)])], [...one.never, ...other.never.map(seen)]),
    ),
  );
}

/** True when no file of the source can meet its i-th pattern, for a warning. */
export function canMeetNothing(source: SourceSpec, i: number): boolean {
  const behind = source.patterns.slice(i + 1).filter((pattern) => takenAway(pattern) !== null);
  const { ways } = areaOf({ ...source, patterns: [source.patterns[i]!, ...behind] });
  return !ways.some(({ must, never }) => someTextMeets(must, never));
}
