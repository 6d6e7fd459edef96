import { bytes, count, seconds } from '../base/text/readable-numbers.js';
import type { Log } from '../core/log.js';
import type { FileReport } from '../core/report.js';

/** The daemon's line about a file that ended, or about an attempt that failed. */
export function logFile(log: Log, report: FileReport): void {
  const { rows, path, state } = report;
  const fields = { feed: report.feed, file_id: report.file_id, path, state, rows, code: report.error?.code };
  if (report.error !== null)
    log.error({ ...fields, fix: report.error.fix }, `${path}: ${state}: ${report.error.message}`);
  else if (state === 'loaded')
    log.info(
      fields,
      `${path}: loaded ${count(rows.loaded)} of ${count(rows.read)} rows, ${count(rows.quarantined)} quarantined, ${bytes(report.size)} in ${seconds(report.seconds.load)}`,
    );
  else log.info(fields, `${path}: ${state}${report.duplicate_of === null ? '' : ` of ${report.duplicate_of}`}`);
}
