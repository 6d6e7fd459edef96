import * as z from 'zod';
import { TallymanError } from '../../core/errors.js';
import type { SourceSpec } from '../../core/feed/source.js';
import type { ListingPage, SeenFile } from '../../core/file.js';
import type { Source, SourceType } from '../../core/source.js';
import { isBeside } from '../common/companion.js';
import { listFolder, unreadable } from './list.js';
import { kindRefused, looksReadable, seenFile } from './look.js';
import { moveVersion, removeVersion } from './move.js';
import { readVersion, readWhole } from './open.js';
import { probeFolder } from './probe.js';
import { LocalRoot } from './root.js';
import { LocalWatch } from './watch.js';
import { encodeName, fileUri, pathRefused } from '../common/path-name.js';
import { selectionOf, type Selection } from '../common/selection.js';

const options = z.strictObject({
  dir: z.string().min(1).describe('The folder in which files arrive. Relative paths are relative to the config file.'),
});

/** A folder of this host. Files are read where they stand. */
export const local: SourceType<z.infer<typeof options>> = {
  type: 'local',
  options,
  pathOptions: ['dir'],
  connectionOption: null,
  defaults: { pollMs: 60_000, settleMs: 5_000, recursive: false },
  open: (spec, { dir }) => new LocalSource(spec, dir),
};

class LocalSource implements Source {
  readonly type = 'local';
  readonly #spec: SourceSpec;
  readonly #root: LocalRoot;
  readonly #selection: Selection;
  readonly #watches = new Set<LocalWatch>();

  constructor(spec: SourceSpec, dir: string) {
    this.#spec = spec;
    this.#root = new LocalRoot(dir);
    this.#selection = selectionOf(spec);
  }

  uri(path: string): string {
    return fileUri(this.#root.absolute(path));
  }

  /** As decodeName understands it: for a name that is not UTF-8 the bytes are `decodeName(localPath(path))`. */
  localPath(path: string): string {
    return encodeName(this.#root.absolute(path));
  }

  async *list(signal: AbortSignal): AsyncGenerator<ListingPage, void, undefined> {
    try {
      const size = yield* listFolder(this.#root, this.#selection, signal);
      for (const watch of this.#watches) watch.listed(size);
    } catch (error) {
      for (const watch of this.#watches) watch.lost();
      throw error;
    }
  }

  async stat(path: string): Promise<SeenFile | null> {
    if (!this.#selection.isMoveTarget(path) && !this.#selection.takes(path))
      throw new TallymanError('FILE_NOT_TAKEN', `${path}: the feed does not take this name`);
    return await this.#look(path);
  }

  async statMarker(path: string): Promise<SeenFile | null> {
    return await this.#look(path);
  }

  async #look(path: string): Promise<SeenFile | null> {
    const stats = await this.#root.lstat(path);
    if (stats === null) return null;
    const refused =
      kindRefused(stats) ??
      pathRefused(path) ??
      (looksReadable(stats) ? null : await unreadable(this.#root.absolute(path)));
    if (refused !== null) throw new TallymanError('FILE_NOT_TAKEN', `${path}: ${refused}`);
    return seenFile(path, stats);
  }

  async watch(
    onHint: (path: string | null) => void,
    onError: (error: Error) => void,
  ): Promise<{ close(): Promise<void> }> {
    const watch = new LocalWatch({
      root: this.#root,
      selection: this.#selection,
      recursive: this.#spec.recursive,
      isWorth: (path) => this.#selection.takes(path) || isBeside(this.#spec, path),
      onHint,
      onError,
    });
    this.#watches.add(watch);
    await watch.start();
    return {
      close: async () => {
        this.#watches.delete(watch);
        await watch.close();
      },
    };
  }

  open(file: SeenFile, offset: number, signal: AbortSignal): AsyncIterable<Buffer> {
    return readVersion(this.#root, file, offset, signal);
  }

  async readSmall(path: string, limit: number): Promise<Buffer> {
    return await readWhole(this.#root, path, limit);
  }

  async remove(file: SeenFile): Promise<void> {
    await removeVersion(this.#root, file);
  }

  async move(file: SeenFile, to: string, suffix: string, as?: string): Promise<string> {
    return await moveVersion(this.#root, file, to, suffix, as);
  }

  async probe(rights: {
    readonly delete: boolean;
    readonly move: boolean;
    readonly tag: boolean;
  }): Promise<readonly string[]> {
    const findings = await probeFolder(this.#root, rights);
    return rights.tag ? [...findings, 'after asks for tags, which local files do not have'] : findings;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#watches].map((watch) => watch.close()));
    this.#watches.clear();
  }
}
