import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import type { Command } from 'commander';
import { TallymanError, messageOf } from '../core/errors.js';
import type { FeedSpec } from '../core/feed.js';
import type { FileEntry } from '../core/ledger.js';
import type { FileReport } from '../core/report.js';
import type { LoadProgress } from '../core/load.js';
import { processFile } from '../daemon/process-file.js';
import { reconcileStores } from '../daemon/recover.js';
import { acquireClaimLock } from '../ledger/lock.js';
import { direct } from '../sources/direct.js';
import { encodeName } from '../sources/path-name.js';
import type { App } from '../app.js';
import type { Context } from './context.js';
import { dryRun } from './dry-run.js';
import { exitCode } from './exit-code.js';
import { fileId } from './ids.js';
import { Progress } from './progress.js';
import type { Act } from './program.js';
import { Reporter } from './reporter.js';
import { drainTimer } from './run.js';

interface LoadOptions {
  readonly feed: string;
  readonly dryRun?: boolean;
  readonly replaces?: string;
}

/** How often a file is looked at again that changed while it was read, or waits for another one to end; one second apart. */
const LOOKS = 60;

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
  const feed: FeedSpec = { ...spec, after: { loaded: { kind: 'leave' }, rejected: { kind: 'leave' }, duplicate: { kind: 'leave' } } };
  const paths = files.map(absolute);
  const progress = new Progress(out);
  const reporter = new Reporter(out, progress);
  const errors: TallymanError[] = [];
  if (options.dryRun === true) {
    for (const file of paths) {
      if (interrupt.signal.aborted) break;
      reporter.file(await dryRun(app, feed, file));
    }
  } else {
    const drain = drainTimer(app, interrupt.signal);
    const replaces = options.replaces === undefined ? [] : [await replacedLoad(app, options.replaces)];
    for (const file of paths) {
      if (interrupt.signal.aborted) break;
      const error = await loadOne(app, feed, file, replaces, { onReport: (report) => reporter.file(report), onProgress: (p) => progress.update(p), say: (text) => out.say(text) }, interrupt.signal);
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

/** The path in the ledger is the absolute one; the folder's symbolic links are resolved, the file itself must not be one. */
function absolute(file: string): string {
  const full = path.resolve(file);
  try {
    return path.join(realpathSync(path.dirname(full)), path.basename(full));
  } catch (error) {
    throw new TallymanError('NOT_FOUND', `${file}: ${messageOf(error)}`, { cause: error });
  }
}

async function replacedLoad(app: App, text: string): Promise<number> {
  const ledger = app.ledger();
  const entry = await ledger.entry(await fileId(ledger, text));
  if (entry?.loadId == null) throw new TallymanError('WRONG_STATE', `--replaces ${text}: that file has no load to replace`);
  return entry.loadId;
}

interface Tell {
  readonly onReport: (report: FileReport) => void;
  readonly onProgress: (progress: LoadProgress) => void;
  readonly say: (text: string) => void;
}

/** null = it has its outcome. */
async function loadOne(app: App, feed: FeedSpec, file: string, replaces: readonly number[], tell: Tell, signal: AbortSignal): Promise<TallymanError | null> {
  const ledger = app.ledger();
  const name = encodeName(Buffer.from(file));
  // Held while we work: the daemon beside us leaves this file alone, and takes it over if we die.
  const owner = `load-${createHash('sha256').update(`${feed.name}\0${name}`).digest('hex').slice(0, 32)}`;
  const claim = acquireClaimLock(app.dataDir, owner);
  try {
    const engine = await app.engine({ feeds: [feed], actor: 'load', once: true, owner, onReport: tell.onReport, onProgress: tell.onProgress });
    await reconcileStores(engine.processParts, new Map([[feed.name, feed]]));
    for (let look = 0; look < LOOKS && !signal.aborted; look++) {
      const seen = await direct.stat(name);
      if (seen === null) return new TallymanError('NOT_FOUND', `${file}: there is no such file`);
      let entry: FileEntry = await ledger.discover({ feed: feed.name, file: seen, uri: direct.uri(name), settleSeconds: 0, owner, replaces }, actor());
      if (entry.state === 'rejected' || entry.state === 'failed' || (replaces.length > 0 && entry.state !== 'discovered' && entry.state !== 'loading')) {
        // Known as it stands, and asked for by name: that is an operator's word to take it again.
        entry = await ledger.transition(entry.fileId, 'discovered', { attempts: 0, replaces }, actor(), 'load');
      } else if (entry.state !== 'discovered') {
        tell.say(`${file}: known as file ${entry.fileId}, ${entry.state}; nothing to do`);
        return null;
      }
      const outcome = await processFile(engine.processParts, entry, feed);
      if (outcome.kind === 'pause-database' || outcome.kind === 'pause-feed') return outcome.error;
      if (outcome.kind !== 'aside') return null;
      await new Promise((resolve) => setTimeout(resolve, 1_000));
    }
    return signal.aborted ? new TallymanError('INTERRUPTED', `${file}: interrupted`) : new TallymanError('FILE_CHANGED', `${file} still changes, or waits for another file with the same content`);
  } finally {
    claim.release();
  }
}

const actor = (): string => `load:${process.env['USER'] ?? String(process.getuid?.() ?? '')}`;
