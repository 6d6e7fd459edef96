import { content } from './add-content.js';
import { foundation } from './001-foundation.js';
import { targets } from './002-targets.js';
import type { Migration } from './migration.js';

/** In order. A new one is a file beside these and a line here. */
export const MIGRATIONS: readonly Migration[] = [foundation, targets];

/**
 * Steps that a program which does not know them can work beside: a column that may be null, an index that never stands
 * in its way. They are counted apart from the others (tallyman.meta, additions), so that the version before goes on
 * working. In order, behind all of MIGRATIONS; a new one is a file beside these and a line here.
 */
export const ADDITIONS: readonly Migration[] = [content];
