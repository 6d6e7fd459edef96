import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  controlNames,
  controlSchemaSql,
  ensureControlSchema,
  LIVE_CONTENT_INDEX,
  LIVE_DECODED_INDEX,
  LIVE_PATH_INDEX,
  readControlState,
} from '../../src/postgres/control/control-schema.js';
import { foundation } from '../../src/postgres/control/migrations/001-foundation.js';
import { createDatabase, type TestDatabase } from '../support/postgres.js';
import { specOf, withSpec } from './spec.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await createDatabase();
});
afterAll(() => database.drop());

const ensure = (schema: string, user?: string) =>
  withSpec(specOf(database.url, user === undefined ? {} : { user }), (connection) =>
    ensureControlSchema(connection, schema),
  );

async function insertLoad(schema: string, values: Record<string, unknown>): Promise<number> {
  const row = {
    load_key: crypto.randomUUID(),
    instance_id: 'i',
    feed: 'f',
    path: 'p',
    file_uri: 'file:///p',
    file_size: 1,
    target: 'staging.f',
    status: 'loaded',
    rows_read: 1,
    rows_loaded: 1,
    started_at: 'now',
    committed_at: 'now',
    ...values,
  };
  const names = Object.keys(row);
  const { rows } = await database.client.query<{ load_id: string }>(
    `INSERT INTO ${controlNames(schema).loads} (${names.join(', ')}) VALUES (${names.map((_, i) => `$${i + 1}`).join(', ')}) RETURNING load_id`,
    Object.values(row),
  );
  return Number(rows[0]!.load_id);
}
const SHA = 'a'.repeat(64);

