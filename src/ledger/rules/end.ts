import type { FileEntry } from '../../core/entry.js';
import { TallymanError } from '../../core/errors.js';
import type { EndOfFile } from '../../core/ledger/queue.js';
import { NO_ROWS } from '../../core/report.js';
import { isOpen, type FileState, type ReceiptStatus } from '../../core/states.js';
import { wrongState, type Change, type EntryFields } from './changes.js';

/** What the ledger must be asked before an entry can end. */
export interface EndFacts {
  /** The original that a duplicate names is loaded, or ignored, at this moment. True where none is named. */
  readonly originalCounts: boolean;
  /** The entry whose receipt is known under the load_key; null = nobody's yet. */
  readonly receiptOf: number | null;
}

const RECEIPTS: Readonly<Partial<Record<FileState, ReceiptStatus>>> = {
  loaded: 'loaded',
  rejected: 'rejected',
  superseded: 'superseded',
  cleared: 'cleared',
  ignored: 'ignored',
};

/** The load_key of the receipt that an end comes with: another than the claim's own after a lost race. */
export const receiptKey = (entry: FileEntry, end: EndOfFile): string | null => end.loadKey ?? entry.loadKey;

/**
 * A version ends, with everything that its report shows: what becomes of its own entry. What the end does to others is
 * in consequences.ts. Throws WRONG_STATE.
 */
export function planEnd(entry: FileEntry, end: EndOfFile, facts: EndFacts, now: string): readonly Change[] {
  const { fileId } = entry;
  mustBeAllowed(entry, end, facts);
  return [
    { kind: 'set', fileId, fields: { ...outcome(entry, end, now), ...live(end) } },
    ...content(entry, end),
    { kind: 'detail', fileId, errors: end.errors ?? [], drift: end.drift ?? [] },
    ...receipt(entry, end, facts),
    { kind: 'state', fileId, from: entry.state, to: end.state, reason: null },
    ...(end.action === undefined || end.action === null
      ? []
      : [{ kind: 'plan-action', fileId, action: end.action } as const]),
  ];
}

/**
 * An ended file does not end again; `loaded` comes only after a claim and with a load_id; a duplicate is set only while
 * its original counts.
 */
function mustBeAllowed(entry: FileEntry, end: EndOfFile, facts: EndFacts): void {
  if (!isOpen(entry.state)) throw wrongState(entry, `it cannot end as ${end.state}`);
  if (end.state === 'loaded' && entry.state !== 'loading')
    throw wrongState(entry, 'only a file that is being loaded can be loaded');
  if (end.state === 'duplicate' && !facts.originalCounts)
    throw wrongState(
      entry,
      `file ${end.duplicateOf ?? 0} is not loaded any more, so it is no duplicate of it: decide again`,
    );
  if (end.state === 'loaded' && typeof end.loadId !== 'number')
    throw new TallymanError('WRONG_STATE', `File ${entry.fileId} cannot be loaded without a load_id.`);
}

/** What it has of the outcome, and nothing left of the way to it. */
function outcome(entry: FileEntry, end: EndOfFile, now: string): EntryFields {
  return {
    sha256: end.sha256 ?? entry.sha256,
    ...(isPlain(entry, end) && { plain: true }),
    loadId: end.loadId ?? null,
    loadKey: receiptKey(entry, end),
    duplicateOf: end.duplicateOf ?? null,
    generation: end.generation ?? entry.generation,
    error: end.error ?? null,
    finishedAt: end.committedAt ?? now,
    landedPath: end.landedPath === undefined ? entry.landedPath : end.landedPath,
    rows: end.rows ?? NO_ROWS,
    retryAt: null,
    waitFor: null,
    owner: null,
    before: null,
    ...(end.seconds !== undefined && { seconds: end.seconds }),
  };
}

const isPlain = (entry: FileEntry, { sha256, contentSha256 }: EndOfFile): boolean =>
  typeof contentSha256 === 'string' && contentSha256 === (sha256 ?? entry.sha256);

function content(entry: FileEntry, end: EndOfFile): readonly Change[] {
  const sha256 = end.sha256 ?? entry.sha256;
  if (typeof end.contentSha256 !== 'string' || sha256 === null || isPlain(entry, end)) return [];
  return [{ kind: 'packed', fileId: entry.fileId, sha256, content: end.contentSha256 }];
}

/** What was said for this load (replaces, release) is done: the next one is decided afresh. */
function live(end: EndOfFile): EntryFields {
  if (end.state !== 'loaded' || typeof end.loadId !== 'number') return {};
  return {
    live: { loadId: end.loadId, read: (end.rows ?? NO_ROWS).read },
    replaces: [],
    released: false,
    deaths: null,
  };
}

/** Two entries never hold the same receipt: both would claim the same rows. */
function receipt(entry: FileEntry, end: EndOfFile, facts: EndFacts): readonly Change[] {
  const status = RECEIPTS[end.state];
  const { fileId, file } = entry;
  if (typeof end.loadId !== 'number' || status === undefined) return [];
  const loadKey = receiptKey(entry, end);
  if (loadKey === null)
    throw new TallymanError('WRONG_STATE', `File ${fileId} was never claimed and cannot have a receipt.`);
  if (facts.receiptOf !== null && facts.receiptOf !== fileId)
    throw new TallymanError(
      'WRONG_STATE',
      `Load ${end.loadId} is that of file ${facts.receiptOf}: file ${fileId} is a duplicate of it.`,
    );
  const generation = end.generation ?? entry.generation;
  return [
    {
      kind: 'receipt',
      fileId,
      size: file.size,
      loadKey,
      loadId: end.loadId,
      status,
      generation,
      rows: end.rows ?? NO_ROWS,
    },
  ];
}
