import type { FileReport } from '../../core/report.js';
import { unmatchedLines } from './unmatched-lines.js';
import { isCounted, runSummary, type KeptReport, type RunSummary } from '../../operations/run-summary.js';
import { indented, oneLine } from '../../base/text/terminal-text.js';
import { bytes, count, counted, seconds } from '../../base/text/readable-numbers.js';
import type { Output } from './output.js';
import type { Progress } from './progress.js';

const COLUMNS = [36, 10, 10, 11, 6, 9, 9] as const;

/** Drift that is shown with the file; the rest is for `files show`. */
const TOLD_AT_ONCE: readonly string[] = ['beside', 'mtime'];

/**
 * Reports each file as it ends: JSON Lines, or one line a file and a total, then the next command worth running.
 */
export class Reporter {
  readonly #out: Output;
  readonly #progress: Progress;
  readonly #started = performance.now();
  readonly #kept: KeptReport[] = [];
  #headed = false;

  constructor(out: Output, progress: Progress) {
    this.#out = out;
    this.#progress = progress;
  }

  get reports(): readonly KeptReport[] {
    return this.#kept;
  }

  file(report: FileReport): void {
    const { file_id, feed, state, rows, error, size } = report;
    this.#kept.push({ file_id, feed, state, rows, error, size });
    this.#progress.done(file_id);
    if (this.#out.json) {
      this.#out.document(report);
      return;
    }
    // What went wrong is said all the same, among the messages.
    if (this.#out.quiet) {
      if (error !== null)
        this.#out.error({ ...error, message: `${report.path}: ${error.message}`, fix: fixOf(report) });
      return;
    }
    if (!this.#headed) this.#row(['file', 'read', 'loaded', 'quarantined', 'delta', 'bytes', 'time', 'state'], true);
    this.#headed = true;
    this.#row([
      report.path,
      count(rows.read),
      count(rows.loaded),
      count(rows.quarantined),
      rows.delta === null ? '-' : count(rows.delta),
      bytes(size),
      seconds(report.seconds.load),
      stateText(report),
    ]);
    if (rows.skipped > 0) this.#out.line(`  ${passedOver(rows.skipped)}${byRule(report)}`);
    for (const note of report.drift)
      if (TOLD_AT_ONCE.includes(note.kind)) this.#out.line(`  ${indented(note.message, '    ')}`);
    if (error !== null)
      this.#out.line(
        `  error[${error.code}]: ${indented(error.message, '    ')}\n  what to do: ${indented(fixOf(report), '    ')}`,
      );
  }

  /** `waitingFor`: what some of the `waiting` files lack, for people. */
  summary(
    left: { readonly waiting: number; readonly notTaken: number },
    exit: number,
    waitingFor: readonly string[] = [],
    unmatched: RunSummary['unmatched'] = null,
  ): void {
    const { waiting, notTaken } = left;
    if (this.#out.json) {
      this.#out.document(runSummary(this.#kept, left, exit, unmatched));
      return;
    }
    if (this.#out.quiet) return;
    if (this.#headed) this.#totals();
    // With trouble nobody knows what is new.
    else this.#out.line(exit === 0 ? 'nothing new' : 'no file was handled');
    if (waiting > 0)
      this.#out.line(`${counted(waiting, 'file')} still changing or without a marker: left for the next run`);
    if (notTaken > 0) this.#out.line(`${counted(notTaken, 'file')} not taken: tallyman status says why`);
    for (const reason of waitingFor) this.#out.line(`  ${oneLine(reason)}`);
    for (const line of unmatchedLines(unmatched)) this.#out.line(line);
    const next = this.#next();
    if (next !== null) this.#out.say(`next: ${next}`);
  }

  /**
   * The sum of all lines above. Of a rejected file nothing is loaded, so that the columns of such a sum need not add
   * up: a second line has the files of which they do.
   */
  #totals(): void {
    const took = seconds((performance.now() - this.#started) / 1_000);
    this.#row([...totalCells('total', this.#kept), took], true);
    const skipped = this.#kept.reduce((sum, { rows }) => sum + rows.skipped, 0);
    const counted = this.#kept.filter(isCounted);
    if (this.#kept.some((kept) => !isCounted(kept) && kept.rows.read > 0))
      this.#row(
        totalCells(this.#kept.some(({ state }) => state === 'checked') ? 'of it good' : 'of it loaded', counted),
        true,
      );
    if (skipped > 0) this.#out.line(`of what was read ${passedOver(skipped)}`);
  }

  #next(): string | null {
    const refused = this.#kept.find(
      (kept) => (kept.state === 'rejected' || kept.state === 'loaded') && kept.rows.quarantined > 0,
    );
    if (refused !== undefined) return `tallyman quarantine show ${refused.file_id}`;
    const failed = this.#kept.find(
      (kept) =>
        ['rejected', 'failed', 'held'].includes(kept.state) || (kept.state === 'discovered' && kept.error !== null),
    );
    if (failed !== undefined) return `tallyman files show ${failed.file_id}`;
    return null;
  }

  #row(cells: readonly string[], bold = false): void {
    const set = cells.map((cell, i) => {
      const width = COLUMNS[i];
      if (width === undefined) return cell;
      const text = oneLine(cell);
      if (i > 0) return text.padStart(width);
      return text.length > width ? `…${text.slice(-(width - 1))}` : text.padEnd(width);
    });
    const line = set.join('  ').trimEnd();
    this.#out.line(bold ? this.#out.bold(line) : line);
  }
}

const fixOf = ({ error, file_id }: FileReport): string =>
  error === null ? '' : error.fix.replaceAll('FILE_ID', String(file_id));

/** Without it read would be more than loaded and quarantined for no visible reason. */
const passedOver = (rows: number): string => `${counted(rows, 'row')} ${rows === 1 ? 'was' : 'were'} skipped as asked`;

function byRule({ rows_skipped: rules }: FileReport): string {
  const all = Object.entries(rules).map(([rule, rows]) => `${rule} ${count(rows)}`);
  return all.length === 0 ? '' : ` (${all.join(', ')})`;
}

/** The delta of a sum is known when each file has one. */
function totalCells(name: string, kept: readonly KeptReport[]): readonly string[] {
  const sum = (of: (one: KeptReport) => number): number => kept.reduce((total, one) => total + of(one), 0);
  return [
    `${name}: ${counted(kept.length, 'file')}`,
    count(sum(({ rows }) => rows.read)),
    count(sum(({ rows }) => rows.loaded)),
    count(sum(({ rows }) => rows.quarantined)),
    kept.some(({ rows }) => rows.delta === null) ? '-' : count(sum(({ rows }) => rows.delta ?? 0)),
    bytes(sum(({ size }) => size)),
  ];
}

function stateText(report: FileReport): string {
  if (report.duplicate_of !== null) return `${report.state} of ${report.duplicate_of}`;
  if (report.state === 'discovered' && report.error !== null) return 'failed, will be tried again';
  return report.state;
}
