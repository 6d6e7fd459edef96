import { createInterface } from 'node:readline/promises';
import process from 'node:process';
import type { Command } from 'commander';
import { TallymanError } from '../core/errors.js';
import { sameVersion, type SeenFile } from '../core/file.js';
import type { FileEntry } from '../core/entry.js';
import type { Ledger } from '../core/ledger/index.js';
import type { RequestKind } from '../core/ledger/requests.js';
import { bytesThere } from '../flow/bytes-there.js';
import { requestAllowed } from '../ledger/rules/request-rules.js';
import type { FileReport } from '../core/report.js';
import { OPEN_STATES } from '../core/states.js';
import type { Source } from '../core/source.js';
import type { App } from '../app.js';
import type { Act, Context } from './context.js';
import { exitCode } from './exit-code.js';
import { addSelectors, fileId, isNarrowed, selector, type SelectorOptions } from './ids.js';
import { visible } from './print/output.js';

export interface RequestOptions extends SelectorOptions {
  readonly reason?: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly wait?: boolean;
  /** reprocess only. */
  readonly fromLanding?: boolean;
}

/** Milliseconds between two looks for the outcome, and how long `--wait` waits for a daemon to take a request up. */
const LOOK_MS = 200;

export function requestCommands(program: Command, act: Act): void {
  addRequest(
    program,
    'reprocess',
    'clear the ledger entry and take the file again; its earlier rows are replaced',
    act,
  );
  addRequest(program, 'retry', 'failed, rejected -> taken again, attempts 0', act);
  addRequest(program, 'release', 'held -> loaded', act);
  addRequest(program, 'ignore', 'held, failed, rejected -> ignored', act);
}

/** `NAME ID...` or selectors, with --reason, --dry-run, --yes and --wait. */
export function addRequest(program: Command, kind: RequestKind, description: string, act: Act): void {
  const command = addSelectors(
    program.command(kind).description(description).argument('[id...]', 'file ids, or load:N'),
    '0',
  )
    .option('--reason <text>', 'stands in the history')
    .option('--dry-run', 'say what would be asked for, change nothing')
    .option('--yes', 'act on a selection without asking')
    .option('--wait', 'wait until the daemon has done it');
  if (kind === 'reprocess')
    command.option(
      '--from-landing',
      'only from the copy under data_dir/landing (landing.keep), whatever stands at the source',
    );
  command.action(
    act((context: Context, ids: readonly string[], options: RequestOptions) => request(context, kind, ids, options)),
  );
}

async function request(
  context: Context,
  kind: RequestKind,
  ids: readonly string[],
  options: RequestOptions,
): Promise<number> {
  const { out } = context;
  const app = context.app();
  const ledger = app.ledger();
  const entries = await chosen(app, ledger, kind, ids, options);
  // All or nothing: one that cannot be done refuses the whole command before anything is written.
  for (const entry of entries) {
    const refusal = requestAllowed(kind, entry);
    if (refusal !== null) throw refusal;
  }
  const stands = new Map<number, SeenFile>();
  if (kind === 'reprocess')
    for (const entry of entries)
      stands.set(
        entry.fileId,
        await bytesThere(entry, sourceFor(app, entry), {
          copy: await app.landing().copyOf(entry),
          only: options.fromLanding === true,
        }),
      );
  if (options.dryRun !== true && ids.length === 0 && options.yes !== true) await confirm(kind, entries.length);
  const items = [];
  for (const entry of entries) {
    const now = stands.get(entry.fileId);
    // The same bytes, touched since they were seen: or the next listing would take them for another version.
    if (
      now !== undefined &&
      options.dryRun !== true &&
      !isOpen(entry) &&
      !sameVersion(now, entry.movedTo ?? entry.file)
    )
      await ledger.touch(entry.fileId, now);
    const requestId =
      options.dryRun === true
        ? null
        : await ledger.request({
            kind,
            fileId: entry.fileId,
            actor: `cli:${process.env['USER'] ?? String(process.getuid?.() ?? 'user')}`,
            reason: options.reason ?? '',
          });
    items.push({
      request_id: requestId,
      kind,
      file_id: entry.fileId,
      feed: entry.feed,
      path: entry.file.path,
      state: entry.state,
    });
    if (!out.json)
      out.line(
        `${options.dryRun === true ? 'would ' : ''}${kind} file ${entry.fileId}: ${visible(entry.file.path)} (${entry.state})`,
      );
  }
  if (out.json) out.document({ items });
  if (entries.length === 0) out.say('nothing meets the selection');
  else if (options.dryRun !== true && options.wait !== true)
    out.say('asked; a running daemon acts within a second, else the next `tallyman run`');
  if (options.wait !== true || options.dryRun === true) return 0;
  return await waitFor(
    context,
    ledger,
    items.flatMap((item) => (item.request_id === null ? [] : [{ requestId: item.request_id, fileId: item.file_id }])),
  );
}

