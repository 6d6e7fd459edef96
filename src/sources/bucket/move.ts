import { createHash } from 'node:crypto';
import { TallymanError } from '../../core/errors.js';
import type { SeenFile } from '../../core/file.js';
import type { ObjectStore } from '../../core/object-store.js';
import { folderParts } from '../common/move-target.js';
import { keyOf, keysBeside } from './key.js';
import { look, lookAtVersion, type Standing } from './look.js';

/**
 * Deletes exactly this version. Where the store may pass its condition over, the version is looked at just before: one
 * that is put in the milliseconds between is deleted with it.
 */
export async function removeVersion(store: ObjectStore, file: SeenFile): Promise<void> {
  if (!store.abilities.conditionalDelete) await lookAtVersion(store, file);
  await store.remove(keyOf(file.path, store.abilities.keyMax), file.version);
}

/**
 * Moves exactly this version; see Source.move. Object stores have no rename:
 *
 *     look -> copy to a free name, marked with where it comes from -> look again -> delete
 *
 * A crash anywhere leaves the original, the copy, or both; the mark tells the next try.
 */
export async function moveVersion(
  store: ObjectStore,
  file: SeenFile,
  to: string,
  suffix: string,
  as: string = file.path,
): Promise<string> {
  const target = targetOf(store, to, as);
  const mark = createHash('sha256')
    .update(JSON.stringify([store.bucket, file.path, file.version, file.size]))
    .digest('hex');
  const now = await look(store, file.path);
  const isThere = now !== null && now.file.version === file.version && now.file.size === file.size;
  const place = await findPlace(store, file, target, suffix, mark);
  if (!isThere) {
    if (place.copy !== null) return place.key;
    throw new TallymanError(
      now === null ? 'FILE_VANISHED' : 'FILE_CHANGED',
      `${file.path}: ${now === null ? 'gone' : 'another version stands there'}`,
    );
  }
  const copy = place.copy ?? (await makeCopy(store, now, place.key, mark));
  await proveStill(store, file, copy);
  await store.remove(file.path, file.version);
  return place.key;
}

function targetOf(store: ObjectStore, to: string, path: string): string {
  const { keyMax } = store.abilities;
  const parts = folderParts(to);
  if (parts.length === 0 || parts.includes('..') || to.startsWith('/')) {
    throw new TallymanError('AFTER_ACTION_FAILED', `move to ${JSON.stringify(to)}: not a folder in the bucket`, {
      fix: 'Set after.*.move to a folder relative to the bucket, without "..".',
    });
  }
  const target = `${parts.join('/')}/${keyOf(path, keyMax)}`;
  if (Buffer.byteLength(target) > keyMax) {
    const most = `the ${keyMax.toLocaleString('en-US')} bytes that ${store.service} takes`;
    throw new TallymanError('AFTER_ACTION_FAILED', `${path}: its key below ${to} would be longer than ${most}`, {
      fix: 'Set after.*.move to a shorter folder.',
    });
  }
  return target;
}

/** The first name that is free, or that holds what an earlier try copied there. */
async function findPlace(
  store: ObjectStore,
  file: SeenFile,
  target: string,
  suffix: string,
  mark: string,
): Promise<{ readonly key: string; readonly copy: Standing | null }> {
  for (const key of keysBeside(target, suffix, store.abilities.keyMax)) {
    const there = await look(store, key);
    if (there === null) return { key, copy: null };
    if (there.head.mark === mark && mayBeCopy(store, there, file)) return { key, copy: there };
  }
  throw new TallymanError('AFTER_ACTION_FAILED', `${target} and all names beside it are taken`);
}

async function makeCopy(store: ObjectStore, from: Standing, key: string, mark: string): Promise<Standing> {
  await store.copy(from.head, key, mark);
  const copy = await look(store, key);
  if (copy?.head.mark !== mark)
    throw new TallymanError(
      'AFTER_ACTION_FAILED',
      `${from.file.path}: ${key} was written by somebody else at the same time`,
    );
  return copy;
}

/** False when the copy has other content for certain: another size, or another hash where both are told. */
function mayBeCopy(store: ObjectStore, copy: Standing, file: SeenFile): boolean {
  const digests = [copy.head.digest, store.digestOf(file.version)];
  return copy.file.size === file.size && (digests.includes(null) || digests[0] === digests[1]);
}

/**
 * The store may not know conditions on a copy: what was copied is the version only if that stands there before and
 * after.
 */
async function proveStill(store: ObjectStore, file: SeenFile, copy: Standing): Promise<void> {
  try {
    await lookAtVersion(store, file);
    if (!mayBeCopy(store, copy, file))
      throw new TallymanError('FILE_CHANGED', `${file.path}: it changed while it was copied`);
  } catch (error) {
    // The copy is ours, and of nobody knows what.
    if (error instanceof TallymanError && error.blame === 'version')
      await store.remove(copy.file.path, copy.file.version);
    throw error;
  }
}

/** Sets tags on exactly this content, beside those that it has. */
export async function tagVersion(
  store: ObjectStore,
  file: SeenFile,
  tags: Readonly<Record<string, string>>,
): Promise<void> {
  const { tagsMax } = store.abilities;
  const now = await look(store, file.path);
  if (now === null) throw new TallymanError('FILE_VANISHED', `${file.path}: gone`);
  // The content alone: on some stores tagging moves the time on, and this may be the second try.
  if (store.contentOf(now.file.version) !== store.contentOf(file.version) || now.file.size !== file.size)
    throw new TallymanError('FILE_CHANGED', `${file.path}: another version stands there`);
  const present = await store.tags(now.head);
  const merged = new Map([...present, ...Object.entries(tags)]);
  if (merged.size > tagsMax)
    throw new TallymanError(
      'AFTER_ACTION_FAILED',
      `${file.path}: has ${present.size} tags already, and an object takes ${tagsMax}`,
    );
  if (merged.size === present.size && [...present].every(([name, value]) => merged.get(name) === value)) return;
  await store.putTags(now.head, merged);
}
