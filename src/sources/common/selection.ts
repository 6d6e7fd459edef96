import picomatch from 'picomatch';
import { timeLettersToGlob } from '../../base/time-letters.js';
import type { SourceSpec } from '../../core/feed/source.js';
import { isBeside } from './companion.js';
import { splitPath } from './extensions.js';
import { fixedFolder, folderParts } from './move-target.js';

/** Names that a source gives to files it is just moving or deleting. Never data, whatever the pattern. */
export const PRIVATE_PREFIX = '.tallyman-';

/** Which names of a source are a feed's data. Decides by the name alone; what stands there is another matter. */
export interface Selection {
  /** True for a data file's path. */
  readonly takes: (path: string) => boolean;
  /** True when a recursive listing goes into this folder. */
  readonly enters: (folder: string) => boolean;
  /** True for a path below a folder that files are moved to. */
  readonly isMoveTarget: (path: string) => boolean;
}

export function selectionOf(spec: SourceSpec): Selection {
  const patterns = matcher(spec.patterns, spec.ignoreCase);
  const ignored = matcher(spec.ignore, spec.ignoreCase);
  const excluded = (spec.exclude ?? []).map(folderTest);
  const isMoveTarget = (path: string): boolean => excluded.some((test) => test.test(path));
  const isIgnored = (path: string, name: string): boolean => name.startsWith(PRIVATE_PREFIX) || ignored(path, name);
  return {
    takes: (path) => {
      const { name } = splitPath(path);
      return patterns(path, name) && !isIgnored(path, name) && !isBeside(spec, path) && !isMoveTarget(path);
    },
    enters: (folder) => spec.recursive && !isIgnored(folder, splitPath(folder).name) && !isMoveTarget(folder),
    isMoveTarget,
  };
}

/** Globs without a slash meet the file name, those with one the whole path (docs/spec/configuration.md#sources). */
function matcher(globs: readonly string[], ignoreCase: boolean): (path: string, name: string) => boolean {
  const names = globs.filter((glob) => !glob.includes('/')).map((glob) => globTest(glob, ignoreCase));
  const paths = globs.filter((glob) => glob.includes('/')).map((glob) => globTest(glob, ignoreCase));
  return (path, name) => names.some((test) => test.test(name)) || paths.some((test) => test.test(path));
}

/**
 * `dot`: hidden names are kept out by the ignore list, where the user can see and drop the rule. Flag `s`: a newline in
 * a name is a character like any other. The bare expression instead of picomatch's matcher: 1,000,000 names are tested
 * at every poll.
 */
export const globTest = (glob: string, ignoreCase: boolean): RegExp =>
  picomatch.makeRe(glob, { dot: true, posix: true, flags: ignoreCase ? 'is' : 's' });

/**
 * A move target's folder and all below it: the parts before the first with a time letter, so that `done/%Y/%m` keeps
 * all of `done` out, also what an earlier `done/%Y` left there. When the very first part has one, that part with its
 * digits.
 */
function folderTest(to: string): RegExp {
  const fixed = fixedFolder(to);
  if (fixed === '')
    return new RegExp(
      `${globTest(timeLettersToGlob(folderParts(to)[0] ?? ''), false).source.replace(/\$$/, '')}(?:/|$)`,
      's',
    );
  const literal = fixed.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
  return new RegExp(`^${literal}(?:/|$)`, 's');
}
