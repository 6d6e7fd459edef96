import type { Readable } from 'node:stream';
import type { TallymanError } from './errors.js';
import type { SkippedEntry } from './file.js';

/**
 * One bucket of an object store, request by request. What a feed needs beyond single requests (prefixes by date,
 * folders, moves, ranges side by side, proof of the version) is written once, in sources/bucket/; a store is a client,
 * its errors and its options.
 *
 * Errors: every call may throw SOURCE_UNREACHABLE for what has nothing to do with one object (login, throttling, the
 * line). What else it throws stands with the call. Nothing but TallymanError is thrown, also by a call that was
 * aborted: whoever aborted it has the reason in the signal. No message holds a secret.
 *
 * Repeats: a store repeats a request by itself as far as its client does. Every call may be made again; what a second
 * one finds stands with the call where it differs.
 */
export interface ObjectStore {
  /** `S3`: for messages. */
  readonly service: string;
  readonly bucket: string;
  /** `bucket drops at host`: for messages. */
  readonly name: string;
  readonly abilities: StoreAbilities;
  /** What people have to grant, in the words of the store. */
  readonly rights: Readonly<Record<'read' | Right, string>>;

  /** `s3://bucket/key`, escaped as URLs are. Throws nothing. */
  uri(key: string): string;

  /**
   * The part of a version token that speaks of the content alone: it stays when only properties (time, tags) change.
   * The token itself where it has no such part. Throws nothing.
   */
  contentOf(version: string): string;

  /** The content's hash, as far as a version token tells it; comparable with StoredObject.digest. null = unknown. */
  digestOf(version: string): string | null;

  /** What became of a body whose stream failed: SOURCE_UNREACHABLE. A TallymanError comes back as it is. */
  unreachable(error: unknown): TallymanError;

  /**
   * One page of a listing, in the order of the store (sorted ones cost least). Throws SOURCE_UNREACHABLE also when the
   * store breaks off without saying where it goes on: pages from the first to `next: null` are the whole listing.
   * Throws FOLDER_UNREADABLE when the login is right and just may not list there.
   */
  page(query: PageQuery, signal: AbortSignal): Promise<ObjectPage>;

  /**
   * What stands under the key now; null = nothing. Shows the same version as a page does. Throws FILE_UNREADABLE when
   * this object is refused; SOURCE_UNREACHABLE, not null, when the bucket is gone.
   */
  head(key: string): Promise<ObjectHead | NoFile | null>;

  /**
   * The head of an answer and the stream of its body; whoever gets it reads it to its end or destroys it. `range` null
   * = the whole object. Asks for `ifVersion` only (null = whatever stands there), which a store may pass over: the
   * answer says what it is. Throws FILE_CHANGED, FILE_VANISHED and FILE_UNREADABLE.
   */
  get(key: string, range: ByteRange | null, ifVersion: string | null, signal: AbortSignal): Promise<ObjectBody>;

  /**
   * Copies within the bucket, on the server, with all properties and with `mark` (see ObjectHead) added; tags go along
   * as far as the server takes them (Ceph drops those of an object that one request copies). `from` is what head()
   * returned, itself: a store may know more of it than the contract says. Asks for exactly its version, and to
   * overwrite nothing; a store may pass both over, so that the caller looks before and after. Nothing is visible under
   * `to` before it is whole. Throws FILE_CHANGED (also when `to` is taken), FILE_VANISHED, AFTER_ACTION_FAILED. A
   * second call finds `to` taken by the first.
   */
  copy(from: ObjectHead, to: string, mark: string): Promise<void>;

  /**
   * Deletes what stands under the key, if it is this version: see abilities.conditionalDelete. In a bucket with
   * versions a delete marker goes on top, nothing is lost. Throws FILE_CHANGED, AFTER_ACTION_FAILED, and FILE_VANISHED
   * when nothing stands there, where the condition is kept; a second call may find that.
   */
  remove(key: string, ifVersion: string): Promise<void>;

  /** Tags of what head() returned. Throws FILE_VANISHED and AFTER_ACTION_FAILED. */
  tags(object: ObjectHead): Promise<ReadonlyMap<string, string>>;

  /** Makes these the tags of what head() returned, instead of all that it has. Throws as `tags` does. */
  putTags(object: ObjectHead, tags: ReadonlyMap<string, string>): Promise<void>;

