import { counted, seconds } from '../base/text/readable-numbers.js';
import { oneLine } from '../base/text/terminal-text.js';
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
  const feeds = options.feed ?? null;
  if (options.once === true) {
    const app = context.app();
    return await locked(app, { feeds, http: false }, () => once(context, app, { feeds, settleTimeoutMs }));
  }
  // The daemon's logger, HTTP and metrics: nobody else loads them.
  const [{ makeLog }, { serve }] = await Promise.all([import('./print/log.js'), import('./serve.js')]);
  const log = makeLog(context.config(), { quiet: context.out.quiet, verbose: context.out.verbose });
  const app = context.app(() => log);
  return await locked(app, { feeds, http: true }, () => serve(context, app, log, feeds));
}

async function locked(
  app: App,
  needs: { readonly feeds: readonly string[] | null; readonly http: boolean },
  work: () => Promise<number>,
): Promise<number> {
  // A name that is not there is said before anything is made.
  requireSecrets(app.config, { feeds: app.feeds(needs.feeds), http: needs.http });
  const lock = app.lock();
  try {
    return await work();
  } finally {
    lock.release();
  }
}

async function once({ out, interrupt }: Context, app: App, input: Parameters<typeof runOnce>[1]): Promise<number> {
  const progress = new Progress(out);
  const reporter = new Reporter(out, progress);
  app.events.on('file', (report) => reporter.file(report));
  app.events.on('progress', (p) => progress.update(p));
  app.events.on('waiting', ({ feed, files, timeoutMs }) => {
    const them = `${counted(files, 'file')} ${files === 1 ? 'is' : 'are'} new or still changing`;
    const most = `at most ${seconds(timeoutMs / 1_000)} (--settle-timeout)`;
    out.say(`${oneLine(feed)}: ${them}: waiting until unchanged long enough (source.settle), ${most}`);
  });
  const { waiting, notTaken, waitingFor, errors, unmatched } = await runOnce(app, input, interrupt.signal);
  progress.end();
  const code = interrupt.exitCode() ?? exitCode({ reports: reporter.reports, errors, notTaken });
  for (const error of errors) out.error(error);
  reporter.summary({ waiting, notTaken }, code, waitingFor, unmatched);
  return code;
}
