import { TallymanError } from '../core/errors.js';
import type { FileSelector } from '../core/ledger/reading.js';
import { parseDuration } from '../base/units.js';
import { FILE_STATES, type FileState } from '../core/states.js';

/** A stretch of time: ISO 8601, or back from now. */
export interface WindowOptions {
  readonly since?: string;
  readonly until?: string;
}

/** Throws USAGE when it ends before it begins. */
export function window(options: WindowOptions, now: Date): { readonly since?: string; readonly until?: string } {
  const since = options.since === undefined ? undefined : time(options.since, now);
  const until = options.until === undefined ? undefined : time(options.until, now);
  if (since !== undefined && until !== undefined && until <= since)
    throw new TallymanError('USAGE', `--until ${options.until ?? ''} is not later than --since ${options.since ?? ''}`);
  return { ...(since === undefined ? {} : { since }), ...(until === undefined ? {} : { until }) };
}

/** The selectors that `files`, `reprocess`, `ledger clear` and their like share. */
export interface SelectorOptions extends WindowOptions {
  readonly feed?: string;
  readonly state?: readonly string[];
  readonly match?: string;
  readonly limit?: string;
}

export function selector(options: SelectorOptions, now: Date = new Date()): FileSelector {
  const limit = Number(options.limit ?? '0');
  if (!Number.isSafeInteger(limit) || limit < 0)
    throw new TallymanError('USAGE', `--limit ${options.limit ?? ''}: not a whole number`);
  return {
    ...(options.feed === undefined ? {} : { feed: options.feed }),
    ...(options.state === undefined ? {} : { states: options.state.flatMap((text) => text.split(',')).map(state) }),
    ...window(options, now),
    ...(options.match === undefined ? {} : { match: options.match }),
    limit,
  };
}

/** True when something narrows the selection. */
export function isNarrowed(options: SelectorOptions): boolean {
  return (
    options.feed !== undefined ||
    options.state !== undefined ||
    options.since !== undefined ||
    options.until !== undefined ||
    options.match !== undefined
  );
}

function state(text: string): FileState {
  const found = FILE_STATES.find((known) => known === text);
  if (found === undefined)
    throw new TallymanError('USAGE', `--state ${text}: no such state; there are ${FILE_STATES.join(', ')}`);
  return found;
}

/** ISO 8601, or a duration back from now. */
export function time(text: string, now: Date): string {
  const back = parseDuration(text);
  const at = back === null ? new Date(text) : new Date(now.getTime() - back);
  if (Number.isNaN(at.getTime()))
    throw new TallymanError('USAGE', `${text}: neither a time such as 2026-11-20T06:00:00Z nor a duration such as 7d`);
  return at.toISOString();
}
