import { status as statusOf } from '../operations/status.js';
import { unmatchedLines } from './print/unmatched-lines.js';
import type { Context } from './context.js';
import { STATUS_HEADINGS, statusRow, troubleLines, type Attention } from './print/status-table.js';

export async function status(context: Context, options: { readonly check?: boolean }): Promise<number> {
  const { out } = context;
  const document = await statusOf(context.app(), new Date());
  const { items, database_error: databaseError } = document;
  if (out.json) out.document(document);
  else {
    out.table(STATUS_HEADINGS, items.map(statusRow));
    for (const line of items.flatMap(troubleLines)) out.line(line);
    for (const line of unmatchedLines(document.unmatched)) out.line(line);
    if (databaseError !== null) out.say(`the database cannot be asked: ${databaseError.message}`);
  }
  const any = (...states: readonly Attention[]): boolean =>
    items.some((item) => states.some((state) => (item.states[state] ?? 0) > 0));
  const inTheWay = items.some((item) => item.configured && item.troubles.items.some(({ kind }) => kind !== 'skipped'));
  const passedOver = items.some((item) => item.configured && item.troubles.skipped > 0);
  if (options.check === true && any('failed', 'rejected')) return 6;
  if (databaseError !== null || (options.check === true && inTheWay)) return 5;
  return options.check === true && (passedOver || any('held')) ? 3 : 0;
}
