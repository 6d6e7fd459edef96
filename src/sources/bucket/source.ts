import { expandTime } from '../../base/time-letters.js';
import { TallymanError } from '../../core/errors.js';
import type { SourceSpec } from '../../core/feed/source.js';
import type { ListingPage, SeenFile } from '../../core/file.js';
import type { EventListener, ObjectEvents, ObjectStore } from '../../core/object-store.js';
import type { Source } from '../../core/source.js';
import { isBeside } from '../common/companion.js';
import { fixedFolder } from '../common/move-target.js';
import { selectionOf, type Selection } from '../common/selection.js';
import { moveVersion, removeVersion, tagVersion } from './move.js';
import { folderTest, listKeys } from './list.js';
import { look, metadataOf } from './look.js';
import type { PrefixOptions } from './options.js';
import { prefixesAt, prefixTest } from './prefix.js';
import { probeBucket } from './probe.js';
import { READ_LIMITS, readVersion, readWhole, type ReadLimits } from './read.js';

/** A feed's source over an object store: a bucket, or what begins with a prefix in it. */
export class BucketSource implements Source {
  readonly type: string;
  readonly #spec: SourceSpec;
  readonly #options: PrefixOptions;
  readonly #store: ObjectStore;
  readonly #limits: ReadLimits;
  readonly #selection: Selection;
  readonly #hasPrefix: (key: string) => boolean;
  /** Folders that files are moved to, up to their first date letter. */
  readonly #targets: readonly string[];
  readonly #watches = new Set<ObjectEvents>();
  /** Only where the store reports events. */
  readonly watch?: NonNullable<Source['watch']>;
  /** Only where the store has tags. */
  readonly tag?: NonNullable<Source['tag']>;
  #made: { readonly minute: number; readonly prefixes: readonly string[] } | null = null;

  constructor(spec: SourceSpec, options: PrefixOptions, store: ObjectStore, limits: ReadLimits = READ_LIMITS) {
    this.type = spec.type;
    this.#spec = spec;
    this.#options = options;
    this.#store = store;
    this.#limits = limits;
    this.#selection = selectionOf(spec);
    this.#hasPrefix = prefixTest(options.prefix);
    this.#targets = [...new Set((spec.exclude ?? []).map(fixedFolder))];
    if (store.events !== undefined) this.watch = (onHint, onError) => this.#watch(onHint, onError);
    if (store.abilities.tagsMax > 0) this.tag = (file, tags) => tagVersion(store, file, tags);
  }

  async #watch(
    onHint: EventListener['onHint'],
    onError: EventListener['onError'],
  ): Promise<{ close(): Promise<void> }> {
    const isWorth = (key: string): boolean => this.#takes(key) || isBeside(this.#spec, key);
    const watch = this.#store.events?.({ pollMs: this.#spec.pollMs, isWorth, onHint, onError });
    if (watch === undefined) throw new TallymanError('INTERNAL', `${this.#store.name} tells of no events`);
    this.#watches.add(watch);
    await watch.start();
    return {
      close: async () => {
        this.#watches.delete(watch);
        await watch.close();
      },
    };
  }

  uri(path: string): string {
    return this.#store.uri(path);
  }

  localPath(): null {
    return null;
  }

  async *list(signal: AbortSignal): AsyncGenerator<ListingPage, void, undefined> {
    const marks = [...this.#watches].map((watch) => [watch, watch.mark()] as const);
    const holdsMoveTarget = (prefix: string): boolean =>
      this.#targets.some((target) => `${target}/`.startsWith(prefix) && `${target}/` !== prefix);
    yield* listKeys(
      this.#store,
      this.#prefixes(),
      { selection: this.#selection, recursive: this.#spec.recursive, holdsMoveTarget },
      signal,
    );
    // Whoever asks for more after the last page has taken that, too.
    for (const [watch, mark] of marks) await watch.listed(mark);
  }

  async stat(path: string): Promise<SeenFile | null> {
    if (!this.#selection.isMoveTarget(path) && !this.#takes(path))
      throw new TallymanError('FILE_NOT_TAKEN', `${path}: the feed does not take this key`);
    return (await look(this.#store, path))?.file ?? null;
  }

  #takes(path: string): boolean {
    if (!this.#hasPrefix(path) || !this.#selection.takes(path)) return false;
    // Where the folders below the prefix begin depends on the day; ones that were asked for are none to be ignored.
    const begin =
      this.#prefixes().find((prefix) => path.startsWith(prefix)) ?? path.slice(0, path.lastIndexOf('/') + 1);
    if (!this.#spec.recursive) return !path.includes('/', begin.length);
    return folderTest({ selection: this.#selection, recursive: true }, begin)(path.slice(0, path.lastIndexOf('/') + 1));
  }

  async statMarker(path: string): Promise<SeenFile | null> {
    return (await look(this.#store, path))?.file ?? null;
  }

  open(file: SeenFile, offset: number, signal: AbortSignal): AsyncIterable<Buffer> {
    return readVersion({ store: this.#store, limits: this.#limits }, file, offset, signal);
  }

  async readSmall(path: string, limit: number): Promise<Buffer> {
    return await readWhole({ store: this.#store, limits: this.#limits }, path, limit);
  }

  async metadata(file: SeenFile): Promise<Readonly<Record<string, string>>> {
    return await metadataOf(this.#store, file);
  }

  async remove(file: SeenFile): Promise<void> {
    await removeVersion(this.#store, file);
  }

  async move(file: SeenFile, to: string, suffix: string, as?: string): Promise<string> {
    return await moveVersion(this.#store, file, to, suffix, as);
  }

  async probe(rights: {
    readonly delete: boolean;
    readonly move: boolean;
    readonly tag: boolean;
  }): Promise<readonly string[]> {
    const places = {
      prefix: expandTime(this.#options.prefix, new Date()),
      targets: this.#targets.filter((target) => target !== ''),
    };
    return await probeBucket(this.#store, places, rights);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#watches].map((watch) => watch.close()));
    this.#watches.clear();
    await this.#store.close();
  }

  /** Made once a minute: a long lookback by hours has 1,000 of them, and every look at a path asks. */
  #prefixes(): readonly string[] {
    const minute = Math.floor(Date.now() / 60_000);
    if (this.#made?.minute !== minute)
      this.#made = { minute, prefixes: prefixesAt(this.#options.prefix, minute * 60_000, this.#options.lookback) };
    return this.#made.prefixes;
  }
}
