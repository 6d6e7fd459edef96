import type { IgnoredFile } from '../../core/receipts.js';
import type { Connection } from '../connect/connect.js';
import type { Row } from '../connect/result-rows.js';
import { timestampSql } from './receipt-row.js';

/** Receipts without rows. A load_key that is there already stays as it is: the call may be repeated. */
export async function insertIgnored(
  connection: Connection,
  loads: string,
  files: readonly IgnoredFile[],
  by: { readonly instanceId: string; readonly host: string },
): Promise<readonly Row[]> {
  const column = <K extends keyof IgnoredFile>(key: K): readonly IgnoredFile[K][] => files.map((file) => file[key]);
  const { rows } = await connection.query(
    `INSERT INTO ${loads} (load_key, instance_id, feed, path, file_uri, file_size, file_mtime, file_version, target, status, host, started_at, committed_at)
     SELECT f.load_key, $1, f.feed, f.path, f.uri, f.size, ${timestampSql('f.mtime_us')}, f.version, f.target, 'ignored', $2, pg_catalog.now(), pg_catalog.now()
     FROM unnest($3::uuid[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::bigint[], $9::text[], $10::text[]) AS f(load_key, feed, path, uri, size, mtime_us, version, target)
     ON CONFLICT (load_key) DO NOTHING RETURNING load_key::text AS load_key, load_id`,
    [
      by.instanceId,
      by.host,
      column('loadKey'),
      column('feed'),
      column('path'),
      column('fileUri'),
      column('size'),
      column('mtimeUs'),
      column('version'),
      column('target'),
    ],
  );
  return rows;
}
