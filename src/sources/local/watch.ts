import type { FSWatcher } from 'chokidar';
import { isUtf8 } from 'node:buffer';
import { opendir } from 'node:fs/promises';
import path from 'node:path';
import { messageOf } from '../../core/errors.js';
import { rootIdOf, type ListingSize } from './list.js';
import type { LocalRoot } from './root.js';
import { encodeName } from '../common/path-name.js';
import type { Selection } from '../common/selection.js';

/**
 * Past these a folder is only listed, not watched. chokidar reads the whole folder again at an event, at most once a
 * second: 10,000 names are some 50 ms of that second. And every folder costs one inotify watch, of which a user may
 * have as few as 8,192.
 */
const NAMES_MAX = 10_000;
const FOLDERS_MAX = 2_000;
/** Events are gathered this long, so that a file written in small steps is one hint. */
const GATHER_MS = 50;
/** Different paths in one gathering; past it a listing is cheaper. */
const GATHERED_MAX = 1_000;

export interface WatchParts {
  readonly root: LocalRoot;
  readonly selection: Selection;
  readonly recursive: boolean;
  /** Paths worth a hint: data and markers. */
  readonly isWorth: (path: string) => boolean;
  readonly onHint: (path: string | null) => void;
  readonly onError: (error: Error) => void;
}

/**
 * File-system events as hints. chokidar watches the folders only (its own way, one watch a file, is 1,000,000 watches);
 * what they say about their names are the hints. A root that was deleted and made again would give no more events,
 * silently: every listing says which folder it saw, and another one is watched anew.
 */
export class LocalWatch {
  readonly #parts: WatchParts;
  #watcher: FSWatcher | null = null;
  #watched = '';
  #real = '';
  #gathered = new Set<string | null>();
  #timer: NodeJS.Timeout | null = null;
  readonly #told = new Set<string>();
  #closed = false;
  /** Arming and closing one after the other. */
  #turn: Promise<void> = Promise.resolve();

  constructor(parts: WatchParts) {
    this.#parts = parts;
  }

