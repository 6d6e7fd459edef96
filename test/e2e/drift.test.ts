import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { workspace, type Workspace } from '../support/cli.js';
import { createDatabase, type TestDatabase } from '../support/postgres.js';
import { column, put, reportOf, type Round } from './support.js';

const columns = [
  { name: 'id', type: 'integer' },
  { name: 'v', type: 'text' },
];

describe('columns that drift from the contract', () => {
  let db: TestDatabase;
  let ws: Workspace;
  let round: Round;
  beforeAll(async () => {
    db = await createDatabase();
    ws = workspace(db.url, {
      strict: { columns },
      added: { columns, on_unknown_column: 'add', on_missing_column: 'fill_null' },
      rescued: { columns, on_unknown_column: 'rescue' },
    });
    put(ws, 'strict', 'a.csv', 'id,v,New One\n1,a,x\n');
    put(ws, 'strict', 'b.csv', 'id,w\n1,a\n');
    put(ws, 'added', 'a.csv', 'V ,id,New One\na,1,x\n');
    put(ws, 'added', 'b.csv', 'id,New One\n2,y\n');
    put(ws, 'rescued', 'a.csv', 'id,v,extra\n1,a,5\n');
    round = await ws.once('--settle-timeout', '1s');
  }, 120_000);
  afterAll(async () => {
    ws.remove();
    await db.drop();
  });

  const drift = async (feed: string, name: string): Promise<readonly string[]> => {
    const shown = (await ws.json('files', 'show', String(reportOf(round, feed, name).file_id))) as {
      readonly drift: readonly { readonly kind: string; readonly column: string }[];
    };
    return shown.drift.map((note) => `${note.kind} ${note.column}`).sort();
  };

  test('a file that is rejected for them brings the contract to paste', async () => {
    const { error } = reportOf(round, 'strict', 'a.csv');
    expect(error).toMatchObject({
      code: 'UNKNOWN_COLUMNS',
      fix: expect.stringContaining(
        'columns:\n  - { name: id, type: integer }\n  - { name: v, type: text }\n  - { name: new_one, from: New One, type: text }   # new',
      ) as string,
    });
    expect(reportOf(round, 'strict', 'b.csv').error).toMatchObject({
      code: 'MISSING_COLUMNS',
      fix: expect.stringContaining(
        '  # - { name: v, type: text }   # not in the file\n  - { name: w, type: text }   # new',
      ) as string,
    });
    const { stdout } = await ws.run('files', 'show', String(reportOf(round, 'strict', 'a.csv').file_id));
    expect(stdout).toContain('  - { name: new_one, from: New One, type: text }   # new');
    expect(stdout).toContain('unknown New One: not in the contract');
  });

  test('files show lists the drift of each file', async () => {
    expect(await drift('strict', 'a.csv')).toEqual(['unknown New One']);
    expect(await drift('strict', 'b.csv')).toEqual(['missing v', 'unknown w']);
    expect(await drift('added', 'a.csv')).toEqual(['added New One', 'renamed v', 'reordered v']);
    expect(await drift('added', 'b.csv')).toEqual(['added New One', 'missing v']);
    expect(await drift('rescued', 'a.csv')).toEqual(['unknown extra']);
  });

  test('add alters the table, rescue keeps the cells', async () => {
    expect(await column(db, 'select new_one from staging.added order by id')).toEqual(['x', 'y']);
    expect(await column(db, 'select _rescued from staging.rescued')).toEqual(['{"extra": "5"}']);
  });
});
