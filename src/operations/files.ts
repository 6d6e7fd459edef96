import { TallymanError } from '../core/errors.js';
import type { FeedSpec } from '../core/feed/feed.js';
import type { FileSelector, Reading } from '../core/ledger/reading.js';
import type { FileDetail, FileReport } from '../core/report.js';
import { findNamed, type FindingByName } from './find-file.js';

interface FilesParts {
  /** Throws UNKNOWN_FEED. */
  feed(name: string): FeedSpec;
  ledger(): Pick<Reading, 'filePages'>;
}

/** What the ledger holds of the selection, newest first. Throws UNKNOWN_FEED. */
export async function* files(parts: FilesParts, selector: FileSelector): AsyncIterable<FileReport> {
  if (selector.feed !== undefined) parts.feed(selector.feed);
  for await (const page of parts.ledger().filePages(selector)) yield* page;
}

/** One file with its history. `id` and `here` as findNamed takes them. */
export async function showFile(
  parts: { ledger(): FindingByName & Pick<Reading, 'detail'> },
  id: string,
  here: string,
): Promise<{ readonly detail: FileDetail; readonly others: readonly FileReport[] }> {
  const ledger = parts.ledger();
  const { entry, others } = await findNamed(ledger, id, here);
  const detail = await ledger.detail(entry.fileId);
  if (detail === null) throw new TallymanError('UNKNOWN_FILE', `the ledger knows no file ${id}`);
  return { detail, others };
}
