import { TallymanError } from '../../core/errors.js';
import type { Surroundings } from '../../core/ledger/surroundings.js';
import { int, text, textOrNull } from './entry-rows.js';
import type { Store } from './store/store.js';

/**
 * Feeds are named once and numbered everywhere else: 10,000,000 entries and five indexes would hold the name each time.
 */
export function feedId(store: Store, name: string): number | null {
  const row = store.get('select feed_id from feed where name = ?', name);
  return row === null ? null : int(row, 'feed_id');
}

/** Only inside a write. */
export function internFeed(store: Store, name: string): number {
  return feedId(store, name) ?? store.run('insert into feed (name) values (?)', name).lastId;
}

/** What the program remembers of its surroundings. */
export function surroundings(store: Store): Omit<Surroundings, 'instanceId'> {
  return {
    getMeta: (key) =>
      store.read(() => {
        const row = store.get('select value from meta where key = ?', key);
        return row === null ? null : text(row, 'value');
      }),
    setMeta: (key, value) =>
      store.write(() => {
        store.run('insert into meta values (?, ?) on conflict (key) do update set value = excluded.value', key, value);
      }),
    feeds: () =>
      store.read(() =>
        store.all('select name, source, target from feed order by name').map((row) => ({
          name: text(row, 'name'),
          source: textOrNull(row, 'source') ?? '',
          target: textOrNull(row, 'target') ?? '',
        })),
      ),
    registerFeed: (feed) =>
      store.write(() => {
        store.run(
          'update feed set source = ?, target = ? where feed_id = ?',
          feed.source,
          feed.target,
          internFeed(store, feed.name),
        );
      }),
    renameFeed: (from, to) =>
      store.write(() => {
        renameFeed(store, from, to);
      }),
  };
}

function renameFeed(store: Store, from: string, to: string): void {
  const [old, taken] = [feedId(store, from), feedId(store, to)];
  if (old === null || old === taken) return;
  if (taken !== null) {
    const used = store.get(
      'select 1 from entry where feed_id = ? union all select 1 from receipt where feed_id = ? limit 1',
      taken,
      taken,
    );
    if (used !== null)
      throw new TallymanError(
        'WRONG_STATE',
        `Feed ${to} has files of its own already: those of ${from} cannot carry over to it.`,
      );
    store.run('delete from state_count where feed_id = ?', taken);
    store.run('delete from feed where feed_id = ?', taken);
  }
  store.run('update feed set name = ? where feed_id = ?', to, old);
}
