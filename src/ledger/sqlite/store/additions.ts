import type Database from 'better-sqlite3';

/**
 * What a program that does not know it can work beside: tables and columns of which it never hears. Counted apart from
 * the migrations (meta, key `additions`), so that the version before goes on working with the ledger.
 *
 * `packed`: what is packed in the files that were delivered as these bytes. Of a file that is not packed nothing stands
 * here; `entry.plain` is 1 where that was found out, null where it is not known.
 */
const ADDITIONS: readonly string[] = [
  `
alter table entry add column plain integer;
create table packed (
  feed_id integer not null,
  sha256 blob not null check (length(sha256) = 32),
  content_sha256 blob not null check (length(content_sha256) = 32),
  primary key (feed_id, sha256)
) strict, without rowid;
create index packed_content on packed (feed_id, content_sha256);
`,
];

/** Inside the migrations' transaction or its own; another process may be at it too. */
export function add(db: Database.Database): void {
  const done = (): number => Number(db.prepare(`select value from meta where key = 'additions'`).pluck().get() ?? 0);
  for (let next = done(); next < ADDITIONS.length; next = done()) {
    db.transaction(() => {
      if (done() !== next) return;
      db.exec(ADDITIONS[next]!);
      db.prepare(`insert into meta values ('additions', ?) on conflict (key) do update set value = excluded.value`).run(
        String(next + 1),
      );
    }).immediate();
  }
}
