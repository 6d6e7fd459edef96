import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdir, opendir, rm, stat, statfs, utimes } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { TallymanError } from '../../core/errors.js';
import type { SeenFile } from '../../core/file.js';
import { hasCode } from '../../base/errno.js';

/**
 * Files that no entry waits for and nobody asked to keep (a process died, a version went away) are left this long, so
 * that a cut transfer can be resumed.
 */
const ORPHAN_MS = 24 * 3_600_000;
/** Left free on the disk whatever `max` says: ledger and logs live there too. Bytes. */
const SPARE_BYTES = 64 * 1024 * 1024;

export interface LandingLimits {
  /** Bytes of landed and kept files; null = as much as the disk holds. */
  readonly maxBytes: number | null;
  /** How long a file is kept after its end, milliseconds; 0 = not at all. */
  readonly keepMs: number;
}

interface Held {
  size: number;
  /** Milliseconds since 1970. */
  since: number;
  /** Somebody lands, decides or loads it now. */
  inUse: boolean;
}

/**
 * data_dir/landing: private copies of remote files. Knows how much stands there, so that new landings pause instead of
 * filling the disk, and takes away what has had its time. Names are made from source, path and version: the same
 * version finds its copy again, another one never does.
 */
export class LandingArea {
  readonly dir: string;
  readonly #limits: LandingLimits;
  #files: Map<string, Held> | null = null;
  #scanning: Promise<Map<string, Held>> | null = null;
  #bytes = 0;

  constructor(dir: string, limits: LandingLimits) {
    this.dir = dir;
    this.#limits = limits;
  }

  /**
   * Name of a version's copy. It begins with the file's ID, so that what dead processes left can be asked for in the
   * ledger.
   */
  static nameOf(uri: string, file: SeenFile, fileId: number): string {
    return `${fileId}-${createHash('sha256').update(`${uri}\0${file.path}\0${file.size}\0${file.version}`).digest('hex').slice(0, 32)}`;
  }

  /** The ID that a copy's name begins with; null = it is none of ours. */
  static fileIdOf(name: string): number | null {
    const found = /^(\d{1,15})-[0-9a-f]{32}(?:\.|$)/.exec(name);
    return found === null ? null : Number(found[1]);
  }

  /**
   * While it comes. Bytes written before a power cut may have become zeros, those of a process that died have not: only
   * the copies of this boot are resumed.
   */
  static partName = (name: string): string => `${name}.${BOOT}.part`;

  pathOf(name: string): string {
    return path.join(this.dir, name);
  }

  /**
   * Makes room for a file that is to come whole to `size` bytes and keeps others off it. Throws LANDING_FULL when there
   * is none now, DISK_FULL.
   */
  async reserve(name: string, size: number): Promise<void> {
    const files = await this.#scan();
    const held = files.get(name)?.size ?? files.get(LandingArea.partName(name))?.size ?? 0;
    const more = Math.max(0, size - held);
    await this.#makeRoom(more);
    const { maxBytes } = this.#limits;
    if (maxBytes !== null && this.#bytes + more > maxBytes) {
      throw new TallymanError(
        'LANDING_FULL',
        `${size} bytes are to be landed, and ${this.#bytes} of landing.max (${maxBytes}) are taken`,
      );
    }
    const { bavail, bsize } = await statfs(this.dir);
    if (bavail * bsize < more + SPARE_BYTES)
      throw new TallymanError(
        'LANDING_FULL',
        `${size} bytes are to be landed, and ${bavail * bsize} are free on the disk of ${this.dir}, where ${SPARE_BYTES} stay free for others`,
      );
    this.#drop(LandingArea.partName(name));
    this.#set(name, { size: Math.max(size, held), since: Date.now(), inUse: true });
  }

  /** Its landing failed: what is there of it stays for the next try. */
  async gaveUp(name: string): Promise<void> {
    await this.#scan();
    this.#drop(name);
    const part = LandingArea.partName(name);
    const size = await sizeOf(this.pathOf(part));
    if (size === null) this.#drop(part);
    else this.#set(part, { size, since: Date.now(), inUse: false });
  }

