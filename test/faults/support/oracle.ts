import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import type { Workspace } from '../../support/cli.js';

/**
 * A record of a file as it must come out: the cells of its row in the table (null = NULL), or `null` where the record
 * must be refused.
 */
export type Cells = readonly (string | null)[];

/**
 * What one content must become. Only counts and digests are kept, so that a thousand files of 60,000 rows fit in
 * memory.
 */
export interface Book {
  /** For messages. */
  readonly label: string;
  /** Over the delivered bytes. */
  readonly sha256: string;
  readonly read: number;
  readonly good: number;
  readonly bad: number;
  /** md5 over `_row|cell|cell...` of every accepted row. */
  readonly digest: string;
  /** md5 over `row|raw` of every refused record. */
  readonly badDigest: string;
}

/** Books of one feed: the contents that must be live in its table, each exactly once, and nothing else. */
export interface FeedBooks {
  readonly feed: string;
  /** With its schema: `staging.t`. */
  readonly table: string;
  readonly columns: readonly string[];
  readonly live: readonly Book[];
}

export interface Expected {
  readonly feeds: readonly FeedBooks[];
  /**
   * `feed/path` -> the states in which its entries may be, where a test knows. All others must be in some end state.
   */
  readonly states?: Readonly<Record<string, readonly string[]>>;
}

export interface Audit {
  /** Empty = all is as it must be. */
  readonly problems: readonly string[];
  readonly files: number;
  readonly loads: number;
  readonly rows: number;
  /** Rows of contents that must be live and are not there. */
  readonly lost: number;
  /** Rows that are there and must not be. */
  readonly doubled: number;
}

const END_STATES = new Set([
  'loaded',
  'rejected',
  'failed',
  'duplicate',
  'ignored',
  'held',
  'vanished',
  'superseded',
  'cleared',
]);

/** Makes the book of a content while it is written: one call a record, from 1, blank lines and header not counted. */
export class BookKeeper {
  readonly #label: string;
  readonly #good = createHash('md5');
  readonly #bad = createHash('md5');
  #read = 0;
  #refused = 0;

  constructor(label: string) {
    this.#label = label;
  }

  accepted(cells: Cells): void {
    this.#read++;
    this.#good.update(
      `${this.#read - this.#refused === 1 ? '' : '\n'}${[this.#read, ...cells.map((cell) => cell ?? '~')].join('|')}`,
    );
  }

  /** `raw` is the record as it stands in the file, without its line end. */
  refused(raw: string): void {
    this.#read++;
    this.#refused++;
    this.#bad.update(`${this.#refused === 1 ? '' : '\n'}${this.#read}|${raw}`);
  }

  close(delivered: string | Buffer): Book {
    const sha256 = createHash('sha256').update(delivered).digest('hex');
    return {
      label: this.#label,
      sha256,
      read: this.#read,
      good: this.#read - this.#refused,
      bad: this.#refused,
      digest: this.#good.digest('hex'),
      badDigest: this.#bad.digest('hex'),
    };
  }
}

interface Found {
  readonly load_id: string;
  readonly path: string;
  readonly sha: string;
  readonly read: number;
  readonly good: number;
  readonly bad: number;
  readonly present: number;
  readonly digest: string | null;
  readonly quarantined: number;
  readonly bad_digest: string | null;
}

/**
 * The oracle of every fault test: the table equals the files row for row, each content is there once, refused rows are
 * kept, every file is in a named end state, `ledger verify` finds no difference, and no session is left inside a
 * transaction.
 */
