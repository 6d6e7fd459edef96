import { type Command, InvalidArgumentError } from 'commander';
import { parseSize } from '../base/units.js';
import { EXPORT_FORMATS } from '../core/quarantine.js';
import type { RequestKind } from '../core/ledger/requests.js';
import type { Act, Context } from './context.js';
import type { RequestOptions } from './requests.js';

/**
 * The command line: names, arguments, options and what help says of them. What a command does is in a file of its own,
 * which is loaded when the command is given: `--help` and the command `status` need nothing of `run`.
 */
export function addCommands(program: Command, act: Act): void {
  program
    .command('init')
    .description('writes a commented tallyman.yaml (embedded database), a drop folder and one sample file')
    .argument('[dir]', 'where', '.')
    .action(act(async () => (await import('./init.js')).init));
  program
    .command('infer')
    .description(
      'reads a sample of files and prints a feed for them, ready to paste under feeds:, with a comment at every doubtful choice; needs no config',
    )
    .argument('<file...>', 'files of one kind; compressed ones too')
    .option('--name <name>', "the feed's name (default: made from the first file's name)")
    .option(
      '--sample <size>',
      'bytes read of the beginning of each file, 8MiB unless said; of larger ones also parts of the rest',
      sampleSize,
    )
    .action(act(async () => (await import('./infer.js')).infer));
  program
    .command('check')
    .description('validates the config; with --connect also each source, database, table and right')
    .option('--connect', 'reach every source and the database')
    .action(act(async () => (await import('./check.js')).check));
  program
    .command('run')
    .description('the daemon; or, with --once, handle all that is there now and exit')
    .option('--once', 'handle all that is there now and exit')
    .option('--feed <name...>', 'only these feeds')
    .option('--settle-timeout <duration>', 'with --once: how long to wait for files that still change', '60s')
    .action(act(async () => (await import('./run.js')).run));
  program
    .command('load')
    .description('loads local files now: the decision table applies; pattern, settle, ready and after do not')
    .argument('<file...>', 'local files')
    .requiredOption('--feed <name>', 'the feed whose contract and table are used')
    .option('--dry-run', 'parse and check only: no database, nothing is written')
    .option('--replaces <id>', 'take the place of what this file id (or load:N) loaded')
    .action(act(async () => (await import('./load.js')).load));
  program
    .command('status')
    .description("per feed: last file, today's tally, open quarantine, failures")
    .option('--check', 'exit 6 when a file is failed or rejected, 3 when one is held')
    .option('--since <time>', 'the tally of this time on instead of today: ISO 8601, or 7d')
    .option('--until <time>', 'the tally up to this time')
    .option('--watch [duration]', 'again every 2s, or as often as said, until Ctrl-C')
    .action(act(async () => (await import('./status.js')).status));
  program
    .command('why')
    .description('what would happen to a path and why, without doing it')
    .argument('<path>', 'a local path, the uri of a remote file, or a name inside a feed')
    .option('--feed <name>', 'only this feed; the path may be a name inside it')
    .action(act(async () => (await import('./why.js')).why));
  addFiles(program, act);
  addRequests(program, act);
  addRequestList(program, act);
  addLedger(program, act);
  addQuarantine(program, act);
  program
    .command('ddl')
    .description('the SQL of staging and control tables, without running it')
    .option('--feed <name>', "only this feed's staging table")
    .action(act(async () => (await import('./ddl.js')).ddl));
  addConfig(program, act);
}

/** What is asked for one file or many. */
function addRequests(program: Command, act: Act): void {
  addRequest(
    program,
    'reprocess',
    'clear the ledger entry and take the file again; its earlier rows are replaced',
    act,
  ).option('--from-landing', 'only from the copy under data_dir/landing (landing.keep), whatever stands at the source');
  addRequest(program, 'retry', 'failed, rejected -> taken again, attempts 0', act);
  addRequest(program, 'release', 'held -> loaded', act).option(
    '--replace',
    'in place of what is loaded under its path, in one transaction',
  );
  addRequest(program, 'ignore', 'held, failed, rejected -> ignored', act);
  program
    .command('unload')
    .description("take a load's rows out of staging; its file is then ignored, not taken again by itself")
    .argument('<id>', 'file id, or load:N')
    .requiredOption('--reason <text>', 'stands in the history')
    .option('--dry-run', 'say what would leave, change nothing')
    .action(act(async () => (await import('./requests.js')).unloadOne));
}

