import { messageOf, TallymanError } from '../core/errors.js';
import type { SourceSpec } from '../core/feed/source.js';
import type { SeenFile } from '../core/file.js';
import type { Source } from '../core/source.js';
import { findChecksum } from './checksum-text.js';
import {
  checksumFileOf,
  companionOf,
  companionsOf,
  isSharedChecksum,
  joinVersions,
  splitVersions,
} from '../sources/common/companion.js';
import { parseManifest } from './manifest-text.js';

/** A manifest or checksum file says a few things about one file, or one about many; what is larger is none. Bytes. */
export const SMALL_MAX = 1024 * 1024;

export interface Readiness {
  readonly ready: boolean;
  /** Why not, for people; empty when ready. */
  readonly reason: string;
  /**
   * Version token of the marker or manifest: goes into the ledger, and comes back as `previousMarker` when the path has
   * changed.
   */
  readonly marker: string | null;
  /** Files that after actions take along. A marker that stands for a whole folder (_SUCCESS) stays. */
  readonly companions: readonly string[];
  /** Text of the manifest. */
  readonly manifest: string | null;
}

/** One companion that releases the file, or why it does not. */
type Release = { readonly version: string; readonly manifest: string | null } | { readonly reason: string };

/**
 * Is the file released by its sender (`source.ready`, `control.checksum`)? Asked once it has settled. `previousMarker`
 * is what `marker` was when an earlier version of this path was taken (null = there was none, or none is known): the
 * same marker does not release other content.
 *
 * Throws SOURCE_UNREACHABLE. A manifest counts when it is a whole one, a checksum file when it has the line of this
 * file, so that one that is just being written is waited for.
 */
export async function ready(
  spec: Pick<SourceSpec, 'ready' | 'checksum'>,
  source: Source,
  file: SeenFile,
  previousMarker: string | null,
): Promise<Readiness> {
  const previous = previousMarker === null ? [] : splitVersions(previousMarker);
  const releases: Release[] = [];
  if (spec.ready.kind !== 'always') releases.push(await releasedBy(spec, source, file, previous));
  if (spec.checksum !== undefined) releases.push(await checksumThere(spec, source, file, previous));
  const versions: string[] = [];
  let manifest: string | null = null;
  for (const release of releases) {
    if ('reason' in release)
      return { ready: false, reason: release.reason, marker: null, companions: [], manifest: null };
    versions.push(release.version);
    manifest ??= release.manifest;
  }
  return {
    ready: true,
    reason: '',
    marker: joinVersions(versions),
    companions: companionsOf(spec, file.path),
    manifest,
  };
}

async function releasedBy(
  { ready: spec }: Pick<SourceSpec, 'ready'>,
  source: Source,
  file: SeenFile,
  previous: readonly string[],
): Promise<Release> {
  const path = companionOf(spec, file.path) ?? '';
  const marker = await markerOf(source, path, spec.kind);
  if ('reason' in marker) return marker;
  if (previous.includes(marker.version)) return { reason: `it has changed, but its ${spec.kind} ${path} has not` };
  if (spec.kind !== 'manifest') return { version: marker.version, manifest: null };
  const text = await readSmall(source, path, 'manifest');
  if (typeof text !== 'string') return text;
  const parsed = parseManifest(text);
  return 'problem' in parsed
    ? { reason: `its manifest ${path} cannot be used yet: ${parsed.problem}` }
    : { version: marker.version, manifest: text };
}

/** Of a shared checksum file the line of this file is what must have changed: the others come and go. */
async function checksumThere(
  spec: Pick<SourceSpec, 'ready' | 'checksum'>,
  source: Source,
  file: SeenFile,
  previous: readonly string[],
): Promise<Release> {
  const path = checksumFileOf(spec, file.path) ?? '';
  const shared = isSharedChecksum(spec);
  const marker = await markerOf(source, path, 'checksum file');
  if ('reason' in marker) return marker;
  if (!shared && previous.includes(marker.version))
    return { reason: `it has changed, but its checksum file ${path} has not` };
  const text = await readSmall(source, path, 'checksum file');
  if (typeof text !== 'string') return text;
  const found = findChecksum(text, path, file.path, shared);
  if ('problem' in found) return { reason: `its checksum file ${path} cannot be used yet: ${found.problem}` };
  if (!shared) return { version: marker.version, manifest: null };
  return previous.includes(found.digest)
    ? { reason: `it has changed, but its checksum in ${path} has not` }
    : { version: found.digest, manifest: null };
}

/** A reason when nothing is there, or something that is no marker (a symbolic link, a folder). */
async function markerOf(source: Source, path: string, word: string): Promise<SeenFile | { readonly reason: string }> {
  try {
    return (await source.statMarker(path)) ?? { reason: `its ${word} ${path} is not there` };
  } catch (error) {
    if (error instanceof TallymanError && error.blame === 'version') return { reason: error.message };
    throw error;
  }
}

async function readSmall(source: Source, path: string, word: string): Promise<string | { readonly reason: string }> {
  try {
    return (await source.readSmall(path, SMALL_MAX)).toString('utf8').replace(/^\uFEFF/, '');
  } catch (error) {
    // Gone, unreadable or half written: this file waits; a source that cannot be reached is everybody's.
    if (error instanceof TallymanError && error.blame === 'pause') throw error;
    return { reason: `its ${word} ${path} cannot be used yet: ${messageOf(error)}` };
  }
}
