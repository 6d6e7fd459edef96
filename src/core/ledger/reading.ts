import type { FileDetail, FileReport, RowCounts } from '../report.js';
import type { FileState } from '../states.js';

/** What people read: reports, one file with its history, sums of a feed. */
export interface Reading {
  files(selector: FileSelector): Promise<readonly FileReport[]>;
  /** The same page by page, for lists that do not fit into memory. */
  filePages(selector: FileSelector): AsyncIterable<readonly FileReport[]>;
  detail(fileId: number): Promise<FileDetail | null>;
  /** `since`: where the tally begins, and `until` where it ends. Feeds without entries are not listed. */
  feedSummaries(since: string, until?: string): Promise<readonly FeedSummary[]>;
}

export interface FileSelector {
  readonly ids?: readonly number[];
  readonly feed?: string;
  readonly states?: readonly FileState[];
  /** discovered_at >= since. */
  readonly since?: string;
  /** discovered_at < until. */
  readonly until?: string;
  /** finished_at >= finishedSince (the files that a run has handled). */
  readonly finishedSince?: string;
  /** Glob: without "/" it meets the file name, with "/" the path. */
  readonly match?: string;
  /** 0 = all. */
  readonly limit: number;
}

/** `tallyman status`, one feed. */
export interface FeedSummary {
  readonly feed: string;
  readonly lastFile: FileReport | null;
  /** Since when the file waits that has waited longest; null = none waits. */
  readonly waitingSince: string | null;
  /** Entries that ended in the time asked for, by state; rows of loads committed in it. */
  readonly today: { readonly files: Readonly<Record<string, number>>; readonly rows: RowCounts };
  readonly states: Readonly<Record<string, number>>;
}
