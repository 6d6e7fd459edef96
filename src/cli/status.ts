import type { Command } from 'commander';
import type { FeedSummary } from '../core/ledger/reading.js';
import { NO_ROWS, type FileReport } from '../core/report.js';
import type { Act, Context } from './context.js';
import { count, when } from './print/output.js';

export function status(program: Command, act: Act): void {
  program
    .command('status')
    .description("per feed: last file, today's tally, open quarantine, failures")
    .option('--check', 'exit 6 when a file is failed or rejected, 3 when one is held')
    .action(act(statusCommand));
}

/** States that wait for a person. */
const ATTENTION = ['failed', 'rejected', 'held'] as const;

async function statusCommand(context: Context, options: { readonly check?: boolean }): Promise<number> {
  const app = context.app();
  const now = new Date();
  const dayStart = new Date(now.getFullYear(), now.getMonth(), now.getDate()).toISOString();
  const summaries = new Map((await app.ledger().feedSummaries(dayStart)).map((summary) => [summary.feed, summary]));
  const names = [...new Set([...app.config.feeds.map((feed) => feed.name), ...summaries.keys()])];
  const items: {
    feed: string;
    configured: boolean;
    last_file: FileReport | null;
    today: FeedSummary['today'];
    open_quarantine: number | null;
    states: FeedSummary['states'];
  }[] = [];
  let databaseError: { code: string; message: string } | null = null;
  for (const name of names) {
    const summary: FeedSummary = summaries.get(name) ?? {
      feed: name,
      lastFile: null,
      today: { files: {}, rows: NO_ROWS },
      states: {},
    };
    let open: number | null = null;
    if (databaseError === null) {
      try {
        open = await (await app.receipts()).openQuarantine(name);
      } catch (error) {
        // The ledger's part stands without the database.
        databaseError = {
          code: 'DATABASE_UNREACHABLE',
          message: error instanceof Error ? error.message : String(error),
        };
      }
    }
    items.push({
      feed: name,
      configured: app.config.feeds.some((feed) => feed.name === name),
      last_file: summary.lastFile,
      today: summary.today,
      open_quarantine: open,
      states: summary.states,
    });
  }
  if (context.out.json) context.out.document({ items, database_error: databaseError });
  else {
    context.out.table(
      [
        { title: 'feed' },
        { title: 'last file' },
        { title: 'at' },
        { title: 'today: files', align: 'right' },
        { title: 'read', align: 'right' },
        { title: 'loaded', align: 'right' },
        { title: 'quarantined', align: 'right' },
        { title: 'open quarantine', align: 'right' },
        { title: 'waiting', align: 'right' },
        { title: 'to look at' },
      ],
      items.map((item) => [
        item.configured ? item.feed : `${item.feed} (not in config)`,
        item.last_file?.path ?? '-',
        when(item.last_file?.finished_at ?? null),
        count(Object.values(item.today.files).reduce((a, b) => a + b, 0)),
        count(item.today.rows.read),
        count(item.today.rows.loaded),
        count(item.today.rows.quarantined),
        item.open_quarantine === null ? '?' : count(item.open_quarantine),
        count(
          (item.states['discovered'] ?? 0) +
            (item.states['landing'] ?? 0) +
            (item.states['landed'] ?? 0) +
            (item.states['loading'] ?? 0),
        ),
        ATTENTION.filter((state) => (item.states[state] ?? 0) > 0)
          .map((state) => `${item.states[state] ?? 0} ${state}`)
          .join(', ') || '-',
      ]),
    );
    if (databaseError !== null) context.out.say(`the database cannot be asked: ${databaseError.message}`);
  }
  const any = (...states: readonly (typeof ATTENTION)[number][]): boolean =>
    items.some((item) => states.some((state) => (item.states[state] ?? 0) > 0));
  if (options.check === true && any('failed', 'rejected')) return 6;
  if (databaseError !== null) return 5;
  return options.check === true && any('held') ? 3 : 0;
}
