import { messageOf, TallymanError } from '../core/errors.js';
import type { ReadySpec } from '../core/feed.js';
import type { SeenFile } from '../core/file.js';
import type { Source } from '../core/source.js';
import { companionOf, isCompanion, isShared } from '../sources/companion.js';

export { isCompanion };

/** A manifest says a few things about one file; what is larger is no manifest. */
const MANIFEST_MAX = 1024 * 1024;

export interface Readiness {
  readonly ready: boolean;
  /** Why not, for people; empty when ready. */
  readonly reason: string;
  /** Version token of the marker or manifest: goes into the ledger, and comes back as `previousMarker` when the path has changed. */
  readonly marker: string | null;
  /** Files that after actions take along. A marker that stands for a whole folder (_SUCCESS) stays. */
  readonly companions: readonly string[];
  /** Text of the manifest. */
  readonly manifest: string | null;
}

/**
 * Is the file released by its sender (SPEC 3, `ready`)? Asked once it has settled. `previousMarker` is the marker's version when an earlier version of
 * this path was taken (null = there was none, or none is known): the same marker does not release other content.
 *
 * Throws SOURCE_UNREACHABLE. A manifest counts when it is whole JSON, so that one that is just being written is waited for.
 */
export async function ready(spec: ReadySpec, source: Source, file: SeenFile, previousMarker: string | null): Promise<Readiness> {
  const path = companionOf(spec, file.path);
  if (spec.kind === 'always' || path === null) return { ready: true, reason: '', marker: null, companions: [], manifest: null };
  const marker = await markerOf(source, path);
  if (typeof marker === 'string') return notReady(marker);
  if (marker === null) return notReady(`its ${spec.kind} ${path} is not there`);
  if (marker.version === previousMarker) return notReady(`it has changed, but its ${spec.kind} ${path} has not`);
  const companions = isShared(spec) ? [] : [path];
  if (spec.kind === 'marker') return { ready: true, reason: '', marker: marker.version, companions, manifest: null };
  const manifest = await readManifest(source, path);
  if ('reason' in manifest) return notReady(manifest.reason);
  return { ready: true, reason: '', marker: marker.version, companions, manifest: manifest.text };
}

const notReady = (reason: string): Readiness => ({ ready: false, reason, marker: null, companions: [], manifest: null });

/** A reason when something of that name is there that is no marker (a symbolic link, a folder). */
async function markerOf(source: Source, path: string): Promise<SeenFile | string | null> {
  try {
    return await source.statMarker(path);
  } catch (error) {
    if (error instanceof TallymanError && error.blame === 'version') return error.message;
    throw error;
  }
}

async function readManifest(source: Source, path: string): Promise<{ readonly text: string } | { readonly reason: string }> {
  try {
    const text = (await source.readSmall(path, MANIFEST_MAX)).toString('utf8').replace(/^\uFEFF/, '');
    JSON.parse(text);
    return { text };
  } catch (error) {
    // Gone, unreadable or half written: this file waits; a source that cannot be reached is everybody's.
    if (error instanceof TallymanError && error.blame === 'pause') throw error;
    return { reason: `its manifest ${path} cannot be used yet: ${messageOf(error)}` };
  }
}
