import process from 'node:process';
import { requireSecrets } from '../config/load-config.js';
import type { TallymanError } from '../core/errors.js';
import { dryRunFiles } from '../operations/dry-run.js';
import { loadNamed } from '../operations/load-named.js';
import type { Context } from './context.js';
import { exitCode } from './exit-code.js';
import { Progress } from './print/progress.js';
import { Reporter } from './print/reporter.js';

interface LoadOptions {
  readonly feed: string;
  readonly dryRun?: boolean;
  readonly replaces?: string;
}

export async function load(context: Context, files: readonly string[], options: LoadOptions): Promise<number> {
  const { out, interrupt } = context;
  const app = context.app();
  const { feed } = options;
  if (options.dryRun !== true || app.feed(feed).decrypt !== undefined)
    requireSecrets(app.config, { feeds: [app.feed(feed)], http: false });
  const progress = new Progress(out);
  const reporter = new Reporter(out, progress);
  const errors: TallymanError[] = [];
  if (options.dryRun === true) {
    for await (const report of dryRunFiles(app, { feed, files }, interrupt.signal)) reporter.file(report);
  } else {
    app.events.on('file', (report) => reporter.file(report));
    app.events.on('progress', (p) => progress.update(p));
    const input = { feed, files, replaces: options.replaces ?? null, actor: actor() };
    for await (const { note, error } of loadNamed(app, input, interrupt.signal)) {
      if (note !== null) out.say(note);
      if (error !== null) errors.push(error);
    }
  }
  progress.end();
  for (const error of errors) out.error(error);
  const code = interrupt.exitCode() ?? exitCode({ reports: reporter.reports, errors });
  if (!out.json) reporter.summary({ waiting: 0, notTaken: 0 }, code);
  return code;
}

const actor = (): string => `load:${process.env['USER'] ?? String(process.getuid?.() ?? '')}`;
