import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';

const ROOT = path.resolve(import.meta.dirname, '..');
const SRC = path.join(ROOT, 'src');

/**
 * The folders of src/, from the ground up. A file imports from its own folder and from those before it, never from one
 * behind it. docs/architecture.md says what each is for.
 */
const ORDER = [
  'base',
  'core',
  'columns',
  'decode',
  'formats',
  'postgres',
  'ledger',
  'config',
  'sources',
  'intake',
  'quarantine',
  'load',
  'infer',
  'flow',
  'daemon',
  'operations',
  'server',
  'cli',
] as const;

/** Files beside the folders: the edges of a process or thread, which may know every part, and who may import them. */
const EDGES: Readonly<Record<string, readonly string[]>> = {
  'main.ts': [],
  'load-worker.ts': [],
  'app.ts': ['cli/'],
  'registry.ts': ['app.ts', 'load-worker.ts', 'cli/'],
};

/** The only places that may import a package: a file or a folder ("one door"; several where a rule needs it). */
const DOORS: Readonly<Record<string, readonly string[]>> = {
  '@aws-sdk/client-s3': ['sources/s3/'],
  '@aws-sdk/client-sqs': ['sources/s3/'],
  '@duckdb/node-api': ['formats/parquet/'],
  '@duckdb/node-bindings': ['formats/parquet/'],
  '@eslint-community/regexpp': ['base/expression/'],
  'better-sqlite3': ['ledger/sqlite/'],
  chokidar: ['sources/local/'],
  'cli-table3': ['cli/print/'],
  commander: ['cli/'],
  fzstd: ['decode/zstd.ts'],
  'iconv-lite': ['decode/charset/'],
  openpgp: ['decode/pgp/'],
  pg: ['postgres/connect/'],
  'pg-copy-streams': ['load/copy/copy-stream.ts'],
  // Three meanings of a glob that are measured or fixed by other programs: names in a listing, members of an archive,
  // --match.
  picomatch: ['base/glob-matcher.ts', 'decode/open.ts', 'sources/common/selection.ts'],
  pino: ['cli/print/'],
  'pino-pretty': ['cli/print/'],
  'prom-client': ['daemon/metrics.ts'],
  saxes: ['formats/excel/xml.ts'],
  ssh2: ['sources/sftp/'],
  'ssh2-sftp-client': ['sources/sftp/'],
  'xz-decompress': ['decode/xz.ts'],
  yaml: ['config/'],
  yauzl: ['decode/zip-members.ts'],
  // Each part brings the schema of its own options; config/ puts them together.
  zod: ['base/zod-config.ts', 'config/', 'core/', 'formats/', 'sources/'],
};

/** All that a command may use: it parses, asks an operation, and prints. */
const CLI_USES = [
  'app.ts',
  'registry.ts',
  'cli/',
  'server/',
  'operations/',
  'daemon/serve.ts',
  'config/',
  'core/',
  'base/',
] as const;

/**
 * Longest function, in lines. Longer ones are named with their length: they may shrink, not grow, and none may join.
 */
const FUNCTION_LINES = 70;
const LONG_FUNCTIONS: Readonly<Record<string, number>> = {
  // One hot loop: each call that it would be divided by costs more than what it says.
  'formats/csv/scanner.ts:scan': 246,
  // A list of statements.
  'postgres/control/migrations/001-foundation.ts:statements': 94,
  'postgres/control/receipts.ts:openReceipts': 127,
  'sources/sftp/bytes.ts:takeBytes': 73,
};

/** Most files side by side: more is a folder that nobody has divided yet. */
const FILES_A_FOLDER = 20;
/** Longest file, in lines. */
const FILE_LINES = 400;
/** Lines wider than the formatter's 120 columns: strings that it cannot break. May fall, not rise. */
const WIDE_LINES = 266;

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((f) => f.endsWith('.ts'))
  .map((f) => f.split(path.sep).join('/'));
const texts = new Map(files.map((f) => [f, readFileSync(path.join(SRC, f), 'utf8')]));
const linesOf = (file: string): readonly string[] => texts.get(file)!.split('\n');

interface Import {
  readonly file: string;
  /** A file of src/, or a package's name. */
  readonly to: string;
  readonly own: boolean;
}

/** Every import of every file: of values and of types, `import()` too. */
const imports: readonly Import[] = files.flatMap((file) =>
  ts.preProcessFile(texts.get(file)!, true, true).importedFiles.flatMap(({ fileName }): readonly Import[] => {
    if (fileName.startsWith('node:')) return [];
    if (!fileName.startsWith('.')) return [{ file, to: packageOf(fileName), own: false }];
    return [{ file, to: path.posix.join(path.posix.dirname(file), fileName).replace(/\.js$/, '.ts'), own: true }];
  }),
);
const own = imports.filter((i) => i.own);
const foreign = imports.filter((i) => !i.own);

function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

