import { takenAway } from '../../base/expression/glob-list.js';
import type { SourceSpec } from '../../core/feed/source.js';
import { isBeside } from './companion.js';
import { splitPath } from './extensions.js';
import { globTest, PRIVATE_PREFIX, selectionOf } from './selection.js';

/** What one rule of a source says about a name. */
export interface NameStep {
  readonly step: 'folder' | 'pattern' | 'ignore' | 'marker' | 'moved';
  /** False = it keeps the file out. */
  readonly ok: boolean;
  /** For people. */
  readonly says: string;
}

/**
 * Rule by rule what `selectionOf` decides as a whole, for `why`. `written`: the patterns as the config has them, for
 * people.
 */
export function nameSteps(spec: SourceSpec, path: string, written: readonly string[]): readonly NameStep[] {
  const { name, folder } = splitPath(path);
  const steps: NameStep[] = [];
  const outside = folderKeptOut(spec, folder);
  if (outside !== null) steps.push({ step: 'folder', ok: false, says: outside });
  const pattern = decided(spec.patterns, path, name, spec.ignoreCase);
  const shown = pattern === -1 ? '' : JSON.stringify(written[pattern] ?? spec.patterns[pattern]);
  if (pattern === -1) {
    const all = spec.patterns.map((glob, i) => JSON.stringify(written[i] ?? glob)).join(', ');
    const other = !spec.ignoreCase && decided(spec.patterns, path, name, true) !== -1;
    steps.push({
      step: 'pattern',
      ok: false,
      says: `no pattern meets it: ${all}${other ? ' (in another case: ignore_case)' : ''}`,
    });
  } else if (takenAway(spec.patterns[pattern]!) !== null)
    steps.push({ step: 'pattern', ok: false, says: `${shown} takes it away from the patterns before it` });
  else steps.push({ step: 'pattern', ok: true, says: `${shown} takes it` });
  steps.push(ignoreStep(spec, path, name));
  if (isBeside(spec, path))
    steps.push({ step: 'marker', ok: false, says: 'it is a marker, manifest or checksum file, which is never data' });
  if (selectionOf(spec).isMoveTarget(path))
    steps.push({ step: 'moved', ok: false, says: 'it stands in a folder that files are moved to' });
  return steps;
}

/** The folder above it that a listing does not enter; null = it does. */
function folderKeptOut(spec: SourceSpec, folder: string): string | null {
  const parts = folder.split('/').filter((part) => part !== '');
  if (typeof spec.options['dir'] !== 'string' || parts.length === 0) return null;
  if (!spec.recursive) return 'it stands in a folder below, and recursive is false';
  const { enters, isMoveTarget } = selectionOf(spec);
  const shut = parts.map((_, i) => parts.slice(0, i + 1).join('/')).find((one) => !enters(one) && !isMoveTarget(one));
  return shut === undefined ? null : `the folder ${shut} is ignored`;
}

function ignoreStep(spec: SourceSpec, path: string, name: string): NameStep {
  if (name.startsWith(PRIVATE_PREFIX))
    return { step: 'ignore', ok: false, says: `names that begin with ${PRIVATE_PREFIX} are tallyman's own` };
  const own = decided(spec.ignore, path, name, spec.ignoreCase);
  const glob = own === -1 ? '' : spec.ignore[own]!;
  if (own !== -1 && takenAway(glob) === null)
    return { step: 'ignore', ok: false, says: `ignore has ${JSON.stringify(glob)}` };
  const builtIn = (spec.ignoreAnyCase ?? []).find((one) => globTest(one, true)(name));
  if (builtIn === undefined) return { step: 'ignore', ok: true, says: 'no ignore meets it' };
  return own === -1
    ? { step: 'ignore', ok: false, says: `the built-in ignores have ${JSON.stringify(builtIn)}: see ignore_defaults` }
    : { step: 'ignore', ok: true, says: `${JSON.stringify(glob)} takes it back from the ignores` };
}

/** The last glob of a list that meets the path; -1 = none. */
const decided = (globs: readonly string[], path: string, name: string, ignoreCase: boolean): number =>
  globs.findLastIndex((glob) => {
    const bare = takenAway(glob) ?? glob;
    return globTest(bare, ignoreCase)(bare.includes('/') ? path : name);
  });