async function chosen(
  app: App,
  ledger: Ledger,
  kind: RequestKind,
  ids: readonly string[],
  options: RequestOptions,
): Promise<FileEntry[]> {
  if (options.feed !== undefined) app.feed(options.feed);
  if (ids.length === 0 && !isNarrowed(options))
    throw new TallymanError('USAGE', `${kind} needs file ids, or a selection such as --feed or --state`);
  const found: number[] = [];
  if (ids.length > 0) {
    for (const id of ids) found.push(await fileId(ledger, id));
    if (isNarrowed(options)) await mustMeet(ledger, found, options);
  } else for (const report of await ledger.files(selector(options))) found.push(report.file_id);
  const entries: FileEntry[] = [];
  for (const id of new Set(found)) {
    const entry = await ledger.entry(id);
    // A selection takes those that it fits; an id that does not fit is an error.
    if (entry !== null && (ids.length > 0 || requestAllowed(kind, entry) === null)) entries.push(entry);
  }
  return entries;
}

/** IDs and a selection: an ID outside the selection is a slip of the hand, and then nothing is done. */
async function mustMeet(ledger: Ledger, found: readonly number[], options: RequestOptions): Promise<void> {
  const met = new Set(
    (await ledger.files({ ...selector(options), ids: found, limit: 0 })).map((report) => report.file_id),
  );
  const outside = found.filter((id) => !met.has(id));
  if (outside.length > 0)
    throw new TallymanError('USAGE', `file ${outside.join(', ')} does not meet the selection; nothing was changed`);
}

/** null = the feed is not in the config any more. */
function sourceFor(app: App, entry: FileEntry): (() => Source) | null {
  const feed = app.config.feeds.find((candidate) => candidate.name === entry.feed);
  return feed === undefined ? null : () => app.source(feed);
}

async function confirm(kind: RequestKind, n: number): Promise<void> {
  if (n === 0) return;
  if (!process.stdin.isTTY) throw new TallymanError('CONFIRM', `${kind} would act on ${n} files`);
  const rl = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await rl.question(`${kind} ${n} file${n === 1 ? '' : 's'}? [y/N] `);
    if (!/^y(es)?$/i.test(answer.trim())) throw new TallymanError('CONFIRM', 'not confirmed; nothing was changed');
  } finally {
    rl.close();
  }
}

/**
 * Waits until every request is carried out and its file has ended again. Gives the exit code that a run over these
 * files would end with; 2 when one was refused.
 */
async function waitFor(
  context: Context,
  ledger: Ledger,
  asked: readonly { readonly requestId: number; readonly fileId: number }[],
): Promise<number> {
  const { out, interrupt } = context;
  const reports: FileReport[] = [];
  let refused = false;
  if (asked.length > 0) out.say('waiting for the running daemon, or the next `tallyman run`');
  for (const { requestId, fileId: id } of asked) {
    let report: FileReport | null = null;
    let result: { readonly ok: boolean; readonly message: string } | null = null;
    while (result === null || (result.ok && (report === null || isOpen(report)))) {
      if (interrupt.signal.aborted) return interrupt.exitCode() ?? 130;
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      result = await ledger.requestResult(requestId);
      report = (await ledger.files({ ids: [id], limit: 1 }))[0] ?? null;
    }
    out.say(`file ${id}: ${result.ok ? (report?.state ?? '') : `refused: ${result.message}`}`);
    if (!result.ok) refused = true;
    else if (report !== null) reports.push(report);
  }
  return refused ? 2 : exitCode({ reports, errors: [] });
}

const isOpen = (report: { readonly state: string }): boolean => OPEN_STATES.some((state) => state === report.state);
