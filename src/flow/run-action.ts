import { TallymanError } from '../core/errors.js';
import { YOUNG, type SeenFile } from '../core/file.js';
import { standsAs, type FileEntry } from '../core/entry.js';
import type { PlannedAction } from '../core/ledger/outbox.js';
import type { Source } from '../core/source.js';
import { splitVersions } from '../sources/common/companion.js';

export interface ActionOutcome {
  /** For people: what was done. */
  readonly detail: string;
  /** Where a moved file is now. */
  readonly movedTo: SeenFile | null;
}

/** What an action finds when it is not the version's turn any more. */
export const isGoneOrOther = (error: unknown): boolean => error instanceof TallymanError && error.blame === 'version';

/**
 * One after action on exactly the version that the entry stands for; then the same on its marker or manifest. May be
 * run again after a crash anywhere in it. Throws FILE_VANISHED, FILE_CHANGED or FILE_NOT_TAKEN when the version is not
 * there, anything else when it is to be tried again.
 */
export async function runAction(source: Source, action: PlannedAction, entry: FileEntry): Promise<ActionOutcome> {
  // A rejected file that was moved, taken again and loaded: its bytes are where the first action put them.
  const file = standsAs(entry);
  switch (action.kind) {
    case 'delete': {
      const detail = await removed(source, file);
      return {
        detail: detail + (await takeAlong(source, action, entry, (companion) => source.remove(companion))),
        movedTo: null,
      };
    }
    case 'move': {
      const suffix = String(entry.fileId);
      const path = await source.move(file, action.argument, suffix, entry.file.path);
      const along = await takeAlong(source, action, entry, (companion) =>
        source.move(companion, action.argument, suffix),
      );
      return { detail: `moved to ${path}${along}`, movedTo: await source.statMarker(path) };
    }
    case 'tag':
      if (source.tag === undefined) throw new TallymanError('FILE_NOT_TAKEN', `a ${source.type} source has no tags`);
      await source.tag(file, tagsOf(action.argument));
      return { detail: 'tagged', movedTo: null };
  }
}

/** What is gone need not be deleted: a try before this one may have done it and died before it could say so. */
async function removed(source: Source, file: SeenFile): Promise<string> {
  try {
    await source.remove(file);
    return 'deleted';
  } catch (error) {
    if (error instanceof TallymanError && error.code === 'FILE_VANISHED') return 'gone already';
    throw error;
  }
}

/**
 * The file first, its companions behind it: a crash between the two leaves a marker without a file, which releases
 * nothing. When the name has a new file by now, or the marker is not the one that released ours, the marker is the new
 * file's and stays. One that was young then and is no longer is the same.
 */
async function takeAlong(
  source: Source,
  action: PlannedAction,
  entry: FileEntry,
  act: (companion: SeenFile) => Promise<unknown>,
): Promise<string> {
  let told = '';
  const released = entry.marker === null ? null : splitVersions(entry.marker);
  for (const path of action.companions) {
    try {
      const companion = await source.statMarker(path);
      if (companion === null) continue;
      const isOther =
        released !== null && !released.includes(companion.version) && !released.includes(companion.version + YOUNG);
      const isNewer = isOther || (await source.statMarker(entry.file.path)) !== null;
      if (isNewer) told += `; ${path} stays, it is newer`;
      else {
        await act(companion);
        told += `, with ${path}`;
      }
    } catch (error) {
      if (!isGoneOrOther(error)) throw error;
      told += `; ${path} stays, it has just changed`;
    }
  }
  return told;
}

/** As plannedAction wrote them: a JSON object of texts. */
function tagsOf(argument: string): Record<string, string> {
  const tags: unknown = JSON.parse(argument);
  if (typeof tags !== 'object' || tags === null)
    throw new TallymanError('INTERNAL', `${argument} is no object of tags`);
  return Object.fromEntries(Object.entries(tags).map(([key, value]) => [key, String(value)]));
}