  /**
   * Starts the events when the folder is there and not too full; a listing does it later otherwise. What came before is
   * for the caller's next listing.
   */
  async start(): Promise<void> {
    await this.#inTurn(async () => {
      try {
        const { stats } = await this.#parts.root.look();
        const names = await countNames(this.#parts.root.dir, NAMES_MAX + 1);
        await this.#follow({ folders: 1, largest: names, rootId: rootIdOf(stats) }, false);
      } catch {
        // The folder is not there: the listing says so, loudly, and comes back here when it is.
        await this.#stop();
      }
    });
  }

  /** What a listing saw: the events follow it. Returns at once; arming goes on behind it. */
  listed(size: ListingSize): void {
    if (size.rootId === this.#watched && fits(size)) return;
    void this.#inTurn(() => this.#follow(size, true));
  }

  /** The root may be another one by the next listing, although it looks the same: its events are set up anew then. */
  lost(): void {
    this.#watched = '';
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#inTurn(() => this.#stop());
  }

  async #inTurn(work: () => Promise<void>): Promise<void> {
    this.#turn = this.#turn.then(work).catch((error: unknown) => this.#tell(messageOf(error)));
    await this.#turn;
  }

  async #follow(size: ListingSize, afterListing: boolean): Promise<void> {
    if (this.#closed) return await this.#stop();
    if (!fits(size)) {
      await this.#stop();
      return this.#tell(
        `folder ${this.#parts.root.dir} has more than ${NAMES_MAX} names in one folder or more than ${FOLDERS_MAX} folders`,
      );
    }
    if (size.rootId === this.#watched) return;
    await this.#stop();
    await this.#arm(size.rootId);
    // What came between that listing and the first event was seen by nobody.
    if (afterListing) this.#hint(null);
  }

  async #arm(rootId: string): Promise<void> {
    const { real } = await this.#parts.root.look();
    if (!isUtf8(real)) return this.#tell(`folder ${this.#parts.root.dir} leads to a name that is not UTF-8`);
    this.#real = real.toString('utf8');
    // Only a daemon watches: no other command loads the package.
    const { watch } = await import('chokidar');
    const watcher = watch(this.#real, {
      ignoreInitial: true,
      followSymlinks: false,
      atomic: false,
      ...(this.#parts.recursive ? {} : { depth: 0 }),
      ignored: (name, stats) => this.#isIgnored(name, stats),
    });
    this.#watcher = watcher;
    this.#watched = rootId;
    watcher.on('error', (error) => this.#tell(messageOf(error)));
    watcher.on('raw', (event, name, details) => this.#raw(event, name, details));
    watcher.on('addDir', () => this.#hint(null));
    await new Promise<void>((resolve) => {
      // An error while it starts (ENOSPC) may be followed by no `ready`.
      watcher.once('ready', resolve);
      watcher.once('error', () => resolve());
    });
  }

  async #stop(): Promise<void> {
    const watcher = this.#watcher;
    this.#watcher = null;
    this.#watched = '';
    await watcher?.close();
  }

  #isIgnored(name: string, stats: { isDirectory(): boolean } | undefined): boolean {
    if (name === this.#real) return false;
    if (stats !== undefined && !stats.isDirectory()) return true;
    // Without stats it may still be a file; asked again with them.
    return stats !== undefined && !this.#parts.selection.enters(path.relative(this.#real, name));
  }

  /** `name` is what the system says beside the event: the last part of a path in `watchedPath`, or nothing. */
  #raw(event: unknown, name: unknown, details: unknown): void {
    const folder =
      typeof details === 'object' && details !== null && 'watchedPath' in details ? details.watchedPath : null;
    if (typeof name !== 'string' || typeof folder !== 'string' || name.includes('\uFFFD')) return this.#hint(null);
    // How the system says that the watched folder itself went or was renamed.
    if (event === 'rename' && folder === this.#real && name === path.basename(this.#real)) this.lost();
    const relative = path.relative(this.#real, path.join(folder, name));
    if (relative === '' || relative.startsWith('..')) return this.#hint(null);
    const hinted = encodeName(Buffer.from(relative));
    if (this.#parts.isWorth(hinted)) this.#hint(hinted);
  }

  #hint(hinted: string | null): void {
    if (this.#closed) return;
    if (this.#gathered.size >= GATHERED_MAX) this.#gathered.add(null);
    else this.#gathered.add(hinted);
    this.#timer ??= setTimeout(() => this.#flush(), GATHER_MS).unref();
  }

  #flush(): void {
    this.#timer = null;
    const gathered = this.#gathered;
    this.#gathered = new Set();
    if (gathered.has(null)) this.#parts.onHint(null);
    else for (const hinted of gathered) this.#parts.onHint(hinted);
  }

  /** Each reason once: a limit of the system is met again at every folder. */
  #tell(reason: string): void {
    const kind = /ENOSPC|EMFILE/.exec(reason)?.[0] ?? reason;
    if (this.#closed || this.#told.has(kind)) return;
    this.#told.add(kind);
    const more =
      kind === 'ENOSPC'
        ? '; raise the sysctl fs.inotify.max_user_watches'
        : kind === 'EMFILE'
          ? '; raise the sysctl fs.inotify.max_user_instances or the limit of open files'
          : '';
    this.#parts.onError(new Error(`${reason}${more}`));
  }
}

const fits = (size: ListingSize): boolean => size.largest <= NAMES_MAX && size.folders <= FOLDERS_MAX;

/** Names in a folder, counted up to `limit`. */
async function countNames(dir: string, limit: number): Promise<number> {
  let count = 0;
  for await (const entry of await opendir(dir, { bufferSize: 1_000 })) {
    if (entry.name !== '') count++;
    if (count >= limit) break;
  }
  return count;
}
