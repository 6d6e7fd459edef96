import process from 'node:process';
import { report } from './report.js';

/**
 * What was tried how often: a line on stderr, and one in the counts of the whole run. Nothing is told of a run in which
 * something was lost or doubled: it has failed before.
 */
export function tell(section: string, fault: string, tries: number, more: Readonly<Record<string, number>> = {}): void {
  const counts = { section, fault, tries, ...more, lost: 0, doubled: 0 };
  process.stderr.write(`faults: ${JSON.stringify(counts)}\n`);
  report(counts);
}
