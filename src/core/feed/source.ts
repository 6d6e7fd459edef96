export interface SourceSpec {
  /** `local`, or what registry.ts names. */
  readonly type: string;
  /** What the source's own options schema gave (dir, connection, bucket, prefix ...); absolute paths. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Globs after strftime letters became digit patterns. */
  readonly patterns: readonly string[];
  readonly ignoreCase: boolean;
  readonly recursive: boolean;
  /** Globs that are never data, the built-in ones included unless ignore_defaults is false. */
  readonly ignore: readonly string[];
  readonly pollMs: number;
  readonly settleMs: number;
  readonly ready: ReadySpec;
  /**
   * Name of the checksum file that belongs to a data file (control.checksum): never data, waited for like a marker.
   * Unsaid = none.
   */
  readonly checksum?: string;
  /**
   * Targets of `move` as the config has them (time letters not filled in), relative to the root: a listing never enters
   * them. Those of other feeds over the same folder belong here too.
   */
  readonly exclude?: readonly string[];
}

export type ReadySpec =
  | { readonly kind: 'always' }
  /** `template` holds {name} and {stem}, or is a fixed name such as _SUCCESS. */
  | { readonly kind: 'marker'; readonly template: string }
  | { readonly kind: 'manifest'; readonly template: string };
