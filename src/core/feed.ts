/**
 * A feed as the program uses it: every default filled in, durations in milliseconds, sizes in bytes. Plain data, so
 * that it can be posted to a worker thread. config/ makes it from the YAML; nothing else does.
 */
export interface FeedSpec {
  readonly name: string;
  readonly source: SourceSpec;
  readonly format: FormatSpec;
  /** `auto` = by magic bytes; `none`; or a decoder's name. */
  readonly compression: string;
  /** How far a compressed file may expand before it is taken for a bomb. */
  readonly maxExpansion: ExpansionSpec;
  /** How PGP files are decrypted; unsaid = the feed takes none. Holds keys: never log it. */
  readonly decrypt?: DecryptSpec;
  /**
   * Globs of the members of an archive that are read; null = all files in it. Without "/" they meet the name, with "/"
   * the path.
   */
  readonly members: readonly string[] | null;
  /**
   * null = land what comes (SPEC 3): header columns as text, JSON as `data jsonb`, typed formats with their own types.
   */
  readonly columns: readonly ColumnSpec[] | null;
  /** Feed-level unique keys over several columns. */
  readonly unique: readonly (readonly string[])[];
  readonly onUnknownColumn: 'reject' | 'ignore' | 'add' | 'rescue';
  readonly onMissingColumn: 'reject' | 'fill_null';
  readonly onDuplicate: 'skip' | 'load' | 'hold';
  readonly onChanged: 'load' | 'replace' | 'hold' | 'skip';
  readonly control: ControlSpec | null;
  readonly limits: LimitsSpec;
  readonly target: TargetSpec;
  readonly after: AfterSpec;
  readonly retry: RetrySpec;
  /** Names made from headers: `snake` (SPEC 7) or `keep`. */
  readonly names: 'snake' | 'keep';
  /** IANA zone for timestamptz text without an offset. Default UTC. */
  readonly timezone: string;
  /**
   * Name of the feed that this one goes on from; 'none' = none, although a feed over the same source and table has
   * gone; null = unsaid.
   */
  readonly formerly: string | null;
}

/**
 * Both hold: decoded bytes past the first 10 MB at most `ratio` times the delivered ones, and at most `bytes` in all.
 */
export interface ExpansionSpec {
  readonly ratio: number;
  readonly bytes: number;
}

/** Plain texts, because a feed is posted to worker threads. */
export interface DecryptSpec {
  /** Armored private keys; each may be tried. */
  readonly privateKeys: readonly string[];
  /** Unlocks those that are locked; null = none. */
  readonly passphrase: string | null;
  /**
   * required: a right signature by one of the signers. optional: none is needed, and a wrong one by a signer is refused
   * all the same.
   */
  readonly verify: 'optional' | 'required';
  /** Armored public keys, and the files they came from. */
  readonly signers: readonly { readonly file: string; readonly key: string }[];
}

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

export interface FormatSpec {
  /** `csv`, or what registry.ts names. */
  readonly type: string;
  /** What the format's own options schema gave. */
  readonly options: Readonly<Record<string, unknown>>;
}

/** One column of the contract (SPEC 3.2). */
export interface ColumnSpec {
  readonly name: string;
  /**
   * Where it comes from: header names in order of preference, or a 1-based position. Never empty: `[name]` when unsaid.
   */
  readonly from: readonly (string | number)[];
  /** SPEC 7's words, lower case, for example `numeric(12,2)`. */
  readonly type: string;
  readonly required: boolean;
  readonly unique: boolean;
  /** Text of the value that a NULL or missing cell gets; null = none. */
  readonly default: string | null;
  readonly trim: boolean;
  /** strptime formats, `epoch_s`, `epoch_ms`; empty = ISO 8601 as SPEC 7 says. */
  readonly formats: readonly string[];
  /** IANA zone; null = the feed's for timestamptz, and "no offset allowed" for timestamp. */
  readonly timezone: string | null;
  readonly decimal: string;
  readonly thousands: string | null;
  readonly round: boolean;
  readonly trueValues: readonly string[] | null;
  readonly falseValues: readonly string[] | null;
  readonly min: string | null;
  readonly max: string | null;
  readonly minLength: number | null;
  readonly maxLength: number | null;
  /** JavaScript regular expression, unanchored. */
  readonly pattern: string | null;
  readonly enum: readonly string[] | null;
  /** Fixed width: 1-based first character and number of characters. */
  readonly start: number | null;
  readonly width: number | null;
}

export interface ControlSpec {
  /** Regular expression of the first record, before the header line; text formats only. null = there is none. */
  readonly header: string | null;
  /** Regular expression of the last non-blank record; text formats only. null = there is none. */
  readonly trailer: string | null;
  /** What the sender's numbers of rows count beside data records. */
  readonly rowsOffset: number;
  /** Keys of the control file that source.ready names. */
  readonly manifest: SaidKeys | null;
  /** Keys of the metadata that the source keeps with the file (S3 object metadata). */
  readonly metadata: SaidKeys | null;
  /**
   * Name of the checksum file, with {name} and {stem}; a fixed one (SHA256SUMS) speaks for its folder. source.checksum
   * is the same.
   */
  readonly checksum: string | null;
  /**
   * Column -> what its sum over all records is called: a group of header or trailer, or a key of manifest or metadata.
   */
  readonly totals: Readonly<Record<string, string>>;
}

/** Under which keys a control file says what. */
export interface SaidKeys {
  readonly rows: string | null;
  readonly digests: readonly { readonly algorithm: Algorithm; readonly key: string }[];
}

/** Checksums that a sender may give. */
export const ALGORITHMS = ['sha256', 'md5', 'sha1', 'sha512'] as const;
export type Algorithm = (typeof ALGORITHMS)[number];

/** SPEC 3.3. "Past" means greater. null = no limit. */
export interface LimitsSpec {
  readonly badRows: number | null;
  readonly badRatio: number | null;
  readonly minRows: number;
  readonly databaseRows: number;
}

export interface TargetSpec {
  readonly schema: string;
  readonly table: string;
  readonly mode: 'append' | 'replace_all';
  readonly create: boolean;
  readonly loadIndex: 'none' | 'brin' | 'btree';
}

export type AfterAction =
  | { readonly kind: 'leave' }
  | { readonly kind: 'delete' }
  /** strftime letters are the commit time in UTC. */
  | { readonly kind: 'move'; readonly to: string }
  | { readonly kind: 'tag'; readonly tags: Readonly<Record<string, string>> };

export interface AfterSpec {
  readonly loaded: AfterAction;
  readonly rejected: AfterAction;
  readonly duplicate: AfterAction;
}

export interface RetrySpec {
  readonly attempts: number;
  readonly backoffMs: number;
  readonly maxBackoffMs: number;
}
