import path from 'node:path';
import { TallymanError } from '../../core/errors.js';
import { isBelow } from './path-name.js';

/** The file keeps its path below the target folder, so that `a/x.csv` and `b/x.csv` stay apart. */
export function targetOf(to: string, file: string): string {
  const folder = to
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/');
  const target = `${folder}/${file}`;
  if (folder === '' || path.isAbsolute(to) || !isBelow(target)) {
    throw new TallymanError(
      'AFTER_ACTION_FAILED',
      `move to ${JSON.stringify(to)}: not a folder below the source's own`,
      { fix: 'Set after.*.move to a folder relative to dir, without "..".' },
    );
  }
  return target;
}
