import process from 'node:process';
import type { Command } from 'commander';
import { TallymanError } from '../core/errors.js';
import type { FeedSpec } from '../core/feed/feed.js';
import { dryRun } from '../operations/dry-run.js';
import type { Engine } from '../daemon/engine.js';
import { loadNamed, namedFile } from '../operations/load-named.js';
import type { App } from '../app.js';
import type { Act, Context } from './context.js';
import { drainTimer } from './drain.js';
import { exitCode } from './exit-code.js';
import { fileId } from './ids.js';
import { Progress } from './print/progress.js';
import { Reporter } from './print/reporter.js';

interface LoadOptions {
  readonly feed: string;
  readonly dryRun?: boolean;
  readonly replaces?: string;
}

export function load(program: Command, act: Act): void {
  program
    .command('load')
    .description('loads local files now: the decision table applies; pattern, settle, ready and after do not')
    .argument('<file...>', 'local files')
    .requiredOption('--feed <name>', 'the feed whose contract and table are used')
    .option('--dry-run', 'parse and check only: no database, nothing is written')
    .option('--replaces <id>', 'take the place of what this file id (or load:N) loaded')
    .action(act(loadCommand));
}

async function loadCommand(context: Context, files: readonly string[], options: LoadOptions): Promise<number> {
  const { out, interrupt } = context;
  const app = context.app();
  const spec = app.feed(options.feed);
  const feed: FeedSpec = {
    ...spec,
    after: { loaded: { kind: 'leave' }, rejected: { kind: 'leave' }, duplicate: { kind: 'leave' } },
  };
  // All of them first: one wrong name among many, and nothing is loaded.
  const paths = await Promise.all(files.map(namedFile));
  const progress = new Progress(out);
  const reporter = new Reporter(out, progress);
  const errors: TallymanError[] = [];
  if (options.dryRun === true) {
    for (const file of paths) {
      if (interrupt.signal.aborted) break;
      reporter.file(await dryRun((job) => app.pool(1).check(job), app.dataDir, feed, file));
    }
  } else {
    app.events.on('file', (report) => reporter.file(report));
    app.events.on('progress', (p) => progress.update(p));
    const drain = drainTimer(app, interrupt.signal);
    const replaces = options.replaces === undefined ? [] : [await replacedLoad(app, feed.name, options.replaces)];
    for (const file of paths) {
      if (interrupt.signal.aborted) break;
      const engine = (worker: string): Promise<Engine> =>
        app.engine({
          feeds: [feed],
          actor: 'load',
          once: true,
          worker,
        });
      const error = await loadNamed(
        { ledger: app.ledger(), dataDir: app.dataDir, engine, actor: actor(), say: (text) => out.say(text) },
        feed,
        file,
        replaces,
        interrupt.signal,
      );
      if (error !== null) errors.push(error);
      if (error?.blame === 'pause' || error?.blame === 'feed') break;
    }
    drain.clear();
  }
  progress.end();
  for (const error of errors) out.error(error);
  const code = interrupt.exitCode() ?? exitCode({ reports: reporter.reports, errors });
  if (!out.json) reporter.summary(0, code);
  return code;
}

/** The load whose rows go: the live one where a reprocess of it was rejected. */
async function replacedLoad(app: App, feed: string, text: string): Promise<number> {
  const ledger = app.ledger();
  const entry = await ledger.entry(await fileId(ledger, text));
  if (entry !== null && entry.feed !== feed)
    throw new TallymanError('USAGE', `--replaces ${text}: that file is of feed ${entry.feed}, not of ${feed}`);
  const loadId = entry?.liveLoadId ?? entry?.loadId ?? null;
  if (loadId === null) throw new TallymanError('WRONG_STATE', `--replaces ${text}: that file has no load to replace`);
  return loadId;
}

const actor = (): string => `load:${process.env['USER'] ?? String(process.getuid?.() ?? '')}`;
