import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { TargetSpec } from '../../src/core/feed/target.js';
import type { ReceiptRef } from '../../src/core/receipts.js';
import type { QuarantineRow } from '../../src/core/quarantine.js';
import type { Receipts } from '../../src/core/receipts.js';
import { controlNames } from '../../src/postgres/control/control-schema.js';
import { advisoryKey } from '../../src/postgres/connect/locks.js';
import { microsecondsSql, timestampSql } from '../../src/postgres/control/receipt-row.js';
import { openReceipts } from '../../src/postgres/control/receipts.js';
import { resolveLoad } from '../../src/postgres/control/resolve.js';
import { connect, createDatabase, type TestDatabase } from '../support/postgres.js';
import { specOf } from './spec.js';

let database: TestDatabase;
let receipts: Receipts;
let schema = 'control_0';
let made = 0;
beforeAll(async () => {
  database = await createDatabase();
});
beforeEach(async () => {
  schema = `control_${++made}`;
  receipts = openReceipts(specOf(database.url, { controlSchema: schema }));
  await receipts.prepare();
});
afterEach(() => receipts.close());
afterAll(() => database.drop());

const sql = (text: string, values?: unknown[]) => database.client.query<Record<string, unknown>>(text, values);

async function insertLoad(
  values: Record<string, unknown> = {},
): Promise<{ readonly id: number; readonly key: string }> {
  const row = {
    load_key: crypto.randomUUID(),
    instance_id: 'i',
    feed: 'orders',
    path: 'a.csv',
    file_uri: 'file:///a.csv',
    file_size: 10,
    target: 'public.t',
    status: 'loaded',
    rows_read: 2,
    rows_loaded: 2,
    started_at: '2026-11-20T06:00:00Z',
    committed_at: '2026-11-20T06:00:01.5Z',
    ...values,
  };
  const names = Object.keys(row);
  const { rows } = await sql(
    `INSERT INTO ${controlNames(schema).loads} (${names.join(', ')}) VALUES (${names.map((_, i) => `$${i + 1}`).join(', ')}) RETURNING load_id`,
    Object.values(row),
  );
  return { id: Number(rows[0]!['load_id']), key: row.load_key };
}

const ids = (list: readonly ReceiptRef[]): readonly number[] => list.map((receipt) => receipt.loadId);

