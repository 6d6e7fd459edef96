import { TallymanError } from '../../core/errors.js';
import type { SeenFile } from '../../core/file.js';
import type { NoFile, ObjectHead, ObjectStore, StoredObject } from '../../core/object-store.js';
import { keyOf, keyRefused } from './key.js';

/** What stands under a key. */
export interface Standing {
  readonly file: SeenFile;
  readonly head: ObjectHead;
}

/** An empty object in place of a folder; the second form is Hadoop's. */
export const isFolderMarker = (key: string): boolean => key.endsWith('/') || key.endsWith('_$folder$');

/** The object, or why it is no file. */
export function asFile<T extends StoredObject>(object: T | NoFile, keyMax: number): T | NoFile {
  const { key } = object;
  const refused = keyRefused(key, keyMax);
  if (refused !== null) return { key, reason: refused };
  if (isFolderMarker(key)) return { key, reason: 'a folder marker' };
  return object;
}

export const seenFile = ({ key, size, mtimeUs, version }: StoredObject): SeenFile => ({
  path: key,
  size,
  mtimeUs,
  version,
});

/**
 * What stands under the path now; null = nothing. Throws FILE_NOT_TAKEN when it is no file, SOURCE_UNREACHABLE when the
 * bucket itself cannot be asked.
 */
export async function look(store: ObjectStore, path: string): Promise<Standing | null> {
  const { keyMax } = store.abilities;
  const key = keyOf(path, keyMax);
  const there = await store.head(key);
  if (there === null) return null;
  const head = asFile(there, keyMax);
  if ('reason' in head) throw new TallymanError('FILE_NOT_TAKEN', `${key}: ${head.reason}`);
  return { file: seenFile(head), head };
}

/** What stands there, proven to be this version. Throws FILE_VANISHED or FILE_CHANGED. */
export async function lookAtVersion(store: ObjectStore, file: SeenFile): Promise<Standing> {
  const now = await look(store, file.path);
  if (now === null) throw new TallymanError('FILE_VANISHED', `${file.path}: gone`);
  if (now.file.version !== file.version || now.file.size !== file.size)
    throw new TallymanError('FILE_CHANGED', `${file.path}: another version stands there`);
  return now;
}

/**
 * Metadata that its sender put on this version, names in lower case. Throws FILE_VANISHED, FILE_CHANGED and, where the
 * store refuses to tell it, FILE_UNREADABLE.
 */
export async function metadataOf(store: ObjectStore, file: SeenFile): Promise<Readonly<Record<string, string>>> {
  const { metadata } = (await lookAtVersion(store, file)).head;
  if (metadata === null)
    throw new TallymanError('FILE_UNREADABLE', `${file.path}: its metadata cannot be read`, {
      fix: `Grant ${store.rights.read} on the bucket.`,
    });
  return Object.fromEntries(Object.entries(metadata).map(([name, value]) => [name.toLowerCase(), value]));
}
