import type { FileEntry } from '../../core/entry.js';
import { TallymanError } from '../../core/errors.js';
import type { Arrival } from '../../core/ledger/arrivals.js';
import { backToEnd, wrongState, type Before, type Change } from './changes.js';

/** What an arrival means. */
export interface ArrivalPlan {
  readonly changes: readonly Change[];
  /** The path's newest entry serves for this look too; false = the look enters as a version of its own. */
  readonly known: boolean;
}

const NOTHING: ArrivalPlan = { changes: [], known: true };
const ENTERS: ArrivalPlan = { changes: [], known: false };

/**
 * A version has settled and is ready: what becomes of the path's newest entry, and does the version enter beside it? A
 * rule a function, the first that answers decides. `was`: the end that the newest entry had before it was taken again.
 */
export function planArrival(newest: FileEntry | null, was: Before | null, arrival: Arrival): ArrivalPlan {
  if (newest === null) return ENTERS;
  return (
    inHand(newest) ??
    standsAsSeen(newest, arrival) ??
    decided(newest) ??
    takenAgain(newest, was) ??
    overwritten(newest, arrival)
  );
}

/** A newest entry whose bytes are being read is looked at again after its end. */
function inHand({ state }: FileEntry): ArrivalPlan | null {
  return state === 'landing' || state === 'loading' ? NOTHING : null;
}

/**
 * A file that stands as it was seen is known. While nobody has read it, who came last works on it: a `load` of the same
 * file again, after the first one died.
 */
function standsAsSeen(newest: FileEntry, { file, owner }: Arrival): ArrivalPlan | null {
  if (newest.file.size !== file.size || newest.file.version !== file.version || !isInPlace(newest)) return null;
  if (newest.state !== 'discovered' || newest.owner === (owner ?? null)) return NOTHING;
  return { changes: [{ kind: 'set', fileId: newest.fileId, fields: { owner: owner ?? null } }], known: true };
}

/** What has ended, or is safe on local disk, keeps its entry; the new look is another version. */
function decided(newest: FileEntry): ArrivalPlan | null {
  return newest.state !== 'discovered' || newest.movedTo !== null ? ENTERS : null;
}

/** A version that an operator has taken again goes back to its earlier end when another stands in its place. */
function takenAgain(newest: FileEntry, was: Before | null): ArrivalPlan | null {
  if (newest.before === null) return null;
  return {
    changes: backToEnd(newest, was, 'its bytes are gone: another version stands under the path'),
    known: false,
  };
}

/**
 * Overwritten before it was read: nothing was decided about the old bytes and nobody can read them any more. The entry
 * goes on with the new ones.
 */
function overwritten({ fileId, file: old }: FileEntry, arrival: Arrival): ArrivalPlan {
  return {
    changes: [
      {
        kind: 'set',
        fileId,
        fields: {
          file: arrival.file,
          sha256: null,
          loadKey: null,
          attempts: 0,
          error: null,
          retryAt: null,
          waitFor: null,
          owner: arrival.owner ?? null,
          marker: arrival.marker ?? null,
          settleSeconds: arrival.settleSeconds,
          deaths: null,
        },
      },
      { kind: 'free-waiting', fileId },
      {
        kind: 'state',
        fileId,
        from: 'discovered',
        to: 'discovered',
        reason: `changed before it was read (${old.size} -> ${arrival.file.size} bytes)`,
      },
    ],
    known: true,
  };
}

const isInPlace = (entry: FileEntry): boolean =>
  entry.state !== 'vanished' && entry.state !== 'cleared' && entry.movedTo === null && !entry.deleted;

/**
 * Only what was never tried or decided can go without a trace, and only into an entry of its own path. null = it can;
 * else WRONG_STATE.
 */
export function absorbRefused(entry: FileEntry, present: FileEntry): TallymanError | null {
  if (entry.fileId === present.fileId || entry.attempts > 0 || entry.before !== null || entry.loadKey !== null)
    return wrongState(entry, 'it has a history of its own and cannot go without a trace');
  if (present.feed !== entry.feed || present.file.path !== entry.file.path)
    return new TallymanError('WRONG_STATE', `Files ${entry.fileId} and ${present.fileId} are not of one path.`);
  return null;
}
