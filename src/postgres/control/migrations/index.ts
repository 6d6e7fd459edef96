import { foundation } from './001-foundation.js';
import { targets } from './002-targets.js';
import type { Migration } from './migration.js';

/** In order. A new one is a file beside these and a line here. */
export const MIGRATIONS: readonly Migration[] = [foundation, targets];
