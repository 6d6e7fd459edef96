import { setImmediate as turn } from 'node:timers/promises';
import type { SeenFile } from '../../core/file.js';
import type { Adopted, Arrival, Arrivals } from '../../core/ledger/arrivals.js';
import { arrivedUs, type FileEntry } from '../../core/entry.js';
import { absorbRefused, planArrival } from '../rules/arrival.js';
import { apply } from './apply.js';
import { changeState, freeWaiting, mustFind, type Cause } from './change.js';
import { feedId, internFeed } from './feeds.js';
import { before, ENTRY, toEntry } from './entry-rows.js';
import type { Store } from './store/store.js';

/** Lookups between two breaths of the event loop: about 10 ms. */
const LOOKUPS = 1_000;

/** How versions come into the ledger. */
export function arrivals(store: Store): Arrivals {
  return {
    async unknown(feed, files) {
      const fresh: SeenFile[] = [];
      for (let from = 0; from < files.length; from += LOOKUPS) {
        if (from > 0) await turn();
        fresh.push(...(await store.read(() => unknown(store, feed, files.slice(from, from + LOOKUPS)))));
      }
      return fresh;
    },
    discover: (arrival, actor) => store.write(() => discover(store, arrival, actor)),
    touch: (fileId, file) =>
      store.write(() => {
        if (mustFind(store, fileId).movedTo === null) look(store, fileId, file);
        else store.run('update entry set moved_to = ? where file_id = ?', JSON.stringify(file), fileId);
      }),
    absorb: (fileId, into) =>
      store.write(() => {
        absorb(store, fileId, into);
      }),
    async adopt(feed, files, actor, reason) {
      let entered = 0;
      for (let from = 0; from < files.length; from += LOOKUPS) {
        entered += await store.write(() =>
          adopt(store, feed, files.slice(from, from + LOOKUPS), { actor, reason, at: store.now() }),
        );
      }
      return entered;
    },
  };
}

/** One point lookup a file, on (feed_id, path): the newest entry has the highest file_id. */
const STANDS = `select size = ? and version = ? and state not in ('vanished', 'cleared') and moved_to is null and deleted = 0 as stands
  from entry where feed_id = ? and path = ? order by file_id desc limit 1`;

function unknown(store: Store, feed: string, files: readonly SeenFile[]): readonly SeenFile[] {
  const id = feedId(store, feed);
  if (id === null) return files;
  return files.filter((file) => store.value(STANDS, file.size, file.version, id, file.path) !== 1);
}

function discover(store: Store, arrival: Arrival, actor: string): FileEntry {
  const feed = internFeed(store, arrival.feed);
  const cause = { actor, reason: 'settled and ready', at: store.now() };
  const row = store.get(
    `${ENTRY} where feed_id = ? and path = ? order by file_id desc limit 1`,
    feed,
    arrival.file.path,
  );
  const newest = row === null ? null : toEntry(row);
  const plan = planArrival(newest, row === null ? null : before(row), arrival);
  apply(store, plan.changes, cause);
  const fileId = newest !== null && plan.known ? newest.fileId : insert(store, feed, arrival, cause);
  return mustFind(store, fileId);
}

function look(store: Store, fileId: number, file: SeenFile): void {
  store.run(
    'update entry set size = ?, mtime_us = ?, arrived_us = ?, version = ? where file_id = ?',
    file.size,
    file.mtimeUs,
    arrivedUs(file.mtimeUs, store.now()),
    file.version,
    fileId,
  );
}

function insert(store: Store, feed: number, arrival: Arrival, cause: Cause): number {
  const { file } = arrival;
  const id = store.run(
    `insert into entry (feed_id, path, uri, size, mtime_us, arrived_us, version, state, replaces, owner, marker, settle_s, discovered_at)
     values (?, ?, ?, ?, ?, ?, ?, 'discovered', ?, ?, ?, ?, ?)`,
    feed,
    file.path,
    arrival.uri,
    file.size,
    file.mtimeUs,
    arrivedUs(file.mtimeUs, cause.at),
    file.version,
    JSON.stringify(arrival.replaces ?? []),
    arrival.owner ?? null,
    arrival.marker ?? null,
    arrival.settleSeconds,
    cause.at,
  ).lastId;
  changeState(store, id, null, 'discovered', cause);
  return id;
}

function absorb(store: Store, fileId: number, into: number): void {
  const entry = mustFind(store, fileId);
  const present = mustFind(store, into);
  const refused = absorbRefused(entry, present);
  if (refused !== null) throw refused;
  look(store, into, entry.file);
  freeWaiting(store, fileId);
  store.run('delete from request where file_id = ?', fileId);
  store.run('delete from action where file_id = ?', fileId);
  store.run('delete from detail where file_id = ?', fileId);
  store.run('delete from history where file_id = ?', fileId);
  store.run('delete from entry where file_id = ?', fileId);
}

function adopt(store: Store, feed: string, files: readonly Adopted[], cause: Cause): number {
  const id = internFeed(store, feed);
  const fresh = files.filter(({ file }) => store.value(STANDS, file.size, file.version, id, file.path) !== 1);
  for (const { file, uri, loadKey, loadId } of fresh) {
    const fileId = store.run(
      `insert into entry (feed_id, path, uri, size, mtime_us, arrived_us, version, state, load_key, load_id, discovered_at, finished_at)
       values (?, ?, ?, ?, ?, ?, ?, 'ignored', ?, ?, ?, ?)`,
      id,
      file.path,
      uri,
      file.size,
      file.mtimeUs,
      arrivedUs(file.mtimeUs, cause.at),
      file.version,
      loadKey,
      loadId,
      cause.at,
      cause.at,
    ).lastId;
    changeState(store, fileId, null, 'ignored', cause);
    store.run(
      `insert into receipt values (?, ?, ?, ?, 'ignored', null, ?, 1, 0, 0, 0, 0, null)`,
      loadKey,
      loadId,
      fileId,
      id,
      file.size,
    );
  }
  return fresh.length;
}
