import { expressionOf } from '../../base/expression/expression.js';
import type { ReadySpec, SourceSpec } from '../../core/feed/source.js';
import { splitExtensions, splitPath } from './extensions.js';

const HOLE = /\{(name|stem)\}/;

/**
 * The marker or manifest that belongs to a data file, in the same folder: `in/a.csv` with `{stem}.done` -> `in/a.done`.
 * null = none is asked for.
 */
export function companionOf(spec: ReadySpec, path: string): string | null {
  if (spec.kind === 'always') return null;
  const { folder, name } = splitPath(path);
  // A function as replacement: `$&` in a file name means nothing here.
  const companion = spec.template
    .replaceAll('{name}', () => name)
    .replaceAll('{stem}', () => splitExtensions(name).stem);
  return folder + companion;
}

/** True when one marker stands for all files of its folder (_SUCCESS): it does not go along with any of them. */
export const isShared = (spec: ReadySpec): boolean => spec.kind !== 'always' && !HOLE.test(spec.template);

/**
 * True for the name of a marker or manifest, whether or not its data file is there: such files are never data, although
 * a pattern like `*` meets them. A template without anything fixed in it (`{stem}`) would make every file a marker, so
 * it makes none.
 */
export function isCompanion(spec: ReadySpec, path: string): boolean {
  if (spec.kind === 'always') return false;
  let test = TESTS.get(spec.template);
  if (test === undefined) {
    test = compile(spec.template);
    // Templates come from the config; a reload brings a few new ones at most.
    if (TESTS.size >= 1_000) TESTS.clear();
    TESTS.set(spec.template, test);
  }
  return test(path);
}

/** What of a source names companions. */
type Named = Pick<SourceSpec, 'ready' | 'checksum'>;

/** The checksum file is a companion like a marker. */
const checksumSpec = ({ checksum }: Named): ReadySpec =>
  checksum === undefined ? { kind: 'always' } : { kind: 'marker', template: checksum };

/** The checksum file of a data file; null = none is asked for. */
export const checksumFileOf = (named: Named, path: string): string | null => companionOf(checksumSpec(named), path);

/** True when one checksum file (SHA256SUMS) speaks for its folder. */
export const isSharedChecksum = (named: Named): boolean => isShared(checksumSpec(named));

/** True for the name of a marker, manifest or checksum file. */
export const isBeside = (named: Named, path: string): boolean =>
  isCompanion(named.ready, path) || isCompanion(checksumSpec(named), path);

/** The companions that go where their file goes: those that belong to it alone. */
export function companionsOf(named: Named, path: string): readonly string[] {
  return [named.ready, checksumSpec(named)].flatMap((spec) => {
    const companion = isShared(spec) ? null : companionOf(spec, path);
    return companion === null ? [] : [companion];
  });
}

/** Versions of the companions that released a file as one token: a single one stands as it is. */
export const joinVersions = (versions: readonly string[]): string | null =>
  versions.length > 1 ? JSON.stringify(versions) : (versions[0] ?? null);

/** Back from joinVersions. A version of a source never is a JSON list. */
export function splitVersions(token: string): readonly string[] {
  if (!token.startsWith('["')) return [token];
  const versions: unknown = JSON.parse(token);
  return Array.isArray(versions) ? versions.map(String) : [token];
}

const TESTS = new Map<string, (path: string) => boolean>();

function compile(template: string): (path: string) => boolean {
  const fixed = template.split(/\{name\}|\{stem\}/);
  if (fixed.every((text) => text === '')) return () => false;
  const literals = fixed.map((text) => text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&'));
  const expression = expressionOf(`^(?:.*/)?${literals.join('[^/]+')}$`, 's');
  return (path) => expression.test(path) === true;
}
