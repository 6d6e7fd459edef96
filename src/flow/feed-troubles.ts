import type { FeedTrouble, FeedTroubles, NotTaken } from '../core/feed/trouble.js';
import { TallymanError } from '../core/errors.js';
import type { Surroundings } from '../core/ledger/surroundings.js';

/** Under it the ledger keeps what stands in the way of a feed: who works knows it, and another process is asked. */
const key = (feed: string): string => `troubles:${feed}`;

const NONE: FeedTroubles = { skipped: 0, unlisted: 0, items: [] };

/** What a running feed reports of itself. */
export interface FeedState {
  /** Why its source cannot be reached; null = it can. */
  readonly error: TallymanError | null;
  /** Why it works no file; null = it does. */
  readonly stopped: TallymanError | null;
  readonly skipped: NotTaken;
  readonly unlisted: NotTaken;
}

export function troublesOf({ error, stopped, skipped, unlisted }: FeedState): FeedTroubles {
  const told = (kind: 'source' | 'stopped', from: TallymanError | null): readonly FeedTrouble[] =>
    from === null ? [] : [{ kind, path: null, code: from.code, message: from.message, fix: from.fix }];
  const passed = (kind: 'unlisted' | 'skipped', { items }: NotTaken): readonly FeedTrouble[] =>
    items.map(({ path, reason }) => ({ kind, path, code: null, message: reason, fix: null }));
  return {
    skipped: skipped.count,
    unlisted: unlisted.count,
    items: [
      ...told('source', error),
      ...told('stopped', stopped),
      ...passed('unlisted', unlisted),
      ...passed('skipped', skipped),
    ],
  };
}

/** What a run ends with when folders of a feed could not be listed; null = all could. */
export function unlistedError(feed: string, unlisted: NotTaken | undefined): TallymanError | null {
  const [first] = unlisted?.items ?? [];
  if (unlisted === undefined || first === undefined) return null;
  const more = unlisted.count === 1 ? '' : `, and ${unlisted.count - 1} more`;
  return new TallymanError('FOLDER_UNREADABLE', `feed ${feed}: ${first.path}: ${first.reason}${more}`);
}

/** Writes them down where they have changed. One for each process that works. */
export class TroubleNotes {
  readonly #ledger: Pick<Surroundings, 'getMeta' | 'setMeta'>;
  readonly #written = new Map<string, string>();

  constructor(ledger: Pick<Surroundings, 'getMeta' | 'setMeta'>) {
    this.#ledger = ledger;
  }

  async note(feed: string, troubles: FeedTroubles): Promise<void> {
    const text = JSON.stringify(troubles);
    const before = this.#written.get(feed) ?? (await this.#ledger.getMeta(key(feed))) ?? JSON.stringify(NONE);
    if (before !== text) await this.#ledger.setMeta(key(feed), text);
    this.#written.set(feed, text);
  }
}

/** As they were when a process last worked on the feed. */
export async function notedTroubles(ledger: Pick<Surroundings, 'getMeta'>, feed: string): Promise<FeedTroubles> {
  const text = await ledger.getMeta(key(feed));
  if (text === null) return NONE;
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null) return NONE;
  const { skipped, unlisted, items }: { skipped?: unknown; unlisted?: unknown; items?: unknown } = value;
  return {
    skipped: typeof skipped === 'number' ? skipped : 0,
    unlisted: typeof unlisted === 'number' ? unlisted : 0,
    items: Array.isArray(items) ? items.flatMap((item: unknown) => troubleOf(item) ?? []) : [],
  };
}

function troubleOf(item: unknown): FeedTrouble | null {
  if (typeof item !== 'object' || item === null) return null;
  const read: Partial<Record<keyof FeedTrouble, unknown>> = item;
  const kind = (['source', 'stopped', 'unlisted', 'skipped'] as const).find((one) => one === read.kind);
  if (kind === undefined) return null;
  const text = (value: unknown): string | null => (typeof value === 'string' ? value : null);
  return {
    kind,
    path: text(read.path),
    code: text(read.code),
    message: text(read.message) ?? '',
    fix: text(read.fix),
  };
}
