import { createInterface } from 'node:readline/promises';
import process from 'node:process';
import { TallymanError } from '../core/errors.js';
import type { RequestKind } from '../core/ledger/requests.js';
import type { FileReport } from '../core/report.js';
import {
  checkRequest,
  describeRequest,
  placeRequest,
  requestOutcomes,
  type RequestDocument,
} from '../operations/request.js';
import { counted } from '../base/text/readable-numbers.js';
import { unload } from '../operations/unload.js';
import type { App } from '../app.js';
import type { Context } from './context.js';
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
    out.say('asked; a running daemon acts within a second, else the next `tallyman run`');
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

const actor = (): string => `cli:${process.env['USER'] ?? String(process.getuid?.() ?? 'user')}`;

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
async function waitFor({ out, interrupt }: Context, app: App, asked: RequestDocument): Promise<number> {
  const reports: FileReport[] = [];
  let refused = false;
  let heard = 0;
  if (asked.items.length > 0) out.say('waiting for the running daemon, or the next `tallyman run`');
  for await (const { file_id: id, ok, message, report } of requestOutcomes(app, asked, interrupt.signal)) {
    heard++;
    out.say(`file ${id}: ${ok ? (report?.state ?? '') : `refused: ${oneLine(message)}`}`);
    if (!ok) refused = true;
    else if (report !== null) reports.push(report);
  }
  // A signal ended the wait.
  if (heard < asked.items.length) return interrupt.exitCode() ?? 130;
  return refused ? 2 : exitCode({ reports, errors: [] });
}
