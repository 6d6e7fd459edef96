/**
 * One path as a listing shows it now. Two looks at a path are the same version when `size` and `version` are equal.
 */
export interface SeenFile {
  /**
   * Relative to the feed's folder (local, sftp) or the full key (s3); "/" between parts. Bytes that are not UTF-8 stand
   * as %XX, and then a literal % as %25.
   */
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** Microseconds since 1970, as the source reports it; null where it has none. */
  readonly mtimeUs: number | null;
  /**
   * Opaque token that changes whenever the content may have changed: local mtime + ctime in nanoseconds + inode, sftp
   * mtime, s3 ETag or version id. A changed token means "look again", not "other content".
   */
  readonly version: string;
}

/** A listed name that is not taken, with the reason for people. */
export interface SkippedEntry {
  readonly path: string;
  readonly reason: string;
  /**
   * `unlisted`: a folder that could not be listed, so that nothing is known of its files. `folder`: one that fits the
   * pattern of files, which is nobody's trouble. Omitted: a file that was not taken.
   */
  readonly what?: 'unlisted' | 'folder';
}

/** One page of a listing. */
export interface ListingPage {
  readonly files: readonly SeenFile[];
  readonly skipped: readonly SkippedEntry[];
}

/** True when both looks show the same version of the path. */
export function sameVersion(a: SeenFile, b: SeenFile): boolean {
  return a.size === b.size && a.version === b.version;
}

/**
 * At the end of the token of a version that can still be written again and look the same (SFTP: mtimes are whole
 * seconds). It goes as the file grows older.
 */
export const YOUNG = '~';

/** True when nothing has changed from the earlier look to the later one but that the version is no longer young. */
export function isAged(earlier: SeenFile, later: SeenFile): boolean {
  return earlier.size === later.size && earlier.version === `${later.version}${YOUNG}`;
}
