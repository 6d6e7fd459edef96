import { constants, type BigIntStats } from 'node:fs';
import { access, lstat, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { messageOf, TallymanError } from '../../core/errors.js';
import { deadline } from '../../base/deadline.js';
import { fileError, isGone } from './look.js';
import { decodeName, isBelow, joinBytes } from '../common/path-name.js';

/** A dead network mount hangs its callers; after this long the source counts as unreachable. */
export const STALLED_MS = 120_000;

/**
 * The folder that a local source stands on. It may itself be a symbolic link, looked up anew at each use; below it no
 * link is ever followed, so that nothing outside is read or moved. (`plain: false` lets folders be links: for paths
 * that a person typed.)
 */
export class LocalRoot {
  /** Absolute, as configured. */
  readonly dir: string;
  readonly #plain: boolean;

  constructor(dir: string, options: { readonly plain: boolean } = { plain: true }) {
    this.dir = path.resolve(dir);
    this.#plain = options.plain;
  }

  /** The bytes of the absolute path. Throws FILE_NOT_TAKEN for a path that leads elsewhere (`../x`). */
  absolute(relative: string): Buffer {
    if (!isBelow(relative)) throw new TallymanError('FILE_NOT_TAKEN', `${relative}: not a path inside ${this.dir}`);
    return this.join(decodeName(relative));
  }

  join(relative: Buffer): Buffer {
    return this.dir === '/'
      ? Buffer.concat([Buffer.from('/'), relative])
      : joinBytes([Buffer.from(this.dir), relative]);
  }

  /** The folder as it is now. Throws SOURCE_UNREACHABLE when it is gone, no folder, or may not be read. */
  async look(): Promise<{ readonly real: Buffer; readonly stats: BigIntStats }> {
    try {
      const [real, stats] = await this.#inTime(
        Promise.all([
          realpath(this.dir, { encoding: 'buffer' }),
          stat(this.dir, { bigint: true }),
          access(this.dir, constants.R_OK | constants.X_OK),
        ]),
      );
      if (!stats.isDirectory()) throw new Error('it is not a folder');
      return { real, stats };
    } catch (error) {
      throw this.unreachable(error);
    }
  }

  unreachable(error: unknown): TallymanError {
    if (error instanceof TallymanError && error.code === 'SOURCE_UNREACHABLE') return error;
    return new TallymanError('SOURCE_UNREACHABLE', `folder ${this.dir}: ${messageOf(error)}`, { cause: error });
  }

  /**
   * `lstat` of a path below; null = nothing is there. When nothing is there because the root itself is gone, that is
   * SOURCE_UNREACHABLE.
   */
  async lstat(relative: string): Promise<BigIntStats | null> {
    const absolute = this.absolute(relative);
    try {
      const stats = await this.#inTime(lstat(absolute, { bigint: true }));
      await this.provePlain(relative);
      return stats;
    } catch (error) {
      if (!isGone(error)) throw fileError(relative, error);
      await this.look();
      return null;
    }
  }

  /**
   * Proves that no folder on the way to this path is a symbolic link. Throws FILE_NOT_TAKEN, or the system's error when
   * a folder is gone.
   */
  async provePlain(relative: string): Promise<void> {
    const parent = relative.lastIndexOf('/');
    if (parent === -1) return;
    await this.provePlainFolder(relative.slice(0, parent));
  }

  /** The same for a folder, itself included. */
  async provePlainFolder(relative: string): Promise<void> {
    if (!this.#plain) return;
    const absolute = this.absolute(relative);
    const [real, root] = await this.#inTime(
      Promise.all([realpath(absolute, { encoding: 'buffer' }), realpath(this.dir, { encoding: 'buffer' })]),
    );
    const plain = root.equals(Buffer.from('/'))
      ? Buffer.concat([root, decodeName(relative)])
      : joinBytes([root, decodeName(relative)]);
    if (!real.equals(plain)) throw new TallymanError('FILE_NOT_TAKEN', `${relative}: reached through a symbolic link`);
  }

  async #inTime<T>(work: Promise<T>): Promise<T> {
    return await deadline(work, STALLED_MS, () => this.unreachable(new Error(`no answer for ${STALLED_MS / 1000} s`)));
  }
}
