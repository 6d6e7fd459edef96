import type { Command } from 'commander';
import { status as statusOf } from '../operations/status.js';
import type { Act, Context } from './context.js';
import { STATUS_HEADINGS, statusRow, type Attention } from './print/status-table.js';

export function status(program: Command, act: Act): void {
  program
    .command('status')
    .description("per feed: last file, today's tally, open quarantine, failures")
    .option('--check', 'exit 6 when a file is failed or rejected, 3 when one is held')
    .action(act(statusCommand));
}

async function statusCommand(context: Context, options: { readonly check?: boolean }): Promise<number> {
  const { out } = context;
  const document = await statusOf(context.app(), new Date());
  const { items, database_error: databaseError } = document;
  if (out.json) out.document(document);
  else {
    out.table(STATUS_HEADINGS, items.map(statusRow));
    if (databaseError !== null) out.say(`the database cannot be asked: ${databaseError.message}`);
  }
  const any = (...states: readonly Attention[]): boolean =>
    items.some((item) => states.some((state) => (item.states[state] ?? 0) > 0));
  if (options.check === true && any('failed', 'rejected')) return 6;
  if (databaseError !== null) return 5;
  return options.check === true && any('held') ? 3 : 0;
}
