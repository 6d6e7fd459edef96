import { beforeEach, describe, expect, test } from 'vitest';
import type { SeenFile } from '../../../src/core/file.js';
import type { Source } from '../../../src/core/source.js';
import { readAll } from '../../contract/source-suite.js';
import { memoryHarness, type MemoryHarness } from './memory-harness.js';

let store: MemoryHarness;
beforeEach(() => {
  store = memoryHarness();
});

const MIB = 1024 * 1024;
const large = (letter: string): Buffer => Buffer.alloc(70 * MIB, letter);

async function seen(source: Source, key = 'a.csv'): Promise<SeenFile> {
  const file = await source.stat(key);
  if (file === null) throw new Error(`${key} is not there`);
  return file;
}

/** Bytes of each letter that came, and what ended it. */
async function counted(source: Source, file: SeenFile, offset = 0) {
  const counts = new Map<string, number>();
  try {
    for await (const chunk of source.open(file, offset, new AbortController().signal)) {
      const letter = String.fromCharCode(chunk[0] ?? 0);
      counts.set(letter, (counts.get(letter) ?? 0) + chunk.length);
    }
    return { counts, error: null };
  } catch (error) {
    return { counts, error };
  }
}

describe('reading out of a bucket', () => {
  test.each([
    ['that is near', { farMs: Infinity, fastEnough: Infinity }, 2],
    ['that is far and slow', { farMs: -1, fastEnough: Infinity }, 9],
    ['that is far and fast', { farMs: -1, fastEnough: 0 }, 2],
  ])('a large object comes whole and in order, from a store %s', async (_, limits, gets) => {
    const content = large('a').fill('b', 40 * MIB);
    store.memory.put('a.csv', content);
    const source = store.source({}, {}, limits);
    const { counts, error } = await counted(source, await seen(source));
    expect(error).toBeNull();
    expect(counts).toEqual(
      new Map([
        ['a', 40 * MIB],
        ['b', 30 * MIB],
      ]),
    );
    expect(store.memory.calls('get')).toHaveLength(gets);
  });

  test.each([
    ['near', Infinity, 2],
    ['far', -1, 5],
  ])(
    'replaced between two ranges it is FILE_CHANGED, also where the store passes conditions over (%s)',
    async (_, farMs, at) => {
      store.memory.ignoresConditions = true;
      store.memory.put('a.csv', large('a'));
      const source = store.source({}, {}, { farMs, fastEnough: Infinity });
      const file = await seen(source);
      store.memory.fault = ({ name }) => {
        if (name === 'get' && store.memory.calls('get').length === at) store.memory.put('a.csv', large('b'));
      };
      const { counts, error } = await counted(source, file);
      expect(error).toMatchObject({ code: 'FILE_CHANGED' });
      expect([...counts.keys()]).toEqual(['a']);
    },
  );

  test('a body that ends early is SOURCE_UNREACHABLE, and the rest comes from an offset', async () => {
    store.memory.put('a.csv', 'abcdefgh');
    const source = store.source();
    const file = await seen(source);
    store.memory.shortBy = 3;
    await expect(readAll(source, file)).rejects.toMatchObject({
      code: 'SOURCE_UNREACHABLE',
      message: 'bucket drops: a.csv: the body ended after 5 of 8 bytes',
    });
    store.memory.shortBy = 0;
    expect(await readAll(source, file, 5)).toBe('fgh');
  });

  test('at the end of the object nothing is asked for but the version', async () => {
    store.memory.put('a.csv', 'abc');
    const source = store.source();
    const file = await seen(source);
    expect(await readAll(source, file, 3)).toBe('');
    expect(store.memory.calls('get')).toEqual([]);
    store.memory.put('a.csv', 'abc');
    await expect(readAll(source, file, 3)).rejects.toMatchObject({ code: 'FILE_CHANGED' });
  });

  test('a reader that goes away in the middle of many ranges leaves none under way', async () => {
    store.memory.put('a.csv', large('a'));
    const source = store.source({}, {}, { farMs: -1, fastEnough: Infinity });
    let bytes = 0;
    for await (const chunk of source.open(await seen(source), 0, new AbortController().signal)) {
      bytes += chunk.length;
      if (bytes > 25 * MIB) break;
    }
    const gets = store.memory.calls('get').length;
    expect(gets).toBeLessThan(9);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(store.memory.calls('get')).toHaveLength(gets);
  });

  test('an abort ends a read with its reason', async () => {
    store.memory.put('a.csv', 'abc');
    const source = store.source();
    const abort = new AbortController();
    const file = await seen(source);
    store.memory.fault = () => abort.abort(new Error('enough'));
    const read = async (): Promise<void> => {
      for await (const chunk of source.open(file, 0, abort.signal)) expect(chunk).toBeUndefined();
    };
    await expect(read()).rejects.toThrow('enough');
  });
});
