import { afterAll, beforeAll, expect, test } from 'vitest';
import { commit, OutcomeUnknown } from '../../src/load/transaction/commit.js';
import { connect, type Connection } from '../../src/postgres/connect/connect.js';
import { integer } from '../../src/postgres/connect/result-rows.js';
import { oneRow, Script } from '../../src/postgres/connect/script.js';
import { specOf } from '../postgres/spec.js';
import { createDatabase, type TestDatabase } from '../support/postgres.js';

let database: TestDatabase;
let connection: Connection;
beforeAll(async () => {
  database = await createDatabase();
  await database.client.query('CREATE TABLE t (n integer)');
  connection = await connect(specOf(database.url));
});
afterAll(async () => {
  await connection.close();
  await database.drop();
});

async function begun(): Promise<Script> {
  await connection.query('BEGIN');
  return new Script();
}
const number = oneRow((row) => integer(row, 'n'));
const rows = async (): Promise<number> => (await database.client.query('SELECT FROM t')).rows.length;

test('what was asked for is returned once COMMIT was answered', async () => {
  const script = await begun();
  const answer = script.add('INSERT INTO t VALUES (1) RETURNING n', number);
  expect(await commit(connection, script, answer, () => undefined)).toBe(1);
  expect(await rows()).toBe(1);
});

test('an answer that cannot be read behind a COMMIT leaves the outcome open: only the receipt can tell', async () => {
  const script = await begun();
  script.also('INSERT INTO t VALUES (2)');
  const answer = script.add('SELECT n FROM t WHERE false', number);
  await expect(commit(connection, script, answer, () => undefined)).rejects.toThrow(OutcomeUnknown);
  expect(await rows()).toBe(2);
});

test('more answers than statements leave the outcome open', async () => {
  const script = await begun();
  const answer = script.add('INSERT INTO t VALUES (3) RETURNING n; SELECT 1', number);
  await expect(commit(connection, script, answer, () => undefined)).rejects.toThrow(OutcomeUnknown);
  expect(await rows()).toBe(3);
});

test('a statement that is refused is no open outcome: it was rolled back', async () => {
  const script = await begun();
  const answer = script.add('INSERT INTO t VALUES (1 / 0) RETURNING n', number);
  await expect(commit(connection, script, answer, () => undefined)).rejects.toMatchObject({ code: '22012' });
  await connection.query('ROLLBACK');
  expect(await rows()).toBe(3);
});
