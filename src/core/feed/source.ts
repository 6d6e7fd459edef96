export interface SourceSpec {
  /** `local`, or what registry.ts names. */
  readonly type: string;
  /** What the source's own options schema gave (dir, connection, bucket, prefix ...); absolute paths. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Globs, in which strftime letters became digit classes: names are chosen by them. */
  readonly patterns: readonly string[];
  /** What those of `patterns` with strftime letters catch of a name. Omitted = none has such letters. */
  readonly named?: readonly NamePattern[];
  /**
   * Regular expression on a path, whose named groups are parts of the name; no key of the config gives one yet. Omitted
   * = none.
   */
  readonly nameGroups?: string;
  readonly ignoreCase: boolean;
  readonly recursive: boolean;
  /**
   * Globs that are never data. In both lists the last that meets a name decides: one with `!` takes away from what
   * stands before it, here also from `ignoreAnyCase`.
   */
  readonly ignore: readonly string[];
  /** The built-in ignores, which meet names in any case. Omitted = ignore_defaults is false. */
  readonly ignoreAnyCase?: readonly string[];
  readonly pollMs: number;
  readonly settleMs: number;
  readonly ready: ReadySpec;
  /**
   * Name of the checksum file that belongs to a data file (control.checksum): never data, waited for like a marker.
   * Omitted = none.
   */
  readonly checksum?: string;
  /**
   * Targets of `move` as the config has them (time letters not filled in), relative to the root: a listing never enters
   * them. Those of other feeds over the same folder belong here too.
   */
  readonly exclude?: readonly string[];
}

/** A pattern that tells of which day (and time) a file is. */
export interface NamePattern {
  /** One of SourceSpec.patterns. */
  readonly glob: string;
  /** The same glob with its strftime letters, each where a part of the date stands in a name. */
  readonly captures: string;
}

export type ReadySpec =
  | { readonly kind: 'always' }
  /** `template` holds {name} and {stem}, or is a fixed name such as _SUCCESS. */
  | { readonly kind: 'marker'; readonly template: string }
  | { readonly kind: 'manifest'; readonly template: string };
