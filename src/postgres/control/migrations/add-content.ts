import { quoteIdentifier } from '../../connect/identifiers.js';
import type { Migration } from './migration.js';

/**
 * What is packed in a file, beside what was delivered. A program of the version before writes receipts without it: they
 * are in no way of its own, and are found by `file_sha256`.
 */
export const content: Migration = {
  version: 1,
  statements(schemaName) {
    const s = quoteIdentifier(schemaName);
    return [
      `ALTER TABLE ${s}.loads ADD COLUMN content_sha256 text CHECK (content_sha256 ~ '^[0-9a-f]{64}$')`,
      `CREATE UNIQUE INDEX loads_live_decoded ON ${s}.loads (feed, content_sha256)
       WHERE status = 'loaded' AND NOT duplicate_allowed AND rows_read > 0`,
      `CREATE INDEX loads_decoded ON ${s}.loads (feed, content_sha256) WHERE content_sha256 IS NOT NULL`,
    ];
  },
};
