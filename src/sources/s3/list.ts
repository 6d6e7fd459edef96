import type { ListObjectsV2CommandOutput } from '@aws-sdk/client-s3';
import type { ListingPage, SeenFile, SkippedEntry } from '../../core/file.js';
import { splitPath } from '../common/extensions.js';
import { storeError } from './errors.js';
import { decodeListed } from './key.js';
import { seenObject } from './look.js';
import type { S3Store } from './client.js';
import type { Selection } from '../common/selection.js';

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
 * The full listing of all prefixes, a page a request (1,000 keys). Memory: two pages. Throws SOURCE_UNREACHABLE: a
 * listing that ends without an error is whole.
 */
export async function* listKeys(
  store: S3Store,
  prefixes: readonly string[],
  scope: Scope,
  signal: AbortSignal,
): AsyncGenerator<ListingPage, void, undefined> {
  for (const prefix of prefixes) yield* listLevel(store, prefix, prefix, scope, signal);
}

/**
 * `begin` is the feed's own prefix: folders in it were asked for, those below it must be ones that a listing enters.
 */
async function* listLevel(
  store: S3Store,
  begin: string,
  prefix: string,
  scope: Scope,
  signal: AbortSignal,
): AsyncGenerator<ListingPage, void, undefined> {
  const enters = folderTest(scope, begin);
  if (scope.recursive && !scope.holdsMoveTarget(prefix)) {
    for await (const answer of pages(store, { prefix, byFolder: false }, signal)) yield* pageOf(answer, scope, enters);
    return;
  }
  const folders: string[] = [];
  for await (const answer of pages(store, { prefix, byFolder: true }, signal)) {
    yield* pageOf(answer, scope, enters);
    if (!scope.recursive || folders.length > FOLDERS_MAX) continue;
    for (const { Prefix: listed = '' } of answer.CommonPrefixes ?? []) {
      const folder = decoded(answer, listed);
      if (folder !== null && enters(folder)) folders.push(folder);
    }
  }
  if (folders.length <= FOLDERS_MAX)
    for (const folder of folders) yield* listLevel(store, begin, folder, scope, signal);
  else {
    const isDeeper = (key: string): boolean => key.includes('/', prefix.length);
    for await (const answer of pages(store, { prefix, byFolder: false }, signal))
      yield* pageOf(answer, scope, (folder, key) => isDeeper(key) && enters(folder));
  }
}

/** All answers to one listing; the next is asked for while one is worked on. */
async function* pages(
  store: S3Store,
  { prefix, byFolder }: { readonly prefix: string; readonly byFolder: boolean },
  signal: AbortSignal,
): AsyncGenerator<ListObjectsV2CommandOutput, void, undefined> {
  const own = new AbortController();
  const abortSignal = AbortSignal.any([signal, own.signal]);
  const ask = async (token: string | undefined): Promise<ListObjectsV2CommandOutput> => {
    const client = await store.client();
    const input = {
      Bucket: store.bucket,
      EncodingType: 'url' as const,
      OptionalObjectAttributes: ['RestoreStatus' as const],
      ...(prefix === '' ? {} : { Prefix: prefix }),
      ...(byFolder ? { Delimiter: '/' } : {}),
      ...(token === undefined ? {} : { ContinuationToken: token }),
    };
    return await client.listObjectsV2(input, { abortSignal });
  };
  try {
    signal.throwIfAborted();
    let token: string | undefined;
    for (let next: Promise<ListObjectsV2CommandOutput> | null = ask(undefined); next !== null;) {
      const answer: ListObjectsV2CommandOutput = await next;
      next = null;
      if (answer.IsTruncated === true) {
        const following = answer.NextContinuationToken;
        if (following === undefined || following === token)
          throw new Error('the listing breaks off: there is more, and the store does not say where it goes on');
        token = following;
        next = ask(token);
        // Its error is told when its turn comes.
        next.catch(() => undefined);
      }
      signal.throwIfAborted();
      yield answer;
    }
  } catch (error) {
    signal.throwIfAborted();
    throw storeError(store, error);
  } finally {
    own.abort();
  }
}

function* pageOf(
  answer: ListObjectsV2CommandOutput,
  scope: Scope,
  enters: (folder: string, key: string) => boolean,
): Generator<ListingPage, void, undefined> {
  const files: SeenFile[] = [];
  const skipped: SkippedEntry[] = [];
  for (const object of answer.Contents ?? []) {
    const key = decoded(answer, object.Key ?? '');
    if (key === null) {
      skipped.push({ path: object.Key ?? '', reason: 'its key is not UTF-8' });
      continue;
    }
    const isMarker = key.endsWith('/');
    if ((!isMarker && !scope.selection.takes(key)) || !enters(splitPath(key).folder, key)) continue;
    const file = seenObject(key, { ...object, restored: object.RestoreStatus?.IsRestoreInProgress === false });
    if (typeof file === 'string') skipped.push({ path: key, reason: file });
    else files.push(file);
  }
  if (files.length + skipped.length > 0) yield { files, skipped };
}

/** Some stores do not know encoding-type; then the keys stand as they are. */
const decoded = (answer: ListObjectsV2CommandOutput, text: string): string | null =>
  answer.EncodingType === 'url' ? decodeListed(text) : text;

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
