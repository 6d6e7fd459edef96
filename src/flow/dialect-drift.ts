import { TallymanError } from '../core/errors.js';
import type { FeedSpec } from '../core/feed/feed.js';
import type { DriftNote } from '../core/format.js';
import type { Ledger } from '../core/ledger/index.js';
import type { ProcessParts } from './process-parts.js';

type Told = Readonly<Record<string, unknown>>;

/** Dialect of each feed's latest load in this process. By ledger: an engine has one, and so has its memory. */
const latest = new WeakMap<Ledger, Map<string, Told>>();

/**
 * What is compared: only what is found out file by file. What the config says changes with the config, and that is no
 * matter of the sender. A file of one line without a line end has none to compare (null).
 */
const COMPARED: readonly { readonly key: string; readonly open: (feed: FeedSpec) => boolean }[] = [
  { key: 'delimiter', open: ({ format }) => format.options['delimiter'] === 'auto' },
  { key: 'encoding', open: ({ format }) => ['auto', 'utf-16', 'utf-32'].includes(String(format.options['encoding'])) },
  { key: 'shape', open: ({ format }) => format.options['shape'] === 'auto' },
  { key: 'line_ends', open: () => true },
  { key: 'bom', open: () => true },
];

/**
 * A change of dialect from the feed's last load to this one (SPEC 3, issue 4): nothing is wrong with the file, but its
 * sender changed something. The memory is empty at the start of a process: then the newest load's receipt is asked,
 * once a feed.
 */
export async function dialectDrift(
  parts: Pick<ProcessParts, 'ledger' | 'receipts' | 'log'>,
  feed: FeedSpec,
  dialect: Told,
): Promise<readonly DriftNote[]> {
  const known = latest.get(parts.ledger) ?? new Map<string, Told>();
  latest.set(parts.ledger, known);
  const before = known.get(feed.name) ?? (await newestDialect(parts, feed.name));
  const told = Object.fromEntries(
    COMPARED.flatMap(({ key }) => (dialect[key] === undefined ? [] : [[key, dialect[key]]])),
  );
  // A value that this file does not show stands as it was: the next one is held against it.
  known.set(feed.name, {
    ...before,
    ...Object.fromEntries(Object.entries(told).filter(([, value]) => value !== null)),
  });
  if (before === null) return [];
  return COMPARED.flatMap(({ key, open }): DriftNote[] => {
    const [was, is] = [before[key], told[key]];
    if (was === undefined || was === null || is === undefined || is === null || was === is || !open(feed)) return [];
    return [
      {
        kind: 'dialect',
        column: '',
        message: `${key} is ${JSON.stringify(is)}; in the feed's last file it was ${JSON.stringify(was)}`,
      },
    ];
  });
}

/** Files that are asked for one with records: an empty one shows no dialect. */
const LOOKED_AT = 20;

/**
 * null = no load is known, or the database is away just now: the load itself is committed, and no warning is worth its
 * end.
 */
async function newestDialect(
  { ledger, receipts, log }: Pick<ProcessParts, 'ledger' | 'receipts' | 'log'>,
  feed: string,
): Promise<Told | null> {
  const newest = (await ledger.files({ feed, states: ['loaded'], limit: LOOKED_AT })).find(({ rows }) => rows.read > 0);
  if (newest === undefined || newest.load_id === null) return null;
  try {
    return await receipts.dialect(newest.load_id);
  } catch (error) {
    if (!(error instanceof TallymanError)) throw error;
    log.debug({ feed, code: error.code }, 'the dialect of the last load is not known: no drift of it is told');
    return null;
  }
}
