import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { TallymanError } from '../../src/core/errors.js';
import type {
  ByteRange,
  EventListener,
  NoFile,
  ObjectBody,
  ObjectEvents,
  ObjectHead,
  ObjectPage,
  ObjectStore,
  PageQuery,
  StoreAbilities,
} from '../../src/core/object-store.js';

/** One object as the store holds it. */
export interface MemoryObject {
  readonly content: Buffer;
  /** Counts up with every write of any object: the version. */
  readonly generation: number;
  readonly mtimeUs: number;
  readonly metadata: Readonly<Record<string, string>>;
  readonly mark: string | null;
  tags: ReadonlyMap<string, string>;
  /** Why it cannot be read; null = it can. */
  readonly archived: string | null;
}

export interface Call {
  readonly name: 'page' | 'head' | 'get' | 'copy' | 'remove' | 'tags' | 'putTags' | 'probe' | 'tryRight';
  /** The prefix of a page. */
  readonly key: string;
}

/**
 * An object store in the memory of the test: the least that core/object-store.ts asks for. Versions are numbers, as
 * with generations; `fault` is asked before each call and may throw, wait, or change the objects.
 */
export class MemoryStore implements ObjectStore {
  readonly service = 'memory';
  readonly bucket = 'drops';
  readonly name = 'bucket drops';
  readonly rights = { read: 'to read', delete: 'to delete', tag: 'to tag', write: 'to write' };
  readonly abilities: StoreAbilities;
  readonly objects = new Map<string, MemoryObject>();
  /** Every call so far: `head a.csv`. */
  readonly log: string[] = [];
  /** No such bucket. */
  isGone = false;
  pageSize = 1_000;
  fault: (call: Call) => void | Promise<void> = () => undefined;
  /** Like stores that do not know conditions: get, copy and remove pass theirs over. */
  ignoresConditions = false;
  /** Bodies end so many bytes before their end. */
  shortBy = 0;
  /** Does one hear of new objects? */
  events?: (listener: EventListener) => ObjectEvents;
  #generation = 0;

  constructor(abilities: Partial<StoreAbilities> = {}) {
    this.abilities = { conditionalDelete: true, tagsMax: 3, keyMax: 1_024, ...abilities };
  }

  put(key: string, content: string | Buffer, more: Partial<MemoryObject> = {}): MemoryObject {
    const object = {
      content: Buffer.from(content),
      generation: ++this.#generation,
      mtimeUs: Date.now() * 1_000,
      metadata: {},
      mark: null,
      tags: new Map<string, string>(),
      archived: null,
      ...more,
    };
    this.objects.set(key, object);
    return object;
  }

  /** Which calls of this name there were, since the log was emptied last. */
  calls(name: Call['name']): readonly string[] {
    return this.log.flatMap((line) => (line.startsWith(`${name} `) ? [line.slice(name.length + 1)] : []));
  }

  uri(key: string): string {
    return `memory://${this.bucket}/${encodeURIComponent(key)}`;
  }

  contentOf(version: string): string {
    return version;
  }

  /** A number tells nothing of the content. */
  digestOf(): null {
    return null;
  }

  unreachable(error: unknown): TallymanError {
    if (error instanceof TallymanError) return error;
    return new TallymanError('SOURCE_UNREACHABLE', `${this.name}: ${error instanceof Error ? error.message : ''}`);
  }

  async page({ prefix, byFolder, after }: PageQuery, signal: AbortSignal): Promise<ObjectPage> {
    await this.#called({ name: 'page', key: prefix });
    if (signal.aborted) throw this.unreachable(signal.reason);
    const rest = (key: string): number => (byFolder ? key.indexOf('/', prefix.length) : -1);
    const items = new Set(
      [...this.objects.keys()]
        .filter((key) => key.startsWith(prefix))
        .map((key) => (rest(key) === -1 ? key : key.slice(0, rest(key) + 1))),
    );
    const sorted = [...items].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    const from = after === null ? 0 : Number(after);
    const taken = sorted.slice(from, from + this.pageSize);
    const isFolder = (item: string): boolean => byFolder && item.includes('/', prefix.length);
    return {
      objects: taken.filter((item) => !isFolder(item)).map((key) => shown(key, this.objects.get(key)!)),
      folders: taken.filter(isFolder),
      skipped: [],
      next: from + this.pageSize < sorted.length ? String(from + this.pageSize) : null,
    };
  }

