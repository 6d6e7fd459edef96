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
