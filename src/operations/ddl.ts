import type { Config } from '../config/config.js';
import type { FeedSpec } from '../core/feed/feed.js';
import { controlSchemaSql } from '../postgres/control/control-schema.js';
import { stagingSql } from '../postgres/staging/staging-sql.js';

interface DdlParts {
  readonly config: Pick<Config, 'feeds' | 'database'>;
  /** Throws UNKNOWN_FEED. */
  feed(name: string): FeedSpec;
}

export interface DdlDocument {
  readonly items: readonly { readonly name: string; readonly sql: string }[];
}

/**
 * The SQL of the staging table of one feed, or with `null` of all, and then of the control schema too. Two feeds into
 * one table: the table stands there once.
 */
export function ddl(parts: DdlParts, feed: string | null): DdlDocument {
  const { config } = parts;
  const scripts = new Map<string, string>();
  if (feed === null) scripts.set(config.database.controlSchema, controlSchemaSql(config.database.controlSchema));
  for (const { target, columns } of feed === null ? config.feeds : [parts.feed(feed)]) {
    const name = `${target.schema}.${target.table}`;
    if (!scripts.has(name)) scripts.set(name, stagingSql(target, columns));
  }
  return { items: [...scripts].map(([name, sql]) => ({ name, sql })) };
}
