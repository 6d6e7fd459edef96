/**
 * The states of a file (docs/spec/states.md).
 *
 *     discovered -> landing -> landed -> loading -> one of the ends
 *
 * `discovered`  settled and ready, waiting for its turn
 * `landing`     remote bytes are coming to local disk
 * `landed`      bytes are here, the decision table is next
 * `loading`     claimed; its attempt was counted before any byte was parsed
 *
 * Ends: `loaded`, `rejected` (the file is bad), `failed` (another reason, attempts used up), `duplicate`, `ignored`,
 * `held`, `vanished`, `superseded` (a later version took its place), `cleared`.
 */
export const OPEN_STATES = ['discovered', 'landing', 'landed', 'loading'] as const;
export const END_STATES = [
  'loaded',
  'rejected',
  'failed',
  'duplicate',
  'ignored',
  'held',
  'vanished',
  'superseded',
  'cleared',
] as const;
export const FILE_STATES = [...OPEN_STATES, ...END_STATES] as const;

/** True for a file that has no end yet. */
export const isOpen = (state: ReportState): state is OpenState => OPEN_STATES.some((open) => open === state);

export type OpenState = (typeof OPEN_STATES)[number];
export type EndState = (typeof END_STATES)[number];
export type FileState = (typeof FILE_STATES)[number];

/** What a report may say beside the ledger's states: `checked` is the outcome of `load --dry-run`. */
export type ReportState = FileState | 'checked';

/** `tallyman.loads.status` in PostgreSQL. */
export type ReceiptStatus = 'loaded' | 'rejected' | 'superseded' | 'cleared' | 'ignored';
