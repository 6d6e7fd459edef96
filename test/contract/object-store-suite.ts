import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ByteRange, ObjectHead, ObjectPage, ObjectStore } from '../../src/core/object-store.js';

/** What a kind of store brings to be tested: a bucket of its own, which the suite writes to from outside. */
export interface StoreHarness {
  readonly store: () => ObjectStore;
  readonly put: (key: string, content: string | Buffer, metadata?: Readonly<Record<string, string>>) => Promise<void>;
  readonly remove: (key: string) => Promise<void>;
  /** What stands there now; null = nothing. */
  readonly read: (key: string) => Promise<string | null>;
  /** Takes the bucket away, and brings it back as it was. */
  readonly hideRoot: () => Promise<void>;
  readonly showRoot: () => Promise<void>;
  readonly hostileNames: readonly string[];
  /** Does this very store keep the conditions of copy and remove? Omitted = yes. */
  readonly keepsConditions?: boolean;
  /** Does this very store take tags along with a copy? Omitted = yes. */
  readonly copiesTags?: boolean;
  readonly close: () => Promise<void>;
}

const never = new AbortController().signal;

async function textOf(
  store: ObjectStore,
  key: string,
  range: ByteRange | null = null,
  version: string | null = null,
): Promise<string> {
  const { stream } = await store.get(key, range, version, never);
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks).toString();
}

/** What stands there, which must be a file. */
async function headOf(store: ObjectStore, key: string): Promise<ObjectHead> {
  const head = await store.head(key);
  if (head === null || 'reason' in head) throw new Error(`${key}: ${head === null ? 'nothing' : head.reason}`);
  return head;
}

async function allPages(store: ObjectStore, prefix: string, byFolder = false): Promise<readonly ObjectPage[]> {
  const pages: ObjectPage[] = [];
  for (let after: string | null = null; ;) {
    const page: ObjectPage = await store.page({ prefix, byFolder, after }, never);
    pages.push(page);
    if (page.next === null) return pages;
    after = page.next;
  }
}

const keysOf = (pages: readonly ObjectPage[]): string[] =>
  pages.flatMap(({ objects }) => objects.map(({ key }) => key));

/**
 * What every object store promises (core/object-store.ts). Each kind runs all of it, against a real server if it can.
 */
