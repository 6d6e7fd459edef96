import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TargetSpec } from '../../src/core/feed/target.js';
import { inspectTable, fingerprintSql, type TargetTable } from '../../src/postgres/staging/catalog.js';
import { refusesBeyond } from '../../src/postgres/staging/staging-plan.js';
import { stagingSql, type StagingColumn } from '../../src/postgres/staging/staging-sql.js';
import { ensureStaging } from '../../src/postgres/staging/staging-table.js';
import { createDatabase, type TestDatabase } from '../support/postgres.js';
import { specOf, withSpec } from './spec.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await createDatabase();
  await database.client.query('CREATE SCHEMA s');
});
afterAll(() => database.drop());

const sql = (text: string) => database.client.query(text);
const target = (table: string, change: Partial<TargetSpec> = {}): TargetSpec => ({
  schema: 's',
  table,
  mode: 'append',
  create: true,
  loadIndex: 'none',
  ...change,
});
const column = (name: string, type = 'text', required = false): StagingColumn => ({ name, type, required });
const ensure = (spec: TargetSpec, columns: readonly StagingColumn[], user?: string) =>
  withSpec(specOf(database.url, user === undefined ? {} : { user }), (c) => ensureStaging(c, spec, columns));
const inspect = (table: string, user?: string) =>
  withSpec(specOf(database.url, user === undefined ? {} : { user }), (c) => inspectTable(c, 's', table));
