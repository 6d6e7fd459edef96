import { TallymanError } from '../../core/errors.js';
import { isServerError } from '../../postgres/connect/errors.js';
import { rowFault } from '../../postgres/connect/row-fault.js';
import { refusesBeyond } from '../../postgres/staging/staging-plan.js';
import { stagingColumns } from '../read/compile.js';
import { readFile, type ReadOutcome } from '../read/read-file.js';
import type { RunningLoad } from '../running.js';
import { RunAgain } from '../transaction/run-again.js';
import { ChunkedCopy } from './chunked-copy.js';
import { copyTarget } from './copy-target.js';
import { WholeCopy } from './whole-copy.js';

/** Every record of the file: accepted ones into the table, refused ones into the record. */
export async function copyFile(load: RunningLoad): Promise<void> {
  const { parts, agreement, plan, loadId, progress, scan } = load;
  const { table } = scan;
  const chunks = parts.forceChunks || refusesBeyond(table, stagingColumns(agreement, load.job.feed));
  const target = copyTarget(table.schema, table.name, plan.copied, plan.mode);
  let outcome: ReadOutcome;
  try {
    outcome = await readFile(
      parts,
      load.file,
      {
        agreement,
        plan,
        loadId,
        trackRows: chunks,
        writer: (encoder) => (chunks ? new ChunkedCopy(load, target, encoder) : new WholeCopy(load, target)),
        progress,
        connection: load.connection,
      },
      load.reached,
    );
  } catch (error) {
    if (!chunks && isServerError(error) && rowFault(error) !== 'never') throw new RunAgain('refused-rows');
    throw error;
  }
  const { accepted, copied, repeats } = outcome;
  if (copied !== accepted)
    throw new TallymanError('TALLY_MISMATCH', `${accepted} rows were sent, PostgreSQL took ${copied}`);
  load.loaded = copied;
  load.repeats = repeats;
}
