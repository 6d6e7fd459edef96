import { TallymanError } from '../../core/errors.js';
import type { DatabaseSpec } from '../../core/database.js';
import type { ReceiptRef } from '../../core/receipts.js';
import type { QuarantineRow } from '../../core/quarantine.js';
import type { Receipts } from '../../core/receipts.js';
import type { Connection } from '../connect/connect.js';
import { controlNames, ensureControlSchema, readControlState } from './control-schema.js';
import { isServerError } from '../connect/errors.js';
import { insertIgnored } from './ignored.js';
import { isMissing, liveCounts } from './live-counts.js';
import { unloadRows } from './unload.js';
import { FIRST_PAGE, openQuarantine, quarantineGroups, quarantinePage, type PagePosition } from './quarantine-read.js';
import { receiptColumns, toReceipt } from './receipt-row.js';
import { resolveLoad } from './resolve.js';
import { integer, isRow, text, type Row } from '../connect/result-rows.js';
import { SharedSession } from '../connect/session.js';

/** Keys, IDs or files sent with one statement. */
const SLICE = 5000;

/**
 * Receipts, quarantine and counts over one small connection that opens at the first call. Before the control schema is
 * there, readers find nothing.
 */
export function openReceipts(spec: DatabaseSpec): Receipts {
  const session = new SharedSession(spec, 'control');
  const schema = spec.controlSchema;
  const { loads } = controlNames(schema);

  /** A read that finds `none` while there is no control schema. */
  const read = <T>(doing: string, none: T, task: (connection: Connection) => Promise<T>): Promise<T> =>
    session.run(doing, async (connection) => {
      try {
        return await task(connection);
      } catch (error) {
        if (isMissing(error)) return none;
        throw error;
      }
    });

  const receipts = async (
    connection: Connection,
    where: string,
    values: readonly unknown[],
  ): Promise<readonly ReceiptRef[]> => {
    const columns = await receiptColumns(connection, schema);
    const { rows } = await connection.query(`SELECT ${columns} FROM ${loads} WHERE ${where}`, values);
    return rows.map(toReceipt);
  };

  return {
    prepare: () =>
      session.run('preparing the control schema', async (connection) => ({
        databaseId: (await ensureControlSchema(connection, schema)).databaseId,
      })),
    databaseId: () =>
      session.run(
        'reading the database id',
        async (connection) => (await readControlState(connection, schema))?.databaseId ?? null,
      ),
    serverMark: () =>
      session.run('asking which server answers', async (connection) => {
        const { rows } = await connection.query(
          'SELECT CASE WHEN NOT pg_catalog.pg_is_in_recovery() THEN extract(epoch FROM pg_catalog.pg_postmaster_start_time())::text END AS mark',
        );
        const mark = rows[0]?.['mark'];
        return typeof mark === 'string' ? mark : null;
      }),
    resolve: (loadKey) => resolveLoad(spec, loadKey),
    after: (loadId, limit) =>
      read<readonly ReceiptRef[]>('reading receipts', [], (connection) =>
        receipts(connection, 'load_id > $1 ORDER BY load_id LIMIT $2', [loadId, limit]),
      ),
    present: async (loadKeys) => {
      const found = await sliced(loadKeys, (slice) =>
        read<readonly Row[]>(
          'looking for receipts',
          [],
          async (connection) =>
            (
              await connection.query(
                `SELECT load_key::text AS load_key FROM ${loads} WHERE load_key = ANY($1::uuid[])`,
                [slice],
              )
            ).rows,
        ),
      );
      return new Set(found.map((row) => text(row, 'load_key')));
    },
    byIds: (loadIds) =>
      sliced(loadIds, (slice) =>
        read<readonly ReceiptRef[]>('reading receipts', [], (connection) =>
          receipts(connection, 'load_id = ANY($1::bigint[]) ORDER BY load_id', [slice]),
        ),
      ),
    clear: async (loadIds) => {
      // Only what counts as seen: a rejected or superseded receipt stays what it is.
      const clearing = `UPDATE ${loads} SET status = 'cleared' WHERE load_id = ANY($1::bigint[]) AND status IN ('loaded', 'ignored') RETURNING load_id`;
      const cleared = await sliced(loadIds, (slice) =>
        session.run('clearing receipts', async (connection) => (await connection.query(clearing, [slice])).rows),
      );
      return cleared.length;
    },
    adopt: async (files, by) => {
      const rows = await sliced(files, (slice) =>
        session.run('recording files as ignored', (connection) => insertIgnored(connection, loads, slice, by)),
      );
      return new Map(rows.map((row) => [text(row, 'load_key'), integer(row, 'load_id')]));
    },
    unload: (loadId, file, by) =>
      session.run('unloading', (connection) => unloadRows(connection, schema, loadId, file, by)),
    renameFeed: (from, to, own) =>
      read('renaming a feed', undefined, (connection) => renameFeed(connection, loads, { from, to }, own)),
    liveCounts: (feed, target) => read('counting live loads', [], (c) => liveCounts(c, schema, feed, target)),
    quarantineGroups: (feed, window = {}) =>
      read('reading quarantine', [], (connection) => quarantineGroups(connection, schema, feed, window)),
    async *quarantineRows(loadId) {
      let position: PagePosition = FIRST_PAGE;
      for (;;) {
        const from = position;
        const page = await read<readonly QuarantineRow[]>('reading quarantine', [], (connection) =>
          quarantinePage(connection, schema, loadId, from),
        );
        const last = page.at(-1);
        if (last === undefined) return;
        yield page;
        position = { row: last.row, quarantineId: last.quarantineId };
      }
    },
    dialect: (loadId) =>
      read<Row | null>('reading how a file was read', null, async (connection) => {
        const { rows } = await connection.query(`SELECT dialect FROM ${loads} WHERE load_id = $1`, [loadId]);
        const dialect = rows[0]?.['dialect'];
        return isRow(dialect) ? dialect : null;
      }),
    dialects: (loadIds) =>
      read<ReadonlyMap<number, Row>>('reading how files were read', new Map(), async (connection) => {
        const { rows } = await connection.query(
          `SELECT load_id, dialect FROM ${loads} WHERE load_id = ANY ($1::bigint[])`,
          [loadIds],
        );
        return new Map(
          rows.flatMap((row) => (isRow(row['dialect']) ? [[integer(row, 'load_id'), row['dialect']]] : [])),
        );
      }),
    openQuarantine: (feed) => read('counting quarantine', 0, (connection) => openQuarantine(connection, schema, feed)),
    close: () => session.close(),
  };
}

