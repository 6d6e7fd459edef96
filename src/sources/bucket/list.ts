import { TallymanError } from '../../core/errors.js';
import type { ListingPage, SeenFile, SkippedEntry } from '../../core/file.js';
import type { ObjectPage, ObjectStore } from '../../core/object-store.js';
import { splitPath } from '../common/extensions.js';
import type { Selection } from '../common/selection.js';
import { asFile, isFolderMarker, seenFile } from './look.js';

/**
 * Folders of one level that are listed each by itself to leave out a move target among them; beyond, one flat listing
 * costs less.
 */
const FOLDERS_MAX = 200;

/** What a listing takes. */
export interface Scope {
  readonly selection: Selection;
  readonly recursive: boolean;
  /** True when a folder that files are moved to lies below this prefix. */
  readonly holdsMoveTarget: (prefix: string) => boolean;
}

/**
 * The full listing of all prefixes, a page a request (1,000 keys with S3). Memory: two pages. Throws
 * SOURCE_UNREACHABLE: a listing that ends without an error is whole.
 */
export async function* listKeys(
  store: ObjectStore,
  prefixes: readonly string[],
  scope: Scope,
  signal: AbortSignal,
): AsyncGenerator<ListingPage, void, undefined> {
  const denied: Denied = [];
  for (const prefix of prefixes)
    yield* orDenied(listLevel(store, prefix, prefix, scope, denied, signal), prefix, denied);
  const [first] = denied;
  if (first === undefined) return;
  if (denied.length === prefixes.length && denied.every(({ prefix }) => prefixes.includes(prefix)))
    throw new TallymanError('SOURCE_UNREACHABLE', first.error.message, { cause: first.error, fix: first.error.fix });
  const skipped = denied.map(({ prefix, error }): SkippedEntry => {
    return { path: prefix, reason: `the prefix cannot be listed: ${error.message}`, what: 'unlisted' };
  });
  yield { files: [], skipped };
}

/** Prefixes that the key may not list, each with the store's word for it. */
type Denied = { readonly prefix: string; readonly error: TallymanError }[];

/** What may not be listed is noted, and the rest goes on. */
async function* orDenied(
  pages: AsyncIterable<ListingPage>,
  prefix: string,
  denied: Denied,
): AsyncGenerator<ListingPage, void, undefined> {
  try {
    yield* pages;
  } catch (error) {
    if (!(error instanceof TallymanError) || error.code !== 'FOLDER_UNREADABLE') throw error;
    denied.push({ prefix, error });
  }
}

/**
 * `begin` is the feed's own prefix: folders in it were asked for, those below it must be ones that a listing enters.
 */
async function* listLevel(
  store: ObjectStore,
  begin: string,
  prefix: string,
  scope: Scope,
  denied: Denied,
  signal: AbortSignal,
): AsyncGenerator<ListingPage, void, undefined> {
  const enters = folderTest(scope, begin);
  if (scope.recursive && !scope.holdsMoveTarget(prefix)) {
    for await (const page of pages(store, { prefix, byFolder: false }, signal))
      yield* pageOf(page, store, scope, enters);
    return;
  }
  const folders: string[] = [];
  for await (const page of pages(store, { prefix, byFolder: true }, signal)) {
    yield* pageOf(page, store, scope, enters);
    if (scope.recursive && folders.length <= FOLDERS_MAX) folders.push(...page.folders.filter((one) => enters(one)));
  }
  if (folders.length <= FOLDERS_MAX)
    for (const folder of folders)
      yield* orDenied(listLevel(store, begin, folder, scope, denied, signal), folder, denied);
  else {
    const isDeeper = (key: string): boolean => key.includes('/', prefix.length);
    for await (const page of pages(store, { prefix, byFolder: false }, signal))
      yield* pageOf(page, store, scope, (folder, key) => isDeeper(key) && enters(folder));
  }
}

/** All pages of one listing; the next is asked for while one is worked on. */
async function* pages(
  store: ObjectStore,
  query: { readonly prefix: string; readonly byFolder: boolean },
  signal: AbortSignal,
): AsyncGenerator<ObjectPage, void, undefined> {
  const own = new AbortController();
  const both = AbortSignal.any([signal, own.signal]);
  try {
    signal.throwIfAborted();
    for (let next: Promise<ObjectPage> | null = store.page({ ...query, after: null }, both); next !== null;) {
      const page: ObjectPage = await next;
      next = page.next === null ? null : store.page({ ...query, after: page.next }, both);
      // Its error is thrown when its turn comes.
      next?.catch(() => undefined);
      signal.throwIfAborted();
      yield page;
    }
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    own.abort();
  }
}

function* pageOf(
  page: ObjectPage,
  store: ObjectStore,
  scope: Scope,
  enters: (folder: string, key: string) => boolean,
): Generator<ListingPage, void, undefined> {
  const { keyMax } = store.abilities;
  const files: SeenFile[] = [];
  const skipped: SkippedEntry[] = [...page.skipped];
  for (const object of page.objects) {
    const { key } = object;
    const isMarker = key.endsWith('/');
    if ((!isMarker && !scope.selection.takes(key)) || !enters(splitPath(key).folder, key)) continue;
    const file = asFile(object, keyMax);
    if ('reason' in file)
      skipped.push({ path: key, reason: file.reason, ...(isFolderMarker(key) ? { what: 'folder' } : {}) });
    else files.push(seenFile(file));
  }
  if (files.length + skipped.length > 0) yield { files, skipped };
}

/**
 * Is a folder below the prefix one that a listing enters? Ignored folders (`.staging/`, `old_*`) hold no data, as in
 * every source. The answer for the folder before is kept: keys come sorted, so that a million of them ask a few times.
 */
export function folderTest(scope: Pick<Scope, 'selection' | 'recursive'>, begin: string): (folder: string) => boolean {
  let last: string | null = null;
  let entered = true;
  return (folder) => {
    if (folder === last) return entered;
    last = folder;
    entered = true;
    for (
      let slash = folder.indexOf('/', begin.length);
      scope.recursive && entered && slash !== -1;
      slash = folder.indexOf('/', slash + 1)
    ) {
      const path = folder.slice(0, slash);
      const part = path.slice(path.lastIndexOf('/') + 1);
      // No folders of a file system here: these are names like any other.
      entered = part === '' || part === '.' || part === '..' || scope.selection.enters(path);
    }
    return entered;
  };
}
