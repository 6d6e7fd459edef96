import { appendFileSync } from 'node:fs';
import process from 'node:process';

/** `npm run test:faults`: every step and every round instead of the short selection that CI runs. */
export const FULL = process.env['TALLYMAN_FAULTS'] === 'full' || process.env['TALLYMAN_FAULTS'] === 'all';

export interface Counts {
  /** Heading of docs/reliability.md. */
  readonly section: string;
  /** What was done, in words. */
  readonly fault: string;
  /** How many times the fault was made. */
  readonly tries: number;
  readonly files?: number;
  readonly rows?: number;
  readonly lost: number;
  readonly doubled: number;
}

/**
 * One line of counts for the report of the whole run; test/faults/run.mjs names the file and puts the lines together.
 */
export function report(counts: Counts): void {
  const file = process.env['TALLYMAN_FAULTS_COUNTS'];
  if (file !== undefined && file !== '') appendFileSync(file, `${JSON.stringify(counts)}\n`);
}
