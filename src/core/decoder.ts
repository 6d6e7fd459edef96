import type { Bytes } from './format.js';

/** Bytes in, bytes out: gzip, zstd ... One file each under decode/, one line in registry.ts. */
export interface Decoder {
  readonly name: string;
  /** Name endings that suggest it (".gz"); magic bytes decide under `compression: auto`. */
  readonly extensions: readonly string[];
  /** True when the first bytes (up to 16) are this encoding's. */
  matches(head: Buffer): boolean;
  /**
   * Streams the decoded bytes. Throws FILE_CORRUPT (truncated, checksum wrong, bytes behind the end) and EXPANSION_LIMIT. Reads its input to the
   * end before it ends.
   */
  decode(input: Bytes): Bytes;
}
