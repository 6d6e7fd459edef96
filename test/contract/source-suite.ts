import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { SourceSpec } from '../../src/core/feed/source.js';
import type { SeenFile, SkippedEntry } from '../../src/core/file.js';
import type { Source } from '../../src/core/source.js';

/**
 * What a kind of source brings to be tested: a real store that the suite writes to from outside. Paths are relative to
 * its root.
 */
export interface SourceHarness {
  /** A source over the store; what the spec leaves out is a plain `*.csv` feed. */
  readonly source: (spec?: Partial<SourceSpec>) => Source;
  /** Writes a new file, folders on the way too. */
  readonly put: (path: string, content: string | Buffer) => Promise<void>;
  /** Other content under the same name, as an upload over it does. */
  readonly overwrite: (path: string, content: string) => Promise<void>;
  readonly remove: (path: string) => Promise<void>;
  /** What stands there now; null = nothing. */
  readonly read: (path: string) => Promise<string | null>;
  /** Takes the whole root away, and brings it back as it was. */
  readonly hideRoot: () => Promise<void>;
  readonly showRoot: () => Promise<void>;
  /** Names that this store can hold and that look like trouble. */
  readonly hostileNames: readonly string[];
  /** Paths that can name nothing in this store; omitted = those of a store with folders. */
  readonly noPaths?: readonly string[];
  readonly close: () => Promise<void>;
}

/** A listing put together. */
export async function listAll(
  source: Source,
): Promise<{ files: SeenFile[]; skipped: SkippedEntry[]; paths: string[]; pages: number }> {
  const files: SeenFile[] = [];
  const skipped: SkippedEntry[] = [];
  let pages = 0;
  for await (const page of source.list(new AbortController().signal)) {
    files.push(...page.files);
    skipped.push(...page.skipped);
    pages++;
  }
  return { files, skipped, paths: files.map((file) => file.path).sort(), pages };
}

export async function readAll(source: Source, file: SeenFile, offset = 0): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of source.open(file, offset, new AbortController().signal)) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

async function only(source: Source): Promise<SeenFile> {
  const { files } = await listAll(source);
  if (files.length !== 1) throw new Error(`${files.length} files, not one`);
  return files[0]!;
}

