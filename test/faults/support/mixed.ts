import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import type pg from 'pg';
import type { Workspace } from '../../support/cli.js';
import { BookKeeper, type Book, type Expected, type FeedBooks } from './oracle.js';

/** Columns of every feed of the mixed set. */
const CONTRACT = [
  { name: 'id', type: 'bigint', required: true },
  { name: 'file', type: 'text' },
  { name: 'v', type: 'numeric(12,2)' },
] as const;
const COLUMNS = CONTRACT.map(({ name }) => name);

export interface Delivery {
  readonly bytes: string | Buffer;
  readonly book: Book;
}

/**
 * A CSV with `rows` records; every `badEvery`-th has a letter in its id and must be refused. `label` makes the content
 * its own.
 */
export function csvFile(label: string, rows: number, badEvery = 0): Delivery {
  const keeper = new BookKeeper(label);
  const lines = ['id,file,v'];
  for (let i = 1; i <= rows; i++) {
    const bad = badEvery > 0 && i % badEvery === 0;
    const line = `${bad ? 'x' : ''}${i},${label},${i % 1_000}.25`;
    if (bad) keeper.refused(line);
    else keeper.accepted([String(i), label, `${i % 1_000}.25`]);
    lines.push(line);
  }
  const bytes = `${lines.join('\n')}\n`;
  return { bytes, book: keeper.close(bytes) };
}

/** The same as gzip. */
export function gzipFile(label: string, rows: number): Delivery {
  const { bytes, book } = csvFile(label, rows);
  const packed = gzipSync(bytes, { level: 1 });
  return { bytes: packed, book: { ...book, sha256: new BookKeeper(label).close(packed).sha256 } };
}

/** JSON lines; every `badEvery`-th is no JSON. */
export function linesFile(label: string, rows: number, badEvery = 0): Delivery {
  const keeper = new BookKeeper(label);
  const lines: string[] = [];
  for (let i = 1; i <= rows; i++) {
    const bad = badEvery > 0 && i % badEvery === 0;
    const line = bad ? `{"id":${i},` : `{"id":${i},"file":"${label}","v":${i % 1_000}.25}`;
    if (bad) keeper.refused(line);
    else keeper.accepted([String(i), label, `${i % 1_000}.25`]);
    lines.push(line);
  }
  const bytes = `${lines.join('\n')}\n`;
  return { bytes, book: keeper.close(bytes) };
}

/**
 * Feeds that between them take every way through the program: rows that are refused, duplicates, after actions (move,
 * delete), a version that replaces another, gzip with a `unique` column, JSON lines, a table with a CHECK (chunks under
 * savepoints), a file that is rejected.
 */
export const MIXED_FEEDS: Readonly<Record<string, Record<string, unknown>>> = {
  plain: { columns: CONTRACT, limits: { bad_ratio: 0.9 }, after: { loaded: { move: 'done' }, duplicate: 'delete' } },
  versions: { columns: CONTRACT, on_changed: 'replace' },
  packed: { columns: [{ ...CONTRACT[0], unique: true }, CONTRACT[1], CONTRACT[2]], source: { pattern: '*.csv.gz' } },
  lines: { columns: CONTRACT, source: { pattern: '*.jsonl' }, format: { type: 'json' }, limits: { bad_ratio: 0.9 } },
  checked: { columns: CONTRACT },
  strict: { columns: CONTRACT, limits: { bad_rows: 0 } },
};

export const MIXED_TOP = { daemon: { http: false, concurrency: 2 } };

/** The table with the CHECK must be there before the first run. */
export async function prepareMixed(client: pg.Client): Promise<void> {
  await client.query('create schema if not exists staging');
  await client.query(
    'create table staging.checked (_load_id bigint not null, _row bigint not null, id bigint, file text, v numeric(12,2), check (v >= 0))',
  );
}

