import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { plainColumn } from '../../src/columns/plain-column.js';
import type { ColumnSpec } from '../../src/core/feed/columns.js';
import { contractColumn } from '../../src/postgres/staging/staging-sql.js';
import { planStaging } from '../../src/postgres/staging/staging-plan.js';
import { inspectTable, type TargetTable } from '../../src/postgres/staging/catalog.js';
import { createDatabase, type TestDatabase } from '../support/postgres.js';
import { specOf, withSpec } from './spec.js';

/** A table must take each value of the contract as it is: else it overrules the contract without a word. */
const target = { schema: 's', table: 'types', mode: 'append', create: true, loadIndex: 'none' } as const;
const REAL = [
  'smallint',
  'integer',
  'bigint',
  'numeric',
  'numeric(12,2)',
  'numeric(14,4)',
  'real',
  'double precision',
  'date',
  'time',
  'time(0)',
  'timestamp',
  'timestamp(0)',
  'timestamp(3)',
  'timestamptz',
  'timestamptz(3)',
  'text',
  'varchar',
  'varchar(20)',
  'char(3)',
  'name',
  'boolean',
  'uuid',
  'bytea',
  'json',
  'jsonb',
] as const;
let database: TestDatabase;
let table: TargetTable;
beforeAll(async () => {
  database = await createDatabase();
  await database.client.query(
    `CREATE SCHEMA s; CREATE TABLE s.types (_load_id bigint not null, _row bigint not null, ${REAL.map((type, i) => `c${i} ${type}`).join(', ')})`,
  );
  table = (await withSpec(specOf(database.url), (connection) => inspectTable(connection, 's', 'types')))!;
});
afterAll(() => database.drop());

/** The message of the misfit; null = it fits. */
const misfit = (contract: string, real: (typeof REAL)[number], keys: Partial<ColumnSpec> = {}): string | null => {
  const name = `c${REAL.indexOf(real)}`;
  const plan = planStaging(target, [contractColumn({ ...plainColumn(name, name, contract), ...keys })], table);
  return plan.kind === 'misfit' ? plan.error.message : null;
};

describe('a column fits', () => {
  test.each([
    ['smallint', 'integer'],
    ['integer', 'bigint'],
    ['bigint', 'numeric'],
    ['smallint', 'numeric(12,2)'],
    ['integer', 'numeric(12,2)'],
    ['numeric(12,2)', 'numeric(14,4)'],
    ['numeric(14,4)', 'numeric'],
    ['numeric(4,0)', 'smallint'],
    ['numeric(9,0)', 'integer'],
    ['smallint', 'real'],
    ['integer', 'double precision'],
    ['numeric(12,3)', 'double precision'],
    ['real', 'double precision'],
    ['date', 'timestamp'],
    ['date', 'timestamptz'],
    ['time', 'time'],
    ['timestamp(3)', 'timestamp(3)'],
    ['timestamptz(3)', 'timestamptz(3)'],
    ['timestamp(0)', 'timestamp(3)'],
    ['text', 'varchar'],
    ['varchar(20)', 'varchar(20)'],
    ['char(3)', 'varchar(20)'],
    ['char(3)', 'char(3)'],
    ['integer', 'varchar(20)'],
    ['date', 'varchar(20)'],
    ['numeric', 'text'],
    ['jsonb', 'json'],
    ['text', 'integer'],
    ['text', 'numeric(12,2)'],
    ['text', 'date'],
    ['text', 'uuid'],
  ] as const)('%s over %s', (contract, real) => {
    expect(misfit(contract, real)).toBeNull();
  });

  test.each([
    ['text', 'varchar(20)', { maxLength: 20 }],
    ['text', 'varchar(20)', { enum: ['EUR', 'USD'] }],
    ['text', 'char(3)', { enum: ['EUR', 'USD'] }],
    ['text', 'char(3)', { minLength: 3, maxLength: 3 }],
    ['text', 'name', { maxLength: 15 }],
    ['bigint', 'integer', { min: '0', max: '2147483647' }],
    ['integer', 'smallint', { min: '-5', max: '100' }],
    ['numeric(14,2)', 'numeric(12,2)', { min: '0', max: '9999999999' }],
    ['bigint', 'double precision', { min: '0', max: '1e12' }],
    ['timestamp', 'timestamp(0)', { formats: ['%d.%m.%Y %H:%M:%S'] }],
    ['timestamptz', 'timestamptz(3)', { formats: ['epoch_ms'] }],
  ] as const)('%s over %s, since the contract says %j', (contract, real, keys) => {
    expect(misfit(contract, real, keys)).toBeNull();
  });
});

describe('a column is a misfit, with an ALTER that mends it', () => {
  test.each([
    ['numeric(14,4)', 'numeric(12,2)', {}, 'numeric(14,4)'],
    ['numeric(20,1)', 'numeric(12,2)', {}, 'numeric(21,2)'],
    ['numeric', 'numeric(12,2)', {}, 'numeric'],
    ['bigint', 'numeric(12,2)', {}, 'bigint'],
    ['bigint', 'integer', {}, 'bigint'],
    ['integer', 'smallint', { max: '100' }, 'integer'],
    ['numeric(12,2)', 'bigint', {}, 'numeric(12,2)'],
    ['double precision', 'numeric', {}, 'double precision'],
    ['double precision', 'real', {}, 'double precision'],
    ['bigint', 'double precision', {}, 'bigint'],
    ['integer', 'real', {}, 'integer'],
    ['numeric(18,2)', 'double precision', {}, 'numeric(18,2)'],
    ['timestamptz', 'date', {}, 'timestamptz'],
    ['timestamp', 'date', {}, 'timestamp'],
    ['timestamptz', 'timestamp', {}, 'timestamptz'],
    ['timestamp', 'timestamp(0)', {}, 'timestamp'],
    ['timestamptz', 'timestamptz(3)', {}, 'timestamptz'],
    ['time', 'time(0)', {}, 'time'],
    ['timestamp', 'timestamp(0)', { formats: ['%Y-%m-%d %H:%M:%S.%f'] }, 'timestamp'],
    ['text', 'varchar(20)', {}, 'text'],
    ['text', 'varchar(20)', { maxLength: 21 }, 'text'],
    ['varchar(80)', 'varchar(20)', {}, 'varchar(80)'],
    ['varchar(3)', 'char(3)', {}, 'varchar(3)'],
    ['text', 'name', {}, 'text'],
    ['uuid', 'varchar(20)', {}, 'uuid'],
    ['json', 'jsonb', {}, 'json'],
    ['integer', 'boolean', {}, 'integer'],
  ] as const)('%s over %s %j', async (contract, real, keys, type) => {
    const message = misfit(contract, real, keys);
    expect(message).toContain(`the contract says ${contract}`);
    expect(message).toContain(` TYPE ${type} `);
    if (real === 'boolean') return;
    const alter = /Run: (.*)$/.exec(message ?? '')?.[1] ?? '';
    const name = `c${REAL.indexOf(real)}`;
    await database.client.query(`BEGIN; ${alter}`);
    // The session's own connection sees it; another one would wait.
    const { rows } = await database.client.query<{ t: string }>(
      `SELECT format_type(atttypid, atttypmod) AS t FROM pg_attribute WHERE attrelid = 's.types'::regclass AND attname = '${name}'`,
    );
    await database.client.query('ROLLBACK');
    expect(rows).toHaveLength(1);
  });
});
