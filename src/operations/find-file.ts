import type { FileEntry } from '../core/entry.js';
import { TallymanError } from '../core/errors.js';
import type { Queue } from '../core/ledger/queue.js';
import type { ReceiptBook } from '../core/ledger/receipt-book.js';
import type { Reading } from '../core/ledger/reading.js';
import type { FileDetail } from '../core/report.js';

/** The part of the ledger that knows files by their IDs. */
export type Finding = Pick<Queue, 'entry'> & Pick<ReceiptBook, 'byLoadId'>;

/** `id` is a file's ID, or `load:N`. Throws USAGE when it is neither, and UNKNOWN_FILE. */
export async function findFile(ledger: Finding, id: string): Promise<FileEntry> {
  const load = loadIdOf(id);
  if (load === null && !/^\d+$/.test(id))
    throw new TallymanError('USAGE', `${id}: not a file id (a number, or load:N)`);
  const entry = load === null ? await ledger.entry(Number(id)) : await ledger.byLoadId(load);
  if (entry === null)
    throw new TallymanError('UNKNOWN_FILE', `the ledger knows no ${load === null ? `file ${id}` : `load ${load}`}`);
  return entry;
}

/** The same with its history. */
export async function findDetail(ledger: Finding & Pick<Reading, 'detail'>, id: string): Promise<FileDetail> {
  const detail = await ledger.detail((await findFile(ledger, id)).fileId);
  if (detail === null) throw new TallymanError('UNKNOWN_FILE', `the ledger knows no file ${id}`);
  return detail;
}

/** N of `load:N`; null = not of that form. */
export function loadIdOf(id: string): number | null {
  const load = /^load:(\d+)$/.exec(id)?.[1];
  return load === undefined ? null : Number(load);
}
