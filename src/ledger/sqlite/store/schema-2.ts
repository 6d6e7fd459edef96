/**
 * `order_us` orders snapshots: the mtime, unless it lay in the future when the version came (core/entry.ts, arrivedUs).
 *
 * Receipts that were taken in for their content alone, because another data_dir wrote them, are looked at again: those
 * of paths that we see too are our own by now.
 */
export const SCHEMA_2 = `
alter table entry add column arrived_us integer;
alter table entry add column order_us integer generated always as (coalesce(arrived_us, mtime_us)) virtual;
update entry set arrived_us = discovered_at * 1000 where mtime_us > (unixepoch() + 300) * 1000000;
drop index entry_open;
create index entry_open on entry (feed_id, order_us, path, file_id) where state in ('discovered', 'landing', 'landed', 'loading');

create table request_2 (
  request_id integer primary key autoincrement,
  kind text not null check (kind in ('reprocess', 'clear', 'retry', 'release', 'release-replace', 'ignore', 'unload')),
  file_id integer not null references entry (file_id),
  actor text not null,
  reason text not null,
  created_at integer not null,
  closed_at integer,
  ok integer,
  message text
) strict;
insert into request_2 select * from request;
drop table request;
alter table request_2 rename to request;
create index request_file on request (file_id);
create index request_open on request (request_id) where closed_at is null;

delete from meta where key = 'receipts_seen' and exists (select 1 from receipt where file_id is null);
`;
