import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';

const SRC = path.resolve(import.meta.dirname, '../src');

interface Import {
  readonly file: string;
  readonly to: string;
  readonly typeOnly: boolean;
}

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((f) => f.endsWith('.ts'));
const imports: readonly Import[] = files.flatMap((file) =>
  [
    ...readFileSync(path.join(SRC, file), 'utf8').matchAll(
      /^(?:import|export)\s+(type\s+)?(?:[^'";]*?\sfrom\s+)?'([^']+)'/gm,
    ),
  ].map((m) => ({
    file,
    to: m[2]!.startsWith('.') ? path.join(path.dirname(file), m[2]!).replace(/\.js$/, '.ts') : m[2]!,
    typeOnly: m[1] !== undefined,
  })),
);
const own = imports.filter((i) => i.to.endsWith('.ts'));
const foreign = imports.filter((i) => !i.to.endsWith('.ts') && !i.to.startsWith('node:'));

/** Which folders a folder may import from (DESIGN 4). Nothing below imports anything above it. */
const MAY: Readonly<Record<string, readonly string[]>> = {
  core: [],
  config: ['core', 'columns', 'sources', 'formats'],
  decode: ['core'],
  sources: ['core', 'intake', 'config'],
  columns: ['core'],
  formats: ['core', 'config', 'decode'],
  postgres: ['core', 'columns'],
  quarantine: ['core', 'columns', 'formats', 'postgres'],
  load: ['core', 'columns', 'formats', 'postgres', 'quarantine', 'decode', 'sources', 'registry.ts'],
  infer: ['core', 'columns', 'formats', 'decode'],
  ledger: ['core'],
  intake: ['core', 'sources'],
  daemon: ['core', 'config', 'load', 'intake', 'ledger', 'postgres', 'sources'],
  cli: ['app.ts', 'core', 'config', 'quarantine', 'postgres', 'ledger', 'registry.ts', 'daemon', 'columns'],
};

/** The only places that may import a package ("one door"). */
const DOORS: Readonly<Record<string, readonly string[]>> = {
  pg: ['postgres/'],
  'pg-copy-streams': ['load/copy-stream.ts', 'postgres/'],
  'better-sqlite3': ['ledger/'],
  chokidar: ['sources/'],
  'csv-parse': ['formats/csv/'],
  '@duckdb/node-api': ['formats/parquet/'],
  '@duckdb/node-bindings': ['formats/parquet/'],
  yaml: ['config/', 'cli/'],
  commander: ['cli/', 'main.ts'],
  'cli-table3': ['cli/'],
  pino: ['daemon/', 'cli/', 'app.ts'],
  'pino-pretty': ['daemon/', 'cli/', 'app.ts'],
  'prom-client': ['daemon/'],
  openpgp: ['decode/'],
  'xz-decompress': ['decode/xz.ts'],
};

const folderOf = (file: string): string => (file.includes('/') ? file.slice(0, file.indexOf('/')) : file);

describe('the structure', () => {
  test('imports go one way', () => {
    const wrong = own
      .filter((i) => MAY[folderOf(i.file)] !== undefined)
      .filter((i) => folderOf(i.to) !== folderOf(i.file) && !MAY[folderOf(i.file)]!.includes(folderOf(i.to)))
      .map((i) => `${i.file} -> ${i.to}`);
    expect(wrong).toEqual([]);
  });

  test('every folder has its place in the order', () => {
    const folders = new Set(files.map(folderOf).filter((f) => !f.endsWith('.ts')));
    expect([...folders].filter((f) => MAY[f] === undefined)).toEqual([]);
  });

  test('there are no import circles', () => {
    const graph = new Map(files.map((f) => [f, own.filter((i) => i.file === f && !i.typeOnly).map((i) => i.to)]));
    const done = new Set<string>();
    const circles: string[] = [];
    const visit = (file: string, trail: readonly string[]): void => {
      if (trail.includes(file)) {
        circles.push([...trail.slice(trail.indexOf(file)), file].join(' -> '));
        return;
      }
      if (done.has(file)) return;
      for (const next of graph.get(file) ?? []) visit(next, [...trail, file]);
      done.add(file);
    };
    for (const file of files) visit(file, []);
    expect(circles).toEqual([]);
  });

  test('a package has one door', () => {
    const wrong = foreign
      .filter((i) => DOORS[i.to] !== undefined && !DOORS[i.to]!.some((door) => i.file.startsWith(door)))
      .map((i) => `${i.file} -> ${i.to}`);
    expect(wrong).toEqual([]);
  });

  test('no file is longer than 400 lines', () => {
    const long = files
      .map((f) => [f, readFileSync(path.join(SRC, f), 'utf8').split('\n').length] as const)
      .filter(([, n]) => n > 400);
    expect(long).toEqual([]);
  });

  test('only main.ts ends the process', () => {
    expect(
      files.filter(
        (f) =>
          f !== 'main.ts' &&
          !f.endsWith('-worker.ts') &&
          readFileSync(path.join(SRC, f), 'utf8').includes('process.exit('),
      ),
    ).toEqual([]);
  });
});
