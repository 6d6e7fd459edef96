import { stringify } from 'yaml';
import type { FeedSpec } from '../core/feed/feed.js';
import type { DriftNote } from '../core/format.js';
import { columnNames } from '../formats/names.js';
import { printableColumn } from './print.js';

/** Columns that are printed in all; of a longer contract only what changes: a message is no place for 1,000 lines. */
const MOST_SHOWN = 60;

/**
 * The feed's contract as a file with other columns would have it, to paste: new ones at the end, as text where the
 * format has no types of its own, missing ones as comments. null = the feed has no contract, or nothing is known to
 * differ. `notes`: those of kind `unknown` and `missing` count.
 */
export function changedContract(feed: Pick<FeedSpec, 'columns' | 'names'>, notes: readonly DriftNote[]): string | null {
  const { columns, names } = feed;
  const strange = notes.filter((note) => note.kind === 'unknown');
  const headers = strange.map((note) => note.column);
  const missing = new Set(notes.filter((note) => note.kind === 'missing').map((note) => note.column));
  if (columns === null || headers.length + missing.size === 0) return null;
  const taken = columns.map((column) => column.name);
  const added = columnNames([...taken, ...headers], names).slice(taken.length);
  const whole = columns.length + headers.length <= MOST_SHOWN;
  const kept = whole ? columns : columns.filter((column) => missing.has(column.name));
  const lines = kept.map((column) =>
    missing.has(column.name)
      ? `  # - ${flow(printableColumn(column))}   # not in the file`
      : `  - ${flow(printableColumn(column))}`,
  );
  if (!whole) lines.unshift(`  # ${columns.length - kept.length} columns as they are, and of the others:`);
  lines.push(
    ...headers
      .slice(0, MOST_SHOWN)
      .map(
        (header, i) =>
          `  - ${flow({ name: added[i], ...(added[i] === header ? {} : { from: header }), type: strange[i]?.type ?? 'text' })}   # new`,
      ),
  );
  if (headers.length > MOST_SHOWN) lines.push(`  # and ${headers.length - MOST_SHOWN} new ones more`);
  return ['columns:', ...lines].join('\n');
}

/** One line of YAML. */
const flow = (value: unknown): string => stringify(value, { collectionStyle: 'flow', lineWidth: 0 }).trim();
