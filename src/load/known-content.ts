import type { FoundContent, LoadJob } from '../core/load.js';
import type { LoadHooks } from './hooks.js';
import { contentOf, type Reached } from './read/read-file.js';

/** What the file holds is known from another delivery: whoever decided to load it must decide again. */
export class ContentIsKnown extends Error {
  override readonly name = 'ContentIsKnown';
  readonly found: FoundContent;

  constructor(found: FoundContent) {
    super(`file ${found.fileId}`);
    this.found = found;
  }
}

/**
 * Once a file has been read to its end it is known what was packed in it, and a plain one whose bytes nobody had hashed
 * may have come packed before. Whether the decision to load it stands is asked now, before COMMIT; what others commit
 * meanwhile is settled by the unique index on content. Files that were decided on with this knowledge are not asked
 * about, nor are plain ones of a feed without packed ones. Throws ContentIsKnown.
 */
export async function proveUnknown(job: LoadJob, onContent: LoadHooks['onContent'], reached: Reached): Promise<void> {
  const { sha256 } = reached;
  const contentSha256 = contentOf(reached, sha256);
  if (sha256 === null || contentSha256 === null || onContent === undefined) return;
  const wasKnown =
    contentSha256 === sha256
      ? job.file.sha256 !== null || job.content?.mixed !== true
      : job.content?.sha256 === contentSha256;
  if (wasKnown) return;
  const found = { fileId: job.fileId, sha256, contentSha256 };
  if (!(await onContent(found))) throw new ContentIsKnown(found);
}
