import type { TallymanError } from '../core/errors.js';
import type { FileEntry } from '../core/entry.js';

/** How one piece of work came out, as far as the loop must know. */
export type WorkOutcome =
  | { readonly kind: 'done' }
  /** A remote file has come: its load is next. */
  | { readonly kind: 'landed'; readonly entry: FileEntry }
  /**
   * The attempt failed and the file has more: it comes back when its backoff has run out (in `run --once`: in the next
   * run).
   */
  | { readonly kind: 'retry' }
  /**
   * Waits for another entry, or for the file to settle again: left alone until something ends or the path is discovered
   * again.
   */
  | { readonly kind: 'aside' }
  | { readonly kind: 'pause-database'; readonly error: TallymanError }
  /** `later`: the file waits for its backoff, so that another one tries first. */
  | { readonly kind: 'pause-feed'; readonly error: TallymanError; readonly later?: true };
