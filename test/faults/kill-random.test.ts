import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { workspace, type Workspace } from '../support/cli.js';
import { createDatabase } from '../support/postgres.js';
import { startDaemon } from './support/daemon.js';
import {
  csvFile,
  feedBooks,
  gzipFile,
  linesFile,
  MIXED_FEEDS,
  MIXED_TOP,
  prepareMixed,
  type Delivery,
} from './support/mixed.js';
import { audit, type Book, type Expected } from './support/oracle.js';
import { FULL, report } from './support/report.js';

/** How often the daemon is killed in all; the oracle is asked after each epoch, on a workspace of its own. */
const KILLS = Number(process.env['TALLYMAN_FAULTS_KILLS'] ?? (FULL ? '1000' : '5'));
const EPOCH = Math.min(KILLS, 50);

/** Mixed arrivals, each complete at once (renamed into the drop), and what must become of them. */
class Arrivals {
  readonly #ws: Workspace;
  readonly #outside = mkdtempSync(path.join(tmpdir(), 'tallyman-arrivals-'));
  readonly #live = new Map<string, Book[]>(Object.keys(MIXED_FEEDS).map((feed) => [feed, []]));
  #lastPlain: Delivery | null = null;

  constructor(ws: Workspace) {
    this.#ws = ws;
  }

  give(n: number): void {
    const size = n % 5 === 0 ? 40_000 : n % 2 === 0 ? 3_000 : 60;
    // The content of the round before under another name: a duplicate, whatever became of the first by then.
    if (n % 4 === 3 && this.#lastPlain !== null) this.#put('plain', `again${n}.csv`, this.#lastPlain);
    this.#lastPlain = csvFile(`p${n}`, size, 97);
    this.#put('plain', `p${n}.csv`, this.#lastPlain, true);
    if (n % 3 === 0) {
      const version = csvFile(`v${n}`, size / 2);
      this.#put('versions', 'v.csv', version);
      this.#live.set('versions', [version.book]);
    }
    if (n % 3 === 1) this.#put('packed', `g${n}.csv.gz`, gzipFile(`g${n}`, size), true);
    if (n % 4 === 0) this.#put('lines', `l${n}.jsonl`, linesFile(`l${n}`, size, 101), true);
    if (n % 2 === 1) this.#put('checked', `c${n}.csv`, csvFile(`c${n}`, size), true);
    if (n % 5 === 2) this.#put('strict', `s${n}.csv`, csvFile(`s${n}`, 500, 100));
  }

  #put(feed: string, name: string, { bytes, book }: Delivery, live = false): void {
    const waiting = path.join(this.#outside, name);
    writeFileSync(waiting, bytes);
    renameSync(waiting, path.join(this.#ws.dir, 'drop', feed, name));
    if (live) this.#live.get(feed)?.push(book);
  }

  expected(): Expected {
    return { feeds: [...this.#live].map(([feed, live]) => feedBooks(feed, live)) };
  }

  remove(): void {
    rmSync(this.#outside, { recursive: true, force: true });
  }
}

describe('SIGKILL at random moments under mixed load', () => {
  test(`${KILLS} kills: every content is there once, row for row`, { timeout: 60_000 + KILLS * 20_000 }, async () => {
    const problems: string[] = [];
    for (let left = KILLS; left > 0;) {
      const kills = Math.min(left, EPOCH);
      left -= kills;
      const db = await createDatabase();
      const ws = workspace(db.url, MIXED_FEEDS, MIXED_TOP);
      const arrivals = new Arrivals(ws);
      await prepareMixed(db.client);
      for (let i = 1; i <= kills; i++) {
        arrivals.give(i);
        const daemon = startDaemon(['run', '-c', ws.config], { cwd: ws.dir });
        // Most kills fall into loads; one of five into start-up and recovery.
        if (i % 5 === 0) await sleep(Math.random() * 500);
        else {
          await daemon.said('"watching"');
          await sleep(Math.random() * 500);
        }
        // Three ways to die: alone, with all it started, and after standing still for a moment (its connections stay
        // open meanwhile).
        if (i % 3 === 0) {
          daemon.child.kill('SIGSTOP');
          await sleep(30);
        }
        if (i % 3 === 1) daemon.killGroup('SIGKILL');
        else daemon.child.kill('SIGKILL');
        expect((await daemon.ended).signal).toBe('SIGKILL');
      }
      const last = await ws.once();
      const found = await audit(ws, db.client, arrivals.expected());
      const { items } = (await ws.json('files', '--limit', '0')) as {
        items: readonly { feed: string; path: string; state: string }[];
      };
      const wrong = items
        .filter(
          ({ feed, state }) => state === 'failed' || state === 'held' || (state === 'vanished' && feed !== 'versions'),
        )
        .map(({ feed, path: name, state }) => `${feed}/${name} is ${state}`);
      const seen = [...(last.stderr === '' ? [] : [last.stderr]), ...found.problems, ...wrong];
      report({
        section: 'SIGKILL at random moments',
        fault: 'SIGKILL of the daemon under mixed load',
        tries: kills,
        files: found.files,
        rows: found.rows,
        lost: found.lost,
        doubled: found.doubled,
      });
      problems.push(...seen);
      arrivals.remove();
      if (seen.length > 0) {
        // Kept, so that the cause can be found.
        process.stderr.write(`kept: ${ws.dir} ${db.url}\n${seen.join('\n')}\n`);
        continue;
      }
      await db.drop();
      ws.remove();
    }
    expect(problems).toEqual([]);
  });
});
