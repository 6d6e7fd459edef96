import { expandTime, hasTimeLetter } from '../../base/time-letters.js';
import { TallymanError } from '../../core/errors.js';
import type { SourceSpec } from '../../core/feed/source.js';
import type { ListingPage, SeenFile } from '../../core/file.js';
import type { Source, SourceType } from '../../core/source.js';
import { isBeside } from '../common/companion.js';
import { moveVersion, removeVersion, tagVersion } from './after.js';
import { s3Uri } from './key.js';
import { folderTest, listKeys } from './list.js';
import { look, metadataOf } from './look.js';
import { connectionOptions, sourceOptions, type S3Options } from './options.js';
import { prefixesAt, prefixTest } from './prefix.js';
import { probeBucket } from './probe.js';
import { readVersion, readWhole } from './read.js';
import { S3_LIMITS, S3Store, type S3Limits } from './client.js';
import { S3Watch } from './watch.js';
import { selectionOf, type Selection } from '../common/selection.js';

/** A bucket, or what begins with a prefix in it. Its objects are landed before they are read. */
export const s3: SourceType<S3Options> = {
  type: 's3',
  options: sourceOptions,
  pathOptions: [],
  connectionOption: 'connection',
  defaults: { pollMs: 60_000, settleMs: 0, recursive: true },
  canTag: true,
  hasMetadata: true,
  connection: {
    options: connectionOptions,
    secretOptions: ['access_key_id', 'secret_access_key', 'session_token'],
    pathOptions: [],
  },
  open: (spec, options, connection) => openS3(spec, options, connection),
};

/** `limits` other than the usual ones are for tests. */
export function openS3(
  spec: SourceSpec,
  options: S3Options,
  connection: Readonly<Record<string, unknown>> | undefined,
  limits: S3Limits = S3_LIMITS,
): Source {
  if (connection === undefined)
    throw new TallymanError('INTERNAL', `connection ${options.connection} did not reach its source`);
  return new S3Source(spec, options, new S3Store(connectionOptions.parse(connection), options.bucket, limits));
}

class S3Source implements Source {
  readonly type = 's3';
  readonly #spec: SourceSpec;
  readonly #options: S3Options;
  readonly #store: S3Store;
  readonly #selection: Selection;
  readonly #hasPrefix: (key: string) => boolean;
  /** Folders that files are moved to, up to their first date letter. */
  readonly #targets: readonly string[];
  readonly #watches = new Set<S3Watch>();
  /** Only with `events`. */
  readonly watch?: NonNullable<Source['watch']>;
  #made: { readonly minute: number; readonly prefixes: readonly string[] } | null = null;

  constructor(spec: SourceSpec, options: S3Options, store: S3Store) {
    this.#spec = spec;
    this.#options = options;
    this.#store = store;
    this.#selection = selectionOf(spec);
    this.#hasPrefix = prefixTest(options.prefix);
    this.#targets = [...new Set((spec.exclude ?? []).map(fixedFolder))];
    const queueUrl = options.events?.sqs;
    if (queueUrl !== undefined) this.watch = (onHint, onError) => this.#watch(queueUrl, onHint, onError);
  }

  async #watch(
    queueUrl: string,
    onHint: (path: string | null) => void,
    onError: (error: Error) => void,
  ): Promise<{ close(): Promise<void> }> {
    const isWorth = (key: string): boolean => this.#takes(key) || isBeside(this.#spec, key);
    const watch = new S3Watch({ store: this.#store, queueUrl, pollMs: this.#spec.pollMs, isWorth, onHint, onError });
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
    return s3Uri(this.#store.bucket, path);
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
    return readVersion(this.#store, file, offset, signal);
  }

  async readSmall(path: string, limit: number): Promise<Buffer> {
    return await readWhole(this.#store, path, limit);
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

  async tag(file: SeenFile, tags: Readonly<Record<string, string>>): Promise<void> {
    await tagVersion(this.#store, file, tags);
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

/** `done/%Y/%m` -> `done`; empty when the first part has date letters already. */
function fixedFolder(to: string): string {
  const parts = to.split('/').filter((part) => part !== '' && part !== '.');
  const lettered = parts.findIndex(hasTimeLetter);
  return (lettered === -1 ? parts : parts.slice(0, lettered)).join('/').replaceAll('%%', '%');
}
