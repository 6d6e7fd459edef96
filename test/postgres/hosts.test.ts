import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect, withConnection } from '../../src/postgres/connect/connect.js';
import { parseDatabaseUrl } from '../../src/postgres/connect/url.js';
import { createDatabase, type TestDatabase } from '../support/postgres.js';

/** Several hosts in database.url: one that is away (port 1) and the real one. */
let db: TestDatabase;
beforeAll(async () => {
  db = await createDatabase();
});
afterAll(async () => {
  await db.drop();
});

const specOf = (query: string): ReturnType<typeof parseDatabaseUrl> => {
  const url = new URL(db.url);
  const login = `${url.username}${url.password === '' ? '' : `:${url.password}`}`;
  return parseDatabaseUrl(`postgresql://${login}@127.0.0.1:1,${url.hostname}:${url.port}${url.pathname}${query}`, null);
};
const reached = (query: string): Promise<boolean> => withConnection(specOf(query), () => Promise.resolve(true));

test('a host that is away is passed over for the next one', async () => {
  expect(await reached('')).toBe(true);
  expect(await reached('?target_session_attrs=primary')).toBe(true);
  expect(await reached('?target_session_attrs=prefer-standby')).toBe(true);
});

test('none that fits: DATABASE_UNREACHABLE with what each of them said', async () => {
  await expect(connect(specOf('?target_session_attrs=standby'))).rejects.toMatchObject({
    code: 'DATABASE_UNREACHABLE',
    message: expect.stringMatching(/127\.0\.0\.1:1: .*; .*: it is no standby$/) as string,
  });
});

test('a server that takes no writes is not the one for loads', async () => {
  await db.client.query(`alter database ${db.name} set default_transaction_read_only = on`);
  await expect(connect(specOf(''))).rejects.toMatchObject({
    code: 'DATABASE_UNREACHABLE',
    message: expect.stringContaining('it takes no writes') as string,
  });
  expect(await reached('?target_session_attrs=read-only')).toBe(true);
  await db.client.query(`alter database ${db.name} reset default_transaction_read_only`);
});

test('channel_binding=require is refused where the login is not bound to the line', async () => {
  await expect(connect(specOf('?channel_binding=require&sslmode=disable'))).rejects.toMatchObject({
    message: expect.stringContaining('channel_binding=require') as string,
  });
  expect(await reached('?channel_binding=prefer')).toBe(true);
});
