import { storeOf } from './overlap.js';
import type { AfterSpec } from '../../core/feed/after-action.js';
import type { FeedSpec } from '../../core/feed/feed.js';
import type { SourceSpec } from '../../core/feed/source.js';

/** Folders that files are moved to, relative to the folder of the source, time letters not filled in. */
export const moveTargets = (after: AfterSpec): readonly string[] => [
  ...new Set(
    [after.loaded, after.rejected, after.duplicate].flatMap((action) => (action.kind === 'move' ? [action.to] : [])),
  ),
];

/**
 * Move targets are never scanned (docs/spec/after.md#move), by no feed whose folder holds them: `exclude` of each feed
 * gets those of the others. A feed whose own folder is a target, or lies in one, watches it on purpose and keeps its
 * files.
 */
export function shareMoveTargets(feeds: readonly FeedSpec[]): readonly FeedSpec[] {
  const movers = feeds.flatMap((feed) => moveTargets(feed.after).map((to) => ({ feed, to })));
  return feeds.map((feed) => {
    const foreign = movers.flatMap((mover) =>
      mover.feed === feed ? [] : (seenFrom(feed.source, mover.feed.source, mover.to) ?? []),
    );
    const exclude = [...new Set([...(feed.source.exclude ?? []), ...foreign])];
    return { ...feed, source: { ...feed.source, exclude } };
  });
}

/** The target `to` of `mover` as a path below the folder of `source`; null when it is not below it. */
function seenFrom(source: SourceSpec, mover: SourceSpec, to: string): string | null {
  const [mine, theirs] = [folderOf(source), folderOf(mover)];
  if (mine === null || theirs?.place !== mine.place) return null;
  const target = `${theirs.folder}${to}`;
  return target.startsWith(mine.folder) && target.length > mine.folder.length ? target.slice(mine.folder.length) : null;
}

/** A folder as a template: a literal % is written %%. */
function folderOf(source: SourceSpec): { readonly place: string; readonly folder: string } | null {
  const { dir } = source.options;
  if (typeof dir !== 'string') return null;
  const folder = dir.replaceAll('%', '%%');
  return { place: storeOf(source), folder: folder.endsWith('/') ? folder : `${folder}/` };
}