export function objectStoreSuite(kind: string, makeHarness: () => Promise<StoreHarness>): void {
  describe(`${kind} keeps the contract of an object store`, () => {
    let harness: StoreHarness;
    let store: ObjectStore;
    beforeEach(async () => {
      harness = await makeHarness();
      store = harness.store();
    });
    afterEach(async () => {
      await store.close();
      await harness.close();
    });

    describe('page', () => {
      test('an empty bucket is one page without objects', async () => {
        expect(await allPages(store, '')).toEqual([{ objects: [], folders: [], skipped: [], next: null }]);
      });

      test('only keys with the prefix, whatever it ends with', async () => {
        for (const key of ['in/a.csv', 'in/b.csv', 'inner.csv', 'out.csv']) await harness.put(key, 'x');
        expect(keysOf(await allPages(store, 'in/'))).toEqual(['in/a.csv', 'in/b.csv']);
        expect(keysOf(await allPages(store, 'in'))).toEqual(['in/a.csv', 'in/b.csv', 'inner.csv']);
        expect(keysOf(await allPages(store, 'in/a.csv'))).toEqual(['in/a.csv']);
      });

      test('by folder, what goes on behind the next slash comes as one folder', async () => {
        for (const key of ['in/a.csv', 'in/x/b.csv', 'in/x/y/c.csv', 'in//d.csv', 'out.csv'])
          await harness.put(key, 'x');
        const pages = await allPages(store, 'in/', true);
        expect(keysOf(pages)).toEqual(['in/a.csv']);
        expect(pages.flatMap(({ folders }) => folders)).toEqual(['in//', 'in/x/']);
      });

      test('shows the same size, time and version as head', async () => {
        await harness.put('a.csv', 'content');
        const [page] = await allPages(store, '');
        const { key, size, mtimeUs, version } = await headOf(store, 'a.csv');
        expect(page?.objects).toEqual([expect.objectContaining({ key, size, mtimeUs, version })]);
        expect({ key, size }).toEqual({ key: 'a.csv', size: 7 });
      });

      test('hostile keys come back as they are, and can be asked for', async () => {
        for (const key of harness.hostileNames) await harness.put(key, key);
        const keys = keysOf(await allPages(store, ''));
        expect([...keys].sort()).toEqual([...harness.hostileNames].sort());
        for (const key of keys) {
          expect(await textOf(store, key)).toBe(key);
          expect(() => new URL(store.uri(key))).not.toThrow();
        }
        expect(new Set(keys.map((key) => store.uri(key))).size).toBe(keys.length);
      });

      test('a bucket that is gone is SOURCE_UNREACHABLE, for a page and for a head', async () => {
        await harness.hideRoot();
        await expect(allPages(store, '')).rejects.toMatchObject({ code: 'SOURCE_UNREACHABLE' });
        await expect(store.head('a.csv')).rejects.toMatchObject({ code: 'SOURCE_UNREACHABLE' });
        await expect(store.probe('')).rejects.toMatchObject({ code: 'SOURCE_UNREACHABLE' });
        await harness.showRoot();
        expect(await store.head('a.csv')).toBeNull();
      });

      test('a call that was aborted rejects', async () => {
        await harness.put('a.csv', 'x');
        const signal = AbortSignal.abort(new Error('enough'));
        await expect(store.page({ prefix: '', byFolder: false, after: null }, signal)).rejects.toThrow();
        await expect(store.get('a.csv', null, null, signal)).rejects.toThrow();
      });
    });

    describe('head', () => {
      test('nothing is null, also where keys begin so', async () => {
        await harness.put('in/a.csv.gz', 'x');
        for (const key of ['in/a.csv', 'in/', 'in', 'b']) expect(await store.head(key), key).toBeNull();
      });

      test('tells the metadata of the sender, and no mark', async () => {
        await harness.put('a.csv', 'x', { sender: 'acme' });
        expect(await headOf(store, 'a.csv')).toMatchObject({ metadata: { sender: 'acme' }, mark: null });
      });

      test('other content is another version, and other content in its token', async () => {
        await harness.put('a.csv', 'one');
        const before = await headOf(store, 'a.csv');
        await harness.put('a.csv', 'two');
        const after = await headOf(store, 'a.csv');
        expect(after.version).not.toBe(before.version);
        expect(store.contentOf(after.version)).not.toBe(store.contentOf(before.version));
      });

      test('a hash that is told is that of the content: the same for a copy, another for other content', async () => {
        await harness.put('a.csv', 'one');
        await harness.put('b.csv', 'two');
        const [a, b] = [await headOf(store, 'a.csv'), await headOf(store, 'b.csv')];
        if (a.digest !== null) expect(a.digest).not.toBe(b.digest);
        const told = store.digestOf(a.version);
        if (told !== null) expect(told).toBe(a.digest);
      });
    });

    describe('get', () => {
      test('gives the whole object, or a range of it, and says which', async () => {
        await harness.put('a.csv', 'abcdefgh');
        const { version } = await headOf(store, 'a.csv');
        expect(await textOf(store, 'a.csv', null, version)).toBe('abcdefgh');
        expect(await textOf(store, 'a.csv', { from: 2, end: 5 }, version)).toBe('cde');
        const body = await store.get('a.csv', { from: 2, end: 5 }, version, never);
        body.stream.destroy();
        expect(body).toMatchObject({ contentRange: 'bytes 2-4/8', contentLength: 3 });
        expect([store.contentOf(version), null]).toContain(body.content);
      });

      test('an empty object is an empty body', async () => {
        await harness.put('a.csv', '');
        expect(await textOf(store, 'a.csv')).toBe('');
      });

      test('asked for a version that another has replaced: FILE_CHANGED', async () => {
        await harness.put('a.csv', 'one');
        const { version } = await headOf(store, 'a.csv');
        await harness.put('a.csv', 'two');
        await expect(textOf(store, 'a.csv', null, version)).rejects.toMatchObject({ code: 'FILE_CHANGED' });
        expect(await textOf(store, 'a.csv')).toBe('two');
      });

      test('of nothing: FILE_VANISHED', async () => {
        await expect(textOf(store, 'a.csv')).rejects.toMatchObject({ code: 'FILE_VANISHED' });
      });
    });

    describe('copy and remove', () => {
      test('a copy has content, metadata and the mark; the original stays as it is', async () => {
        await harness.put('in/a.csv', 'one', { sender: 'acme' });
        const from = await headOf(store, 'in/a.csv');
        await store.copy(from, 'done/in/a.csv', 'from here');
        const copy = await headOf(store, 'done/in/a.csv');
        expect(copy).toMatchObject({ size: 3, mark: 'from here' });
        expect(copy.metadata).toMatchObject({ sender: 'acme' });
        expect(copy.digest).toBe(from.digest);
        expect(await harness.read('done/in/a.csv')).toBe('one');
        expect((await headOf(store, 'in/a.csv')).version).toBe(from.version);
      });

      test('a copy of a copy has the mark that it was given last', async () => {
        await harness.put('a.csv', 'one');
        await store.copy(await headOf(store, 'a.csv'), 'b.csv', 'first');
        await store.copy(await headOf(store, 'b.csv'), 'c.csv', 'second');
        expect(await headOf(store, 'c.csv')).toMatchObject({ mark: 'second' });
      });

      test('remove takes the version away', async () => {
        await harness.put('a.csv', 'one');
        await store.remove('a.csv', (await headOf(store, 'a.csv')).version);
        expect(await harness.read('a.csv')).toBeNull();
      });

      test('where conditions are kept, another version is neither copied nor removed, and nothing is overwritten', async () => {
        if (harness.keepsConditions === false) {
          expect(store.abilities.conditionalDelete).toBe(false);
          return;
        }
        await harness.put('a.csv', 'one');
        const old = await headOf(store, 'a.csv');
        await harness.put('a.csv', 'two');
        await expect(store.copy(old, 'b.csv', 'mark')).rejects.toMatchObject({ code: 'FILE_CHANGED' });
        await expect(store.remove('a.csv', old.version)).rejects.toMatchObject({ code: 'FILE_CHANGED' });
        await harness.put('b.csv', 'taken');
        const now = await headOf(store, 'a.csv');
        await expect(store.copy(now, 'b.csv', 'mark')).rejects.toMatchObject({ code: 'FILE_CHANGED' });
        expect(await harness.read('a.csv')).toBe('two');
        expect(await harness.read('b.csv')).toBe('taken');
        await harness.remove('a.csv');
        await expect(store.remove('a.csv', now.version)).rejects.toMatchObject({ code: 'FILE_VANISHED' });
      });
    });

    describe('tags', () => {
      test('are replaced as a whole, and leave the content in the token as it was', async () => {
        if (store.abilities.tagsMax === 0) return;
        await harness.put('a.csv', 'one');
        const object = await headOf(store, 'a.csv');
        expect(await store.tags(object)).toEqual(new Map());
        await store.putTags(object, new Map([['of', 'acme & sons']]));
        await store.putTags(object, new Map([['state', 'loaded']]));
        expect(await store.tags(object)).toEqual(new Map([['state', 'loaded']]));
        const after = await headOf(store, 'a.csv');
        expect(store.contentOf(after.version)).toBe(store.contentOf(object.version));
      });

      test('go with a copy', async () => {
        if (store.abilities.tagsMax === 0 || harness.copiesTags === false) return;
        await harness.put('a.csv', 'one');
        await store.putTags(await headOf(store, 'a.csv'), new Map([['of', 'acme']]));
        await store.copy(await headOf(store, 'a.csv'), 'b.csv', 'mark');
        expect(await store.tags(await headOf(store, 'b.csv'))).toEqual(new Map([['of', 'acme']]));
      });
    });

    test('with all rights probe is content, and trying them leaves nothing behind', async () => {
      await harness.put('in/a.csv', 'x');
      await store.probe('in/');
      await store.probe('empty/');
      for (const right of ['delete', 'tag', 'write'] as const)
        expect(await store.tryRight(right, `in/.tallyman-${right}`), right).toBeNull();
      expect(keysOf(await allPages(store, ''))).toEqual(['in/a.csv']);
    });
  });
}
