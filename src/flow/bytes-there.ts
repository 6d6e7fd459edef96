import { messageOf, TallymanError } from '../core/errors.js';
import type { SeenFile } from '../core/file.js';
import { isNamed, standsAs, type FileEntry } from '../core/entry.js';
import type { Source } from '../core/source.js';
import { hashFile } from '../intake/hash.js';
import { direct } from '../sources/local/direct.js';
import { decodeName } from '../sources/common/path-name.js';

/**
 * Reprocess needs the very bytes, where the ledger knows them to be now. `open` null = the feed is not in the config.
 * Returns how they stand there. Throws SOURCE_GONE; nothing was changed. `landed.copy` is the whole copy under
 * data_dir/landing, null = none; `only`: nothing else will do.
 */
export async function bytesThere(
  entry: FileEntry,
  open: (() => Source) | null,
  landed: { readonly copy: string | null; readonly only: boolean } = { copy: null, only: false },
): Promise<SeenFile> {
  const gone = (why: string): TallymanError =>
    new TallymanError('SOURCE_GONE', `file ${entry.fileId} (${entry.uri}): ${why}; nothing was changed`);
  // The very bytes, whatever became of the file at its source.
  if (landed.copy !== null && entry.sha256 !== null && (await hashFile(landed.copy)).sha256 === entry.sha256)
    return standsAs(entry);
  if (landed.only) throw gone('there is no landed copy of it (landing.keep)');
  if (entry.deleted) throw gone('its bytes were deleted by the after action');
  const isDirect = isNamed(entry);
  if (open === null && !isDirect)
    throw new TallymanError('UNKNOWN_FEED', `feed ${entry.feed} of file ${entry.fileId} is not in the config`);
  const source = isDirect || open === null ? direct : open();
  const at = standsAs(entry);
  try {
    const now = await source.stat(at.path);
    if (now === null) throw gone('there is no such file now');
    if (now.size !== entry.file.size)
      throw gone(`the file there now has ${now.size} bytes, this version had ${entry.file.size}`);
    const local = source.localPath(at.path);
    if (local !== null && entry.sha256 !== null) {
      const { sha256 } = await hashFile(decodeName(local), { version: now.version });
      if (sha256 !== entry.sha256) throw gone('the file there now has other content');
    } else if (local === null && now.version !== at.version) throw gone('the file there now is another version');
    return now;
  } catch (error) {
    if (error instanceof TallymanError && error.blame === 'version') throw gone(messageOf(error));
    throw error;
  } finally {
    if (source !== direct) await source.close();
  }
}
