import type { Bytes } from './format.js';

/** Bytes in, bytes out: gzip, zstd ... One file each under decode/, one line in registry.ts. */
export interface Decoder {
  readonly name: string;
  /** Name endings that suggest it (".gz"); magic bytes decide under `compression: auto`. */
  readonly extensions: readonly string[];
  /** True when the first bytes (up to 16) are this encoding's. */
  matches(head: Buffer): boolean;
  /**
   * Streams the decoded bytes. Throws FILE_CORRUPT (truncated, checksum wrong, bytes behind the end). Reads its input
   * to the end before it ends. EXPANSION_LIMIT is seen to by who calls it. Of an archive, unused.
   */
  decode(input: Bytes): Bytes;
  /**
   * An archive: the wanted members in the order of its directory. Throws FILE_CORRUPT, and FORMAT_MISMATCH for what is
   * refused (encrypted, names that lead outside).
   */
  readonly members?: (file: RandomAccess, wanted: (path: string) => boolean) => Promise<readonly ArchiveMember[]>;
}

/** The delivered file, read anywhere: through the descriptor whose version is proven before and after. */
export interface RandomAccess {
  readonly size: number;
  /** Fills `into` from the position on; returns how many bytes there were, fewer only at the end of the file. */
  read(into: Buffer, position: number): Promise<number>;
}

export interface ArchiveMember {
  /** Path in the archive, "/" between folders. */
  readonly name: string;
  /**
   * The member's bytes; throws FILE_CORRUPT when they are not those that the archive declares (size, checksum). May be
   * called again.
   */
  open(): Bytes;
}
