import type { FileDetail, FileReport, RowCounts } from '../report.js';
import type { FileState } from '../states.js';

/** What people read: reports, one file with its history, sums of a feed. */
export interface Reading {
  files(selector: FileSelector): Promise<readonly FileReport[]>;
  /** The same page by page, for lists that do not fit into memory. */
  filePages(selector: FileSelector): AsyncIterable<readonly FileReport[]>;
  detail(fileId: number): Promise<FileDetail | null>;
  /** `dayStart`: when the host's local day began. Feeds without entries are not listed. */
  feedSummaries(dayStart: string): Promise<readonly FeedSummary[]>;
}

export interface FileSelector {
  readonly ids?: readonly number[];
  readonly feed?: string;
  readonly states?: readonly FileState[];
  /** discovered_at >= since. */
  readonly since?: string;
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
  /** Entries that ended since dayStart by state; rows of loads committed since. */
  readonly today: { readonly files: Readonly<Record<string, number>>; readonly rows: RowCounts };
  readonly states: Readonly<Record<string, number>>;
}
