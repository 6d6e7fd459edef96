import { isUtf8 } from 'node:buffer';
import { messageOf, TallymanError } from '../../core/errors.js';
import { YOUNG, type SeenFile } from '../../core/file.js';
import type { SftpAttrs, SftpChannel } from './channel.js';
import type { SftpConnection } from './connection.js';
import { fileError } from './errors.js';
import { decodeName, encodeName, isBelow, pathRefused } from '../common/path-name.js';

/**
 * Within this long after its mtime a version can still be written again in the same second, and look the same: mtimes
 * are whole seconds. Milliseconds. Its token ends in YOUNG; that goes as the file grows older, so that the next listing
 * has it looked at once more (docs/spec/which-file-is-new.md#young-files).
 */
const YOUNG_MS = 2_000;

/** The token of every version on a server that tells no times. */
const NO_TIME = 'no-time';

/** The folder on the server that a source stands on. Below it no symbolic link is followed unless `follow` says so. */
export class SftpRoot {
  readonly connection: SftpConnection;
  readonly follow: boolean;
  readonly #dir: string;
  readonly #marksYoung: boolean;

  /** `settleMs`: a file that settles for longer than YOUNG_MS is never that young when it is read. */
  constructor(
    connection: SftpConnection,
    options: { readonly dir: string; readonly follow: boolean; readonly settleMs: number },
  ) {
    this.connection = connection;
    this.follow = options.follow;
    this.#dir = options.dir === '/' ? '/' : options.dir.replace(/\/+$/, '');
    this.#marksYoung = options.settleMs <= YOUNG_MS;
  }

  /** As configured, for messages. */
  get name(): string {
    return `${this.connection.server}, folder ${this.#dir}`;
  }

  get dir(): string {
    return this.#dir;
  }

  /**
   * What the server is asked for. Throws FILE_NOT_TAKEN for a path that leads elsewhere (`../x`) or whose name cannot
   * be sent.
   */
  remote(path: string): string {
    const bytes = decodeName(path);
    if (!isBelow(path) || !isUtf8(bytes))
      throw new TallymanError('FILE_NOT_TAKEN', `${path}: not a path inside ${this.#dir}`);
    return this.join(bytes.toString('utf8'));
  }

  join(relative: string): string {
    if (relative === '') return this.#dir;
    return this.#dir === '/' ? `/${relative}` : `${this.#dir}/${relative}`;
  }

  unreachable(error: unknown): TallymanError {
    if (error instanceof TallymanError && error.blame !== 'version' && error.blame !== 'attempt') return error;
    return new TallymanError('SOURCE_UNREACHABLE', `${this.name}: ${messageOf(error)}`, { cause: error });
  }

  /** Throws SOURCE_UNREACHABLE when the folder is gone or is none. */
  async prove(channel: SftpChannel): Promise<void> {
    try {
      const attrs = await channel.stat(this.#dir);
      if (attrs === null) throw new Error('it is not there');
      if (attrs.kind !== 'folder' && attrs.kind !== null) throw new Error('it is not a folder');
    } catch (error) {
      throw this.unreachable(error);
    }
  }

  /**
   * What stands at a path; null = nothing. Where nothing is because the root itself is gone, that is
   * SOURCE_UNREACHABLE.
   */
  async look(channel: SftpChannel, path: string): Promise<SftpAttrs | null> {
    const remote = this.remote(path);
    try {
      const attrs = this.follow ? await channel.stat(remote) : await channel.lstat(remote);
      if (attrs === null) await this.prove(channel);
      else await this.#provePlain(channel, path);
      return attrs;
    } catch (error) {
      throw fileError(path, error);
    }
  }

  /** A regular file with size and time, or the reason why it is none. */
  file(path: string, attrs: SftpAttrs): SeenFile | string {
    if (attrs.kind === 'link') return 'a symbolic link';
    if (attrs.kind === 'folder') return 'a folder';
    if (attrs.kind === 'other') return 'not a regular file';
    const refused = pathRefused(path);
    if (refused !== null) return refused;
    // A server that does not say what it is gives its bytes, or an error when it is read.
    if (attrs.size === null) return 'the server does not tell its size';
    // Then only another size is another version.
    if (attrs.mtime === null) return { path, size: attrs.size, mtimeUs: null, version: NO_TIME };
    return { path, size: attrs.size, mtimeUs: attrs.mtime * 1_000_000, version: this.#version(attrs.mtime) };
  }

  /**
   * A time to come is young too: the server's clock is ahead, and nobody knows for how long this second lasts there.
   */
  #version(mtime: number): string {
    return this.#marksYoung && mtime * 1_000 > Date.now() - YOUNG_MS ? `${mtime}${YOUNG}` : String(mtime);
  }

  /** The same size and time. */
  isVersion(attrs: SftpAttrs, file: SeenFile): boolean {
    const version = attrs.mtime === null ? NO_TIME : String(attrs.mtime);
    return (
      (attrs.kind === 'file' || attrs.kind === null) &&
      attrs.size === file.size &&
      version === file.version.replace(YOUNG, '')
    );
  }

  /** No folder on the way to it may be a symbolic link. */
  async #provePlain(channel: SftpChannel, path: string): Promise<void> {
    if (this.follow) return;
    const parts = decodeName(path).toString('utf8').split('/').slice(0, -1);
    for (let depth = 1; depth <= parts.length; depth++) {
      const attrs = await channel.lstat(this.join(parts.slice(0, depth).join('/')));
      if (attrs?.kind === 'link') throw new TallymanError('FILE_NOT_TAKEN', `${path}: reached through a symbolic link`);
    }
  }
}

/**
 * Why a name that a server lists is not taken; null for a plain one. A server may say anything: nothing of it becomes a
 * path unseen.
 */
export function nameRefused(name: string): string | null {
  if (name === '' || name === '.' || name === '..' || name.includes('/') || name.includes('\0'))
    return 'the server lists it under a name that is no plain file name';
  // The package decodes names as UTF-8; what was none has become U+FFFD, and asking for that would ask for another
  // file.
  if (name.includes('\uFFFD')) return 'its name is not UTF-8';
  return null;
}

/** The path of a listed name; see encodeName. */
export const pathOf = (prefix: string, name: string): string => prefix + encodeName(Buffer.from(name, 'utf8'));
