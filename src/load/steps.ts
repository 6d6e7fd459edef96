import { copyFile } from './copy/copy-file.js';
import { copyGroup } from './copy/copy-group.js';
import { proveUnknown } from './known-content.js';
import type { RunningGroup, RunningLoad } from './running.js';
import { whileAwake } from './transaction/awake.js';
import { commitGroup, commitLoad } from './transaction/receipt.js';
import { deleteReplaced } from './transaction/replaced.js';
import { judgeLoad, proveGroup, proveTally } from './transaction/prove.js';
import { settleUnique } from './unique/settle-unique.js';

/** One thing that is done between BEGIN and COMMIT. Throws what stands in the load's way: it is then rolled back. */
export interface Step {
  readonly name: string;
  readonly alone: (load: RunningLoad) => Promise<void>;
  /**
   * For several small files at once. null = a group passes the step over: the pool forms groups only of files that need
   * none of it (`isSmall` in pool/load-pool.ts), so a new step without a group's form keeps its feeds out there.
   */
  readonly group: ((group: RunningGroup) => Promise<void>) | null;
}

/**
 * The transaction of a load, in this order. What is done with the rows once they are counted (publishing them into
 * another table, say) is a step between `tally` and `receipt`: the receipt then names it, and COMMIT makes both true
 * at once.
 */
export const STEPS: readonly Step[] = [
  {
    name: 'replace',
    alone: ({ connection, replaced, scan, job }) =>
      deleteReplaced(connection, replaced, scan.table, job.feed.target.formerly),
    group: null,
  },
  { name: 'copy', alone: copyFile, group: copyGroup },
  // A file of a group is asked about once it has been read (group-member.ts).
  {
    name: 'content',
    alone: ({ parts, job, reached, connection }) => whileAwake(connection, proveUnknown(job, parts.onContent, reached)),
    group: null,
  },
  { name: 'unique', alone: settleUnique, group: null },
  // The files of a group are judged one by one as they are read (group-member.ts).
  { name: 'judge', alone: judgeLoad, group: null },
  { name: 'tally', alone: proveTally, group: proveGroup },
  { name: 'receipt', alone: commitLoad, group: commitGroup },
];