/** What every source promises (core/source.ts). Each kind of source runs all of it against a real store. */
export function sourceSuite(kind: string, makeHarness: () => Promise<SourceHarness>): void {
  describe(`${kind} keeps the contract of a source`, () => {
    let store: SourceHarness;
    const opened: Source[] = [];
    const open = (spec?: Partial<SourceSpec>): Source => {
      const source = store.source(spec);
      opened.push(source);
      return source;
    };
    beforeEach(async () => {
      store = await makeHarness();
    });
    afterEach(async () => {
      await Promise.all(opened.splice(0).map((source) => source.close()));
      await store.close();
    });

    describe('listing', () => {
      test('an empty folder is a listing without files', async () => {
        expect(await listAll(open())).toMatchObject({ files: [], skipped: [] });
      });

      test('files come with path, size, time and version', async () => {
        await store.put('a.csv', 'id\n1\n');
        const file = await only(open());
        expect(file).toMatchObject({ path: 'a.csv', size: 5 });
        expect(Math.abs((file.mtimeUs ?? 0) / 1000 - Date.now())).toBeLessThan(3_600_000);
        expect(file.version).not.toBe('');
      });

      test('a pattern without "/" meets the file name, one with "/" the path', async () => {
        for (const path of ['a.csv', 'a.txt', 'in/b.csv', 'in/deep/c.csv']) await store.put(path, 'x');
        expect((await listAll(open({ recursive: true }))).paths).toEqual(['a.csv', 'in/b.csv', 'in/deep/c.csv']);
        expect((await listAll(open({ recursive: true, patterns: ['in/*.csv'] }))).paths).toEqual(['in/b.csv']);
        expect((await listAll(open({ recursive: true, patterns: ['in/**/*.csv', '*.txt'] }))).paths).toEqual([
          'a.txt',
          'in/b.csv',
          'in/deep/c.csv',
        ]);
      });

      test('case counts in a pattern unless ignore_case says otherwise', async () => {
        await store.put('A.CSV', 'x');
        expect((await listAll(open())).paths).toEqual([]);
        expect((await listAll(open({ ignoreCase: true }))).paths).toEqual(['A.CSV']);
      });

      test('subfolders are left alone unless it is recursive', async () => {
        await store.put('a.csv', 'x');
        await store.put('in/b.csv', 'x');
        expect((await listAll(open())).paths).toEqual(['a.csv']);
      });

      test('ignored names are not data', async () => {
        for (const path of ['a.csv', 'old_a.csv', '.hidden.csv', 'b.csv.tmp']) await store.put(path, 'x');
        const source = open({ patterns: ['*'], ignore: ['*.tmp', '.*', 'old_*'] });
        expect((await listAll(source)).paths).toEqual(['a.csv']);
      });

      test('marker and manifest files are never data', async () => {
        for (const path of ['a.csv', 'a.csv.done', 'b.csv', '_SUCCESS', 'b.manifest.json']) await store.put(path, 'x');
        expect(
          (await listAll(open({ patterns: ['*'], ready: { kind: 'marker', template: '{name}.done' } }))).paths,
        ).toEqual(['_SUCCESS', 'a.csv', 'b.csv', 'b.manifest.json']);
        expect(
          (await listAll(open({ patterns: ['*'], ready: { kind: 'manifest', template: '{stem}.manifest.json' } })))
            .paths,
        ).toEqual(['_SUCCESS', 'a.csv', 'a.csv.done', 'b.csv']);
        expect(
          (await listAll(open({ patterns: ['*'], ready: { kind: 'marker', template: '_SUCCESS' } }))).paths,
        ).toEqual(['a.csv', 'a.csv.done', 'b.csv', 'b.manifest.json']);
      });

      test('folders that files are moved to are never listed', async () => {
        for (const path of ['a.csv', 'done/2026/a.csv', 'bad/a.csv', 'in/a.csv']) await store.put(path, 'x');
        expect((await listAll(open({ recursive: true, exclude: ['done/%Y', 'bad'] }))).paths).toEqual([
          'a.csv',
          'in/a.csv',
        ]);
      });

      test('2,500 files come whole, in several pages', async () => {
        const paths = Array.from({ length: 2_500 }, (_, i) => `f${String(i).padStart(4, '0')}.csv`);
        for (let i = 0; i < paths.length; i += 100)
          await Promise.all(paths.slice(i, i + 100).map((path) => store.put(path, path)));
        const listed = await listAll(open());
        expect(listed.paths).toEqual(paths);
        expect(listed.pages).toBeGreaterThan(1);
      });

      test('a root that is gone is SOURCE_UNREACHABLE, never "no files", and comes back by itself', async () => {
        await store.put('a.csv', 'x');
        const source = open();
        await store.hideRoot();
        await expect(listAll(source)).rejects.toMatchObject({ code: 'SOURCE_UNREACHABLE' });
        await expect(source.stat('a.csv')).rejects.toMatchObject({ code: 'SOURCE_UNREACHABLE' });
        await store.showRoot();
        expect((await listAll(source)).paths).toEqual(['a.csv']);
      });

      test('an aborted listing ends with the reason', async () => {
        await store.put('a.csv', 'x');
        const iterate = async (): Promise<void> => {
          for await (const page of open().list(AbortSignal.abort(new Error('enough')))) expect(page).toBeUndefined();
        };
        await expect(iterate()).rejects.toThrow('enough');
      });

      test('hostile names are data: listed, looked at, read and deleted like any other', async () => {
        const source = open({ patterns: ['*'] });
        for (const name of store.hostileNames) await store.put(name, `content of ${name}`);
        const { files } = await listAll(source);
        expect(files).toHaveLength(store.hostileNames.length);
        for (const file of files) {
          expect(await source.stat(file.path)).toEqual(file);
          expect(await readAll(source, file)).toMatch(/^content of /);
          expect(() => new URL(source.uri(file.path))).not.toThrow();
          await source.remove(file);
        }
        expect((await listAll(source)).files).toEqual([]);
      });
    });

    describe('one path', () => {
      test('stat shows the same version as the listing', async () => {
        await store.put('a.csv', 'x');
        const source = open();
        expect(await source.stat('a.csv')).toEqual(await only(source));
      });

      test('stat of a path that is not there is null', async () => {
        expect(await open().stat('a.csv')).toBeNull();
        expect(await open().statMarker('in/a.csv.done')).toBeNull();
      });

      test('stat refuses a name that the feed does not take, statMarker takes it', async () => {
        await store.put('a.csv.done', '');
        const source = open();
        await expect(source.stat('a.csv.done')).rejects.toMatchObject({ code: 'FILE_NOT_TAKEN' });
        expect(await source.statMarker('a.csv.done')).toMatchObject({ path: 'a.csv.done', size: 0 });
      });

      test('a path that leads out of the root is refused', async () => {
        const source = open({ patterns: ['**'] });
        for (const path of store.noPaths ?? ['../a.csv', 'in/../../a.csv', './a.csv', '', 'in//a.csv', 'a\0.csv']) {
          await expect(source.statMarker(path), JSON.stringify(path)).rejects.toMatchObject({ code: 'FILE_NOT_TAKEN' });
        }
      });

      test('other content under the same name is another version', async () => {
        await store.put('a.csv', 'one');
        const source = open();
        const before = await only(source);
        await store.overwrite('a.csv', 'two');
        expect((await only(source)).version).not.toBe(before.version);
      });
    });

    describe('reading', () => {
      test('open gives the bytes, also from an offset and past the end', async () => {
        await store.put('a.csv', 'id\n1\n2\n');
        const source = open();
        const file = await only(source);
        expect(await readAll(source, file)).toBe('id\n1\n2\n');
        expect(await readAll(source, file, 3)).toBe('1\n2\n');
        expect(await readAll(source, file, 7)).toBe('');
      });

      test('a file larger than any chunk comes whole', async () => {
        const content = Buffer.alloc(3_000_001, 'abcdefg\n');
        await store.put('a.csv', content);
        const source = open();
        expect(Buffer.from(await readAll(source, await only(source))).equals(content)).toBe(true);
      });

      test('an overwritten version is FILE_CHANGED', async () => {
        await store.put('a.csv', 'one');
        const source = open();
        const file = await only(source);
        await store.overwrite('a.csv', 'two');
        await expect(readAll(source, file)).rejects.toMatchObject({ code: 'FILE_CHANGED' });
      });

      test('a version that is gone is FILE_VANISHED', async () => {
        await store.put('a.csv', 'one');
        const source = open();
        const file = await only(source);
        await store.remove('a.csv');
        await expect(readAll(source, file)).rejects.toMatchObject({ code: 'FILE_VANISHED' });
      });

      test('readSmall gives a marker whole and refuses one past the limit', async () => {
        await store.put('a.json', '{"rows":1}');
        expect((await open().readSmall('a.json', 100)).toString()).toBe('{"rows":1}');
        await expect(open().readSmall('a.json', 9)).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
        await expect(open().readSmall('b.json', 9)).rejects.toMatchObject({ code: 'FILE_VANISHED' });
      });
    });

    describe('after actions', () => {
      test('remove deletes the version', async () => {
        await store.put('a.csv', 'one');
        const source = open();
        await source.remove(await only(source));
        expect(await store.read('a.csv')).toBeNull();
      });

      test('remove leaves another version alone: FILE_CHANGED', async () => {
        await store.put('a.csv', 'one');
        const source = open();
        const file = await only(source);
        await store.overwrite('a.csv', 'two');
        await expect(source.remove(file)).rejects.toMatchObject({ code: 'FILE_CHANGED' });
        expect(await store.read('a.csv')).toBe('two');
      });

      test('remove of a version that is gone is FILE_VANISHED', async () => {
        await store.put('a.csv', 'one');
        const source = open();
        const file = await only(source);
        await store.remove('a.csv');
        await expect(source.remove(file)).rejects.toMatchObject({ code: 'FILE_VANISHED' });
      });

      test('move puts the version into the folder and says where it is', async () => {
        await store.put('a.csv', 'one');
        const source = open();
        const path = await source.move(await only(source), 'done/2026/11', '7');
        expect(path).toBe('done/2026/11/a.csv');
        expect(await store.read(path)).toBe('one');
        expect(await store.read('a.csv')).toBeNull();
      });

      test('move keeps the path below the folder', async () => {
        await store.put('in/a.csv', 'one');
        const source = open({ recursive: true, exclude: ['done'] });
        expect(await source.move(await only(source), 'done', '7')).toBe('done/in/a.csv');
        expect(await store.read('done/in/a.csv')).toBe('one');
      });

      test('move never overwrites: the name gets the suffix before its extensions, then a number', async () => {
        const source = open();
        const moved: string[] = [];
        for (const content of ['one', 'two', 'three']) {
          await store.put('a.csv', content);
          moved.push(await source.move(await only(source), 'done', '7'));
        }
        expect(moved).toEqual(['done/a.csv', 'done/a-7.csv', 'done/a-7-2.csv']);
        expect(await Promise.all(moved.map((path) => store.read(path)))).toEqual(['one', 'two', 'three']);
      });

      test('move leaves another version alone: FILE_CHANGED', async () => {
        await store.put('a.csv', 'one');
        const source = open();
        const file = await only(source);
        await store.overwrite('a.csv', 'two');
        await expect(source.move(file, 'done', '7')).rejects.toMatchObject({ code: 'FILE_CHANGED' });
        expect(await store.read('a.csv')).toBe('two');
        expect(await store.read('done/a.csv')).toBeNull();
      });

      test('move called again after it was done says where the file is', async () => {
        await store.put('a.csv', 'one');
        const source = open();
        const file = await only(source);
        await source.move(file, 'done', '7');
        expect(await source.move(file, 'done', '7')).toBe('done/a.csv');
      });

      test('a moved file can be looked at and read where it is', async () => {
        await store.put('a.csv', 'one');
        const source = open({ patterns: ['a*.csv'], exclude: ['done/%Y'] });
        const path = await source.move(await only(source), 'done/2026', '7');
        const moved = await source.stat(path);
        expect(moved).toMatchObject({ path, size: 3 });
        expect(await readAll(source, moved!)).toBe('one');
      });

      test('a target that leaves the root is refused, and the file stays', async () => {
        await store.put('a.csv', 'one');
        const source = open();
        const file = await only(source);
        for (const to of ['../out', '', '.', 'done/../../out'])
          await expect(source.move(file, to, '7'), to).rejects.toMatchObject({ code: 'AFTER_ACTION_FAILED' });
        expect(await store.read('a.csv')).toBe('one');
      });

      test('nothing private is left behind', async () => {
        await store.put('a.csv', 'one');
        await store.put('b.csv', 'two');
        const source = open({ recursive: true });
        const { files } = await listAll(source);
        await source.move(files[0]!, 'done', '7');
        await source.remove(files[1]!);
        expect((await listAll(open({ recursive: true, patterns: ['*'], ignore: [] }))).paths).toEqual(['done/a.csv']);
      });
    });

    test('probe finds nothing to say where all is well', async () => {
      expect(await open().probe({ delete: true, move: true, tag: false })).toEqual([]);
    });

    test('probe says what is wrong when the root is gone', async () => {
      const source = open();
      await store.hideRoot();
      expect(await source.probe({ delete: false, move: false, tag: false })).toHaveLength(1);
      await store.showRoot();
    });
  });
}
