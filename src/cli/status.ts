import { TallymanError } from '../core/errors.js';
import { parseDuration } from '../base/units.js';
import { wait } from '../base/wait.js';
import { status as statusOf, type StatusDocument } from '../operations/status.js';
import type { Context } from './context.js';
import { printStatus, type Attention } from './print/status-table.js';
import { clearScreen, outputFailure, terminalWidth } from './print/streams.js';
import { window, type WindowOptions } from './selectors.js';

interface StatusOptions extends WindowOptions {
  readonly check?: boolean;
  /** True without a value. */
  readonly watch?: string | boolean;
}

/** Where stdout is no terminal. */
const WIDTH = 80;

export async function status(context: Context, options: StatusOptions): Promise<number> {
  const { interrupt } = context;
  const every = options.watch === undefined || options.watch === false ? null : pauseOf(options.watch);
  // Ctrl-C is how a person ends it.
  const isOver = (): boolean => interrupt.signal.aborted;
  for (;;) {
    const code = await look(context, options, every !== null);
    // Nobody reads any more (`| head`), or it cannot be written: the end of the command tells the latter.
    if (every === null || isOver() || outputFailure() !== null) return code;
    await wait(every, interrupt.signal);
    if (isOver()) return code;
  }
}

async function look(context: Context, options: StatusOptions, again: boolean): Promise<number> {
  const { out } = context;
  const now = new Date();
  const document = await statusOf(context.app(), now, window(options, now));
  if (out.json) out.document(document);
  else {
    const width = terminalWidth();
    if (again) clearScreen();
    printStatus(out, document, now, width ?? WIDTH);
    if (again && width === null) out.line('');
  }
  return exitOf(document, options.check === true);
}

function exitOf({ items, database_error: databaseError }: StatusDocument, check: boolean): number {
  const any = (...states: readonly Attention[]): boolean =>
    items.some((item) => states.some((state) => (item.states[state] ?? 0) > 0));
  const inTheWay = items.some((item) => item.configured && item.troubles.items.some(({ kind }) => kind !== 'skipped'));
  const passedOver = items.some((item) => item.configured && item.troubles.skipped > 0);
  if (check && any('failed', 'rejected')) return 6;
  if (databaseError !== null || (check && inTheWay)) return 5;
  return check && (passedOver || any('held')) ? 3 : 0;
}

/** Milliseconds between two looks. */
function pauseOf(text: string | true): number {
  const every = text === true ? 2_000 : parseDuration(text);
  if (every === null || every < 500)
    throw new TallymanError('USAGE', `--watch ${String(text)}: not a duration of half a second or more, such as 5s`);
  return every;
}
