import type { FileEntry } from '../core/entry.js';
import type { DriftNote } from '../core/format.js';
import type { FlowParts } from './flow-parts.js';

/** Versions of one path that are looked through. */
const MOST_VERSIONS = 1_000;

/**
 * A further version of its path that took nobody's place: the rows of the earlier ones stay, and what the versions have
 * in common now stands twice. That is what `on_changed: load` says, but seldom what was wanted.
 */
export async function rowsBeside(
  { ledger }: Pick<FlowParts, 'ledger'>,
  { feed, file, fileId }: FileEntry,
  replaced: readonly number[],
): Promise<readonly DriftNote[]> {
  const versions = await ledger.versions(feed, file.path, MOST_VERSIONS);
  const live = versions.filter(
    (other) => other.fileId !== fileId && other.liveLoadId !== null && !replaced.includes(other.liveLoadId),
  );
  const rows = live.reduce((sum, other) => sum + other.rows.loaded, 0);
  if (rows === 0) return [];
  const names = live.map((other) => other.fileId).slice(0, 5);
  const message =
    `${rows} row${rows === 1 ? '' : 's'} of earlier versions of this path (file ${names.join(', ')}` +
    `${live.length > names.length ? ' ...' : ''}) stand beside these; ` +
    `on_changed: replace would take their place, \`tallyman unload ${names[0] ?? 0}\` takes them out`;
  return [{ kind: 'beside', column: '', message }];
}
