/**
 * The ledger's tables. Times are milliseconds since 1970 (UTC), sha256 are 32 bytes, lists and objects are JSON.
 *
 * `seen` says in one number how an entry counts in the decision table
 * (docs/spec/which-file-is-new.md#the-decision-table), so that each question is one index lookup whatever the number of
 * entries: 1 live with records, 2 ignored with known content, 3 in progress, 4 held, 5 cleared, 6 live with 0 records,
 * 0 not at all. `twin_path` tells live loads of equal content apart where there may be very many of them (empty files,
 * on_duplicate: load).
 *
 * A loaded file with its receipt, history and place in all indexes takes 650 bytes (measured over 1,000,000). Partial
 * indexes are named in the queries where the planner would rather walk a feed; test/ledger/plans.test.ts keeps every
 * statement off whole tables.
 */
export const SCHEMA_1 = `
create table meta (key text primary key, value text not null) strict, without rowid;

create table feed (
  feed_id integer primary key,
  name text not null unique,
  source text,
  target text,
  last_loaded integer
) strict;

create table entry (
  -- autoincrement: an ID is never used twice, not even that of an entry that was absorbed
  file_id integer primary key autoincrement,
  feed_id integer not null references feed (feed_id),
  path text not null,
  uri text not null,
  size integer not null,
  mtime_us integer,
  version text not null,
  sha256 blob check (length(sha256) = 32),
  state text not null check (state in ('discovered', 'landing', 'landed', 'loading', 'loaded', 'rejected', 'failed', 'duplicate', 'ignored', 'held', 'vanished', 'superseded', 'cleared')),
  attempts integer not null default 0 check (attempts >= 0),
  generation integer not null default 1,
  load_id integer,
  live_load_id integer,
  live_read integer,
  load_key text,
  duplicate_of integer,
  replaces text not null default '[]',
  released integer not null default 0,
  duplicate_allowed integer not null default 0,
  after_action integer not null default 1,
  moved_to text,
  deleted integer not null default 0,
  landed_path text,
  owner text,
  marker text,
  wait_for integer,
  before text,
  rows_read integer not null default 0,
  rows_loaded integer not null default 0,
  rows_quarantined integer not null default 0,
  rows_skipped integer not null default 0,
  rows_declared integer,
  rows_delta integer default 0,
  error text,
  discovered_at integer not null,
  finished_at integer,
  retry_at integer,
  death_chunk integer not null default -1,
  death_count integer not null default 0,
  settle_s real not null default 0,
  land_s real not null default 0,
  load_s real not null default 0,
  seen integer generated always as (
    case
      when live_load_id is not null then case when live_read > 0 then 1 else 6 end
      when state = 'ignored' then case when sha256 is null then 0 else 2 end
      when state in ('discovered', 'landing', 'landed', 'loading') then 3
      when state = 'held' then 4
      when state = 'cleared' then 5
      else 0
    end) virtual,
  twin_path text generated always as (case when live_load_id is not null and (live_read = 0 or duplicate_allowed = 1) then path end) virtual
) strict;

create index entry_path on entry (feed_id, path);
create index entry_feed on entry (feed_id);
create index entry_content on entry (feed_id, sha256, seen, twin_path) where sha256 is not null;
create index entry_size on entry (feed_id, size, seen);
create index entry_discovered on entry (discovered_at);
create index entry_finished on entry (feed_id, finished_at, state, rows_read, rows_loaded, rows_quarantined, rows_skipped) where finished_at is not null;
create index entry_queue on entry (feed_id, file_id, retry_at) where state in ('discovered', 'landed') and wait_for is null and owner is null;
create index entry_open on entry (feed_id, mtime_us, path, file_id) where state in ('discovered', 'landing', 'landed', 'loading');
create index entry_busy on entry (feed_id, size) where state in ('landing', 'landed', 'loading');
create index entry_state on entry (state) where state <> 'loaded';
create index entry_bad on entry (feed_id, path) where state in ('rejected', 'failed');
create index entry_cleared on entry (feed_id, path) where state = 'cleared';
create index entry_wait on entry (wait_for) where wait_for is not null;
create index entry_duplicate on entry (duplicate_of) where state = 'duplicate';
create index entry_owner on entry (owner) where owner is not null;
create index entry_claim on entry (load_key) where state = 'loading';

-- what the ledger knows of tallyman.loads; file_id null: a load of another instance. status 'lost': the database knows it no more
create table receipt (
  load_key text primary key,
  load_id integer,
  -- no foreign key: without an index on file_id, which nothing else needs, each absorbed entry would cost a scan of this table
  file_id integer,
  feed_id integer not null,
  status text not null check (status in ('loaded', 'rejected', 'superseded', 'cleared', 'ignored', 'lost')),
  sha256 blob,
  size integer not null,
  generation integer not null,
  rows_read integer not null,
  rows_loaded integer not null,
  rows_quarantined integer not null,
  rows_skipped integer not null,
  rows_declared integer
) strict, without rowid;

create index receipt_load on receipt (load_id);
create index receipt_foreign_content on receipt (feed_id, sha256) where file_id is null and status = 'loaded' and rows_read > 0;
create index receipt_foreign_size on receipt (feed_id, size) where file_id is null and status = 'loaded' and rows_read > 0;

create table history (
  file_id integer not null,
  seq integer not null,
  at integer not null,
  from_state text,
  to_state text not null,
  actor text not null,
  reason text not null,
  primary key (file_id, seq)
) strict, without rowid;

create table detail (file_id integer primary key references entry (file_id), errors text not null, drift text not null) strict;

create table action (
  action_id integer primary key autoincrement,
  file_id integer not null references entry (file_id),
  kind text not null check (kind in ('delete', 'move', 'tag')),
  argument text not null,
  companions text not null,
  state text not null default 'pending' check (state in ('pending', 'done', 'dropped')),
  attempts integer not null default 0,
  detail text,
  at integer not null,
  retry_at integer not null
) strict;

create index action_due on action (retry_at) where state = 'pending';
create index action_file on action (file_id);

create table request (
  request_id integer primary key autoincrement,
  kind text not null check (kind in ('reprocess', 'clear', 'retry', 'release', 'ignore')),
  file_id integer not null references entry (file_id),
  actor text not null,
  reason text not null,
  created_at integer not null,
  closed_at integer,
  ok integer,
  message text
) strict;

create index request_file on request (file_id);
create index request_open on request (request_id) where closed_at is null;

-- files by feed and state, counted as they change: a status must not read 10,000,000 entries
create table state_count (
  feed_id integer not null,
  state text not null,
  files integer not null,
  primary key (feed_id, state)
) strict, without rowid;

create trigger entry_count_insert after insert on entry begin
  insert into state_count values (new.feed_id, new.state, 1) on conflict (feed_id, state) do update set files = files + 1;
end;
create trigger entry_count_delete after delete on entry begin
  update state_count set files = files - 1 where feed_id = old.feed_id and state = old.state;
end;
create trigger entry_count_update after update of state on entry when old.state <> new.state begin
  update state_count set files = files - 1 where feed_id = old.feed_id and state = old.state;
  insert into state_count values (new.feed_id, new.state, 1) on conflict (feed_id, state) do update set files = files + 1;
end;
`;