async function renameFeed(
  connection: Connection,
  loads: string,
  { from, to }: { readonly from: string; readonly to: string },
  { instanceId, loadKeys }: Parameters<Receipts['renameFeed']>[2],
): Promise<void> {
  const renaming = `UPDATE ${loads} SET feed = $2 WHERE feed = $1`;
  try {
    await connection.query(`${renaming} AND instance_id = $3`, [from, to, instanceId]);
    const named = `${renaming} AND load_key = ANY($3::uuid[])`;
    await sliced(loadKeys, async (slice) => (await connection.query(named, [from, to, slice])).rows);
  } catch (error) {
    if (!isServerError(error) || error.code !== '23505') throw error;
    throw new TallymanError(
      'CONFIG_INVALID',
      `receipts of feed ${from} cannot go over to ${to}: the same content is loaded under both`,
      { cause: error, fix: `Say formerly: none in feed ${to}.` },
    );
  }
}

/** Long lists in slices, one after the other. */
async function sliced<A, B>(
  items: readonly A[],
  work: (slice: readonly A[]) => Promise<readonly B[]>,
): Promise<readonly B[]> {
  const results: B[] = [];
  for (let i = 0; i < items.length; i += SLICE) {
    for (const result of await work(items.slice(i, i + SLICE))) results.push(result);
  }
  return results;
}
