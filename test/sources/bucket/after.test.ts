import { describe, expect, test } from 'vitest';
import { TallymanError } from '../../../src/core/errors.js';
import type { SeenFile } from '../../../src/core/file.js';
import type { Source } from '../../../src/core/source.js';
import type { Call } from '../../support/memory-store.js';
import { memoryHarness } from './memory-harness.js';

async function seen(source: Source, key = 'a.csv'): Promise<SeenFile> {
  const file = await source.stat(key);
  if (file === null) throw new Error(`${key} is not there`);
  return file;
}

const refused = (): never => {
  throw new TallymanError('AFTER_ACTION_FAILED', 'refused');
};

describe('deleting out of a bucket', () => {
  test('a store that keeps the condition is asked once; another is looked at just before', async () => {
    for (const conditionalDelete of [true, false]) {
      const { memory, source: open } = memoryHarness({ conditionalDelete });
      memory.put('a.csv', 'one');
      const source = open();
      const file = await seen(source);
      memory.log.length = 0;
      await source.remove(file);
      expect(memory.log).toEqual(conditionalDelete ? ['remove a.csv'] : ['head a.csv', 'remove a.csv']);
    }
  });

  test('where the store passes conditions over, the look keeps another version', async () => {
    const { memory, source: open } = memoryHarness({ conditionalDelete: false });
    memory.ignoresConditions = true;
    memory.put('a.csv', 'one');
    const source = open();
    const file = await seen(source);
    memory.put('a.csv', 'two');
    await expect(source.remove(file)).rejects.toMatchObject({ code: 'FILE_CHANGED' });
    expect(memory.objects.get('a.csv')?.content.toString()).toBe('two');
  });
});

describe('moving within a bucket', () => {
  const begun = async (abilities = {}) => {
    const harness = memoryHarness(abilities);
    const { memory } = harness;
    memory.put('a.csv', 'one', { tags: new Map([['of', 'acme']]), metadata: { sender: 'acme' } });
    const source = harness.source({ exclude: ['done'] });
    const file = await seen(source);
    memory.log.length = 0;
    return { memory, source, file, keys: () => [...memory.objects.keys()] };
  };

  test('it looks, copies with a mark, looks again and deletes', async () => {
    const { memory, source, file } = await begun();
    expect(await source.move(file, 'done', '7')).toBe('done/a.csv');
    expect(memory.log).toEqual([
      'head a.csv',
      'head done/a.csv',
      'copy a.csv',
      'head done/a.csv',
      'head a.csv',
      'remove a.csv',
    ]);
    const copy = memory.objects.get('done/a.csv');
    expect(copy?.mark).toMatch(/^[0-9a-f]{64}$/);
    expect(copy?.tags).toEqual(new Map([['of', 'acme']]));
    expect(copy?.metadata).toEqual({ sender: 'acme' });
  });

  test.each(['head', 'copy', 'remove'] as const)(
    'died at any %s, the next try ends it with one copy, one name',
    async (name) => {
      for (let nth = 1; nth <= 4; nth++) {
        const { memory, source, file, keys } = await begun();
        let left = nth;
        memory.fault = (call: Call) => {
          if (call.name === name && --left === 0) refused();
        };
        const first = await source.move(file, 'done', '7').catch((error: unknown) => error);
        if (left <= 0) expect(first).toMatchObject({ code: 'AFTER_ACTION_FAILED' });
        memory.fault = () => undefined;
        expect(await source.move(file, 'done', '7')).toBe('done/a.csv');
        expect(keys()).toEqual(['done/a.csv']);
      }
    },
  );

  test.each([false, true])(
    'replaced during the copy it stays, and the copy is taken away (conditions passed over: %s)',
    async (ignores) => {
      const { memory, source, file, keys } = await begun({ conditionalDelete: !ignores });
      memory.ignoresConditions = ignores;
      memory.fault = ({ name }) => {
        if (name === 'copy') memory.put('a.csv', 'two');
      };
      await expect(source.move(file, 'done', '7')).rejects.toMatchObject({ code: 'FILE_CHANGED' });
      expect(keys()).toEqual(['a.csv']);
    },
  );

  test('a name that somebody else takes during the copy is not overwritten', async () => {
    const { memory, source, file } = await begun();
    memory.fault = ({ name }) => {
      if (name === 'copy') memory.put('done/a.csv', 'theirs');
    };
    await expect(source.move(file, 'done', '7')).rejects.toThrow();
    memory.fault = () => undefined;
    expect(await source.move(file, 'done', '7')).toBe('done/a-7.csv');
    expect(memory.objects.get('done/a.csv')?.content.toString()).toBe('theirs');
  });

  test('a copy whose hash is told and is another is not the version that was moved', async () => {
    const { memory, source, file } = await begun();
    memory.fault = ({ name }) => (name === 'remove' ? refused() : undefined);
    await expect(source.move(file, 'done', '7')).rejects.toMatchObject({ code: 'AFTER_ACTION_FAILED' });
    memory.fault = () => undefined;
    Object.assign(memory, { digestOf: () => 'another' });
    expect(await source.move(file, 'done', '7').catch((error: unknown) => error)).toMatchObject({
      code: 'FILE_CHANGED',
    });
  });

  test('a key that would become too long is refused before anything is copied', async () => {
    const { memory, source: open } = memoryHarness({ keyMax: 12 });
    memory.put('12345678.csv', 'x');
    const source = open();
    await expect(source.move(await seen(source, '12345678.csv'), 'done', '7')).rejects.toMatchObject({
      code: 'AFTER_ACTION_FAILED',
      message: '12345678.csv: its key below done would be longer than the 12 bytes that memory takes',
    });
    expect(memory.calls('copy')).toEqual([]);
  });
});