export const feedBooks = (feed: string, live: readonly Book[]): FeedBooks => ({
  feed,
  table: `staging.${feed}`,
  columns: COLUMNS,
  live,
});

export function deliver(ws: Pick<Workspace, 'dir'>, feed: string, name: string, { bytes }: Delivery): string {
  const file = path.join(ws.dir, 'drop', feed, name);
  writeFileSync(file, bytes);
  return file;
}

/** Small contents of the set, made once. */
const first = csvFile('v1', 40);
const second = csvFile('v2', 60);
const one = csvFile('one', 50);
const bad = csvFile('bad', 200, 7);
const packed = gzipFile('packed', 300);
const lines = linesFile('lines', 80, 9);
const checked = csvFile('checked', 30);
const strict = csvFile('strict', 20, 5);

/** What is there and loaded before the fault. */
export function deliverBefore(ws: Pick<Workspace, 'dir'>): void {
  deliver(ws, 'versions', 'v.csv', first);
}

/** What comes in the run that meets the fault. */
export function deliverMixed(ws: Pick<Workspace, 'dir'>): void {
  deliver(ws, 'plain', 'one.csv', one);
  deliver(ws, 'plain', 'same.csv', one);
  deliver(ws, 'plain', 'bad.csv', bad);
  deliver(ws, 'versions', 'v.csv', second);
  deliver(ws, 'packed', 'p.csv.gz', packed);
  deliver(ws, 'lines', 'l.jsonl', lines);
  deliver(ws, 'checked', 'c.csv', checked);
  deliver(ws, 'strict', 's.csv', strict);
}

/** How it must stand once all is over. */
export const MIXED_EXPECTED: Expected = {
  feeds: [
    feedBooks('plain', [one.book, bad.book]),
    feedBooks('versions', [second.book]),
    feedBooks('packed', [packed.book]),
    feedBooks('lines', [lines.book]),
    feedBooks('checked', [checked.book]),
    feedBooks('strict', []),
  ],
  states: {
    'plain/one.csv': ['loaded', 'duplicate'],
    'plain/same.csv': ['loaded', 'duplicate'],
    'plain/bad.csv': ['loaded'],
    'versions/v.csv': ['loaded', 'superseded'],
    'packed/p.csv.gz': ['loaded'],
    'lines/l.jsonl': ['loaded'],
    'checked/c.csv': ['loaded'],
    'strict/s.csv': ['rejected'],
  },
};

/**
 * After actions: the loaded files stand in done/, the duplicate is gone, nothing else was touched. Returns what is
 * wrong.
 */
export function afterProblems(ws: Pick<Workspace, 'dir'>): readonly string[] {
  const drop = path.join(ws.dir, 'drop');
  const list = (...parts: readonly string[]): readonly string[] => {
    const dir = path.join(drop, ...parts);
    return existsSync(dir)
      ? readdirSync(dir, { withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map((entry) => entry.name)
          .sort()
      : [];
  };
  const done = list('plain', 'done');
  const problems: string[] = [];
  if (list('plain').length > 0) problems.push(`left in drop/plain: ${list('plain').join(', ')}`);
  if (done.length !== 2 || done[0] !== 'bad.csv' || (done[1] !== 'one.csv' && done[1] !== 'same.csv'))
    problems.push(`drop/plain/done holds ${done.join(', ')}`);
  for (const [feed, name] of [
    ['versions', 'v.csv'],
    ['packed', 'p.csv.gz'],
    ['lines', 'l.jsonl'],
    ['checked', 'c.csv'],
    ['strict', 's.csv'],
  ] as const) {
    if (list(feed).join() !== name) problems.push(`drop/${feed} holds ${list(feed).join(', ')}`);
  }
  return problems;
}

/** A drop folder for each feed. */
export function makeDrops(dir: string): void {
  for (const feed of Object.keys(MIXED_FEEDS)) mkdirSync(path.join(dir, 'drop', feed), { recursive: true });
}
