import type { Command } from 'commander';
import { parseDuration } from '../base/units.js';
import { TallymanError } from '../core/errors.js';
import type { FeedSpec } from '../core/feed/feed.js';
import { acquireLock } from '../ledger/sqlite/lock.js';
import type { App } from '../app.js';
import type { Act, Context } from './context.js';
import { exitCode } from './exit-code.js';
import { Progress } from './print/progress.js';
import { drainTimer } from './drain.js';
import { Reporter } from './print/reporter.js';

interface RunOptions {
  readonly once?: boolean;
  readonly feed?: readonly string[];
  readonly settleTimeout: string;
}

export function run(program: Command, act: Act): void {
  program
    .command('run')
    .description('the daemon; or, with --once, handle all that is there now and exit')
    .option('--once', 'handle all that is there now and exit')
    .option('--feed <name...>', 'only these feeds')
    .option('--settle-timeout <duration>', 'with --once: how long to wait for files that still change', '60s')
    .action(act(runCommand));
}

async function runCommand(context: Context, options: RunOptions): Promise<number> {
  const timeoutMs = parseDuration(options.settleTimeout);
  if (timeoutMs === null)
    throw new TallymanError('USAGE', `--settle-timeout ${options.settleTimeout}: not a duration such as 60s`);
  // The daemon's logger is loaded by the daemon only.
  const app = context.app(options.once === true ? undefined : (await import('./print/log.js')).makeLog);
  const feeds = selected(app, options.feed);
  app.makeDataDir();
  const lock = acquireLock(app.dataDir);
  try {
    if (options.once === true) return await runOnce(context, app, feeds, timeoutMs);
    // HTTP and metrics are the daemon's only: nobody else loads them.
    const { serve } = await import('./serve.js');
    return await serve(context, app, options.feed ?? null);
  } finally {
    lock.release();
  }
}

function selected(app: App, names: readonly string[] | undefined): readonly FeedSpec[] {
  return names === undefined ? app.config.feeds : [...new Set(names)].map((name) => app.feed(name));
}

async function runOnce(context: Context, app: App, feeds: readonly FeedSpec[], timeoutMs: number): Promise<number> {
  const { out, interrupt } = context;
  const progress = new Progress(out);
  const reporter = new Reporter(out, progress);
  app.events.on('file', (report) => reporter.file(report));
  app.events.on('progress', (p) => progress.update(p));
  const engine = await app.engine({ feeds, actor: 'run', once: true });
  const drain = drainTimer(app, interrupt.signal);
  const { waiting, errors } = await engine.runOnce(timeoutMs, interrupt.signal);
  drain.clear();
  progress.end();
  const code = interrupt.exitCode() ?? exitCode({ reports: reporter.reports, errors });
  for (const error of errors) out.error(error);
  reporter.summary(waiting, code, engine.waitingFor);
  return code;
}
