import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect, type Connection } from '../../src/postgres/connect/connect.js';
import { integer } from '../../src/postgres/connect/result-rows.js';
import { eachRow, oneRow, Script } from '../../src/postgres/connect/script.js';
import { createDatabase, type TestDatabase } from '../support/postgres.js';
import { specOf } from './spec.js';

let database: TestDatabase;
let connection: Connection;
beforeAll(async () => {
  database = await createDatabase();
  connection = await connect(specOf(database.url));
});
afterAll(async () => {
  await connection.close();
  await database.drop();
});

test('each statement is answered to its own reader, whatever stands around it', async () => {
  const script = new Script();
  script.also('BEGIN', 'SET LOCAL lock_timeout = 0');
  const one = script.add(
    'SELECT 7 AS n',
    oneRow((row) => integer(row, 'n')),
  );
  script.also('SELECT 8 AS n');
  const several = script.add(
    'SELECT n FROM generate_series(1, 3) AS n',
    eachRow((row) => integer(row, 'n')),
  );
  const none = script.add('SELECT 1 WHERE false', (rows) => rows.length);
  const end = script.add('ROLLBACK', (_, command) => command);
  await script.run(connection);
  expect([one(), several(), none(), end()]).toEqual([7, [1, 2, 3], 0, 'ROLLBACK']);
});

test('a script of one statement is answered like any other', async () => {
  const script = new Script();
  const one = script.add(
    'SELECT 7 AS n',
    oneRow((row) => integer(row, 'n')),
  );
  await script.run(connection);
  expect(one()).toBe(7);
});

test('an answer is there only once the script has run', () => {
  const answer = new Script().add('SELECT 1', (rows) => rows);
  expect(answer).toThrow('before its script had run');
});

test('a statement that is refused ends the script with its error', async () => {
  const script = new Script();
  script.also('SELECT 1 / 0');
  const behind = script.add('SELECT 1 AS n', (rows) => rows);
  await expect(script.run(connection)).rejects.toMatchObject({ code: '22012' });
  expect(behind).toThrow('before its script had run');
});

test('a row that has to be there and is not is an error', async () => {
  const script = new Script();
  const one = script.add('SELECT 1 AS n WHERE false', oneRow(Number));
  await script.run(connection);
  expect(one).toThrow('no row where one was expected');
});

test('two statements in the place of one would shift all answers: refused', async () => {
  const script = new Script();
  script.also('SELECT 1; SELECT 2');
  await expect(script.run(connection)).rejects.toThrow('1 statements were sent, 2 were answered');
});
