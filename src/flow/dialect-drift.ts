import { TallymanError } from '../core/errors.js';
import type { FeedSpec } from '../core/feed/feed.js';
import type { DriftNote } from '../core/format.js';
import { formatOf } from '../formats/find-format.js';
import { isTerminated, isUnterminated } from '../load/read/text-end.js';
import type { Reading } from '../core/ledger/reading.js';
import type { FlowParts } from './flow-parts.js';

type Told = Readonly<Record<string, unknown>>;
type DriftParts = Pick<FlowParts, 'ledger' | 'receipts' | 'formats' | 'log'>;

/** What is remembered of a feed's loads. */
interface Known {
  /** Dialect of the latest one; null = there is none. */
  readonly latest: Told | null;
  /** Of the latest LOOKED_AT that show it, newest first: does the last line have a line end? */
  readonly ends: readonly boolean[];
}

/** By ledger: an engine has one, and so has its memory. */
const memory = new WeakMap<Reading, Map<string, Known>>();

/** Loads that are looked at. */
const LOOKED_AT = 20;

/**
 * What is unlike the feed's last loads: nothing is wrong with the file, but its sender changed something, or it may be
 * cut off. The memory is empty at the start of a process: then the receipts of the newest loads are asked, once a feed.
 */
export async function dialectDrift(
  parts: DriftParts,
  feed: FeedSpec,
  dialect: Told,
  records: number,
): Promise<readonly DriftNote[]> {
  const feeds = memory.get(parts.ledger) ?? new Map<string, Known>();
  memory.set(parts.ledger, feeds);
  const before = feeds.get(feed.name) ?? (await newestLoads(parts, feed.name));
  // A file without records shows no dialect of its own. A value that this file does not show stands as it was: the next
  // one is held against it.
  feeds.set(feed.name, {
    latest: records > 0 ? { ...before.latest, ...shown(dialect) } : before.latest,
    ends: [...endOf(dialect), ...before.ends].slice(0, LOOKED_AT),
  });
  return [...(records > 0 ? changes(parts, feed, before.latest, dialect) : []), ...unterminated(before.ends, dialect)];
}

/**
 * Only what is found out file by file is compared: what the config says changes with the config, and that is no matter
 * of the sender.
 */
function changes({ formats }: DriftParts, feed: FeedSpec, before: Told | null, dialect: Told): readonly DriftNote[] {
  // A file of one line without a line end has none to compare: null.
  const changed = Object.keys(dialect).filter((key) => {
    const [was, is] = [before?.[key] ?? null, dialect[key] ?? null];
    return was !== null && is !== null && typeof is !== 'object' && was !== is;
  });
  if (before === null || changed.length === 0) return [];
  const { format, options } = formatOf(formats, feed.format);
  const found = format.text(options)?.found ?? [];
  return found
    .filter((key) => changed.includes(key))
    .map((key) => {
      const [was, is] = [JSON.stringify(before[key]), JSON.stringify(dialect[key])];
      return { kind: 'dialect', column: '', message: `${key} is ${is}; in the feed's last file it was ${was}` };
    });
}

/**
 * A file that was cut off inside its last cell looks whole but for its last line end. Many senders write none: so it is
 * told where at least half of the feed's last files had one.
 */
function unterminated(before: readonly boolean[], dialect: Told): readonly DriftNote[] {
  const had = before.filter((one) => one).length;
  if (!isUnterminated(dialect) || had === 0 || 2 * had < before.length) return [];
  const usual = `${had} of the feed's last ${before.length} files had one`;
  const message = `the last line has no line end, and ${usual}: it may be cut off`;
  return [{ kind: 'unterminated', column: '', message }];
}

const endOf = (dialect: Told): readonly boolean[] =>
  isTerminated(dialect) ? [true] : isUnterminated(dialect) ? [false] : [];

/** What the file shows of its dialect: neither what it does not show (null), nor lists such as its columns' names. */
const shown = (dialect: Told): Told =>
  Object.fromEntries(Object.entries(dialect).filter(([, value]) => typeof value !== 'object'));

/**
 * Nothing is known of them where the database is away just now: the load itself is committed, and no warning is worth
 * its end.
 */
async function newestLoads({ ledger, receipts, log }: DriftParts, feed: string): Promise<Known> {
  const newest = await ledger.files({ feed, states: ['loaded'], limit: LOOKED_AT });
  const loads = newest.flatMap(({ load_id: id, rows }) => (id === null ? [] : [{ id, records: rows.read }]));
  if (loads.length === 0) return { latest: null, ends: [] };
  try {
    const dialects = await receipts.dialects(loads.map(({ id }) => id));
    const withRecords = loads.find(({ records }) => records > 0);
    return {
      latest: (withRecords === undefined ? undefined : dialects.get(withRecords.id)) ?? null,
      ends: loads.flatMap(({ id }) => endOf(dialects.get(id) ?? {})),
    };
  } catch (error) {
    if (!(error instanceof TallymanError)) throw error;
    log.debug({ feed, code: error.code }, 'the dialects of the last loads are not known: no drift of them is reported');
    return { latest: null, ends: [] };
  }
}