async function inspected(table: string): Promise<TargetTable> {
  const found = await inspect(table);
  if (found === null) throw new Error(`no table ${table}`);
  return found;
}
const LINEAGE = '_load_id bigint NOT NULL, _row bigint NOT NULL';
const misfit = (...words: string[]) => ({
  code: 'CONTRACT_MISFIT',
  message: expect.stringMatching(
    new RegExp(words.map((w) => w.replaceAll(/[()[\]."]/g, '\\$&')).join('.*')),
  ) as unknown,
});

describe('a missing table', () => {
  test('is created with its schema: lineage columns first, the contract behind, NOT NULL where required', async () => {
    const table = await ensure(target('orders', { schema: 'New Schema' }), [
      column('id', 'bigint', true),
      column('amount', 'numeric(12,2)'),
      column('who', 'varchar(80)'),
    ]);
    expect(table.columns.map((c) => `${c.name} ${c.type.formatted}${c.notNull ? ' not null' : ''}`)).toEqual([
      '_load_id bigint not null',
      '_row bigint not null',
      'id bigint not null',
      'amount numeric(12,2)',
      'who character varying(80)',
    ]);
    expect(table).toMatchObject({
      relkind: 'r',
      permanent: true,
      onlyDatabaseCanRefuse: false,
      hasUniqueOrExclusion: false,
      loadIndex: null,
    });
  });

  test.each(['brin', 'btree'] as const)('gets the %s index on _load_id that the feed asks for', async (loadIndex) => {
    expect((await ensure(target(`indexed_${loadIndex}`, { loadIndex }), [])).loadIndex).toBe(loadIndex);
  });

  test('is a misfit with the CREATE TABLE when create is false', async () => {
    await expect(ensure(target('absent', { create: false }), [column('a')])).rejects.toMatchObject(
      misfit('target.create is false', 'CREATE TABLE "s"."absent"'),
    );
  });

  test('is created once by six processes at the same moment', async () => {
    const tables = await Promise.all(Array.from({ length: 6 }, () => ensure(target('race'), [column('a')])));
    expect(new Set(tables.map((t) => t.oid)).size).toBe(1);
  });

  test('comes out as a script that PostgreSQL runs', async () => {
    await sql(
      stagingSql(target('scripted', { loadIndex: 'brin' }), [
        column('a', 'double precision'),
        column('weird "one"', 'timestamptz'),
      ]),
    );
    expect((await inspected('scripted')).columns.map((c) => c.name)).toEqual(['_load_id', '_row', 'a', 'weird "one"']);
  });

  test('names the statement when the role may not create it', async () => {
    await sql('CREATE ROLE poor LOGIN');
    await expect(ensure(target('t', { schema: 'other' }), [], 'poor')).rejects.toMatchObject({
      code: 'DATABASE_RIGHTS',
      message: expect.stringContaining('CREATE SCHEMA "other"') as unknown,
    });
    await sql('DROP ROLE poor');
  });

  test('a type that is none never becomes SQL', async () => {
    await expect(ensure(target('injected'), [column('a', 'text); DROP SCHEMA s CASCADE; --')])).rejects.toMatchObject({
      code: 'CONTRACT_MISFIT',
    });
  });
});

describe('a table that is there', () => {
  test('is taken as it is when it fits', async () => {
    await sql(`CREATE TABLE s.fits (${LINEAGE}, a text, extra text DEFAULT 'x', seq int GENERATED ALWAYS AS IDENTITY)`);
    expect((await ensure(target('fits'), [column('a', 'varchar(5)')])).onlyDatabaseCanRefuse).toBe(false);
  });

  test('gets missing columns that are not required', async () => {
    await sql(`CREATE TABLE s.grows (${LINEAGE}, a text)`);
    const table = await ensure(target('grows'), [column('a'), column('b', 'integer'), column('c', 'jsonb')]);
    expect(table.columns.map((c) => c.name)).toEqual(['_load_id', '_row', 'a', 'b', 'c']);
  });

  test('lacking a required column is a misfit with the ALTER', async () => {
    await sql(`CREATE TABLE s.lacks (${LINEAGE})`);
    await expect(ensure(target('lacks'), [column('b', 'integer', true)])).rejects.toMatchObject(
      misfit('column b is missing', 'ALTER TABLE "s"."lacks" ADD COLUMN "b" integer'),
    );
  });

  test('lacking any column is a misfit when create is false', async () => {
    await sql(`CREATE TABLE s.fixed (${LINEAGE})`);
    await expect(ensure(target('fixed', { create: false }), [column('b')])).rejects.toMatchObject(
      misfit('column b is missing', 'ADD COLUMN'),
    );
  });

  test.each([
    ['without lineage columns', 'a text', [column('a')], ['_load_id is missing', 'ADD COLUMN "_load_id" bigint']],
    ['with a lineage column of another type', '_load_id int, _row bigint', [], ['_load_id is integer', 'TYPE bigint']],
    [
      'whose column cannot take the contract',
      `${LINEAGE}, a integer`,
      [column('a', 'timestamptz')],
      ['column a is integer, the contract says timestamptz', 'ALTER COLUMN "a" TYPE timestamptz'],
    ],
    [
      'with an uncovered NOT NULL column without default',
      `${LINEAGE}, must text NOT NULL`,
      [],
      ['column must is NOT NULL', 'ALTER COLUMN "must" DROP NOT NULL'],
    ],
    [
      'with a generated column in the contract',
      `${LINEAGE}, a int, g int GENERATED ALWAYS AS (a * 2) STORED`,
      [column('g', 'integer')],
      ['column g is generated', 'DROP EXPRESSION'],
    ],
  ] as const)('%s is a misfit with the ALTER in the message', async (name, definition, columns, words) => {
    const table = `misfit_${Buffer.from(name).toString('hex').slice(0, 40)}`;
    await sql(`CREATE TABLE s.${table} (${definition})`);
    await expect(ensure(target(table), columns)).rejects.toMatchObject(misfit(...words));
  });

  test('the ALTERs of a misfit mend it', async () => {
    await sql(`CREATE TABLE s.mend (a integer, must text NOT NULL); INSERT INTO s.mend VALUES (1, 'x')`);
    const error: unknown = await ensure(target('mend'), [column('a', 'timestamptz'), column('b', 'date', true)]).catch(
      (e: unknown) => e,
    );
    const run = /Run: (.*)$/.exec(error instanceof Error ? error.message : '')?.[1] ?? '';
    await sql(run.replace('"a"::text::timestamptz', 'to_timestamp("a")'));
    expect(
      (await ensure(target('mend'), [column('a', 'timestamptz'), column('b', 'date', true)])).columns,
    ).toHaveLength(5);
  });

  test.each([
    ['a view', `CREATE VIEW s.kind_0 AS SELECT 1::bigint AS _load_id, 1::bigint AS _row`, 'a view'],
    [
      'a materialized view',
      `CREATE MATERIALIZED VIEW s.kind_1 AS SELECT 1::bigint AS _load_id, 1::bigint AS _row`,
      'a materialized view',
    ],
    ['an unlogged table', `CREATE UNLOGGED TABLE s.kind_2 (${LINEAGE})`, 'not permanent.*SET LOGGED'],
    [
      'a foreign table',
      `CREATE FOREIGN DATA WRAPPER w; CREATE SERVER srv FOREIGN DATA WRAPPER w; CREATE FOREIGN TABLE s.kind_3 (${LINEAGE}) SERVER srv`,
      'a foreign table',
    ],
    [
      'a partitioned table with a foreign partition',
      `CREATE TABLE s.kind_4 (${LINEAGE}, d date) PARTITION BY LIST (d); CREATE FOREIGN TABLE s.kind_4_f PARTITION OF s.kind_4 DEFAULT SERVER srv`,
      'kind_4_f is a foreign table',
    ],
    ['a sequence', `CREATE SEQUENCE s.kind_5`, 'a sequence'],
  ])('%s is a misfit', async (_name, create, words) => {
    await sql(create);
    const table = /kind_\d/.exec(create)![0];
    await expect(ensure(target(table), [])).rejects.toMatchObject({
      code: 'CONTRACT_MISFIT',
      message: expect.stringMatching(words) as unknown,
    });
  });

  test('under row level security for our role is a misfit; for its owner it is not', async () => {
    await sql(
      `CREATE ROLE plain LOGIN; CREATE TABLE s.secured (${LINEAGE}); ALTER TABLE s.secured ENABLE ROW LEVEL SECURITY; GRANT USAGE ON SCHEMA s TO plain; GRANT SELECT, INSERT ON s.secured TO plain`,
    );
    await expect(ensure(target('secured'), [], 'plain')).rejects.toMatchObject(misfit('row level security'));
    expect((await ensure(target('secured'), [])).rowSecurity).toBe(false);
  });

  test('where our role may not write: DATABASE_RIGHTS with the GRANT', async () => {
    await sql(`CREATE TABLE s.readonly (${LINEAGE}); GRANT SELECT ON s.readonly TO plain`);
    await expect(ensure(target('readonly'), [], 'plain')).rejects.toMatchObject({
      code: 'DATABASE_RIGHTS',
      message: expect.stringContaining('GRANT SELECT, INSERT, DELETE ON "s"."readonly" TO plain') as unknown,
    });
    await sql('DROP OWNED BY plain; DROP ROLE plain');
  });

  test('locked by another session for long: DATABASE_BUSY', async () => {
    await sql(`CREATE TABLE s.locked (${LINEAGE}); BEGIN; LOCK TABLE s.locked`);
    await expect(ensure(target('locked'), [column('new')])).rejects.toMatchObject({ code: 'DATABASE_BUSY' });
    await sql('ROLLBACK');
  });
});

describe('what the catalog tells', () => {
  test('domains are resolved to their base type, with its precision, default and NOT NULL', async () => {
    await sql(
      `CREATE DOMAIN s.price AS numeric(5,2); CREATE DOMAIN s.fee AS s.price NOT NULL DEFAULT 1; CREATE TABLE s.domains (${LINEAGE}, p s.price, f s.fee)`,
    );
    const { columns, onlyDatabaseCanRefuse } = await inspected('domains');
    expect(columns.slice(2).map((c) => [c.type.typname, c.type.formatted, c.notNull, c.hasDefault])).toEqual([
      ['numeric', 'numeric(5,2)', false, false],
      ['numeric', 'numeric(5,2)', true, true],
    ]);
    expect(onlyDatabaseCanRefuse).toBe(false);
  });

  test('enums come with their labels in order', async () => {
    await sql(
      `CREATE TYPE s.mood AS ENUM ('sad', 'ok', 'a "b"'); ALTER TYPE s.mood ADD VALUE 'first' BEFORE 'sad'; CREATE TABLE s.enums (${LINEAGE}, m s.mood)`,
    );
    expect((await inspected('enums')).columns[2]!.type.enumLabels).toEqual(['first', 'sad', 'ok', 'a "b"']);
  });

  test.each([
    ['CHECK', `${LINEAGE}, a int CHECK (a > 0)`, ''],
    ['a unique constraint', `${LINEAGE}, a int UNIQUE`, ''],
    ['a unique index', `${LINEAGE}, a int`, 'CREATE UNIQUE INDEX ON s.TABLE (a)'],
    ['an exclusion constraint', `${LINEAGE}, a int, EXCLUDE USING btree (a WITH =)`, ''],
    ['a foreign key', `${LINEAGE}, a int REFERENCES s.parent`, ''],
    [
      'a trigger on INSERT',
      LINEAGE,
      'CREATE TRIGGER t BEFORE INSERT ON s.TABLE FOR EACH ROW EXECUTE FUNCTION s.nothing()',
    ],
    ['a domain with CHECK', `${LINEAGE}, a s.positive`, ''],
    ['partitions', `${LINEAGE}, d date) PARTITION BY LIST (d`, 'CREATE TABLE s.TABLE_1 PARTITION OF s.TABLE DEFAULT'],
    ['an index over an expression', `${LINEAGE}, a int`, 'CREATE INDEX ON s.TABLE ((1 / a))'],
    ['a generated column', `${LINEAGE}, a int, g int GENERATED ALWAYS AS (1 / a) STORED`, ''],
  ])('%s can refuse rows that only PostgreSQL sees', async (name, definition, more) => {
    await sql(
      `CREATE TABLE IF NOT EXISTS s.parent (id int PRIMARY KEY); CREATE OR REPLACE FUNCTION s.nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END'`,
    );
    await sql(
      `DO $$ BEGIN CREATE DOMAIN s.positive AS int CHECK (value > 0); EXCEPTION WHEN duplicate_object THEN NULL; END $$`,
    );
    const table = `refuses_${Buffer.from(name).toString('hex').slice(0, 40)}`;
    await sql(
      `CREATE TABLE s.${table} (${definition}); ${more.replaceAll('TABLE ', `${table} `).replaceAll('TABLE_', `${table}_`).replaceAll(`CREATE ${table}`, 'CREATE TABLE')}`,
    );
    expect((await inspected(table)).onlyDatabaseCanRefuse).toBe(true);
  });

  test('a disabled trigger, one on UPDATE and a plain index refuse nothing', async () => {
    await sql(`CREATE TABLE s.calm (${LINEAGE}, a int); CREATE INDEX ON s.calm (a); CREATE TRIGGER u BEFORE UPDATE ON s.calm FOR EACH ROW EXECUTE FUNCTION s.nothing();
      CREATE TRIGGER d BEFORE INSERT ON s.calm FOR EACH ROW EXECUTE FUNCTION s.nothing(); ALTER TABLE s.calm DISABLE TRIGGER d`);
    expect((await inspected('calm')).refusers).toEqual([]);
  });

  test('NOT NULL refuses beyond a contract that does not require the column, and so does a type that only PostgreSQL reads', async () => {
    await sql(`CREATE TABLE s.beyond (${LINEAGE}, a int NOT NULL, addr inet)`);
    const table = await inspected('beyond');
    expect(refusesBeyond(table, [column('a', 'integer', true)])).toBe(false);
    expect(refusesBeyond(table, [column('a', 'integer')])).toBe(true);
    expect(refusesBeyond(table, [column('a', 'integer', true), column('addr', 'text')])).toBe(true);
  });

  test('unique constraints are told, deferrable ones too', async () => {
    await sql(`CREATE TABLE s.deferred (${LINEAGE}, a int UNIQUE DEFERRABLE INITIALLY DEFERRED)`);
    expect(await inspected('deferred')).toMatchObject({ hasTriggers: false, hasUniqueOrExclusion: true });
  });

  test('the leaves of a partitioned table are its partitions, down to the last level', async () => {
    await sql(`CREATE TABLE s.parts (${LINEAGE}, a int, b int) PARTITION BY LIST (a); CREATE TABLE s.parts_1 PARTITION OF s.parts FOR VALUES IN (1) PARTITION BY LIST (b);
      CREATE TABLE s.parts_1_1 PARTITION OF s.parts_1 DEFAULT; CREATE TABLE s.parts_2 PARTITION OF s.parts DEFAULT`);
    expect((await inspected('parts')).leaves.map((leaf) => leaf.name).sort()).toEqual(['parts_1_1', 'parts_2']);
  });

  test('a contract type fits every real type of its family, and text fits all', async () => {
    await sql(
      `CREATE TABLE s.families (${LINEAGE}, i smallint, n numeric, f real, d date, ts timestamp(0), tz timestamptz, t time, b boolean, u uuid, y bytea, j json, e s.mood, arr int[], ip inet, c char(3), v varchar)`,
    );
    const real = ['i', 'n', 'f', 'd', 'ts', 'tz', 't', 'b', 'u', 'y', 'j', 'e', 'arr', 'ip', 'c', 'v'];
    await ensure(
      target('families'),
      real.map((name) => column(name, 'text')),
    );
    const fits = {
      i: 'bigint',
      n: 'double precision',
      f: 'numeric(5,2)',
      d: 'timestamp',
      ts: 'timestamptz',
      tz: 'date',
      t: 'time',
      b: 'boolean',
      u: 'uuid',
      y: 'bytea',
      j: 'jsonb',
      c: 'integer',
      v: 'timestamptz',
    };
    await ensure(
      target('families'),
      Object.entries(fits).map(([name, type]) => column(name, type)),
    );
    const not = {
      i: 'boolean',
      n: 'date',
      d: 'time',
      t: 'timestamp',
      b: 'integer',
      u: 'bigint',
      y: 'uuid',
      j: 'integer',
      e: 'integer',
      arr: 'integer',
      ip: 'uuid',
    };
    for (const [name, type] of Object.entries(not))
      await expect(ensure(target('families'), [column(name, type)])).rejects.toMatchObject({ code: 'CONTRACT_MISFIT' });
  });
});

describe('the fingerprint', () => {
  const now = async (table: string): Promise<unknown> =>
    (await database.client.query<{ f: string | null }>(`SELECT ${fingerprintSql('s', table)} AS f`)).rows[0]!.f;

  test('is the one that inspectTable gave, and stays while rows come and go', async () => {
    await sql(`CREATE TABLE s.printed (${LINEAGE}, a s.positive, m s.mood)`);
    const before = (await inspected('printed')).fingerprint;
    await sql(
      `INSERT INTO s.printed SELECT 1, g, g, 'ok' FROM generate_series(1, 2000) g; ANALYZE s.printed; DELETE FROM s.printed`,
    );
    await sql('VACUUM s.printed');
    expect(await now('printed')).toBe(before);
  });

  test.each([
    ['a column is added', 'ALTER TABLE s.printed ADD COLUMN b int'],
    ['a column changes its type', 'ALTER TABLE s.printed ALTER COLUMN b TYPE bigint'],
    ['a constraint is added', 'ALTER TABLE s.printed ADD CONSTRAINT k CHECK (b > 0)'],
    ['a constraint is dropped', 'ALTER TABLE s.printed DROP CONSTRAINT k'],
    ['a unique index is made', 'CREATE UNIQUE INDEX printed_u ON s.printed (b)'],
    ['a trigger is made', 'CREATE TRIGGER one BEFORE INSERT ON s.printed FOR EACH ROW EXECUTE FUNCTION s.nothing()'],
    [
      'a second trigger is made',
      'CREATE TRIGGER two BEFORE INSERT ON s.printed FOR EACH ROW EXECUTE FUNCTION s.nothing()',
    ],
    ['a trigger is disabled', 'ALTER TABLE s.printed DISABLE TRIGGER two'],
    ['a domain gets a CHECK', 'ALTER DOMAIN s.positive ADD CONSTRAINT more CHECK (value < 1000000)'],
    ['an enum gets a label', `ALTER TYPE s.mood ADD VALUE 'new'`],
    ['a right is taken', 'REVOKE INSERT ON s.printed FROM CURRENT_USER'],
    ['the table is made anew', `DROP TABLE s.printed; CREATE TABLE s.printed (${LINEAGE})`],
  ])('changes when %s', async (_name, change) => {
    const before = await now('printed');
    await sql(change);
    expect(await now('printed')).not.toBe(before);
  });

  test('changes when a partition is attached', async () => {
    const before = await now('parts');
    await sql('CREATE TABLE s.parts_3 PARTITION OF s.parts FOR VALUES IN (3)');
    expect(await now('parts')).not.toBe(before);
  });

  test('is NULL when there is no such table', async () => {
    expect(await now('nothing_here')).toBeNull();
  });
});
