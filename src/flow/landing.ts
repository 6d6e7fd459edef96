import { setMaxListeners } from 'node:events';
import { mkdir, stat } from 'node:fs/promises';
import { messageOf, TallymanError } from '../core/errors.js';
import type { FileEntry } from '../core/entry.js';
import type { Queue } from '../core/ledger/queue.js';
import { isOpen } from '../core/states.js';
import { land } from '../intake/land/land.js';
import { LandingArea, type LandingLimits } from '../intake/land/landing-area.js';
import type { Log } from '../core/log.js';
import { standsAs } from '../core/entry.js';
import type { Source } from '../core/source.js';
import { hasCode } from '../base/errno.js';

/** How often kept copies are looked through for those whose time is over. */
const SWEEP_MS = 600_000;

/** What bringing a file needs beside its entry. */
export interface BringParts {
  readonly ledger: Pick<Queue, 'entry' | 'move' | 'setContent'>;
  readonly actor: string;
  /** The source that holds the entry's bytes. */
  source(entry: FileEntry): Source;
}

/**
 * Remote files on their way to local disk: discovered -> landing -> landed, and what becomes of the copies afterwards.
 */
export class Landing {
  readonly #area: LandingArea;
  readonly #log: Log;
  readonly #cancelled = new AbortController();
  /** Seconds that landing took, until the file's end is reported. */
  readonly #seconds = new Map<number, number>();
  #sweeping: NodeJS.Timeout | null = null;

  constructor(dir: string, limits: LandingLimits, log: Log) {
    this.#area = new LandingArea(dir, limits);
    this.#log = log;
    // Each landing listens, small files 32 a slot: what Node takes for a leak from the eleventh on is a burst, and the
    // slots bound it.
    setMaxListeners(0, this.#cancelled.signal);
  }

  /** True when copies outlive the end of their file. */
  get keeps(): boolean {
    return this.#area.keeps;
  }

  /**
   * Only the process that holds the lock on data_dir may take copies away: those whose time is over, and those that a
   * process left behind which died after COMMIT.
   */
  async start(ledger: Pick<Queue, 'entry'>): Promise<void> {
    if (this.#sweeping !== null) return;
    const ended = async (fileId: number): Promise<boolean> => {
      const entry = await ledger.entry(fileId);
      return entry === null || !isOpen(entry.state);
    };
    const sweep = async (first = false): Promise<void> => {
      try {
        if (first && !this.keeps) await this.#area.sweepEnded(ended);
        await this.#area.sweep();
      } catch (error) {
        this.#log.warn({ code: 'LANDING_KEPT' }, `landed files whose time is over stay for now: ${messageOf(error)}`);
      }
    };
    this.#sweeping = setInterval(() => void sweep(), SWEEP_MS);
    this.#sweeping.unref();
    await sweep(true);
  }

  /** Everything that is being landed stops at once; what is there of it is gone on with later. */
  cancel(): void {
    this.#cancelled.abort(new TallymanError('INTERRUPTED', 'landing was interrupted'));
  }

  close(): void {
    this.cancel();
    if (this.#sweeping !== null) clearInterval(this.#sweeping);
    this.#sweeping = null;
  }

  /**
   * The copy of this very version when it is there whole; null = it must come. Copies get their name only when they are
   * proven.
   */
  async copyOf(entry: FileEntry): Promise<string | null> {
    const path = this.#area.pathOf(nameOf(entry));
    try {
      const stats = await stat(path);
      return stats.isFile() && stats.size === entry.file.size ? path : null;
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return null;
      throw new TallymanError('DISK_FULL', messageOf(error), { cause: error });
    }
  }

  /**
   * Brings the entry's bytes. Returns it as `landed`, its hash known. Throws what land() throws, LANDING_FULL,
   * INTERRUPTED; then it is `discovered` again.
   */
  async bring(parts: BringParts, entry: FileEntry): Promise<FileEntry> {
    const { ledger, actor } = parts;
    const name = nameOf(entry);
    if (
      entry.state === 'landed' &&
      entry.landedPath !== null &&
      entry.sha256 !== null &&
      (await this.copyOf(entry)) === entry.landedPath
    ) {
      await this.#area.use(name);
      return entry;
    }
    try {
      await mkdir(this.#area.dir, { recursive: true, mode: 0o700 });
      await this.#area.reserve(name, entry.file.size);
    } catch (error) {
      throw TallymanError.of(error, 'DISK_FULL');
    }
    await ledger.move(entry.fileId, 'landing', actor, 'landing');
    try {
      const landed = await land(parts.source(entry), standsAs(entry), {
        dir: this.#area.dir,
        name,
        part: LandingArea.partName(name),
        signal: this.#cancelled.signal,
      });
      this.#seconds.set(entry.fileId, landed.seconds);
      await ledger.setContent(entry.fileId, landed.sha256);
      await ledger.move(
        entry.fileId,
        'landed',
        actor,
        landed.transferred === 0
          ? 'the copy was there'
          : `${landed.transferred} bytes in ${landed.seconds.toFixed(1)} s`,
        landed.path,
      );
    } catch (error) {
      await this.#area.gaveUp(name);
      const reason = this.#cancelled.signal.aborted
        ? new TallymanError('INTERRUPTED', 'landing was interrupted')
        : error;
      await ledger.move(entry.fileId, 'discovered', actor, messageOf(reason));
      throw reason;
    }
    const now = await ledger.entry(entry.fileId);
    if (now === null) throw new TallymanError('UNKNOWN_FILE', `file ${entry.fileId} went while it was landed`);
    return now;
  }

  /** Seconds that landing this file took in this process; 0 = it was not landed. */
  secondsOf(fileId: number): number {
    return this.#seconds.get(fileId) ?? 0;
  }

  /** The work on it is over for now; `ended`: for good, and the copy is kept or goes. */
  async leave(entry: FileEntry, ended: boolean): Promise<void> {
    if (!ended) {
      this.#area.idle(nameOf(entry));
      return;
    }
    this.#seconds.delete(entry.fileId);
    try {
      await this.#area.done(nameOf(entry));
    } catch (error) {
      // Its outcome is committed; the sweep takes the copy later.
      this.#log.warn(
        { feed: entry.feed, file_id: entry.fileId, code: 'LANDING_KEPT' },
        `the landed copy stays for now: ${messageOf(error)}`,
      );
    }
  }
}

const nameOf = (entry: FileEntry): string => LandingArea.nameOf(entry.uri, entry.file, entry.fileId);