export async function audit(ws: Pick<Workspace, 'json'>, client: pg.Client, expected: Expected): Promise<Audit> {
  const problems: string[] = [];
  let [loads, rows, lost, doubled] = [0, 0, 0, 0];
  for (const books of expected.feeds) {
    const found = await liveLoads(client, books);
    loads += found.length;
    const wanted = new Map(books.live.map((book) => [book.sha256, book]));
    const met = new Set<string>();
    for (const load of found) {
      rows += load.present;
      const book = wanted.get(load.sha);
      const where = `${books.feed}: load ${load.load_id} of ${load.path}`;
      if (book === undefined || met.has(load.sha)) {
        doubled += load.present;
        problems.push(
          book === undefined ? `${where} is live and must not be` : `${where}: ${book.label} is loaded twice`,
        );
        continue;
      }
      met.add(load.sha);
      lost += Math.max(0, book.good - load.present);
      doubled += Math.max(0, load.present - book.good);
      if (load.read !== book.read || load.good !== book.good || load.bad !== book.bad)
        problems.push(
          `${where}: the receipt says ${load.read}/${load.good}/${load.bad}, the file holds ${book.read}/${book.good}/${book.bad}`,
        );
      if (load.present !== book.good) problems.push(`${where}: ${load.present} rows of ${book.good} are there`);
      else if (book.good > 0 && load.digest !== book.digest) problems.push(`${where}: the rows differ from the file`);
      if (load.quarantined !== book.bad)
        problems.push(`${where}: ${load.quarantined} rows of ${book.bad} are in quarantine`);
      else if (book.bad > 0 && load.bad_digest !== book.badDigest)
        problems.push(`${where}: the refused rows differ from the file`);
    }
    for (const book of books.live) {
      if (met.has(book.sha256)) continue;
      lost += book.good;
      problems.push(`${books.feed}: ${book.label} is not loaded`);
    }
    const strays = await strayRows(client, books);
    doubled += strays;
    if (strays > 0) problems.push(`${books.feed}: ${strays} rows belong to no live load`);
  }
  const { items } = (await ws.json('files', '--limit', '0')) as {
    items: readonly { feed: string; path: string; state: string; file_id: number }[];
  };
  for (const { feed, path, state, file_id } of items) {
    const allowed = expected.states?.[`${feed}/${path}`];
    if (allowed === undefined ? !END_STATES.has(state) : !allowed.includes(state))
      problems.push(
        `${feed}: file ${file_id} ${path} is ${state}${allowed === undefined ? '' : `, not ${allowed.join(' or ')}`}`,
      );
  }
  const seen = new Set(items.map(({ feed, path }) => `${feed}/${path}`));
  for (const name of Object.keys(expected.states ?? {}))
    if (!seen.has(name)) problems.push(`${name} is not in the ledger`);
  const verified = (await ws.json('ledger', 'verify')) as { ok: boolean; differences: readonly { message: string }[] };
  if (!verified.ok) problems.push(...verified.differences.map(({ message }) => `verify: ${message}`));
  const left = await leftInTransaction(client);
  if (left > 0) problems.push(`${left} sessions are left inside a transaction`);
  return { problems, files: items.length, loads, rows, lost, doubled };
}

async function liveLoads(client: pg.Client, { feed, table, columns }: FeedBooks): Promise<readonly Found[]> {
  // Made with the feed's first load.
  const { rows: there } = await client.query<{ there: boolean }>('select to_regclass($1) is not null there', [table]);
  if (there[0]?.there !== true) return [];
  const cells = [
    't._row::text',
    ...columns.map((column) => `coalesce(t.${client.escapeIdentifier(column)}::text, '~')`),
  ].join(', ');
  const { rows } = await client.query<Found>(
    `select l.load_id::text, l.path, l.file_sha256 as sha, l.rows_read::int as read, l.rows_loaded::int as good, l.rows_quarantined::int as bad,
       coalesce(s.n, 0)::int as present, s.digest, coalesce(q.n, 0)::int as quarantined, q.digest as bad_digest
     from tallyman.loads l
     left join (select t._load_id, count(*) n, md5(string_agg(concat_ws('|', ${cells}), e'\\n' order by t._row)) digest from ${table} t group by 1) s on s._load_id = l.load_id
     left join (select load_id, count(*) n, md5(string_agg(row_number || '|' || convert_from(raw, 'UTF8'), e'\\n' order by row_number)) digest
                from tallyman.quarantine where status = 'open' group by 1) q on q.load_id = l.load_id
     where l.feed = $1 and l.status = 'loaded' order by l.load_id`,
    [feed],
  );
  return rows;
}

async function strayRows(client: pg.Client, { table }: FeedBooks): Promise<number> {
  const { rows: there } = await client.query<{ there: boolean }>('select to_regclass($1) is not null there', [table]);
  if (there[0]?.there !== true) return 0;
  const { rows } = await client.query<{ n: number }>(
    `select count(*)::int n from ${table} t where not exists (select from tallyman.loads l where l.load_id = t._load_id and l.status = 'loaded')`,
  );
  return rows[0]?.n ?? 0;
}

/** The backend of a process that was killed ends as soon as it looks at its socket: it gets ten seconds. */
async function leftInTransaction(client: pg.Client): Promise<number> {
  for (let i = 0; ; i++) {
    const { rows } = await client.query<{ n: number }>(
      `select count(*)::int n from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and (state like 'idle in transaction%' or (state = 'active' and backend_type = 'client backend'))`,
    );
    const n = rows[0]?.n ?? 0;
    if (n === 0 || i === 100) return n;
    await sleep(100);
  }
}
