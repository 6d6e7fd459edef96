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

export interface FormatSpec {
  /** `csv`, or what registry.ts names. */
  readonly type: string;
  /** What the format's own options schema gave. */
  readonly options: Readonly<Record<string, unknown>>;
}
