import { quoteIdentifier } from '../../connect/identifiers.js';
import type { Migration } from './migration.js';

/**
 * Which staging tables this control schema has met (load-ids.ts). A program that knows only the version before goes on
 * beside it: it never looks here.
 */
export const targets: Migration = {
  version: 2,
  statements(schemaName) {
    const s = quoteIdentifier(schemaName);
    return [
      `CREATE TABLE ${s}.targets (
  target text PRIMARY KEY,
  leaves bigint[] NOT NULL,
  met_at timestamptz NOT NULL DEFAULT now()
)`,
      `COMMENT ON TABLE ${s}.targets IS 'Staging tables that were met, with the oids of their partitions.'`,
    ];
  },
};
