import type { FeedSpec } from '../core/feed/feed.js';
import type { FileSelector, Reading } from '../core/ledger/reading.js';
import type { FileDetail, FileReport } from '../core/report.js';
import { findDetail, type Finding } from './find-file.js';

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

/** One file with its history. `id` as findFile takes it. */
export async function showFile(
  parts: { ledger(): Finding & Pick<Reading, 'detail'> },
  id: string,
): Promise<FileDetail> {
  return await findDetail(parts.ledger(), id);
}
