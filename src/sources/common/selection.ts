import picomatch from 'picomatch';
import { globTestOf, type GlobTest } from '../../base/expression/glob.js';
import { globListTest, takenAway } from '../../base/expression/glob-list.js';
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
  const patterns = globListTest(spec.patterns, (glob) => pathTest(glob, spec.ignoreCase));
  const ignored = ignoreTest(spec);
  const excluded = (spec.exclude ?? []).map(folderTest);
  const isMoveTarget = (path: string): boolean => excluded.some((test) => test(path));
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

/** A glob without a slash meets the file name, one with a slash the whole path (docs/spec/configuration.md#sources). */
function pathTest(glob: string, ignoreCase: boolean): (path: string, name: string) => boolean {
  const test = globTest(glob, ignoreCase);
  return glob.includes('/') ? test : (_, name) => test(name);
}

/** The built-in ignores, in any case, and those of the source behind them, which may take some of them back. */
function ignoreTest(spec: SourceSpec): (path: string, name: string) => boolean {
  const inAnyCase = (spec.ignoreAnyCase ?? []).map((glob) => pathTest(glob, true));
  const own = spec.ignore.map((glob) => ({
    adds: takenAway(glob) === null,
    meets: pathTest(takenAway(glob) ?? glob, spec.ignoreCase),
  }));
  own.reverse();
  return (path, name) =>
    own.find(({ meets }) => meets(path, name))?.adds ?? inAnyCase.some((meets) => meets(path, name));
}

/**
 * `dot`: hidden names are kept out by the ignore list, where the user can see and drop the rule. Flag `s`: a newline in
 * a name is a character like any other.
 */
export const globExpression = (glob: string, ignoreCase: boolean): RegExp =>
  picomatch.makeRe(glob, { dot: true, posix: true, flags: ignoreCase ? 'is' : 's' });

/** Whether a text is of the glob: 1,000,000 names are tested at every poll, and some of them are hostile. */
export const globTest = (glob: string, ignoreCase: boolean): GlobTest =>
  globTestOf(glob, globExpression(glob, ignoreCase));

/**
 * A move target's folder and all below it: the parts before the first with a time letter, so that `done/%Y/%m` keeps
 * all of `done` out, also what an earlier `done/%Y` left there. When the very first part has one, that part with its
 * digits.
 */
function folderTest(to: string): GlobTest {
  const fixed = fixedFolder(to);
  if (fixed !== '') return (path) => path === fixed || path.startsWith(`${fixed}/`);
  const first = globTest(timeLettersToGlob(folderParts(to)[0] ?? ''), false);
  return (path) => {
    const end = path.indexOf('/');
    return first(end < 0 ? path : path.slice(0, end));
  };
}
