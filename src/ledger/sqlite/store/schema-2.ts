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

delete from meta where key = 'receipts_seen' and exists (select 1 from receipt where file_id is null);
`;
