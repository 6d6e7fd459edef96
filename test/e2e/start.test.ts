import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { tallyman } from '../support/cli.js';

const ROOT = path.resolve(import.meta.dirname, '../..');
const DIST = path.join(ROOT, 'dist');
const IMPORT = /^(?:import|export)\b[^;]*?\bfrom "\.\/([^"]+)";|^import "\.\/([^"]+)";/gm;

/** The file of dist/ that an `import()` of this source became: `status-ABCD1234.js`. */
function chunk(name: string, source: string): string {
  const found = readdirSync(DIST)
    .filter((file) => new RegExp(`^${name}-[A-Z0-9]{8}\\.js$`).test(file))
    .find((file) => loadedBy(file).includes(source));
  if (found === undefined) throw new Error(`no file of dist/ is made from ${source}`);
  return found;
}

/** A file of dist/ and all that is loaded with it. */
function closure(file: string, found = new Set<string>()): readonly string[] {
  if (found.has(file)) return [...found];
  found.add(file);
  for (const [, from, bare] of readFileSync(path.join(DIST, file), 'utf8').matchAll(IMPORT))
    closure((from ?? bare)!, found);
  return [...found];
}

/** What files of dist/ are made from: the bundler writes it above each part. */
const sourcesOf = (files: readonly string[]): readonly string[] =>
  files.flatMap((file) =>
    [...readFileSync(path.join(DIST, file), 'utf8').matchAll(/^\/\/ ((?:src|node_modules)\/\S+)$/gm)].map(
      ([, source]) => source!,
    ),
  );
const loadedBy = (...files: readonly string[]): readonly string[] => sourcesOf(files.flatMap((file) => closure(file)));
const within = (sources: readonly string[], ...places: readonly string[]): readonly string[] =>
  sources.filter((source) => places.some((place) => source.startsWith(place)));

describe('what a start loads', () => {
  test('--version: no package and next to nothing of the program', async () => {
    expect(await tallyman(['--version'])).toMatchObject({
      code: 0,
      stdout: `${(JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as { version: string }).version}\n`,
      stderr: '',
    });
    expect(
      loadedBy('main.js')
        .filter((source) => !source.startsWith('src/base/'))
        .sort(),
    ).toEqual(['src/core/errors.ts', 'src/core/errors/table.ts', 'src/main.ts']);
  });

  test('--help: the command line alone', async () => {
    expect(await tallyman(['--help'])).toMatchObject({ code: 0, stderr: '' });
    const loaded = loadedBy(chunk('program', 'src/cli/program.ts'));
    expect(within(loaded, 'src/').filter((source) => !/^src\/(base|cli|core)\//.test(source))).toEqual([]);
    expect(within(loaded, 'node_modules/').filter((source) => !source.startsWith('node_modules/commander/'))).toEqual(
      [],
    );
  });

  test('status: nothing that finds, reads or loads files', () => {
    const loaded = loadedBy(
      chunk('program', 'src/cli/program.ts'),
      chunk('context', 'src/cli/context.ts'),
      chunk('status', 'src/cli/status.ts'),
    );
    expect(loaded).toContain('src/cli/status.ts');
    expect(
      within(
        loaded,
        'src/daemon/',
        'src/infer/',
        'src/server/',
        'src/load/copy/',
        'src/load/read/',
        'src/postgres/embedded/',
        'src/formats/csv/scanner.ts',
        'src/formats/excel/open.ts',
        'node_modules/pg/',
        'node_modules/prom-client/',
      ),
    ).toEqual([]);
  });
});
