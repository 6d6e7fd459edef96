import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { tallyman, workspace, type Workspace } from '../support/cli.js';
import { createDatabase, type TestDatabase } from '../support/postgres.js';

const ROOT = path.resolve(import.meta.dirname, '../..');
const CORPUS = path.join(ROOT, 'fixtures', 'parquet');

let db: TestDatabase;
let ws: Workspace;
let installed: string;
beforeAll(async () => {
  db = await createDatabase();
  ws = workspace(db.url, { events: { source: { pattern: '*.parquet' }, format: { type: 'parquet' } }, orders: {} });
  installed = withoutOptionalPackages();
});
afterAll(async () => {
  rmSync(installed, { recursive: true, force: true });
  ws.remove();
  await db.drop();
});

/** tallyman as `npm ci --omit=optional` leaves it: DuckDB's packages are there, its native part is not. */
function withoutOptionalPackages(): string {
  const dir = mkdtempSync(path.join(tmpdir(), 'tallyman-installed-'));
  const modules = path.join(dir, 'node_modules');
  mkdirSync(path.join(modules, '@duckdb'), { recursive: true });
  for (const name of readdirSync(path.join(ROOT, 'node_modules')))
    if (name !== '@duckdb' && !name.startsWith('.'))
      symlinkSync(path.join(ROOT, 'node_modules', name), path.join(modules, name));
  for (const name of ['node-api', 'node-bindings'])
    cpSync(path.join(ROOT, 'node_modules', '@duckdb', name), path.join(modules, '@duckdb', name), { recursive: true });
  cpSync(path.join(ROOT, 'package.json'), path.join(dir, 'package.json'));
  cpSync(path.join(ROOT, 'dist'), path.join(dir, 'dist'), { recursive: true });
  return dir;
}

test('a package that is not installed stops the feed and blames no file: others load, and the file once it is there', async () => {
  const name = readdirSync(CORPUS).find((file) => file.endsWith('.parquet'))!;
  cpSync(path.join(CORPUS, name), path.join(ws.dir, 'drop', 'events', name));
  cpSync(path.join(ROOT, 'fixtures', 'csv', 'bom-quoted-header.csv'), path.join(ws.dir, 'drop', 'orders', 'a.csv'));

  const main = path.join(installed, 'dist', 'main.js');
  const ended = await tallyman(['run', '--once', '-c', ws.config], { cwd: ws.dir, main });
  expect(ended.code).toBe(78);
  expect(ended.stderr).toContain('DuckDB, which reads Parquet, cannot be started');
  expect(ended.stderr).toContain('--omit=optional');
  const { items } = (await ws.json('files')) as { readonly items: readonly { feed: string; state: string }[] };
  expect(items.map((item) => `${item.feed}:${item.state}`).sort()).toEqual(['events:discovered', 'orders:loaded']);

  const dry = await tallyman(
    ['load', path.join(ws.dir, 'drop', 'events', name), '--feed', 'events', '--dry-run', '-c', ws.config],
    { cwd: ws.dir, main },
  );
  expect(dry.code).toBe(1);
  expect(dry.stdout).toContain('DuckDB, which reads Parquet, cannot be started');

  const round = await ws.once();
  expect(round.reports.map((report) => `${report.feed}:${report.state}`)).toEqual(['events:loaded']);
});
