import { parseDuration } from '../base/units.js';
import { requireSecrets } from '../config/load-config.js';
import { TallymanError } from '../core/errors.js';
import { runOnce } from '../operations/run-once.js';
import type { App } from '../app.js';
import type { Context } from './context.js';
import { exitCode } from './exit-code.js';
import { Progress } from './print/progress.js';
import { Reporter } from './print/reporter.js';

interface RunOptions {
  readonly once?: boolean;
  readonly feed?: readonly string[];
  readonly settleTimeout: string;
}

export async function run(context: Context, options: RunOptions): Promise<number> {
  const settleTimeoutMs = parseDuration(options.settleTimeout);
  if (settleTimeoutMs === null)
    throw new TallymanError('USAGE', `--settle-timeout ${options.settleTimeout}: not a duration such as 60s`);
  // The daemon's logger is loaded by the daemon only.
  const app = context.app(options.once === true ? undefined : (await import('./print/log.js')).makeLog);
  const feeds = options.feed ?? null;
  // A name that is not there is said before anything is made.
  requireSecrets(app.config, { feeds: app.feeds(feeds), http: options.once !== true });
  const lock = app.lock();
  try {
    if (options.once === true) return await once(context, app, { feeds, settleTimeoutMs });
    // HTTP and metrics are the daemon's only: nobody else loads them.
    const { serve } = await import('./serve.js');
    return await serve(context, app, feeds);
  } finally {
    lock.release();
  }
}

async function once({ out, interrupt }: Context, app: App, input: Parameters<typeof runOnce>[1]): Promise<number> {
  const progress = new Progress(out);
  const reporter = new Reporter(out, progress);
  app.events.on('file', (report) => reporter.file(report));
  app.events.on('progress', (p) => progress.update(p));
  const { waiting, notTaken, waitingFor, errors } = await runOnce(app, input, interrupt.signal);
  progress.end();
  const code = interrupt.exitCode() ?? exitCode({ reports: reporter.reports, errors, notTaken });
  for (const error of errors) out.error(error);
  reporter.summary({ waiting, notTaken }, code, waitingFor);
  return code;
}
