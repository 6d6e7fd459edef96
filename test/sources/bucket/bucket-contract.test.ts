import { objectStoreSuite } from '../../contract/object-store-suite.js';
import { sourceSuite } from '../../contract/source-suite.js';
import { memoryHarness } from './memory-harness.js';

objectStoreSuite('the store in memory', () => Promise.resolve(memoryHarness()));

sourceSuite('a bucket (in memory)', () => Promise.resolve(memoryHarness()));
sourceSuite('a bucket (in memory, whose store may pass over conditions)', () =>
  Promise.resolve(memoryHarness({ conditionalDelete: false })),
);
