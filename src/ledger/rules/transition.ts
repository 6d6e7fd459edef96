import type { FileEntry } from '../../core/entry.js';
import type { EntryChange } from '../../core/ledger/requests.js';
import { NO_ROWS } from '../../core/report.js';
import type { FileState } from '../../core/states.js';
import { takeAgain, wrongState, type Change, type EntryFields } from './changes.js';

/** Nobody can say that a file is on its way or loaded: only work makes it so. */
const NEVER: readonly FileState[] = ['loading', 'landing', 'landed', 'loaded'];

/**
 * An operator's word is carried out (request-rules.ts says which is allowed). `liveReceipts`: load_keys of the entry's
 * own live receipts, asked for when it is to be `cleared`, or its load counts no more. Throws WRONG_STATE.
 */
export function planTransition(
  entry: FileEntry,
  to: FileState,
  change: EntryChange,
  liveReceipts: readonly string[],
  now: string,
): readonly Change[] {
  const { fileId, state } = entry;
  if (state === 'loading' || NEVER.includes(to)) throw wrongState(entry, `it cannot be made ${to}`);
  const { liveLoadId, ...rest } = change;
  const unloaded = liveLoadId === null;
  const said: EntryFields = { ...rest, ...(unloaded && { live: null, rows: NO_ROWS, error: null }) };
  return [
    ...(to === 'discovered'
      ? takeAgain(entry)
      : ended(entry, to, unloaded || to === 'cleared' ? liveReceipts : null, now)),
    { kind: 'set', fileId, fields: said },
  ];
}

/**
 * Only what leaves an end keeps the time at which it came there. `liveReceipts`: they are cleared with it; null = none.
 */
function ended(
  entry: FileEntry,
  to: FileState,
  liveReceipts: readonly string[] | null,
  now: string,
): readonly Change[] {
  const { fileId } = entry;
  const fields = { finishedAt: entry.finishedAt ?? now, retryAt: null, waitFor: null, owner: null, before: null };
  return [
    { kind: 'set', fileId, fields },
    ...(liveReceipts === null ? [] : cleared(entry, liveReceipts)),
    { kind: 'state', fileId, from: entry.state, to, reason: null },
  ];
}

/**
 * Its rows stay in staging until a later load of the path or content replaces them, so the entry keeps that load's id.
 */
function cleared({ fileId, liveLoadId }: FileEntry, liveReceipts: readonly string[]): readonly Change[] {
  return [
    ...(liveLoadId === null
      ? []
      : [
          ...liveReceipts.map((loadKey) => ({ kind: 'receipt-status', loadKey, status: 'cleared' }) as const),
          { kind: 'set', fileId, fields: { loadId: liveLoadId, live: null } } as const,
        ]),
    { kind: 'drop-actions', fileId, reason: 'the file was cleared' },
  ];
}
