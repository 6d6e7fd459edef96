import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { tallyman, workspace, type Workspace } from '../support/cli.js';
import { createDatabase, type TestDatabase } from '../support/postgres.js';

let db: TestDatabase;
let ws: Workspace;
const COUNTS = [0, 1, 3, 1_001];
const columns = [{ name: 'id', type: 'integer' }];

/** A feed of each count: so many refused rows in one file, and so many files that are only known. */
beforeAll(async () => {
  db = await createDatabase();
  const limits = { bad_rows: 10_000, bad_ratio: 1 };
  ws = workspace(
    db.url,
    Object.fromEntries(
      COUNTS.flatMap((count) => [
        [`bad${count}`, { columns, limits }],
        [`files${count}`, { columns }],
      ]),
    ),
  );
  for (const count of COUNTS) {
    const rows = Array.from({ length: count }, (_, i) => `"x, ""y"" {[,]} ${i}"\n`).join('');
    writeFileSync(path.join(ws.dir, 'drop', `bad${count}`, 'a.csv'), `id\n1\n${rows}`);
    const dir = path.join(ws.dir, 'drop', `files${count}`);
    mkdirSync(dir, { recursive: true });
    for (let i = 0; i < count; i++) writeFileSync(path.join(dir, `${i}.csv`), `id\n${i}\n`);
    if (count > 0) expect((await ws.run('ledger', 'adopt', '--feed', `files${count}`, '--json')).code).toBe(0);
  }
  await ws.once();
});
afterAll(async () => {
  await db.drop();
  ws.remove();
});

describe('--json is one JSON document, however many items there are', () => {
  test.each(COUNTS)('%d items', async (count) => {
    const { items: files } = (await ws.json('files', '--feed', `bad${count}`)) as { items: { file_id: number }[] };
    const id = String(files[0]!.file_id);
    const [shown, known, groups] = await Promise.all([
      ws.json('quarantine', 'show', id),
      ws.json('files', '--feed', `files${count}`, '--limit', '0'),
      ws.json('quarantine', '--feed', `bad${count}`),
    ]);
    expect(shown).toMatchObject({ items: { length: count } });
    expect(known).toMatchObject({ items: { length: count } });
    expect(groups).toMatchObject({ items: { length: count === 0 ? 0 : 1 } });
  });

  test('of the commands that list something else', async () => {
    expect(await ws.json('status')).toMatchObject({ items: { length: 2 * COUNTS.length } });
    expect(await ws.json('ddl', '--feed', 'bad1')).toHaveProperty('items');
    const documents = [['check'], ['config', 'print'], ['config', 'schema'], ['ledger', 'verify']];
    for (const document of await Promise.all(documents.map((args) => ws.json(...args))))
      expect(document).toBeTypeOf('object');
    expect(await ws.json('reprocess', '--feed', 'bad3', '--dry-run')).toMatchObject({ items: { length: 1 } });
    expect(await ws.json('release', '--feed', 'bad3', '--state', 'held', '--dry-run')).toMatchObject({ items: [] });
    const inferred = await tallyman(['infer', path.join(ws.dir, 'drop', 'bad3', 'a.csv'), '--json'], { cwd: ws.dir });
    expect(JSON.parse(inferred.stdout)).toBeTypeOf('object');
  });
});
