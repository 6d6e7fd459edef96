import type { FeedDraft } from './draft.js';
import { columnKeys } from './yaml.js';

/** `infer --json`: the feed as the config would hold it, what was seen of each column, and what is doubtful. */
export function inferDocument(draft: FeedDraft): Readonly<Record<string, unknown>> {
  return {
    name: draft.name,
    feed: {
      source: draft.source,
      format: draft.format,
      ...draft.keys,
      ...(draft.columns.length === 0 ? {} : { columns: draft.columns.map(columnKeys) }),
    },
    columns: draft.columns.map((column) => ({
      ...columnKeys(column),
      format: column.guess.formats ?? null,
      nullable: column.nullable,
      unique: column.unique,
      min: column.min,
      max: column.max,
      values: column.values,
      nulls: column.nulls,
      suggested: column.facts,
      doubts: column.doubts,
      examples: column.examples,
    })),
    notes: draft.notes,
  };
}
