import type { SourceSpec } from '../../../src/core/feed/source.js';
import type { StoreAbilities } from '../../../src/core/object-store.js';
import type { Source } from '../../../src/core/source.js';
import type { PrefixOptions } from '../../../src/sources/bucket/options.js';
import { READ_LIMITS, type ReadLimits } from '../../../src/sources/bucket/read.js';
import { BucketSource } from '../../../src/sources/bucket/source.js';
import type { StoreHarness } from '../../contract/object-store-suite.js';
import type { SourceHarness } from '../../contract/source-suite.js';
import { MemoryStore } from '../../support/memory-store.js';
import { plainSpec } from '../local/local-harness.js';

export interface MemoryHarness extends SourceHarness, StoreHarness {
  readonly put: StoreHarness['put'];
  readonly memory: MemoryStore;
  readonly source: (
    spec?: Partial<SourceSpec>,
    options?: Partial<PrefixOptions>,
    limits?: Partial<ReadLimits>,
  ) => Source;
}

/** A source over a bucket in the memory of the test. */
export function memoryHarness(abilities: Partial<StoreAbilities> = {}): MemoryHarness {
  const memory = new MemoryStore(abilities);
  const put = (key: string, content: string | Buffer, metadata?: Readonly<Record<string, string>>): Promise<void> => {
    memory.put(key, content, metadata === undefined ? {} : { metadata });
    return Promise.resolve();
  };
  const done = (isGone: boolean) => (): Promise<void> => {
    memory.isGone = isGone;
    return Promise.resolve();
  };
  return {
    memory,
    source: (spec = {}, options = {}, limits = {}) =>
      new BucketSource({ ...plainSpec, type: 'memory', ...spec }, { prefix: '', lookback: 0, ...options }, memory, {
        ...READ_LIMITS,
        ...limits,
      }),
    store: () => memory,
    put,
    overwrite: put,
    remove: (key) => {
      memory.objects.delete(key);
      return Promise.resolve();
    },
    read: (key) => Promise.resolve(memory.objects.get(key)?.content.toString() ?? null),
    hideRoot: done(true),
    showRoot: done(false),
    hostileNames: ['with space.csv', 'line\nbreak.csv', '100%.csv', 'a?b#c.csv', '__proto__', `${'é'.repeat(510)}.csv`],
    noPaths: ['', 'a\0.csv', 'x'.repeat(1_025)],
    close: done(true),
  };
}