describe('the control schema', () => {
  test('holds loads, quarantine and meta with the columns of the spec in that order', async () => {
    await ensure('tallyman');
    const { rows } = await database.client.query<{ table_name: string; columns: string }>(
      `SELECT table_name, string_agg(column_name || CASE WHEN data_type IN ('uuid', 'jsonb', 'bytea') THEN ' ' || data_type ELSE '' END, ', ' ORDER BY ordinal_position) AS columns
       FROM information_schema.columns WHERE table_schema = 'tallyman' GROUP BY 1 ORDER BY 1`,
    );
    const columns = new Map(rows.map((row) => [row.table_name, row.columns]));
    expect(columns.get('loads')).toBe(
      'load_id, load_key uuid, instance_id, feed, path, file_uri, file_sha256, file_size, file_mtime, file_version, target, generation, status, rows_read, rows_loaded, rows_quarantined, rows_skipped, rows_declared, duplicate_allowed, dialect jsonb, error_code, host, started_at, committed_at, replaces, content_sha256',
    );
    expect(columns.get('quarantine')).toBe(
      'quarantine_id, load_id, row_number, line_number, byte_offset, errors jsonb, raw bytea, raw_length, status, resolved_by, note, created_at',
    );
    expect(columns.get('meta')).toContain('database_id uuid');
    expect([...columns.keys()]).toEqual(['loads', 'meta', 'quarantine', 'quarantine_summary', 'tally', 'targets']);
  });

  test('is made once: a second call changes nothing and keeps the database id', async () => {
    const first = await ensure('twice');
    expect(await ensure('twice')).toEqual(first);
  });

  test('is made by eight processes at the same moment without an error', async () => {
    const states = await Promise.all(Array.from({ length: 8 }, () => ensure('together')));
    expect(new Set(states.map((state) => state.databaseId)).size).toBe(1);
  });

  test('takes any schema name', async () => {
    await ensure('Odd "name" \\ of 1');
    expect(await insertLoad('Odd "name" \\ of 1', {})).toBe(1);
  });

  test('goes into a schema that an administrator made, without the right to make schemas', async () => {
    await database.client.query(
      'CREATE ROLE maker LOGIN; CREATE SCHEMA made; GRANT USAGE, CREATE ON SCHEMA made TO maker',
    );
    expect((await ensure('made', 'maker')).version).toBe(2);
    await database.client.query('DROP OWNED BY maker; DROP ROLE maker');
  });

  test('is enough for a role without any right to create once it is there', async () => {
    const { databaseId } = await ensure('there');
    await database.client.query(
      'CREATE ROLE reader LOGIN; GRANT USAGE ON SCHEMA there TO reader; GRANT SELECT ON ALL TABLES IN SCHEMA there TO reader',
    );
    expect((await ensure('there', 'reader')).databaseId).toBe(databaseId);
    await database.client.query('DROP OWNED BY reader; DROP ROLE reader');
  });

  test('names the GRANT when the role may not create it', async () => {
    await database.client.query('CREATE ROLE nothing LOGIN');
    await expect(ensure('denied', 'nothing')).rejects.toMatchObject({
      code: 'DATABASE_RIGHTS',
      fix: expect.stringContaining('GRANT CREATE ON DATABASE') as unknown,
    });
    await database.client.query('DROP ROLE nothing');
  });

  test('of a newer tallyman is left alone', async () => {
    await ensure('newer');
    await database.client.query('UPDATE newer.meta SET version = 99');
    await expect(ensure('newer')).rejects.toMatchObject({
      code: 'CONTRACT_MISFIT',
      message: expect.stringContaining('version 99') as unknown,
    });
  });

  test('is busy, not waited for without end, while another session holds the lock', async () => {
    await database.client.query('BEGIN; CREATE SCHEMA locked');
    const blocked = ensure('locked').catch((error: unknown) => error);
    await expect(blocked).resolves.toMatchObject({ code: 'DATABASE_BUSY' });
    await database.client.query('ROLLBACK');
  });

  test('of the version before is brought up to date, beside a program that goes on writing as before', async () => {
    await database.client.query('CREATE SCHEMA before');
    for (const statement of foundation.statements('before')) await database.client.query(statement);
    await database.client.query('INSERT INTO before.meta (version) VALUES (1)');
    const first = await insertLoad('before', { path: 'a' });
    expect((await ensure('before')).version).toBe(2);
    expect(await insertLoad('before', { path: 'b' })).toBe(first + 1);
  });

  test('knows what is packed in a file without a version that the program before would refuse', async () => {
    const { version, additions } = await ensure('additive');
    expect([version, additions]).toEqual([2, 1]);
    // Receipts of the program before say nothing of it, and never collide over it.
    const packed = { file_sha256: 'b'.repeat(64), content_sha256: SHA };
    await insertLoad('additive', packed);
    await insertLoad('additive', { path: 'q', file_sha256: SHA });
    await expect(insertLoad('additive', { ...packed, path: 'r', file_sha256: 'c'.repeat(64) })).rejects.toMatchObject({
      code: '23505',
      constraint: LIVE_DECODED_INDEX,
    });
    await insertLoad('additive', { ...packed, path: 's', file_sha256: 'c'.repeat(64), duplicate_allowed: true });
    await insertLoad('additive', { ...packed, feed: 'g' });
  });

  test('tells the SQL that is missing when the role may not bring it up to date', async () => {
    await database.client.query('CREATE SCHEMA older');
    for (const statement of foundation.statements('older')) await database.client.query(statement);
    await database.client.query(
      'INSERT INTO older.meta (version) VALUES (1); CREATE ROLE user_only LOGIN; GRANT USAGE ON SCHEMA older TO user_only; GRANT SELECT ON ALL TABLES IN SCHEMA older TO user_only',
    );
    const refused = await ensure('older', 'user_only').catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'DATABASE_RIGHTS' });
    const { fix } = refused as { readonly fix: string };
    await database.client.query(fix.slice(fix.indexOf('BEGIN;')));
    await database.client.query('GRANT SELECT ON ALL TABLES IN SCHEMA older TO user_only');
    expect(await ensure('older', 'user_only')).toMatchObject({ version: 2, additions: 1 });
    await database.client.query('DROP OWNED BY user_only; DROP ROLE user_only');
  });

  test('is null before it is made', async () => {
    expect(await withSpec(specOf(database.url), (connection) => readControlState(connection, 'nowhere'))).toBeNull();
  });

  test('comes out as a script that makes the same', async () => {
    await database.client.query(controlSchemaSql('scripted'));
    expect((await ensure('scripted')).version).toBe(2);
  });
});

