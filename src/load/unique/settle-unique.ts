import { integer } from '../../postgres/connect/result-rows.js';
import { recordLosers } from '../read/read-file.js';
import type { RunningLoad } from '../running.js';
import { countSql, scansTail } from '../transaction/tally.js';
import { removeUniqueLosers } from './unique-losers.js';

/** Rows whose unique key an earlier row has leave the table for the quarantine. */
export async function settleUnique(load: RunningLoad): Promise<void> {
  const { connection, plan, scan, repeats } = load;
  if (repeats.every((rows) => rows.size === 0) && (load.loaded < 2 || !plan.keys.some((key) => key.inDatabase))) return;
  const { rows } = scansTail(scan) ? await connection.query(countSql(scan)) : { rows: [] };
  const complete = rows[0] !== undefined && integer(rows[0], 'rows') === load.loaded;
  const { lost, count } = await removeUniqueLosers(connection, scan, plan.keys, repeats, complete);
  if (count === 0) return;
  await recordLosers(load.parts, load, lost, load.record, () => load.quarantine.flush());
  load.loaded -= count;
}
