import { TallymanError } from '../../core/errors.js';
import type { EntryChange, RequestKind } from '../../core/ledger/requests.js';
import type { FileEntry } from '../../core/entry.js';
import { END_STATES, type FileState } from '../../core/states.js';

interface Rule {
  /** States in which it can be carried out. */
  readonly from: readonly FileState[];
  /** States whose end it waits for: the file is being landed or loaded. */
  readonly after: readonly FileState[];
  readonly to: FileState;
  readonly change: (entry: FileEntry) => EntryChange;
}

const BUSY: readonly FileState[] = ['landing', 'landed', 'loading'];

/** A line a command (docs/spec/commands.md#requests). reprocess, clear and unload take any end state. */
const RULES: Readonly<Record<RequestKind, Rule>> = {
  retry: { from: ['failed', 'rejected'], after: [], to: 'discovered', change: () => ({ attempts: 0 }) },
  release: { from: ['held'], after: [], to: 'discovered', change: () => ({ attempts: 0, released: true }) },
  'release-replace': { from: ['held'], after: [], to: 'discovered', change: () => ({ attempts: 0, released: true }) },
  ignore: { from: ['held', 'failed', 'rejected'], after: [], to: 'ignored', change: () => ({}) },
  clear: { from: END_STATES, after: BUSY, to: 'cleared', change: () => ({}) },
  unload: { from: END_STATES, after: BUSY, to: 'ignored', change: () => ({ liveLoadId: null }) },
  reprocess: { from: END_STATES, after: BUSY, to: 'discovered', change: reprocessed },
};

/**
 * Keeps the file id, raises the generation, runs no second after action. It had its first one when it was loaded, or
 * when its bytes were moved.
 */
function reprocessed(entry: FileEntry): EntryChange {
  const hadAction =
    entry.liveLoadId !== null ||
    entry.movedTo !== null ||
    entry.deleted ||
    ['loaded', 'superseded', 'cleared'].includes(entry.state);
  return {
    attempts: 0,
    released: true,
    generation: entry.generation + 1,
    ...(hadAction ? { afterAction: false } : {}),
  };
}

/**
 * null = it can be asked for (now, or after the end of what is under way: see requestMustWait). Else WRONG_STATE,
 * nothing is to change.
 */
export function requestAllowed(kind: RequestKind, entry: FileEntry): TallymanError | null {
  const rule = RULES[kind];
  const name = `File ${entry.fileId} (${entry.feed}: ${entry.file.path})`;
  if (entry.state === 'duplicate' && ['reprocess', 'clear', 'unload'].includes(kind)) {
    const original = entry.duplicateOf === null ? 'a load of another instance' : `file ${entry.duplicateOf}`;
    return new TallymanError(
      'WRONG_STATE',
      `${name} is a duplicate of ${original}: there is nothing of its own to ${kind}.`,
      {
        fix:
          entry.duplicateOf === null
            ? 'Act on the original where it was loaded.'
            : `Use the original: \`tallyman ${commandOf(kind)} ${entry.duplicateOf}\`.`,
      },
    );
  }
  if (rule.after.includes(entry.state)) return null;
  if (kind === 'unload' && stagedLoad(entry) === null && rule.from.includes(entry.state))
    return new TallymanError('WRONG_STATE', `${name} is ${entry.state}: it has no rows in staging to unload.`, {
      fix: `See \`tallyman files show ${entry.fileId}\`.`,
    });
  if (rule.from.includes(entry.state)) return null;
  const wanted =
    rule.from.length === END_STATES.length ? 'a file that has ended' : `a file that is ${rule.from.join(' or ')}`;
  return new TallymanError('WRONG_STATE', `${name} is ${entry.state}: ${commandOf(kind)} takes ${wanted}.`, {
    fix: `See \`tallyman files show ${entry.fileId}\`.`,
  });
}

/** True while the request has to wait for the end of what is under way. */
export function requestMustWait(kind: RequestKind, entry: FileEntry): boolean {
  return RULES[kind].after.includes(entry.state);
}

/** What Ledger.transition is to be called with. For `clear` the receipt in PostgreSQL is set first. */
export function requestEffect(
  kind: RequestKind,
  entry: FileEntry,
): { readonly to: FileState; readonly change: EntryChange } {
  const { to, change } = RULES[kind];
  return { to, change: change(entry) };
}

/** The load whose rows are in staging as far as the ledger knows; null = there is none. */
export const stagedLoad = (entry: FileEntry): number | null =>
  entry.liveLoadId ?? (entry.state === 'cleared' ? entry.loadId : null);

const COMMANDS: Readonly<Partial<Record<RequestKind, string>>> = {
  clear: 'ledger clear',
  'release-replace': 'release --replace',
};

export const commandOf = (kind: RequestKind): string => COMMANDS[kind] ?? kind;
