import { realpathSync } from 'node:fs';
import path from 'node:path';
import { messageOf, TallymanError } from '../core/errors.js';
import { encodeName } from '../sources/common/path-name.js';
import { direct } from '../sources/local/direct.js';

/**
 * A file that a person named, as its path stands in the ledger: absolute, the folder's symbolic links resolved; the
 * file itself must not be one. Throws NOT_FOUND and USAGE.
 */
export async function namedFile(file: string): Promise<string> {
  const full = path.resolve(file);
  try {
    const found = path.join(realpathSync(path.dirname(full)), path.basename(full));
    if ((await direct.stat(encodeName(Buffer.from(found)))) !== null) return found;
  } catch (error) {
    if (error instanceof TallymanError)
      throw new TallymanError('USAGE', `${file}: ${error.message}`, {
        cause: error,
        fix: 'Name a regular file that may be read.',
      });
    throw new TallymanError('NOT_FOUND', `${file}: ${messageOf(error)}`, { cause: error });
  }
  throw new TallymanError('NOT_FOUND', `${file}: there is no such file`);
}
