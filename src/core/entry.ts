import type { SeenFile } from './file.js';
import type { Lease } from './ledger/workers.js';
import type { ReportedError, RowCounts } from './report.js';
import type { EndState, FileState } from './states.js';

/** How the bytes stand now: under their own name, or where an after action put them. */
export const standsAs = (entry: FileEntry): SeenFile => entry.movedTo ?? entry.file;

/**
 * A person named this file to `tallyman load`: its path is absolute, and no pattern, marker or after action of the feed
 * applies to it.
 */
export const isNamed = (entry: FileEntry): boolean =>
  entry.uri.startsWith('file:///') && entry.file.path.startsWith('/');

/** How far a source's clock may be ahead of ours, microseconds. */
const AHEAD_US = 300_000_000;

/** FileEntry.arrivedUs of a version that came at `at` (milliseconds since 1970). */
export const arrivedUs = (mtimeUs: number | null, at: number): number | null =>
  mtimeUs !== null && mtimeUs > at * 1_000 + AHEAD_US ? at * 1_000 : null;

/** The time by which versions are compared; null = the source has none. */
export const orderUs = (entry: FileEntry): number | null => entry.arrivedUs ?? entry.file.mtimeUs;

/** One version in the ledger. */
export interface FileEntry {
  readonly fileId: number;
  readonly feed: string;
  readonly file: SeenFile;
  /** When this version came, if its mtime lay in the future then: it counts as that. null = the mtime counts. */
  readonly arrivedUs: number | null;
  readonly uri: string;
  readonly sha256: string | null;
  readonly state: FileState;
  readonly attempts: number;
  /** Of its next or last load: raised by reprocess and by replacing another load. */
  readonly generation: number;
  /** Receipt of its last outcome (loaded or rejected). */
  readonly loadId: number | null;
  /** Live (`loaded`) receipt. Stays through a reprocess until that one's own COMMIT, also when it is rejected. */
  readonly liveLoadId: number | null;
  /** Of its last claim. */
  readonly loadKey: string | null;
  readonly duplicateOf: number | null;
  /**
   * On an operator's word the next load replaces these load_ids (load --replaces). Its own live load needs no mention.
   */
  readonly replaces: readonly number[];
  /**
   * An operator said load (release, reprocess): hold and skip of the decision table do not apply until it is loaded.
   */
  readonly released: boolean;
  readonly duplicateAllowed: boolean;
  /** False when a second after action must not run (reprocess). */
  readonly afterAction: boolean;
  /** How the bytes stand now when an after action moved them; null = under `file`. */
  readonly movedTo: SeenFile | null;
  /** True when an after action deleted the bytes. */
  readonly deleted: boolean;
  readonly landedPath: string | null;
  /** Reserved for this worker, a `load` command; null = for the daemon that serves its feed. */
  readonly owner: string | null;
  /** Who has it in hand; null = nobody: it waits for its turn, or has ended. */
  readonly lease: Lease | null;
  /** Version token of the ready marker at discovery; null = none. */
  readonly marker: string | null;
  /** Waits for this file's end. */
  readonly waitFor: number | null;
  /** The end it had before an operator took it again; null when it never had one. */
  readonly before: EndState | null;
  readonly rows: RowCounts;
  readonly error: ReportedError | null;
  readonly discoveredAt: string;
  readonly finishedAt: string | null;
  readonly retryAt: string | null;
  /** Chunk and count of deaths there (poison rule). */
  readonly deaths: { readonly chunk: number; readonly count: number };
}
