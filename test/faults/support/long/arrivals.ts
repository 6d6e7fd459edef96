import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import type { S3Server } from '../../../servers/s3.js';
import { giveToLogin, type Sshd } from '../../../servers/sshd.js';
import type { Chance } from '../chance.js';
import { csvFile, gzipFile, linesFile, type Delivery } from '../mixed.js';
import { BookKeeper, type Book, type Expected } from '../oracle.js';
import { BUCKET, COLUMNS, PLANS, type FeedPlan, type Where } from './config.js';

interface Place {
  put(feed: string, name: string, bytes: string | Buffer): Promise<void>;
  /** What stands where files of the feed are looked for. */
  names(feed: string): Promise<readonly string[]>;
}

/** Paths of the feed whose versions replace each other. */
const PATHS = 6;

/**
 * Files as senders bring them: complete at once, in many sizes, some with bad rows, some wholly bad, some twice, some
 * as new versions. Keeps the books of what must become of them.
 */
export class Arrivals {
  readonly #places: Readonly<Record<Where, Place>>;
  readonly #chance: Chance;
  readonly #duckdb: DuckDBConnection;
  readonly #outside: string;
  readonly #live = new Map<string, Map<string, Book>>(
    Object.keys(PLANS).map((feed) => [feed, new Map<string, Book>()]),
  );
  readonly #last = new Map<string, Delivery>();
  /** Names that may stay where they came: nothing of them was loaded. */
  readonly #bad = new Set<string>();
  #files = 0;
  #rows = 0;

  private constructor(
    places: Readonly<Record<Where, Place>>,
    chance: Chance,
    duckdb: DuckDBConnection,
    outside: string,
  ) {
    this.#places = places;
    this.#chance = chance;
    this.#duckdb = duckdb;
    this.#outside = outside;
  }

  static async open(dir: string, sshd: Sshd, s3: S3Server, chance: Chance): Promise<Arrivals> {
    const outside = path.join(dir, 'outside');
    mkdirSync(outside);
    await s3.client.createBucket({ Bucket: BUCKET });
    const duckdb = await (await DuckDBInstance.create(':memory:', { threads: '1' })).connect();
    const local = folder(path.join(dir, 'drop'), outside, () => undefined);
    const sftp = folder(sshd.upload, path.join(sshd.dir, 'outside'), giveToLogin);
    for (const [feed, { where }] of Object.entries(PLANS)) {
      if (where === 's3') continue;
      const at = path.join(where === 'local' ? path.join(dir, 'drop') : sshd.upload, feed);
      mkdirSync(at, { recursive: true });
      if (where === 'sftp') giveToLogin(at);
    }
    return new Arrivals({ local, sftp, s3: bucket(s3) }, chance, duckdb, outside);
  }

  get files(): number {
    return this.#files;
  }

  /** Rows of all contents that must be live, and of those that were replaced. */
  get rows(): number {
    return this.#rows;
  }

  /** One arrival: mostly one file, sometimes many small ones at once. */
  async arrive(): Promise<void> {
    if (this.#chance.next() > 0.04) return await this.#give(this.#size());
    for (let left = 10 + this.#chance.below(20); left > 0; left--) await this.#give(20 + this.#chance.below(1_500));
  }

  /** 20 to 300,000 rows: six of ten below 500, one of a hundred above 40,000. */
  #size(): number {
    const turn = this.#chance.next();
    if (turn < 0.6) return 20 + this.#chance.below(480);
    if (turn < 0.9) return 500 + this.#chance.below(7_500);
    if (turn < 0.99) return 8_000 + this.#chance.below(24_000);
    return 40_000 + Math.floor(260_000 * this.#chance.next() ** 2);
  }

  async #give(size: number): Promise<void> {
    const feed = this.#feed();
    const plan = PLANS[feed]!;
    const n = ++this.#files;
    const turn = this.#chance.next();
    const last = this.#last.get(feed);
    // The content of the file before, under another name: a duplicate, whatever became of the first by then.
    if (turn < 0.04 && last !== undefined && plan.versions !== true)
      return await this.#put(feed, plan, `again${n}.${plan.kind}`, last);
    const name = plan.versions === true ? `v${this.#chance.below(PATHS)}.csv` : `f${n}.${plan.kind}`;
    if (turn > 0.97 && plan.versions !== true) {
      this.#bad.add(`${feed}/${name}`);
      return await this.#put(feed, plan, name, spoilt(plan, `bad${n}`, 20 + this.#chance.below(2_000)));
    }
    const delivery = await this.#make(plan, `${feed}${n}`, size, turn > 0.8 ? 5 + this.#chance.below(90) : 0);
    this.#last.set(feed, delivery);
    this.#rows += delivery.book.good;
    // By path where versions replace each other, else each content for itself.
    this.#live.get(feed)?.set(plan.versions === true ? name : delivery.book.label, delivery.book);
    await this.#put(feed, plan, name, delivery);
  }

  #feed(): string {
    let left = this.#chance.below(100);
    for (const [feed, { share }] of Object.entries(PLANS)) {
      left -= share;
      if (left < 0) return feed;
    }
    throw new Error('the shares of the feeds are less than 100');
  }

  async #make({ kind }: FeedPlan, label: string, rows: number, badEvery: number): Promise<Delivery> {
    if (kind === 'csv') return csvFile(label, rows, badEvery);
    if (kind === 'csv.gz') return gzipFile(label, rows);
    if (kind === 'jsonl') return linesFile(label, rows, badEvery);
    const file = path.join(this.#outside, `${label}.parquet`);
    await this.#duckdb.run(
      `copy (select i as id, '${label}' as file, ((i % 1000) + 0.25)::decimal(12,2) as v from range(1, ${rows + 1}) t(i)) to '${file}' (format parquet, row_group_size 20000)`,
    );
    const bytes = readFileSync(file);
    rmSync(file);
    const keeper = new BookKeeper(label);
    for (let i = 1; i <= rows; i++) keeper.accepted([String(i), label, `${i % 1_000}.25`]);
    return { bytes, book: keeper.close(bytes) };
  }

  async #put(
    feed: string,
    { where, marker }: FeedPlan,
    name: string,
    { bytes }: Pick<Delivery, 'bytes'>,
  ): Promise<void> {
    await this.#places[where].put(feed, name, bytes);
    if (marker === true) await this.#places[where].put(feed, `${name}.done`, '');
  }

  expected(): Expected {
    return {
      feeds: [...this.#live].map(([feed, live]) => ({
        feed,
        table: `staging.${feed}`,
        columns: COLUMNS.map(({ name }) => name),
        live: [...live.values()],
      })),
    };
  }

  /** sha256 of every content that must be live at the end, by feed. */
  wanted(): ReadonlyMap<string, ReadonlySet<string>> {
    return new Map(
      [...this.#live].map(([feed, live]) => [feed, new Set([...live.values()].map(({ sha256 }) => sha256))]),
    );
  }

  /** After actions that are still to be done: files that were loaded and stand where they came. */
  async left(): Promise<readonly string[]> {
    const left: string[] = [];
    for (const [feed, { where, after }] of Object.entries(PLANS)) {
      if (after === 'leave') continue;
      for (const name of await this.#places[where].names(feed))
        if (!this.#bad.has(`${feed}/${name.replace(/\.done$/, '')}`)) left.push(`${feed}/${name}`);
    }
    return left;
  }
}

/** A file of which nothing can be loaded. */
function spoilt({ kind }: FeedPlan, label: string, rows: number): Pick<Delivery, 'bytes'> {
  if (kind === 'csv') return csvFile(label, rows, 1);
  if (kind === 'jsonl') return linesFile(label, rows, 1);
  if (kind === 'parquet') return { bytes: Buffer.from(`PAR1${label.repeat(50)}\xff\xff\xff\x7fPAR1`, 'latin1') };
  const { bytes } = gzipFile(label, rows);
  return { bytes: Buffer.from(bytes).subarray(0, Math.floor(bytes.length / 2)) };
}

/** Written beside the drop on the same file system, then renamed. */
function folder(root: string, outside: string, own: (at: string) => void): Place {
  mkdirSync(outside, { recursive: true });
  return {
    put(feed, name, bytes) {
      const waiting = path.join(outside, name);
      writeFileSync(waiting, bytes);
      own(waiting);
      renameSync(waiting, path.join(root, feed, name));
      return Promise.resolve();
    },
    names: (feed) =>
      Promise.resolve(
        readdirSync(path.join(root, feed), { withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map((entry) => entry.name),
      ),
  };
}

/** Past the proxy: the sender is not what is tried. */
function bucket({ client }: S3Server): Place {
  return {
    async put(feed, name, bytes) {
      await client.putObject({ Bucket: BUCKET, Key: `${feed}/${name}`, Body: bytes });
    },
    async names(feed) {
      const found: string[] = [];
      for (let token: string | undefined; ;) {
        const page = await client.listObjectsV2({
          Bucket: BUCKET,
          Prefix: `${feed}/`,
          ...(token === undefined ? {} : { ContinuationToken: token }),
        });
        found.push(...(page.Contents ?? []).map(({ Key = '' }) => Key.slice(feed.length + 1)));
        token = page.NextContinuationToken;
        if (token === undefined) return found;
      }
    },
  };
}
