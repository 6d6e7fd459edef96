import type { LoadJob } from '../core/load.js';
import type { Connection } from '../postgres/connect/connect.js';
import type { QuarantineRecord } from '../quarantine/record.js';
import type { QuarantineFlush } from './copy/quarantine-copy.js';
import type { Progress } from './progress.js';

/** What the writers of one load share. */
export interface LoadContext {
  readonly job: LoadJob;
  readonly connection: Connection;
  readonly record: QuarantineRecord;
  /** Only between two COPYs of the load. */
  readonly quarantine: QuarantineFlush;
  readonly progress: Progress;
}
