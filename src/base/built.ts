/** Put in by the build (config/setup.mjs). The sources as they stand (tests) have none. */
declare const TALLYMAN_VERSION: string | undefined;

const isBuilt = typeof TALLYMAN_VERSION !== 'undefined';

export const VERSION = isBuilt ? TALLYMAN_VERSION : 'unknown';

/**
 * The file that a thread or a process is started from. The files of the build lie side by side, whichever of them asks;
 * the sources start the built one.
 */
export function startFile(name: 'load-worker' | 'duckdb-worker'): URL {
  return new URL(`${isBuilt ? './' : '../../dist/'}${name}.js`, import.meta.url);
}
