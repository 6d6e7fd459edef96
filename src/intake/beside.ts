import { TallymanError } from '../core/errors.js';
import type { FeedSpec } from '../core/feed/feed.js';
import type { SeenFile } from '../core/file.js';
import type { SaidBeside } from '../core/beside.js';
import type { Source } from '../core/source.js';
import { findChecksum } from './checksum-text.js';
import { checksumFileOf, companionOf, isSharedChecksum } from '../sources/common/companion.js';
import { splitExtensions, splitPath } from '../sources/common/extensions.js';
import { SMALL_MAX } from './ready.js';

/** What the sender put beside a file, for `control`. */
export interface Beside {
  /** Text of the manifest; null = there is none, or nobody asks. */
  readonly manifest: string | null;
  readonly said: SaidBeside;
}

const NOTHING: Beside = { manifest: null, said: { checksum: null, metadata: null } };

/** A file as its name stood when it came, and where it is now; the two differ once an after action has moved it. */
export interface Stands {
  readonly file: SeenFile;
  /** null = under its own name. */
  readonly movedTo: SeenFile | null;
  /** What an after action puts into a name that is taken. */
  readonly suffix: string;
}

/** Reads what `control` asks for. What is not there is null: the load says so. Throws SOURCE_UNREACHABLE. */
export async function readBeside(
  feed: Pick<FeedSpec, 'source' | 'control'>,
  source: Source,
  stands: Stands,
): Promise<Beside> {
  const { control } = feed;
  if (control === null) return NOTHING;
  const { file, movedTo } = stands;
  const usesManifest =
    feed.source.ready.kind === 'manifest' && (control.manifest !== null || Object.keys(control.totals).length > 0);
  const manifest = usesManifest ? await companionText(source, companionOf(feed.source.ready, file.path), stands) : null;
  const checksum = control.checksum === null ? null : await checksumOf(feed, source, stands);
  const metadata = control.metadata === null ? null : await metadataOf(source, movedTo ?? file);
  return { manifest: manifest?.text ?? null, said: { checksum, metadata } };
}

async function checksumOf(
  feed: Pick<FeedSpec, 'source'>,
  source: Source,
  stands: Stands,
): Promise<SaidBeside['checksum']> {
  const { path } = stands.file;
  const there = await companionText(source, checksumFileOf(feed.source, path), stands);
  if (there === null) return null;
  const found = findChecksum(
    there.text,
    checksumFileOf(feed.source, path) ?? there.path,
    path,
    isSharedChecksum(feed.source),
  );
  return 'problem' in found ? null : { ...found, path: there.path };
}

async function companionText(
  source: Source,
  path: string | null,
  stands: Stands,
): Promise<{ readonly path: string; readonly text: string } | null> {
  if (path === null) return null;
  for (const place of places(path, stands)) {
    const text = await readIfThere(source, place);
    if (text !== null) return { path: place, text };
  }
  return null;
}

/**
 * A companion goes along with its file, and may have got the suffix that keeps names apart; a shared one has stayed.
 */
function places(path: string, { file, movedTo, suffix }: Stands): readonly string[] {
  if (movedTo === null) return [path];
  // The file keeps its path below the folder that it was moved to: what stands before it is that folder.
  const { folder, name } = splitPath(movedTo.path);
  const target = folder.slice(0, folder.length - splitPath(file.path).folder.length);
  const { stem, extensions } = splitExtensions(splitPath(path).name);
  const moved = target + path;
  const suffixed = `${target}${splitPath(path).folder}${stem}-${suffix}${extensions}`;
  // When the file itself got the suffix, its companion most likely did.
  return name === splitPath(file.path).name ? [moved, suffixed, path] : [suffixed, moved, path];
}

async function readIfThere(source: Source, path: string): Promise<string | null> {
  try {
    if ((await source.statMarker(path)) === null) return null;
    return (await source.readSmall(path, SMALL_MAX)).toString('utf8').replace(/^\uFEFF/, '');
  } catch (error) {
    // Gone, no regular file, too large: it says nothing. A source that cannot be reached is another matter.
    if (error instanceof TallymanError && (error.blame === 'version' || error.code === 'FILE_UNREADABLE')) return null;
    throw error;
  }
}

async function metadataOf(source: Source, file: SeenFile): Promise<SaidBeside['metadata']> {
  try {
    return (await source.metadata?.(file)) ?? null;
  } catch (error) {
    // It was landed, and is gone by now: so is what was kept with it.
    if (error instanceof TallymanError && error.code === 'FILE_VANISHED') return null;
    throw error;
  }
}
