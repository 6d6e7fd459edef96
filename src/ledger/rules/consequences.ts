import type { FileEntry } from '../../core/entry.js';
import { NO_ROWS } from '../../core/report.js';
import { isOpen } from '../../core/states.js';
import { takeAgain, type Change } from './changes.js';

/** The load that replaces: one of ours, or (fileId null) one that another instance wrote. */
export interface Replacing {
  readonly fileId: number | null;
  readonly loadKey: string | null;
  readonly path: string;
  readonly sha256: string | null;
}

/** What a load that was replaced means for its entry and for the duplicates of it. */
export interface SupersededPlan {
  readonly changes: readonly Change[];
  /** The entry has its end by this. */
  readonly ends: boolean;
  /** Its duplicates on other paths come back (planReopened, each). */
  readonly reopens: boolean;
}

/**
 * The receipt of `loadId` went in the transaction of another load: its entry is `superseded` with it. null = the entry
 * shows another load, nothing is to change. One that is just being taken again stays open, only its old rows are gone.
 * Same content: its duplicates are those of the new load; other content: they come back.
 */
export function planSuperseded(old: FileEntry, loadId: number, by: Replacing): SupersededPlan | null {
  const { fileId, state } = old;
  const wasLive = old.liveLoadId === loadId;
  if (!wasLive && !(state === 'cleared' && old.loadId === loadId)) return null;
  const ends = !isOpen(state);
  const sameContent = old.sha256 !== null && old.sha256 === by.sha256;
  return {
    changes: [
      { kind: 'set', fileId, fields: { live: null } },
      ...(ends
        ? [{ kind: 'state', fileId, from: state, to: 'superseded', reason: `replaced by ${nameOf(by)}` } as const]
        : []),
      ...(sameContent ? [{ kind: 'rename-original', from: fileId, to: by.fileId } as const] : []),
    ],
    ends,
    reopens: !sameContent,
  };
}

/**
 * When other content replaces a load, its duplicates on other paths come back as `discovered`. Their turn is a first
 * one: nothing of them was ever loaded.
 */
export function planReopened(duplicate: FileEntry, original: FileEntry, by: Replacing): readonly Change[] {
  const reason = `file ${original.fileId}, of the same content, was replaced by ${nameOf(by)}`;
  return [...takeAgain(duplicate, reason), { kind: 'set', fileId: duplicate.fileId, fields: { attempts: 0 } }];
}

/** A rejection whose receipt was replaced, told why. */
export const replacedBy = (by: Replacing): string => `replaced by ${nameOf(by)}`;

/**
 * A rejected or failed version that nobody need look at any more: `superseded`. Where only its reprocess was rejected,
 * the rows of the load before are in staging and stay there: it is `loaded` again.
 */
export function planBadSuperseded(
  bad: FileEntry,
  reason: string,
): { readonly changes: readonly Change[]; readonly ends: boolean } {
  const { fileId, state, liveLoadId } = bad;
  if (liveLoadId === null)
    return { changes: [{ kind: 'state', fileId, from: state, to: 'superseded', reason }], ends: true };
  return {
    changes: [
      { kind: 'show-live', fileId },
      { kind: 'detail', fileId, errors: [], drift: [] },
      { kind: 'state', fileId, from: state, to: 'loaded', reason: `${reason}; load ${liveLoadId} stays` },
    ],
    ends: false,
  };
}

/** Snapshot feeds: an older one that waits becomes `superseded` and touches nothing. */
export function planOlderSnapshot(old: FileEntry, by: FileEntry, now: string): readonly Change[] {
  const { fileId, state, rows } = old;
  return [
    {
      kind: 'set',
      fileId,
      fields: {
        finishedAt: now,
        waitFor: null,
        retryAt: null,
        before: null,
        rows: { ...rows, read: NO_ROWS.read, loaded: NO_ROWS.loaded, quarantined: NO_ROWS.quarantined },
      },
    },
    {
      kind: 'state',
      fileId,
      from: state,
      to: 'superseded',
      reason: `older than the snapshot that is loaded (file ${by.fileId})`,
    },
  ];
}

const nameOf = (by: Replacing): string => (by.fileId === null ? 'a load of another instance' : `file ${by.fileId}`);
