import type { AfterAction, AfterSpec } from '../../core/feed/after-action.js';
import type { SourceType } from '../../core/source.js';
import type { Problems } from '../problems/problem-list.js';
import type { FeedInput } from '../schema/schema-feed.js';
import { timeLetterProblem } from '../../base/time-letters.js';
import type { MapNode, Path } from '../read/tree.js';

const OUTCOMES = ['loaded', 'rejected', 'duplicate'] as const;

/** `after:` of a feed (docs/spec/after.md); null after a mistake. */
export function resolveAfter(
  input: FeedInput['after'],
  source: SourceType | null,
  feed: MapNode,
  problems: Problems,
): AfterSpec | null {
  const before = problems.count;
  const actions = OUTCOMES.map((outcome) => actionOf(input[outcome], source, feed, ['after', outcome], problems));
  const [loaded, rejected, duplicate] = actions;
  if (problems.count > before || loaded === undefined || rejected === undefined || duplicate === undefined) return null;
  return { loaded, rejected, duplicate };
}

function actionOf(
  input: FeedInput['after']['loaded'],
  source: SourceType | null,
  feed: MapNode,
  at: Path,
  problems: Problems,
): AfterAction {
  if (typeof input === 'string') return { kind: input };
  if ('move' in input) {
    const mistake = moveProblem(input.move);
    if (mistake !== null) problems.at(feed, [...at, 'move'], 'BAD_VALUE', mistake);
    return { kind: 'move', to: input.move.replace(/\/+$/, '') };
  }
  if (source !== null && source.canTag !== true)
    problems.at(
      feed,
      [...at, 'tag'],
      'CONFLICT',
      `a source of type ${source.type} has no tags.`,
      'Use leave, delete or { move: .. }.',
    );
  return { kind: 'tag', tags: input.tag };
}

/**
 * A target inside the watched folder is fine: move targets are never scanned. One outside it is not "relative to dir".
 */
function moveProblem(to: string): string | null {
  const letters = timeLetterProblem(to);
  if (letters !== null) return `${letters}.`;
  if (to.startsWith('/')) return 'the target is relative to the folder of the source, without / at the start.';
  if (to.split('/').includes('..')) return 'the target cannot leave the folder of the source.';
  if (/^[./]*$/.test(to)) return 'the target is the folder of the source itself.';
  return null;
}
