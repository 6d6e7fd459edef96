import type { CopyBuffer } from '../core/codec.js';
import type { Connection } from '../postgres/connect/connect.js';
import type { Committed } from '../postgres/control/receipt-write.js';
import type { ReplacedLoad } from '../postgres/control/replaced-loads.js';
import type { LoadContext } from './context.js';
import type { CopyTarget } from './copy/copy-target.js';
import type { Member } from './group-member.js';
import type { LoadHooks } from './hooks.js';
import type { Progress } from './progress.js';
import type { Agreement } from './read/agreement.js';
import type { RowPlan } from './read/compile.js';
import type { FileParts, OpenedFile, Reached } from './read/read-file.js';
import type { LoadSession } from './transaction/session.js';
import type { TallyScan } from './transaction/tally.js';
import type { RowSet } from './unique/row-set.js';

/** What an attempt works with. */
export interface AttemptParts extends FileParts {
  readonly session: LoadSession;
  readonly progress: Progress;
  /** Chunks although the catalog shows nothing that could refuse a row: it did all the same. */
  readonly forceChunks: boolean;
  /** performance.now() when the load began. */
  readonly began: number;
  /** COMMIT is about to be sent. */
  readonly onCommit: () => void;
  readonly onContent?: LoadHooks['onContent'];
}

/** A load between BEGIN and COMMIT, as its steps see and change it. */
export interface RunningLoad extends LoadContext {
  readonly parts: AttemptParts;
  readonly loadId: number;
  readonly file: OpenedFile;
  readonly reached: Reached;
  readonly agreement: Agreement;
  readonly plan: RowPlan;
  readonly scan: TallyScan;
  /** Loads whose place it takes. */
  replaced: readonly ReplacedLoad[];
  /** Its rows in the table. */
  loaded: number;
  /** For each unique key the rows that may have the key of an earlier one. */
  repeats: readonly RowSet[];
  /** Its receipt; null until it is committed. */
  committed: Committed | null;
}

/** Several small files between BEGIN and COMMIT. */
export interface RunningGroup {
  readonly connection: Connection;
  readonly session: LoadSession;
  readonly scan: Omit<TallyScan, 'loadId'>;
  readonly target: CopyTarget;
  /** The rows of all of them. */
  readonly out: CopyBuffer;
  /** At least one. */
  readonly members: readonly Member[];
  readonly signal: AbortSignal;
  /** performance.now() when the first of them began. */
  readonly began: number;
  readonly onCommit: () => void;
  /** Their receipts, by load_id. */
  committed: ReadonlyMap<number, Committed>;
}