describe('tagging in a bucket', () => {
  const tagged = async (
    tags: Readonly<Record<string, string>>,
    present: readonly (readonly [string, string])[] = [],
  ) => {
    const { memory, source: open } = memoryHarness();
    memory.put('a.csv', 'one', { tags: new Map(present) });
    const source = open();
    const file = await seen(source);
    await source.tag?.(file, tags);
    return memory;
  };

  test('tags go beside those that are there; the same again writes nothing', async () => {
    const memory = await tagged({ state: 'loaded' }, [['of', 'acme']]);
    expect(memory.objects.get('a.csv')?.tags).toEqual(new Map([...[['of', 'acme'] as const], ['state', 'loaded']]));
    expect((await tagged({ state: 'loaded' }, [['state', 'loaded']])).calls('putTags')).toEqual([]);
  });

  test('more than an object takes is refused', async () => {
    const present = ['a', 'b', 'c'].map((name) => [name, 'x'] as const);
    await expect(tagged({ state: 'loaded' }, present)).rejects.toMatchObject({
      code: 'AFTER_ACTION_FAILED',
      message: 'a.csv: has 3 tags already, and an object takes 3',
    });
  });

  test('another version is not tagged; a store without tags has none to set', async () => {
    const { memory, source: open } = memoryHarness();
    memory.put('a.csv', 'one');
    const source = open();
    const file = await seen(source);
    memory.put('a.csv', 'one');
    await expect(source.tag?.(file, { state: 'loaded' })).rejects.toMatchObject({ code: 'FILE_CHANGED' });
    expect(
      'tag' in memoryHarness({ tagsMax: 0 }).source() && memoryHarness({ tagsMax: 0 }).source().tag !== undefined,
    ).toBe(false);
  });
});

describe('probing a bucket', () => {
  test('only the rights that the feed asks for are tried, each at a name of our own, and named in words of the store', async () => {
    const { memory, source: open } = memoryHarness();
    const source = open({ exclude: ['done/%Y'] }, { prefix: 'in/' });
    expect(await source.probe({ delete: false, move: false, tag: false })).toEqual([]);
    expect(memory.log).toEqual(['probe in/']);
    memory.fault = ({ name }) => (name === 'tryRight' ? refused() : undefined);
    expect(await source.probe({ delete: true, move: true, tag: true })).toEqual([
      'bucket drops: after asks to delete files, which needs to delete; the store says refused',
      'bucket drops: after asks to tag files, which needs to tag; the store says refused',
      'bucket drops: after asks to move files to done/, which needs to write there; the store says refused',
    ]);
    expect(memory.calls('tryRight')).toEqual([
      expect.stringMatching(/^delete in\/\.tallyman-probe-[0-9a-f]+$/),
      expect.stringMatching(/^tag in\/\.tallyman-probe-[0-9a-f]+$/),
      expect.stringMatching(/^write done\/\.tallyman-probe-[0-9a-f]+$/),
    ]);
  });
});
