import type { z } from 'zod';
import type { ListingPage, SeenFile } from './file.js';
import type { SourceSpec } from './feed/source.js';

/**
 * A place where files arrive. Every method may throw TallymanError: SOURCE_UNREACHABLE pauses the feed without blame on
 * any file. Nothing here decides; a source lists, reads and moves bytes.
 */
export interface Source {
  readonly type: string;

  /** `file:///...`, `sftp://host/...`, `s3://bucket/key`. Never holds a secret. */
  uri(path: string): string;

  /**
   * The full listing, page by page, filtered by pattern and ignore. The truth: an event that was missed is found here.
   * Throws SOURCE_UNREACHABLE when the folder itself cannot be listed (never "no files").
   */
  list(signal: AbortSignal): AsyncIterable<ListingPage>;

  /**
   * One path now. null = gone. Applies the same checks as list (name, regular file, inside the root): throws
   * FILE_NOT_TAKEN with the reason otherwise. A path in a folder that files are moved to needs no fitting name: it was
   * taken before.
   */
  stat(path: string): Promise<SeenFile | null>;

  /**
   * Is there an entry of this name (any regular file, pattern and ignore not applied)? For ready markers. null = no.
   */
  statMarker(path: string): Promise<SeenFile | null>;

  /**
   * Hints that something happened at a path (null: anywhere). Optional; the periodic listing does not depend on it. The
   * callback must be cheap. Closing the handle stops the hints.
   */
  watch?(onHint: (path: string | null) => void, onError: (error: Error) => void): Promise<{ close(): Promise<void> }>;

  /** Absolute path when the bytes can be read in place on this host; null = they must be landed first. */
  localPath(path: string): string | null;

  /**
   * The bytes of exactly this version from `offset` on. Throws FILE_VANISHED or FILE_CHANGED when it is gone or
   * another. Idle time-outs are the source's.
   */
  open(file: SeenFile, offset: number, signal: AbortSignal): AsyncIterable<Buffer>;

  /**
   * Metadata that is kept with exactly this version, names in lower case (S3: without x-amz-meta-). Throws
   * FILE_VANISHED and FILE_CHANGED. Omitted: the source keeps none.
   */
  metadata?(file: SeenFile): Promise<Readonly<Record<string, string>>>;

  /** Whole content of a small file (marker, manifest; at most `limit` bytes, else an error). */
  readSmall(path: string, limit: number): Promise<Buffer>;

  /**
   * After actions. All act only on exactly this version: throw FILE_CHANGED when another stands under the name,
   * FILE_VANISHED when none. May be called again after a crash in the middle.
   */
  remove(file: SeenFile): Promise<void>;
  /**
   * `to` is a folder relative to the root, time letters filled in; the file keeps its path below it (`in/a.csv` to
   * `done` is `done/in/a.csv`), or has the path `as` there when it was moved before. An existing name is never
   * overwritten: this one gets `-suffix` before its extensions. Returns where it is now.
   */
  move(file: SeenFile, to: string, suffix: string, as?: string): Promise<string>;
  tag?(file: SeenFile, tags: Readonly<Record<string, string>>): Promise<void>;

  /**
   * `check --connect`: reach it and try the rights. Findings for people; an empty list is all well. `rights` are those
   * that the feed asks for.
   */
  probe(rights: {
    readonly delete: boolean;
    readonly move: boolean;
    readonly tag: boolean;
  }): Promise<readonly string[]>;

  close(): Promise<void>;
}

/** How registry.ts names a kind of source. `O` is what the options schema gives. */
export interface SourceType<O extends Record<string, unknown> = Record<string, unknown>> {
  readonly type: string;
  /** Keys under `source:` that are this type's own (dir, connection, bucket ...). Strict: unknown keys are errors. */
  readonly options: z.ZodType<O>;
  /** Names of option keys that hold paths relative to the config file. */
  readonly pathOptions: readonly string[];
  /** Names of option keys that name an entry of `connections:` of this same type. */
  readonly connectionOption: string | null;
  readonly defaults: { readonly pollMs: number; readonly settleMs: number; readonly recursive: boolean };
  /** True when `after: { tag }` can be done. Omitted = no. */
  readonly canTag?: boolean;
  /** True when files carry metadata (`control: { metadata }`). Omitted = no. */
  readonly hasMetadata?: boolean;
  /**
   * Entries of this type under `connections:`. `options` are its keys beside `type`, strict. Values under
   * `secretOptions` are read by config/ first (`{ env }`, `{ file }`, `${NAME}`) and reach the schema as Secret; those
   * under `pathOptions` become absolute.
   */
  readonly connection?: {
    readonly options: z.ZodType<Record<string, unknown>>;
    readonly secretOptions: readonly string[];
    readonly pathOptions: readonly string[];
    /**
     * What `check --connect` fills in where an entry has nothing that proves the server, so that it can be asked what
     * it shows. Omitted = nothing needs to be asked.
     */
    readonly unproven?: (plain: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>;
  };
  /** `connection` is what the entry that `connectionOption` names came to. */
  open(spec: SourceSpec, options: O, connection?: Readonly<Record<string, unknown>>): Source;
}
