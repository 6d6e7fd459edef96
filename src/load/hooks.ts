import type { FoundContent, LoadProgress } from '../core/load.js';
import type { ReadParts } from './read/open-reader.js';

/** What a load is given beside its job. */
export interface LoadHooks extends ReadParts {
  /** Called at most four times a second. */
  readonly onProgress: (progress: LoadProgress) => void;
  /**
   * Calls the load off: it is rolled back and ends as `unreachable` with INTERRUPTED, unless COMMIT was sent already.
   */
  readonly signal: AbortSignal;
  /**
   * COMMIT (of the load, or of a rejection's receipt) is about to be sent: from here on the death of the process leaves
   * the outcome unknown.
   */
  readonly onCommit?: () => void;
  /** Does the decision to load the file stand, now that this is known of it? Omitted = yes. */
  readonly onContent?: (found: FoundContent) => Promise<boolean>;
}