describe('receipts are unique', () => {
  test('by content within a feed, for live loads with rows, by an index that the loader knows by name', async () => {
    await ensure('uniq');
    await insertLoad('uniq', { file_sha256: SHA });
    await expect(insertLoad('uniq', { path: 'other', file_sha256: SHA })).rejects.toMatchObject({
      code: '23505',
      constraint: LIVE_CONTENT_INDEX,
    });
    await insertLoad('uniq', { path: 'other', file_sha256: SHA, feed: 'g' });
    await insertLoad('uniq', { path: 'other', file_sha256: SHA, status: 'superseded' });
    await insertLoad('uniq', { path: 'other', file_sha256: SHA, duplicate_allowed: true });
    await insertLoad('uniq', { path: 'third', file_sha256: SHA, rows_read: 0, rows_loaded: 0 });
  });

  test('by path and content for all live loads, empty and allowed duplicates too', async () => {
    await insertLoad('uniq', { path: 'empty', file_sha256: 'b'.repeat(64), rows_read: 0, rows_loaded: 0 });
    await expect(
      insertLoad('uniq', { path: 'empty', file_sha256: 'b'.repeat(64), rows_read: 0, rows_loaded: 0 }),
    ).rejects.toMatchObject({ code: '23505', constraint: LIVE_PATH_INDEX });
  });

  test('by load key', async () => {
    const load_key = crypto.randomUUID();
    await insertLoad('uniq', { load_key, path: 'k1' });
    await expect(insertLoad('uniq', { load_key, path: 'k2' })).rejects.toMatchObject({
      code: '23505',
      constraint: 'loads_load_key',
    });
  });

  test('and balance: a live receipt whose counts differ is refused by the table itself', async () => {
    await expect(
      insertLoad('uniq', { path: 'x', rows_read: 3, rows_loaded: 1, rows_quarantined: 1 }),
    ).rejects.toMatchObject({ constraint: 'loads_balance' });
  });
});

describe('the views', () => {
  const error = (column: string | null, message: string, value: string) => ({
    column,
    class: 'type-error',
    rule: null,
    message,
    value,
  });
  const quarantine = (loadId: number, row: number, errors: unknown, status = 'open') =>
    database.client.query(
      `INSERT INTO views.quarantine (load_id, row_number, line_number, errors, raw, raw_length, status) VALUES ($1, $2, $3, $4, 'x', 1, $5)`,
      [loadId, row, row + 1, JSON.stringify(errors), status],
    );

  test('tally shows one line a load with delta and open rows', async () => {
    await ensure('views');
    const id = await insertLoad('views', { rows_read: 5, rows_loaded: 3, rows_quarantined: 2, file_sha256: SHA });
    await quarantine(id, 2, [error('amount', 'not a number', 'x'), error('day', 'not a date', 'y')]);
    await quarantine(id, 4, [error('amount', 'not a number', 'z')], 'superseded');
    const rejected = await insertLoad('views', {
      status: 'rejected',
      rows_read: 7,
      rows_loaded: 0,
      rows_quarantined: 4,
      path: 'r',
    });
    const { rows } = await database.client.query(
      'SELECT load_id::int, rows_read::int, rows_loaded::int, delta::int, rows_open::int FROM views.tally ORDER BY load_id',
    );
    expect(rows).toEqual([
      { load_id: id, rows_read: 5, rows_loaded: 3, delta: 0, rows_open: 1 },
      { load_id: rejected, rows_read: 7, rows_loaded: 0, delta: null, rows_open: 0 },
    ]);
  });

  test('quarantine_summary groups open rows by file, column and reason, with the first one as example', async () => {
    const id = await insertLoad('views', { path: 'summary', rows_read: 9, rows_loaded: 6, rows_quarantined: 3 });
    await quarantine(id, 3, [error('amount', 'not a number', 'first'), error(null, 'short', '')]);
    await quarantine(id, 8, [error('amount', 'not a number', 'second')]);
    await quarantine(id, 1, [error('amount', 'not a number', 'gone')], 'discarded');
    const { rows } = await database.client.query(
      `SELECT "column", message, rows::int, first_row::int, first_line::int, example FROM views.quarantine_summary WHERE path = 'summary' ORDER BY rows DESC`,
    );
    expect(rows).toEqual([
      { column: 'amount', message: 'not a number', rows: 2, first_row: 3, first_line: 4, example: 'first' },
      { column: null, message: 'short', rows: 1, first_row: 3, first_line: 4, example: '' },
    ]);
  });
});
