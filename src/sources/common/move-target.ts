import path from 'node:path';
import { hasTimeLetter } from '../../base/time-letters.js';
import { TallymanError } from '../../core/errors.js';
import { isBelow } from './path-name.js';

/** The folders of a move target; an empty part or "." is none. */
export const folderParts = (to: string): readonly string[] =>
  to.split('/').filter((part) => part !== '' && part !== '.');

/**
 * The folder that holds all that a target with time letters makes, now and ever: `done/%Y/%m` -> `done`. Empty when its
 * first part has letters already.
 */
export function fixedFolder(to: string): string {
  const parts = folderParts(to);
  const lettered = parts.findIndex(hasTimeLetter);
  return (lettered === -1 ? parts : parts.slice(0, lettered)).join('/').replaceAll('%%', '%');
}

/** The file keeps its path below the target folder, so that `a/x.csv` and `b/x.csv` stay apart. */
export function targetOf(to: string, file: string): string {
  const folder = folderParts(to).join('/');
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
