import { createInterface } from 'node:readline/promises';
import process from 'node:process';
import { TallymanError } from '../core/errors.js';
import type { RequestKind } from '../core/ledger/requests.js';
import type { FileReport } from '../core/report.js';
import { actOnRequests } from '../operations/requests/act-on-requests.js';
import {
  checkRequest,
  describeRequest,
  placeRequest,
  requestOutcome,
  requestOutcomes,
  type RequestDocument,
  type RequestItem,
  type RequestOutcome,
} from '../operations/requests/request.js';
import { counted } from '../base/text/readable-numbers.js';
import { unload } from '../operations/unload.js';
import type { App } from '../app.js';
import { actor, type Context } from './context.js';
import { exitCode } from './exit-code.js';
import { isNarrowed, selector, type SelectorOptions } from './selectors.js';
import { oneLine } from '../base/text/terminal-text.js';

export interface RequestOptions extends SelectorOptions {
  readonly reason?: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly wait?: boolean;
  /** reprocess only. */
  readonly fromLanding?: boolean;
  /** release only. */
  readonly replace?: boolean;
}

export async function request(
  context: Context,
  command: RequestKind,
  ids: readonly string[],
  options: RequestOptions,
): Promise<number> {
  const { out } = context;
  const kind = options.replace === true ? 'release-replace' : command;
  const app = context.app();
  const isDry = options.dryRun === true;
  const checked = await checkRequest(app, {
    kind,
    ids,
    selector: isNarrowed(options) ? selector(options) : null,
    fromLanding: options.fromLanding === true,
  });
  if (!isDry && ids.length === 0 && options.yes !== true) await confirm(kind, checked.files.length);
  const document = isDry
    ? describeRequest(checked)
    : await placeRequest(app, checked, { actor: actor(), reason: options.reason ?? '' });
  if (out.json) out.document(document);
  else
    for (const item of document.items)
      out.line(`${isDry ? 'would ' : ''}${kind} file ${item.file_id}: ${oneLine(item.path)} (${item.state})`);
  if (document.items.length === 0) out.say('nothing meets the selection');
  else if (!isDry && options.wait !== true)
    out.say(
      app.holder() === null
        ? 'asked; no daemon runs: the next `tallyman run` acts, or say --wait to have it done at once'
        : 'asked; the running daemon acts within a second, or after the end of a load under way',
    );
  if (options.wait !== true || isDry) return 0;
  return await waitFor(context, app, document);
}

export async function unloadOne(
  context: Context,
  id: string,
  options: { readonly reason: string; readonly dryRun?: boolean },
): Promise<number> {
  const { out } = context;
  const document = await unload(context.app(), {
    id,
    reason: options.reason,
    dryRun: options.dryRun === true,
    actor: actor(),
  });
  if (out.json) {
    out.document(document);
    return 0;
  }
  const { file_id: fileId, load_id: loadId, path, rows, state, done } = document;
  const what = `${counted(rows, 'row')} of load ${loadId} (file ${fileId}: ${oneLine(path)})`;
  if (options.dryRun === true) out.line(`would unload ${what}`);
  else if (done) out.line(`unloaded ${what}; the file is ${state} now`);
  else out.line(`${what}: the file is ${state}; they leave staging when that has ended`);
  return 0;
}

async function confirm(kind: RequestKind, n: number): Promise<void> {
  if (n === 0) return;
  if (!process.stdin.isTTY) throw new TallymanError('CONFIRM', `${kind} would act on ${counted(n, 'file')}`);
  const rl = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await rl.question(`${kind} ${counted(n, 'file')}? [y/N] `);
    if (!/^y(es)?$/i.test(answer.trim())) throw new TallymanError('CONFIRM', 'not confirmed; nothing was changed');
  } finally {
    rl.close();
  }
}

/** Returns the exit code that a run over these files would end with; 2 when a request was refused. */
async function waitFor(context: Context, app: App, asked: RequestDocument): Promise<number> {
  const { out, interrupt } = context;
  const reports: FileReport[] = [];
  const errors: TallymanError[] = [];
  const refused: number[] = [];
  let left = asked.items;
  const hear = ({ file_id: id, ok, message, report }: RequestOutcome): void => {
    left = left.slice(1);
    out.say(`file ${id}: ${ok ? (report?.state ?? '') : `refused: ${oneLine(message)}`}`);
    if (!ok) refused.push(id);
    else if (report !== null) reports.push(report);
  };
  while (left.length > 0 && !interrupt.signal.aborted) {
    const holder = app.holder();
    if (holder !== null) {
      const who = `the tallyman that runs${holder.pid === null ? '' : ` (pid ${holder.pid})`}`;
      out.say(`waiting for ${who}; Ctrl-C ends the waiting, not the request`);
      for await (const outcome of requestOutcomes(app, left, interrupt.signal, () => app.holder() !== null))
        hear(outcome);
      continue;
    }
    const acted = await actHere(context, app, left);
    if (acted === null) continue;
    errors.push(...acted);
    for (const item of left) {
      const outcome = await requestOutcome(app, item);
      if (outcome !== null) hear(outcome);
      else {
        left = left.slice(1);
        errors.push(stillOpen(item, acted[0] ?? null));
      }
    }
  }
  // A signal ended the wait.
  if (left.length > 0) return interrupt.exitCode() ?? 130;
  for (const error of errors) out.error(error);
  return refused.length > 0 ? 2 : exitCode({ reports, errors });
}

/** null = a daemon was started just now, and does it. */
async function actHere(
  { out, interrupt }: Context,
  app: App,
  items: readonly RequestItem[],
): Promise<readonly TallymanError[] | null> {
  out.say('no daemon runs: acting in this process');
  try {
    const feeds = items.map(({ feed }) => feed);
    return await actOnRequests(app, { feeds, actor: actor() }, interrupt.signal);
  } catch (error) {
    if (error instanceof TallymanError && error.code === 'ALREADY_RUNNING') return null;
    throw error;
  }
}

/** It was tried, and its file has no end: what could not be reached is shown beside it. */
const stillOpen = (item: RequestItem, cause: TallymanError | null): TallymanError =>
  new TallymanError(
    cause?.code ?? 'FILE_CHANGED',
    `file ${item.file_id} (${item.path}): ${item.kind} has not come to an end; it stays asked for`,
    { fix: `The next \`tallyman run\` goes on with it; \`tallyman files show ${item.file_id}\` says where it stands.` },
  );