  /** Keeps a copy that is there from going when others need the room. */
  async use(name: string): Promise<void> {
    const file = (await this.#scan()).get(name);
    if (file !== undefined) file.inUse = true;
  }

  /** Nobody works on it for now; it stays, unless the room is needed. */
  idle(name: string): void {
    const file = this.#files?.get(name);
    if (file !== undefined) file.inUse = false;
  }

  /** True when files outlive their end. */
  get keeps(): boolean {
    return this.#limits.keepMs > 0;
  }

  /** The load has ended. Returns the path when the file is kept, null when it is gone. */
  async done(name: string): Promise<string | null> {
    await this.#scan();
    const file = this.pathOf(name);
    const size = this.keeps ? await sizeOf(file) : null;
    if (size === null) {
      await this.remove(name);
      return null;
    }
    // From now on its time runs, also over a restart.
    const now = new Date();
    await utimes(file, now, now);
    this.#set(name, { size, since: now.getTime(), inUse: false });
    return file;
  }

  async remove(name: string): Promise<void> {
    await rm(this.pathOf(name), { force: true });
    this.#drop(name);
  }

  /** Takes away kept files whose time is over, and what dead processes left. Returns how many. */
  async sweep(now = Date.now()): Promise<number> {
    let removed = 0;
    for (const [name, file] of await this.#scan()) {
      if (file.inUse || now - file.since < (this.#limits.keepMs === 0 ? ORPHAN_MS : this.#limits.keepMs)) continue;
      await this.remove(name);
      removed++;
    }
    return removed;
  }

  /**
   * Takes away the copies and parts whose file has `ended`, asked a file; for the start, before anything is landed.
   * Returns how many.
   */
  async sweepEnded(ended: (fileId: number) => Promise<boolean>): Promise<number> {
    let removed = 0;
    for (const [name, file] of await this.#scan()) {
      const fileId = LandingArea.fileIdOf(name);
      if (file.inUse || fileId === null || !(await ended(fileId))) continue;
      await this.remove(name);
      removed++;
    }
    return removed;
  }

  /** Kept files go before their time when a new one needs the room, oldest first. */
  async #makeRoom(more: number): Promise<void> {
    const { maxBytes } = this.#limits;
    if (maxBytes === null || this.#bytes + more <= maxBytes) return;
    const idle = [...(await this.#scan())].filter(([, file]) => !file.inUse).sort(([, a], [, b]) => a.since - b.since);
    for (const [name] of idle) {
      if (this.#bytes + more <= maxBytes) return;
      await this.remove(name);
    }
  }

  /** What stands there; read once, kept up to date afterwards. */
  async #scan(): Promise<Map<string, Held>> {
    this.#scanning ??= this.#read();
    try {
      return (this.#files = await this.#scanning);
    } catch (error) {
      this.#scanning = null;
      throw error;
    }
  }

  async #read(): Promise<Map<string, Held>> {
    await mkdir(this.dir, { recursive: true, mode: 0o700 });
    const files = new Map<string, Held>();
    let bytes = 0;
    for await (const entry of await opendir(this.dir)) {
      if (!entry.isFile()) continue;
      const stats = await stat(this.pathOf(entry.name));
      files.set(entry.name, { size: stats.size, since: stats.mtimeMs, inUse: false });
      bytes += stats.size;
    }
    this.#bytes = bytes;
    return files;
  }

  #set(name: string, file: Held): void {
    this.#drop(name);
    this.#files?.set(name, file);
    this.#bytes += file.size;
  }

  #drop(name: string): void {
    const file = this.#files?.get(name);
    if (file === undefined) return;
    this.#files?.delete(name);
    this.#bytes -= file.size;
  }
}

async function sizeOf(file: string): Promise<number | null> {
  try {
    return (await stat(file)).size;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null;
    throw error;
  }
}

/** Tells this boot of the machine from others; where the system does not say, this process from others. */
const BOOT = createHash('sha256').update(bootId()).digest('hex').slice(0, 8);

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1');
  } catch (error) {
    // No Linux: cut transfers are resumed within one process only.
    return `${String(error)}${process.pid}${process.hrtime.bigint()}`;
  }
}
