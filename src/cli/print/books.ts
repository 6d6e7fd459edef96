import { count } from '../../base/text/readable-numbers.js';
import type { RowCounts } from '../../core/report.js';
import type { ReportState } from '../../core/states.js';

/**
 * A file's counts in words. They stand as an equation only where it holds: of a rejected file nothing is loaded, and
 * the rows that were not refused are nowhere.
 */
export function booksText(rows: RowCounts, state: ReportState): string {
  const { read, loaded, quarantined, skipped, declared } = rows;
  const said = declared === null ? '' : `; the sender says ${count(declared)}`;
  const none = read + loaded + quarantined + skipped === 0;
  if (none && rows.delta !== 0) return `none read${said}`;
  if (rows.delta === null && state === 'rejected')
    return `${count(read)} read, ${count(quarantined)} of them refused; the file was rejected, none loaded${said}`;
  const parts = [`${count(loaded)} loaded`, `${count(quarantined)} quarantined`, `${count(skipped)} skipped`];
  return read === loaded + quarantined + skipped
    ? `${count(read)} read = ${parts.join(' + ')}${said}`
    : `${count(read)} read; ${parts.join(', ')}: they do not add up${said}`;
}