  /** Lists, and reads a byte of the first object below the prefix. Throws SOURCE_UNREACHABLE, whatever it was. */
  probe(prefix: string): Promise<void>;

  /**
   * May the login do this at a key of our own, under which nothing stands? Leaves nothing behind. null = yes; else what
   * the store says. Throws nothing.
   */
  tryRight(right: Right, key: string): Promise<string | null>;

  /** Reports new objects before a listing does. Omitted = this store was given no way to hear of them. */
  events?(listener: EventListener): ObjectEvents;

  close(): Promise<void>;
}

/** Rights that only after actions need. */
export type Right = 'delete' | 'tag' | 'write';

/** What stores do differently, as data that sources/bucket/ goes by. */
export interface StoreAbilities {
  /**
   * remove() is certain to delete this version and no other. false = it may pass its condition over, or know only a
   * part of the token: whoever deletes looks just before.
   */
  readonly conditionalDelete: boolean;
  /** Tags that an object can have; 0 = the store has none, and `tags` and `putTags` are not called. */
  readonly tagsMax: number;
  /** The longest key, bytes of UTF-8. */
  readonly keyMax: number;
}

/** A key under which an object stands, as a page and a head show it. */
export interface StoredObject {
  readonly key: string;
  /** Bytes. */
  readonly size: number;
  /** Microseconds since 1970, as finely as both a page and a head tell it. */
  readonly mtimeUs: number;
  /**
   * Token that changes whenever the content may have changed. Opaque: only the store makes conditions of it. S3: ETag
   * and second of the change. A store that numbers its versions (generations) takes the number.
   */
  readonly version: string;
  /** Hash of the content in the store's own form; null = unknown, or told and not to be relied on. */
  readonly digest: string | null;
}

/** An object that cannot be read as a file now (archived, say), with the reason for people. */
export interface NoFile {
  readonly key: string;
  readonly reason: string;
}

export interface ObjectHead extends StoredObject {
  /** What its sender put on it; null = refused, and only a listing shows the object. */
  readonly metadata: Readonly<Record<string, string>> | null;
  /** What copy() put on it; null = nothing, or refused. */
  readonly mark: string | null;
}

export interface PageQuery {
  /** Only keys that begin so; empty = all. */
  readonly prefix: string;
  /** Keys that go on behind the next "/" come as one folder each. */
  readonly byFolder: boolean;
  /** `next` of the page before; null = the first. */
  readonly after: string | null;
}

export interface ObjectPage {
  readonly objects: readonly (StoredObject | NoFile)[];
  /** Only with byFolder: up to and with the "/". */
  readonly folders: readonly string[];
  /** Keys that no request could ask for (bytes that are not UTF-8). */
  readonly skipped: readonly SkippedEntry[];
  /** null = this was the last page. Never what `after` was. */
  readonly next: string | null;
}

/** From `from` to before `end`, bytes. Never empty. */
export interface ByteRange {
  readonly from: number;
  readonly end: number;
}

export interface ObjectBody {
  /** What the answer is of: contentOf its version. null = it does not say. */
  readonly content: string | null;
  /** As HTTP writes it: `bytes 0-99/1000`. null = the whole object. */
  readonly contentRange: string | null;
  /** Bytes of the body. null = it does not say. */
  readonly contentLength: number | null;
  /** Chunks are Buffers. Its errors are the line's, as they come: see ObjectStore.unreachable. */
  readonly stream: Readable;
}

export interface EventListener {
  /** How often the bucket is listed anyway, milliseconds. */
  readonly pollMs: number;
  /** Is this a key that the feed takes, or a marker? */
  readonly isWorth: (key: string) => boolean;
  /** Something happened at the key; null: anywhere. */
  readonly onHint: (key: string | null) => void;
  readonly onError: (error: Error) => void;
}

/**
 * Events as hints; the listing stays the truth. An event is acknowledged only once a listing that began after it came
 * has been taken to its end: a process that dies before gets it again.
 */
export interface ObjectEvents {
  start(): Promise<void>;
  /** Where the arrivals stand: taken before a listing, for `listed` behind it. */
  mark(): number;
  /** The listing that began at the mark has come to its end. Throws nothing: what is not acknowledged comes again. */
  listed(mark: number): Promise<void>;
  close(): Promise<void>;
}