function addConfig(program: Command, act: Act): void {
  const config = program.command('config').description('the configuration');
  config
    .command('schema')
    .description('JSON Schema of tallyman.yaml')
    .action(act(async () => (await import('./config.js')).schema));
  config
    .command('print')
    .description('the effective config with secrets masked')
    .action(act(async () => (await import('./config.js')).print));
}

function addFiles(program: Command, act: Act): void {
  const files = addSelectors(program.command('files').description('the ledger, newest first'), '100').action(
    act(async () => (await import('./files.js')).list),
  );
  files
    .command('show')
    .description('one file with its history')
    .argument('<id>', "file id, load:N, or the file's name or path")
    .action(act(async () => (await import('./files.js')).show));
}

function addRequestList(program: Command, act: Act): void {
  const requests = program
    .command('requests')
    .description('what was asked for (reprocess, retry, ...): all that is open and the last 100 of the rest')
    .action(act(async () => (await import('./request-list.js')).list));
  requests
    .command('cancel')
    .description('takes open requests back')
    .argument('<request...>', 'their numbers')
    .action(act(async () => (await import('./request-list.js')).cancel));
}

function addLedger(program: Command, act: Act): void {
  const ledger = program.command('ledger').description('the memory of what was loaded');
  addRequest(
    ledger,
    'clear',
    'clear the entry only: rows stay, until a later load of the same path or content replaces them',
    act,
  );
  ledger
    .command('adopt')
    .description('record the files present as ignored, without reading them: the first start on an old drop')
    .requiredOption('--feed <name>', 'the feed')
    .option('--before <time>', 'only files changed before then: ISO 8601, or 7d')
    .option('--match <glob>', 'only paths that the glob meets')
    .action(act(async () => (await import('./ledger.js')).adopt));
  ledger
    .command('verify')
    .description('compares ledger, receipts and staging counts; says every difference')
    .action(act(async () => (await import('./ledger.js')).verify));
}

function addQuarantine(program: Command, act: Act): void {
  const quarantine = program
    .command('quarantine')
    .description('open quarantine, grouped by file, column and reason')
    .option('--feed <name>', 'only this feed')
    .option('--since <time>', 'only of loads since then: ISO 8601, or 7d')
    .option('--until <time>', 'only of loads before then')
    .action(act(async () => (await import('./quarantine.js')).groups));
  quarantine
    .command('show')
    .description('the rows: row, line, column, value, reason')
    .argument('<file_id>', 'file id, or load:N')
    .action(act(async () => (await import('./quarantine.js')).show));
  quarantine
    .command('export')
    .description('the refused rows for the supplier')
    .argument('<file_id>', 'file id, or load:N')
    .option('--format <format>', EXPORT_FORMATS.join(', '), 'csv')
    .option('-o, --output <file>', 'write here instead of to stdout')
    .action(act(async () => (await import('./quarantine.js')).exportRows));
}

/** `NAME ID...` or selectors, with --reason, --dry-run, --yes and --wait. */
function addRequest(program: Command, kind: RequestKind, description: string, act: Act): Command {
  return addSelectors(program.command(kind).description(description).argument('[id...]', 'file ids, or load:N'), '0')
    .option('--reason <text>', 'stands in the history')
    .option('--dry-run', 'say what would be asked for, change nothing')
    .option('--yes', 'act on a selection without asking')
    .option('--wait', 'wait until it is done: by the daemon, or in this process where none runs')
    .action(
      act(async () => {
        const { request } = await import('./requests.js');
        return (context: Context, ids: readonly string[], options: RequestOptions) =>
          request(context, kind, ids, options);
      }),
    );
}

/** The selectors that `files`, `reprocess`, `ledger clear` and their like share. */
function addSelectors(command: Command, limit: string): Command {
  return command
    .option('--feed <name>', 'only files of this feed')
    .option('--state <state...>', 'only files in these states')
    .option('--since <time>', 'only files discovered since then: ISO 8601, or 7d')
    .option('--until <time>', 'only files discovered before then')
    .option('--match <glob>', 'only paths that the glob meets')
    .option('--limit <n>', 'at most this many, 0 = all', limit);
}

function sampleSize(text: string): number {
  const size = parseSize(text);
  if (size === null || size < 1024) throw new InvalidArgumentError('write a size from 1KiB on, such as 8MiB');
  return size;
}
