import type { Algorithm } from './feed/control.js';

/** What a source says of a file beside its bytes. */
export interface SaidBeside {
  /** Out of its checksum file; null = there is none. */
  readonly checksum: {
    readonly algorithm: Algorithm;
    readonly digest: string;
    /** The checksum file. */ readonly path: string;
  } | null;
  /** Metadata of the object, names in lower case; null = there is none. */
  readonly metadata: Readonly<Record<string, string>> | null;
}
