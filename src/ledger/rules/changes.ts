import type { FileEntry } from '../../core/entry.js';
import { TallymanError } from '../../core/errors.js';
import type { SeenFile } from '../../core/file.js';
import type { DriftNote } from '../../core/format.js';
import type { EndOfFile } from '../../core/ledger/queue.js';
import type { ReceiptRef } from '../../core/receipts.js';
import type { ErrorGroup, ReportedError, RowCounts } from '../../core/report.js';
import { isOpen, type EndState, type FileState } from '../../core/states.js';

/**
 * What a rule decides is to become of the ledger, in this order. Rules are pure: a store loads what they ask for, locks
 * it, and applies their changes in one transaction, or none of them.
 */
export type Change =
  | { readonly kind: 'set'; readonly fileId: number; readonly fields: EntryFields }
  /**
   * With its line in the history (`reason` null: that of the whole change). Frees those that wait for the entry when it
   * is no longer on its way to an end. `from` = `to`: the line alone.
   */
  | {
      readonly kind: 'state';
      readonly fileId: number;
      readonly from: FileState;
      readonly to: FileState;
      readonly reason: string | null;
    }
  /** What is packed in the entry's bytes. */
  | { readonly kind: 'packed'; readonly fileId: number; readonly sha256: string; readonly content: string }
  /** Those that wait for this entry decide again. */
  | { readonly kind: 'free-waiting'; readonly fileId: number }
  | { readonly kind: 'plan-action'; readonly fileId: number; readonly action: NonNullable<EndOfFile['action']> }
  /** After actions that are still to be done are not done any more. */
  | { readonly kind: 'drop-actions'; readonly fileId: number; readonly reason: string }
  /** Replaces what is kept beside the entry. */
  | {
      readonly kind: 'detail';
      readonly fileId: number;
      readonly errors: readonly ErrorGroup[];
      readonly drift: readonly DriftNote[];
    }
  | {
      readonly kind: 'receipt';
      readonly fileId: number;
      readonly size: number;
      readonly loadKey: string;
      readonly loadId: number;
      readonly status: ReceiptRef['status'];
      readonly generation: number;
      readonly rows: RowCounts;
    }
  | { readonly kind: 'receipt-status'; readonly loadKey: string; readonly status: ReceiptRef['status'] }
  /** The entry shows key, generation and counts of its live load again, from that load's receipt. */
  | { readonly kind: 'show-live'; readonly fileId: number }
  /** Duplicates of one entry are those of another from now on; null = of a load of another instance. */
  | { readonly kind: 'rename-original'; readonly from: number; readonly to: number | null }
  /** The feed's newest load is that of this entry. */
  | { readonly kind: 'newest-load'; readonly fileId: number };

/** Fields of an entry, those that are omitted stay. */
export interface EntryFields {
  readonly file?: SeenFile;
  readonly sha256?: string | null;
  /** Its bytes are its content: nothing is packed in them. */
  readonly plain?: boolean;
  readonly attempts?: number;
  readonly generation?: number;
  readonly loadId?: number | null;
  readonly loadKey?: string | null;
  /** The live load and how many records it read. */
  readonly live?: { readonly loadId: number; readonly read: number } | null;
  readonly duplicateOf?: number | null;
  readonly replaces?: readonly number[];
  readonly released?: boolean;
  readonly duplicateAllowed?: boolean;
  readonly afterAction?: boolean;
  readonly landedPath?: string | null;
  readonly owner?: string | null;
  readonly marker?: string | null;
  readonly settleSeconds?: number;
  readonly seconds?: { readonly land: number; readonly load: number };
  readonly waitFor?: null;
  readonly before?: Before | null;
  readonly rows?: RowCounts;
  readonly error?: ReportedError | null;
  readonly finishedAt?: string | null;
  readonly retryAt?: null;
  /** Counted from nothing again. */
  readonly deaths?: null;
}

/** The end that an entry had before it was taken again. */
export interface Before {
  readonly state: EndState;
  readonly generation: number;
  readonly attempts: number;
  readonly finishedAt: string | null;
  readonly error: ReportedError | null;
}

export function wrongState(entry: FileEntry, wanted: string): TallymanError {
  return new TallymanError(
    'WRONG_STATE',
    `File ${entry.fileId} (${entry.feed}: ${entry.file.path}) is ${entry.state}; ${wanted}.`,
  );
}

/**
 * An end -> `discovered`: the end is remembered, its pending actions are dropped (a file that is to be loaded must not
 * be deleted under the load). Throws WRONG_STATE.
 */
export function takeAgain(entry: FileEntry, reason: string | null = null): readonly Change[] {
  const { fileId, state, generation, attempts, finishedAt, error } = entry;
  if (isOpen(state)) throw wrongState(entry, 'it is on its way already');
  return [
    {
      kind: 'set',
      fileId,
      fields: {
        before: { state, generation, attempts, finishedAt, error },
        finishedAt: null,
        retryAt: null,
        error: null,
        waitFor: null,
        duplicateOf: null,
        deaths: null,
      },
    },
    { kind: 'drop-actions', fileId, reason: 'the file is taken again' },
    { kind: 'state', fileId, from: state, to: 'discovered', reason },
  ];
}

/** What takeAgain did, undone. Throws WRONG_STATE. */
export function backToEnd(entry: FileEntry, was: Before | null, reason: string | null = null): readonly Change[] {
  const { fileId, state } = entry;
  if (was === null || !isOpen(state)) throw wrongState(entry, 'it has no earlier end to go back to');
  return [
    {
      kind: 'set',
      fileId,
      fields: {
        before: null,
        generation: was.generation,
        attempts: was.attempts,
        finishedAt: was.finishedAt,
        error: was.error,
        released: false,
        retryAt: null,
        waitFor: null,
        owner: null,
        landedPath: null,
      },
    },
    ...(was.state === 'loaded' && entry.liveLoadId !== null ? [{ kind: 'show-live', fileId } as const] : []),
    { kind: 'state', fileId, from: state, to: was.state, reason },
  ];
}
