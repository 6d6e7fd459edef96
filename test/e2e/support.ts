import { utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FileReport } from '../../src/core/report.js';
import type { Workspace } from '../support/cli.js';
import type { TestDatabase } from '../support/postgres.js';

/** One round of `run --once --json`. */
export type Round = Awaited<ReturnType<Workspace['once']>>;

export const csv = (...rows: readonly string[]): string => ['id,v', ...rows, ''].join('\n');

/** Writes into the drop of one of the workspace's feeds. */
export function put(ws: Workspace, feed: string, name: string, content: string | Buffer): string {
  const file = path.join(ws.dir, 'drop', feed, name);
  writeFileSync(file, content);
  return file;
}

/** The whole second `at` (seconds since 1970) as mtime. */
export const setTime = (file: string, at: number): void => utimesSync(file, at, at);

/** The one report of the feed and path in the round. */
export function reportOf(round: Pick<Round, 'reports' | 'stderr'>, feed: string, name: string): FileReport {
  const found = round.reports.filter((report) => report.feed === feed && report.path === name);
  if (found.length !== 1 || found[0] === undefined) {
    throw new Error(
      `${found.length} reports of ${feed}/${name}; there are ${round.reports.map((r) => `${r.feed}/${r.path}:${r.state}`).join(', ')} ${round.stderr}`,
    );
  }
  return found[0];
}

/** `path:state` of a feed's reports, sorted. */
export const states = (round: Pick<Round, 'reports'>, feed?: string): readonly string[] =>
  round.reports
    .filter((report) => feed === undefined || report.feed === feed)
    .map((report) => `${report.path}:${report.state}`)
    .sort();

/** First column of every row, as text. */
export async function column(db: TestDatabase, sql: string, ...values: unknown[]): Promise<readonly (string | null)[]> {
  const { rows } = await db.client.query<{ first: string | null }>(
    `select c.first::text from (${sql}) as c(first)`,
    values,
  );
  return rows.map((row) => row.first);
}

/** The ids in a staging table whose columns are those of csv(). */
export const ids = (db: TestDatabase, table: string): Promise<readonly (string | null)[]> =>
  column(db, `select id from staging.${table} order by 1`);

/** Asks again and again until `look` gives something; fails after `seconds`. A wait, not a measurement. */
export async function until<T>(
  look: () => Promise<T | null | undefined | false> | T | null | undefined | false,
  what: string,
  seconds = 30,
): Promise<T> {
  const end = performance.now() + seconds * 1_000;
  for (;;) {
    const found = await look();
    if (found !== null && found !== undefined && found !== false) return found;
    if (performance.now() > end) throw new Error(`waited ${seconds} s in vain for: ${what}`);
    await sleep(50);
  }
}

export interface Listed {
  readonly items: readonly FileReport[];
}
