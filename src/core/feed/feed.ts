import type { AfterSpec } from './after-action.js';
import type { ColumnSpec } from './columns.js';
import type { ControlSpec } from './control.js';
import type { DecryptSpec, ExpansionSpec, FormatSpec } from './input.js';
import type { LimitsSpec, RetrySpec } from './limits.js';
import type { FeedOrder } from './order.js';
import type { SourceSpec } from './source.js';
import type { TargetSpec } from './target.js';

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
  /** How PGP files are decrypted; omitted = the feed takes none. Holds keys: never log it. */
  readonly decrypt?: DecryptSpec;
  /**
   * Globs of the members of an archive that are read; null = all files in it. Without "/" they meet the name, with "/"
   * the path.
   */
  readonly members: readonly string[] | null;
  /**
   * null = land what comes (docs/spec/configuration.md#without-a-contract): header columns as text, JSON as `data
   * jsonb`, typed formats with their own types.
   */
  readonly columns: readonly ColumnSpec[] | null;
  /** Feed-level unique keys over several columns. */
  readonly unique: readonly (readonly string[])[];
  readonly onUnknownColumn: 'reject' | 'ignore' | 'add' | 'rescue';
  readonly onMissingColumn: 'reject' | 'fill_null';
  readonly onDuplicate: 'skip' | 'load' | 'hold';
  readonly onChanged: 'load' | 'replace' | 'hold' | 'skip';
  /** What makes two files the same: the delivered bytes alone, or what is packed in them too. Omitted = content. */
  readonly identity?: 'bytes' | 'content';
  readonly control: ControlSpec | null;
  readonly limits: LimitsSpec;
  readonly target: TargetSpec;
  /** Follows from the target's mode. */
  readonly order: FeedOrder;
  /** True where one file is worked on at a time, landing and all: the next one may make it worthless. */
  readonly serial: boolean;
  readonly after: AfterSpec;
  readonly retry: RetrySpec;
  /** Names made from headers: `snake` or `keep`. */
  readonly names: 'snake' | 'keep';
  /** IANA zone for timestamptz text without an offset. Default UTC. */
  readonly timezone: string;
  /**
   * Name of the feed that this one goes on from; 'none' = none, although a feed over the same source and table has
   * gone; null = not said.
   */
  readonly formerly: string | null;
}