const shown = (i: Import): string => `${i.file} -> ${i.to}`;
const folderOf = (file: string): string => (file.includes('/') ? file.slice(0, file.indexOf('/')) : file);
const floorOf = (file: string): number => (ORDER as readonly string[]).indexOf(folderOf(file));
const meets = (file: string, places: readonly string[]): boolean =>
  places.some((place) => (place.endsWith('/') ? file.startsWith(place) : file === place));

describe('the structure', () => {
  test('every file has its place in the order', () => {
    expect(files.filter((f) => floorOf(f) < 0 && EDGES[f] === undefined)).toEqual([]);
    expect(ORDER.filter((folder) => !files.some((f) => folderOf(f) === folder))).toEqual([]);
  });

  test('imports lead to files that are there', () => {
    expect(own.filter((i) => !texts.has(i.to)).map(shown)).toEqual([]);
  });

  test('imports go down the order only, types and dynamic imports too', () => {
    const wrong = own.filter((i) => {
      const may = EDGES[i.to];
      if (may !== undefined) return !meets(i.file, may);
      return EDGES[i.file] === undefined && floorOf(i.to) > floorOf(i.file);
    });
    expect(wrong.map(shown)).toEqual([]);
  });

  test('commands reach the engine and the stores through operations only', () => {
    expect(own.filter((i) => i.file.startsWith('cli/') && !meets(i.to, CLI_USES)).map(shown)).toEqual([]);
  });

  test('operations know nothing of the process or the terminal', () => {
    const told = files.filter(
      (f) => f.startsWith('operations/') && /\bprocess\.[a-z]|node:process|console\./.test(texts.get(f)!),
    );
    expect(told).toEqual([]);
  });

  test('there are no import circles, of types neither', () => {
    const graph = new Map(files.map((f) => [f, own.filter((i) => i.file === f).map((i) => i.to)]));
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

  test('every package has its doors, and nobody goes around them', () => {
    expect(foreign.filter((i) => !meets(i.file, DOORS[i.to] ?? [])).map(shown)).toEqual([]);
  });

  test('every door is used', () => {
    const unused = Object.entries(DOORS).flatMap(([name, doors]) =>
      doors
        .filter((door) => !foreign.some((i) => i.to === name && meets(i.file, [door])))
        .map((door) => `${name}: ${door}`),
    );
    expect(unused).toEqual([]);
  });

  test(`a folder holds at most ${FILES_A_FOLDER} files`, () => {
    const counts = new Map<string, number>();
    for (const f of files) counts.set(path.posix.dirname(f), (counts.get(path.posix.dirname(f)) ?? 0) + 1);
    expect([...counts].filter(([, n]) => n > FILES_A_FOLDER)).toEqual([]);
  });

  test(`a file has at most ${FILE_LINES} lines`, () => {
    expect(files.filter((f) => linesOf(f).length > FILE_LINES)).toEqual([]);
  });

  test(`a function has at most ${FUNCTION_LINES} lines, but for those named here, which do not grow`, () => {
    const long = files.flatMap((file) => functionsOf(file)).filter(([, lines]) => lines > FUNCTION_LINES);
    expect(long.filter(([name, lines]) => lines > (LONG_FUNCTIONS[name] ?? FUNCTION_LINES))).toEqual([]);
    // A name in the table that is short by now leaves it.
    expect(Object.keys(LONG_FUNCTIONS).filter((name) => !long.some(([one]) => one === name))).toEqual([]);
  });

  test('lines wider than the formatter makes them do not become more', () => {
    const wide = files.flatMap((f) => linesOf(f).filter((line) => line.length > 120));
    expect(wide.length).toBeLessThanOrEqual(WIDE_LINES);
  });

  test('statements on receipts and quarantine stand in postgres/control only: nobody else has the tables by name', () => {
    const users = files.filter((f) => /\bcontrolNames\b/.test(texts.get(f)!));
    expect(users.filter((f) => !f.startsWith('postgres/control/'))).toEqual([]);
  });

  test('only the edges of the process end it', () => {
    const ends = files.filter((f) => !f.endsWith('-worker.ts') && texts.get(f)!.includes('process.exit('));
    expect(ends).toEqual(['main.ts']);
  });
});

/** `file:name` and length in lines of every function of a file; a function inside another counts in both. */
function functionsOf(file: string): (readonly [string, number])[] {
  const source = ts.createSourceFile(file, texts.get(file)!, ts.ScriptTarget.ES2023, true);
  const found: (readonly [string, number])[] = [];
  const line = (at: number): number => source.getLineAndCharacterOfPosition(at).line;
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node) && 'body' in node && node.body !== undefined)
      found.push([`${file}:${nameOf(node)}`, line(node.end) - line(node.getStart(source)) + 1]);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

function nameOf(node: ts.SignatureDeclaration): string {
  const named = node.name ?? (ts.isVariableDeclaration(node.parent) ? node.parent.name : undefined);
  return named === undefined ? (ts.isConstructorDeclaration(node) ? 'constructor' : '(anonymous)') : named.getText();
}