  async head(key: string): Promise<ObjectHead | NoFile | null> {
    await this.#called({ name: 'head', key });
    const object = this.objects.get(key);
    return object === undefined ? null : shown(key, object);
  }

  async get(key: string, range: ByteRange | null, ifVersion: string | null, signal: AbortSignal): Promise<ObjectBody> {
    await this.#called({ name: 'get', key });
    if (signal.aborted) throw this.unreachable(signal.reason);
    const object = this.#version(key, this.ignoresConditions ? null : ifVersion);
    const { length } = object.content;
    if (object.archived !== null || (range !== null && range.end > length))
      throw new TallymanError('FILE_UNREADABLE', `${key}: ${object.archived ?? 'no such range'}`);
    const { from, end } = range ?? { from: 0, end: length };
    return {
      content: String(object.generation),
      contentRange: range === null ? null : `bytes ${from}-${end - 1}/${length}`,
      contentLength: end - from,
      stream: Readable.from(pieces(object.content.subarray(from, end - this.shortBy)), { objectMode: false }),
    };
  }

  async copy(from: ObjectHead, to: string, mark: string): Promise<void> {
    await this.#called({ name: 'copy', key: from.key });
    const { content, metadata, tags } = this.#version(from.key, this.ignoresConditions ? null : from.version);
    if (this.objects.has(to) && !this.ignoresConditions)
      throw new TallymanError('FILE_CHANGED', `${from.key}: ${to} is taken`);
    this.put(to, content, { metadata, tags, mark });
  }

  async remove(key: string, ifVersion: string): Promise<void> {
    await this.#called({ name: 'remove', key });
    if (!this.ignoresConditions) this.#version(key, ifVersion);
    this.objects.delete(key);
  }

  async tags(object: ObjectHead): Promise<ReadonlyMap<string, string>> {
    await this.#called({ name: 'tags', key: object.key });
    return this.#version(object.key, null).tags;
  }

  async putTags(object: ObjectHead, tags: ReadonlyMap<string, string>): Promise<void> {
    await this.#called({ name: 'putTags', key: object.key });
    this.#version(object.key, null).tags = new Map(tags);
  }

  async probe(prefix: string): Promise<void> {
    await this.#called({ name: 'probe', key: prefix });
  }

  async tryRight(right: string, key: string): Promise<string | null> {
    try {
      await this.#called({ name: 'tryRight', key: `${right} ${key}` });
      return null;
    } catch (error) {
      return error instanceof Error ? error.message : '';
    }
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  async #called(call: Call): Promise<void> {
    this.log.push(`${call.name} ${call.key}`);
    if (this.isGone) throw new TallymanError('SOURCE_UNREACHABLE', `${this.name}: there is no such bucket`);
    await this.fault(call);
  }

  /** What stands there; `version` null = whatever it is. */
  #version(key: string, version: string | null): MemoryObject {
    const object = this.objects.get(key);
    if (object === undefined) throw new TallymanError('FILE_VANISHED', `${key}: gone`);
    if (version !== null && version !== String(object.generation))
      throw new TallymanError('FILE_CHANGED', `${key}: another version stands there`);
    return object;
  }
}

const shown = (key: string, object: MemoryObject): ObjectHead | NoFile =>
  object.archived === null
    ? {
        key,
        size: object.content.length,
        mtimeUs: object.mtimeUs,
        version: String(object.generation),
        digest: createHash('md5').update(object.content).digest('hex'),
        metadata: object.metadata,
        mark: object.mark,
      }
    : { key, reason: object.archived };

/** Many small chunks, as a line brings them. */
function* pieces(content: Buffer): Generator<Buffer, void, undefined> {
  for (let at = 0; at < content.length; at += 65_536) yield content.subarray(at, at + 65_536);
}