describe('receipts', () => {
  test('tell the database id, which stays', async () => {
    const { databaseId } = await receipts.prepare();
    expect(databaseId).toMatch(/^[0-9a-f-]{36}$/);
    expect(await receipts.databaseId()).toBe(databaseId);
  });

  test('come back with every field', async () => {
    const { id, key } = await insertLoad({
      file_sha256: 'c'.repeat(64),
      content_sha256: 'd'.repeat(64),
      file_mtime: '2026-11-20T05:59:59.123456Z',
      file_version: 'v1',
      generation: 3,
      rows_read: 5,
      rows_quarantined: 2,
      rows_skipped: 1,
      rows_declared: 5,
      duplicate_allowed: true,
      replaces: '{1,2}',
    });
    expect(await receipts.byIds([id])).toEqual([
      {
        loadId: id,
        loadKey: key,
        instanceId: 'i',
        feed: 'orders',
        path: 'a.csv',
        fileUri: 'file:///a.csv',
        host: '',
        sha256: 'c'.repeat(64),
        contentSha256: 'd'.repeat(64),
        size: 10,
        mtimeUs: 1_795_154_399_123_456,
        version: 'v1',
        generation: 3,
        status: 'loaded',
        duplicateAllowed: true,
        rows: { read: 5, loaded: 2, quarantined: 2, skipped: 1, declared: 5, delta: 0 },
        errorCode: null,
        committedAt: '2026-11-20T06:00:01.500Z',
        replaces: [1, 2],
      },
    ]);
  });

  test('of a rejected file have no delta', async () => {
    const { id } = await insertLoad({
      status: 'rejected',
      rows_read: 9,
      rows_loaded: 0,
      rows_quarantined: 4,
      error_code: 'TOO_MANY_BAD_ROWS',
    });
    expect((await receipts.byIds([id]))[0]).toMatchObject({
      status: 'rejected',
      errorCode: 'TOO_MANY_BAD_ROWS',
      rows: { delta: null },
    });
  });

  test('are read on from a load id, ascending, so many at most', async () => {
    const [a, b, c] = [
      await insertLoad({ path: 'a' }),
      await insertLoad({ path: 'b' }),
      await insertLoad({ path: 'c' }),
    ];
    expect(ids(await receipts.after(0, 2))).toEqual([a.id, b.id]);
    expect(ids(await receipts.after(b.id, 100))).toEqual([c.id]);
  });

  test('are looked up by key, thousands at once', async () => {
    const { key } = await insertLoad();
    const unknown = Array.from({ length: 12_000 }, () => crypto.randomUUID());
    expect(await receipts.present([...unknown, key])).toEqual(new Set([key]));
  });

  test('are cleared when they are live or ignored, and keep their rows', async () => {
    const live = await insertLoad({ path: 'a' });
    const ignored = await insertLoad({ path: 'b', status: 'ignored' });
    const rejected = await insertLoad({ path: 'c', status: 'rejected' });
    expect(await receipts.clear([live.id, ignored.id, rejected.id, 999])).toBe(2);
    expect((await receipts.byIds([live.id, ignored.id, rejected.id])).map((r) => r.status)).toEqual([
      'cleared',
      'cleared',
      'rejected',
    ]);
    expect(await receipts.clear([live.id])).toBe(0);
  });

  test('of adopted files are ignored, without rows, and may be written twice', async () => {
    const file = {
      loadKey: crypto.randomUUID(),
      feed: 'orders',
      path: "o'ld\n.csv",
      fileUri: 'file:///old',
      size: 7,
      mtimeUs: 1_700_000_000_000_001,
      version: 'v',
      target: 'public.t',
    };
    const other = { ...file, loadKey: crypto.randomUUID(), path: 'x', mtimeUs: null };
    const me = { instanceId: 'me', host: 'my host' };
    const loadIds = await receipts.adopt([file, other], me);
    expect([...(await receipts.adopt([file, other], me))]).toEqual([]);
    const found = await receipts.after(0, 10);
    expect(found).toHaveLength(2);
    expect(found[0]).toMatchObject({
      loadKey: file.loadKey,
      instanceId: 'me',
      host: 'my host',
      path: file.path,
      size: 7,
      mtimeUs: file.mtimeUs,
      status: 'ignored',
      sha256: null,
      rows: { read: 0, loaded: 0, delta: 0 },
    });
    expect(found[1]!.mtimeUs).toBeNull();
    expect(found.map((receipt) => [receipt.loadKey, receipt.loadId])).toEqual([...loadIds]);
  });

  test('keep every microsecond of a time, forth and back', async () => {
    for (const us of ['0', '1', '-1', '1795154399999999', '253402300799999999', '-62135596799999999']) {
      const { rows } = await sql(`SELECT ${microsecondsSql(timestampSql('$1::bigint'))}::text AS us`, [us]);
      expect(rows[0]!['us']).toBe(us);
    }
  });

  test('of files from the far future can be read', async () => {
    const { id } = await insertLoad({ file_mtime: '9999-12-31T23:59:59.999999Z' });
    expect((await receipts.byIds([id]))[0]!.mtimeUs).toBeCloseTo(253_402_300_799_999_999, -3);
  });

  test('are found nowhere, without an error, before the control schema is there', async () => {
    const early = openReceipts(specOf(database.url, { controlSchema: 'not_yet' }));
    expect(await early.databaseId()).toBeNull();
    expect([
      await early.after(0, 10),
      await early.byIds([1]),
      await early.liveCounts('f'),
      await early.quarantineGroups(null),
      await early.openQuarantine('f'),
    ]).toEqual([[], [], [], [], 0]);
    expect((await early.present([crypto.randomUUID()])).size).toBe(0);
    await early.close();
  });

  test('go on over a new connection when theirs was terminated', async () => {
    await receipts.after(0, 1);
    await sql(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'tallyman control'`,
    );
    expect(await receipts.after(0, 1)).toEqual([]);
  });

  test('say that the database cannot be reached', async () => {
    const nowhere = openReceipts(specOf(database.url, { port: 1 }));
    await expect(nowhere.after(0, 1)).rejects.toMatchObject({ code: 'DATABASE_UNREACHABLE' });
    await nowhere.close();
  });
});

describe('live counts', () => {
  test('stand beside what the receipts say, for every table that the feed ever loaded into', async () => {
    await sql(
      `CREATE TABLE public.t${made} (_load_id bigint, _row bigint); CREATE SCHEMA "Odd.${made}"; CREATE TABLE "Odd.${made}"."T" (_load_id bigint, _row bigint)`,
    );
    const a = await insertLoad({ path: 'a', target: `public.t${made}` });
    const b = await insertLoad({ path: 'b', target: `"Odd.${made}"."T"` });
    const gone = await insertLoad({ path: 'c', target: 'public.gone' });
    const emptied = await insertLoad({ path: 'd', target: `public.t${made}` });
    await insertLoad({ path: 'e', target: `public.t${made}`, status: 'superseded' });
    await insertLoad({ path: 'f', feed: 'other', target: `public.t${made}` });
    await sql(
      `INSERT INTO public.t${made} VALUES (${a.id}, 1), (${a.id}, 2), (99, 1); INSERT INTO "Odd.${made}"."T" VALUES (${b.id}, 1)`,
    );
    const counts = (await receipts.liveCounts('orders')).map((c) => [c.receipt.loadId, c.target, c.present]);
    expect(counts).toEqual([
      [a.id, `public.t${made}`, 2],
      [b.id, `"Odd.${made}"."T"`, 1],
      [gone.id, 'public.gone', null],
      [emptied.id, `public.t${made}`, 0],
    ]);
  });

  test('are looked for in the table of today where the receipt has a former name, and of replaced loads what is left', async () => {
    await sql(`CREATE TABLE public.new${made} (_load_id bigint, _row bigint)`);
    const a = await insertLoad({ path: 'a', target: `public.old${made}` });
    const left = await insertLoad({ path: 'b', target: `public.old${made}`, status: 'superseded' });
    await insertLoad({ path: 'c', target: `public.old${made}`, status: 'superseded' });
    await sql(`INSERT INTO public.new${made} VALUES (${a.id}, 1), (${left.id}, 1)`);
    const own = { schema: 'public', table: `new${made}`, mode: 'append', create: true, loadIndex: 'none' } as const;
    const formerly = [{ schema: 'public', table: `old${made}` }];
    const counts = async (target: TargetSpec) =>
      (await receipts.liveCounts('orders', target)).map((c) => [c.receipt.loadId, c.target, c.present]);
    expect(await counts({ ...own, formerly })).toEqual([
      [a.id, `public.old${made}`, 1],
      [left.id, `public.old${made}`, 1],
    ]);
    expect((await counts(own))[0]).toEqual([a.id, `public.old${made}`, null]);
  });

  test('are right for more loads than an index helps with', async () => {
    await sql(`CREATE TABLE public.many${made} (_load_id bigint, _row bigint)`);
    for (let i = 0; i < 101; i++)
      await insertLoad({ path: `p${i}`, target: `public.many${made}`, rows_read: 1, rows_loaded: 1 });
    await sql(`INSERT INTO public.many${made} SELECT load_id, 1 FROM ${controlNames(schema).loads}`);
    const counts = await receipts.liveCounts('orders');
    expect([counts.length, counts.every((c) => c.present === 1)]).toEqual([101, true]);
  });

  test('never run what stands in target as SQL', async () => {
    await sql(`CREATE TABLE public.victim${made} ()`);
    await insertLoad({ target: `public.t; DROP TABLE public.victim${made}` });
    // PostgreSQL 16 finds no such table, older ones say that it is no name.
    await Promise.allSettled([receipts.liveCounts('orders')]);
    const { rows } = await sql(`SELECT to_regclass('public.victim${made}') IS NOT NULL AS there`);
    expect(rows[0]!['there']).toBe(true);
  });
});

describe('quarantine', () => {
  const fault = (message: string, value: string | null = 'v') => ({
    column: 'amount',
    class: 'type-error',
    rule: null,
    message,
    value,
  });
  const put = (loadId: number, row: number, errors: unknown, raw: Buffer | string = 'raw', status = 'open') =>
    sql(
      `INSERT INTO ${controlNames(schema).quarantine} (load_id, row_number, line_number, byte_offset, errors, raw, raw_length, status) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
      [loadId, row, row + 1, row * 10, JSON.stringify(errors), Buffer.from(raw), Buffer.from(raw).length, status],
    );

  async function pages(loadId: number): Promise<readonly (readonly QuarantineRow[])[]> {
    const all: (readonly QuarantineRow[])[] = [];
    for await (const page of receipts.quarantineRows(loadId)) all.push(page);
    return all;
  }

  test('is grouped by file, column and reason, for one feed or all', async () => {
    const a = await insertLoad({ path: 'a', rows_read: 4, rows_quarantined: 2 });
    const b = await insertLoad({ path: 'b', feed: 'other', rows_read: 3, rows_quarantined: 1 });
    await put(a.id, 2, [fault('not a number', 'first')]);
    await put(a.id, 5, [fault('not a number', 'second'), fault('too big')]);
    await put(b.id, 1, [fault('not a number')]);
    const groups = await receipts.quarantineGroups('orders');
    expect(groups).toEqual([
      {
        feed: 'orders',
        path: 'a',
        loadId: a.id,
        column: 'amount',
        class: 'type-error',
        message: 'not a number',
        rows: 2,
        firstRow: 2,
        firstLine: 3,
        example: 'first',
      },
      {
        feed: 'orders',
        path: 'a',
        loadId: a.id,
        column: 'amount',
        class: 'type-error',
        message: 'too big',
        rows: 1,
        firstRow: 5,
        firstLine: 6,
        example: 'v',
      },
    ]);
    expect(await receipts.quarantineGroups(null)).toHaveLength(3);
  });

  test('is counted by feed, open rows only', async () => {
    const { id } = await insertLoad({ rows_read: 4, rows_quarantined: 2 });
    await put(id, 1, [fault('x')]);
    await put(id, 2, [fault('x')], 'raw', 'superseded');
    expect([await receipts.openQuarantine('orders'), await receipts.openQuarantine('none')]).toEqual([1, 0]);
  });

  test('rows come back byte for byte, in order, with all their faults', async () => {
    const { id } = await insertLoad();
    const raw = Buffer.from([0, 255, 34, 10, 92]);
    await put(id, 7, [fault('b')]);
    await put(id, 3, [fault('a', null), fault('b')], raw);
    const [page] = await pages(id);
    expect(page?.map((row) => [row.row, row.line, row.byteOffset, row.raw, row.rawLength])).toEqual([
      [3, 4, 30, raw, 5],
      [7, 8, 70, Buffer.from('raw'), 3],
    ]);
    expect(page?.[0]!.errors).toEqual([fault('a', null), fault('b')]);
  });

  test('come in pages of a thousand rows, none twice and none left out', async () => {
    const { id } = await insertLoad();
    await sql(
      `INSERT INTO ${controlNames(schema).quarantine} (load_id, row_number, errors, raw, raw_length) SELECT $1, g / 2, '[]', 'x', 1 FROM generate_series(1, 2500) g`,
      [id],
    );
    const all = await pages(id);
    expect(all.map((page) => page.length)).toEqual([1000, 1000, 500]);
    expect(new Set(all.flat().map((row) => row.quarantineId)).size).toBe(2500);
  });

  test('end a page at 8 MiB of raw bytes, and never give an empty one before the end', async () => {
    const { id } = await insertLoad();
    for (let row = 1; row <= 3; row++) await put(id, row, [], Buffer.alloc(9 * 1024 * 1024, row));
    expect((await pages(id)).map((page) => page.map((row) => row.row))).toEqual([[1], [2], [3]]);
  });
});

describe('a load whose end is unknown', () => {
  const quick = { lockTimeout: '50ms', patienceMs: 0, giveUpMs: 20_000 };
  const resolve = (key: string, times = quick) =>
    resolveLoad(specOf(database.url, { controlSchema: schema }), key, times);

  /** A session that is in the middle of that load, as a loader's is: lock first. */
  async function loading(key: string) {
    const client = await connect(database.url);
    await client.query('BEGIN');
    await client.query('SELECT pg_advisory_xact_lock($1::bigint)', [advisoryKey('load-key', key)]);
    return client;
  }
  const insertWith = (key: string) =>
    `INSERT INTO ${controlNames(schema).loads} (load_key, instance_id, feed, path, file_uri, file_size, target, status, started_at, committed_at) VALUES ('${key}', 'i', 'f', 'p', 'u', 1, 't', 'loaded', now(), now())`;

  test('was committed when its receipt is there', async () => {
    const { id, key } = await insertLoad();
    expect((await receipts.resolve(key))?.loadId).toBe(id);
  });

  test('was rolled back when nobody works on it and there is none', async () => {
    expect(await receipts.resolve(crypto.randomUUID())).toBeNull();
  });

  test('is waited for while its backend lives: the receipt that it commits meanwhile is found', async () => {
    const key = crypto.randomUUID();
    const backend = await loading(key);
    await backend.query(insertWith(key));
    const answer = resolve(key, { lockTimeout: '20s', patienceMs: 60_000, giveUpMs: 60_000 });
    // Only once it waits does the commit come.
    for (let waits = false; !waits;) {
      const { rows } = await sql(`SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted`);
      waits = rows.length > 0;
    }
    await backend.query('COMMIT');
    expect((await answer)?.loadKey).toBe(key);
    await backend.end();
  });

  test('is ended when its backend works on past all patience, and then it was rolled back', async () => {
    const key = crypto.randomUUID();
    const backend = await loading(key);
    await backend.query(insertWith(key));
    const ended = new Promise((done) => backend.once('end', done));
    expect(await resolve(key)).toBeNull();
    await ended;
  });

  test('leaves other loads alone', async () => {
    const [mine, other] = [crypto.randomUUID(), crypto.randomUUID()];
    const backends = [await loading(mine), await loading(other)];
    await resolve(mine);
    expect((await backends[1]!.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    await backends[1]!.end();
  });

  test('is never told rolled back while its backend lives: it stays unknown when that cannot be ended', async () => {
    const key = crypto.randomUUID();
    const backend = await loading(key);
    await expect(resolve(key, { lockTimeout: '20ms', patienceMs: 60_000, giveUpMs: 0 })).rejects.toMatchObject({
      code: 'DATABASE_BUSY',
    });
    await backend.end();
  });

  test('stays unknown when the receipts themselves are gone', async () => {
    await expect(
      resolveLoad(specOf(database.url, { controlSchema: 'dropped' }), crypto.randomUUID(), quick),
    ).rejects.toMatchObject({ code: 'DATABASE_CHANGED' });
  });
});
