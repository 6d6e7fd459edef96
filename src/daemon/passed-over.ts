import type { SkippedEntry } from '../core/file.js';
import type { NotTaken } from '../core/feed/trouble.js';

/** Names whose reason is kept and reported once; past it the log would be the problem. */
const TOLD_MAX = 1_000;
/** Names that are shown to people; the count is of all. */
const SHOWN_MAX = 20;

/** What the listings of a feed passed over: reported once each, and kept from the last whole listing for status. */
export class PassedOver {
  readonly #told = new Map<string, string>();
  #coming = { skipped: none(), unlisted: none() };
  #last = { skipped: none(), unlisted: none() };

  /** Files that the last whole listing did not take. */
  get skipped(): NotTaken {
    return this.#last.skipped;
  }

  /** Folders that it could not list. */
  get unlisted(): NotTaken {
    return this.#last.unlisted;
  }

  begin(): void {
    this.#coming = { skipped: none(), unlisted: none() };
  }

  add(entries: readonly SkippedEntry[]): void {
    for (const { path, reason, what } of entries) {
      if (what === 'folder') continue;
      const kept = what === 'unlisted' ? this.#coming.unlisted : this.#coming.skipped;
      kept.count++;
      if (kept.items.length < SHOWN_MAX) kept.items.push({ path, reason });
    }
  }

  /** The listing came to its end. */
  end(): void {
    this.#last = this.#coming;
  }

  /** Those that were not reported yet, or had another reason. */
  news(entries: readonly SkippedEntry[]): readonly SkippedEntry[] {
    return entries.filter(({ path, reason }) => {
      if (this.#told.get(path) === reason) return false;
      if (this.#told.size >= TOLD_MAX) this.#told.clear();
      this.#told.set(path, reason);
      return true;
    });
  }
}

const none = (): { count: number; items: { path: string; reason: string }[] } => ({ count: 0, items: [] });
