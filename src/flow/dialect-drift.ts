import { TallymanError } from '../core/errors.js';
import type { FeedSpec } from '../core/feed/feed.js';
import type { DriftNote } from '../core/format.js';
import { formatOf } from '../formats/find-format.js';
import type { Reading } from '../core/ledger/reading.js';
import type { FlowParts } from './flow-parts.js';

type Told = Readonly<Record<string, unknown>>;
type DriftParts = Pick<FlowParts, 'ledger' | 'receipts' | 'formats' | 'log'>;

/** Dialect of each feed's latest load in this process. By ledger: an engine has one, and so has its memory. */
const latest = new WeakMap<Reading, Map<string, Told>>();

/**
 * A change of dialect from the feed's last load to this one: nothing is wrong with the file, but its sender changed
 * something. Only what is found out file by file is compared: what the config says changes with the config, and that is
 * no matter of the sender. The memory is empty at the start of a process: then the newest load's receipt is asked, once
 * a feed.
 */
export async function dialectDrift(parts: DriftParts, feed: FeedSpec, dialect: Told): Promise<readonly DriftNote[]> {
  const known = latest.get(parts.ledger) ?? new Map<string, Told>();
  latest.set(parts.ledger, known);
  const before = known.get(feed.name) ?? (await newestDialect(parts, feed.name));
  // A value that this file does not show stands as it was: the next one is held against it.
  known.set(feed.name, { ...before, ...shown(dialect) });
  // A file of one line without a line end has none to compare: null.
  const changed = Object.keys(dialect).filter((key) => {
    const [was, is] = [before?.[key] ?? null, dialect[key] ?? null];
    return was !== null && is !== null && typeof is !== 'object' && was !== is;
  });
  if (before === null || changed.length === 0) return [];
  const { format, options } = formatOf(parts.formats, feed.format);
  const found = format.text(options)?.found ?? [];
  return found
    .filter((key) => changed.includes(key))
    .map((key) => {
      const [was, is] = [JSON.stringify(before[key]), JSON.stringify(dialect[key])];
      return { kind: 'dialect', column: '', message: `${key} is ${is}; in the feed's last file it was ${was}` };
    });
}

/** What the file shows of its dialect: neither what it does not show (null), nor lists such as its columns' names. */
const shown = (dialect: Told): Told =>
  Object.fromEntries(Object.entries(dialect).filter(([, value]) => typeof value !== 'object'));

/** Files that are asked for one with records: an empty one shows no dialect. */
const LOOKED_AT = 20;

/**
 * null = no load is known, or the database is away just now: the load itself is committed, and no warning is worth its
 * end.
 */
async function newestDialect({ ledger, receipts, log }: DriftParts, feed: string): Promise<Told | null> {
  const newest = (await ledger.files({ feed, states: ['loaded'], limit: LOOKED_AT })).find(({ rows }) => rows.read > 0);
  if (newest === undefined || newest.load_id === null) return null;
  try {
    return await receipts.dialect(newest.load_id);
  } catch (error) {
    if (!(error instanceof TallymanError)) throw error;
    log.debug({ feed, code: error.code }, 'the dialect of the last load is not known: no drift of it is reported');
    return null;
  }
}
