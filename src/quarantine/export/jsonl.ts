import type { FileDetail } from '../../core/report.js';
import type { QuarantineRow } from '../../core/quarantine.js';
import { inBlocks } from './blocks.js';
import { quarantineItem } from '../item.js';

/**
 * One JSON object a line, as `quarantine show --json` prints them. Nothing is lost: bytes that are no text stand in
 * raw_base64.
 */
export function exportJsonl(
  _detail: FileDetail,
  pages: AsyncIterable<readonly QuarantineRow[]>,
): AsyncIterable<string> {
  return inBlocks(pages, (row) => `${JSON.stringify(quarantineItem(row))}\n`);
}
