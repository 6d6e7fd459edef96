import { appendFileSync } from 'node:fs';
import process from 'node:process';

/** What was tried how often: a line on stderr, and one of JSON in the file that TALLYMAN_FAULT_REPORT names. docs/reliability.md quotes them. */
export function tell(section: string, counts: Readonly<Record<string, number | string>>): void {
  const line = JSON.stringify({ section, ...counts });
  process.stderr.write(`faults: ${line}\n`);
  const file = process.env['TALLYMAN_FAULT_REPORT'];
  if (file !== undefined && file !== '') appendFileSync(file, `${line}\n`);
}
