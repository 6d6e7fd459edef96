import type { LoadJob } from '../core/load.js';
import type { Connection } from '../postgres/connect/connect.js';
import type { QuarantineRecord } from '../quarantine/record.js';
import type { Progress } from './progress.js';

/** What the steps of one load share. */
export interface LoadContext {
  readonly job: LoadJob;
  readonly connection: Connection;
  readonly record: QuarantineRecord;
  readonly progress: Progress;
  /** Writes the gathered bad rows into tallyman.quarantine. Only between two COPYs of the load. */
  flushQuarantine(): Promise<void>;
}
