import { defineConfig } from 'vitest/config';

/**
 * Slow by nature, because what they are about has to be waited for: outages behind a pooler or of a whole server, disks
 * that fill up, clocks that jump, hours of work. `npm run test:faults` runs them with all the others.
 */
const SLOW = [
  'image',
  'long-run',
  'machine-clock',
  'machine-disk',
  'pooler',
  'postgres-failover',
  'slow-line',
  'two-restored',
];

export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    include: ['test/**/*.test.ts'],
    exclude: process.env['TALLYMAN_FAULTS'] === undefined ? SLOW.map((name) => `test/faults/${name}.test.ts`) : [],
    globalSetup: ['test/support/global-setup.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    pool: 'forks',
    maxWorkers: 2,
    reporters: ['default'],
  },
});
