import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../e2e/support.js';
import { chance, ROUNDS, SEED } from './support/chance.js';
import { tell } from './support/counts.js';
import { Harbour } from './support/harbour.js';
import { ownServer, type OwnServer } from './support/own-server.js';

/**
 * A primary with a real streaming standby: the primary crashes in the middle of loads, the address leads to the
 * standby, which is read-only until it is promoted. What the standby had not received is gone with the primary: the
 * ledger must notice.
 */
const random = chance();
let harbour: Harbour;
const gone: OwnServer[] = [];

const SETTINGS = { wal_level: 'replica', max_wal_senders: '5', hot_standby: 'on', wal_log_hints: 'on' };
const from = (primary: OwnServer): string =>
  `host=127.0.0.1 port=${primary.port} user=postgres application_name=second`;

beforeAll(async () => {
  process.stderr.write(`faults: failover, seed ${SEED}\n`);
  harbour = await Harbour.open(random, { settings: SETTINGS });
  await harbour.sail();
  harbour.arrive(200);
  await harbour.settled();
});
afterAll(async () => {
  await harbour.close();
  for (const server of gone) await server.remove();
});

/** A copy of the primary that follows it. The primary is stopped for the copy, which the daemon has to bear as well. */
async function standbyOf(primary: OwnServer): Promise<OwnServer> {
  await primary.stop('fast');
  const standby = await ownServer({ copyOf: primary, settings: { ...SETTINGS, primary_conninfo: from(primary) } });
  await primary.start();
  await until(
    async () => (await primary.query(`select 1 from pg_stat_replication where state = 'streaming'`)).length > 0,
    'the standby to follow',
  );
  return standby;
}

async function synchronous(primary: OwnServer, names: string): Promise<void> {
  await primary.query(`alter system set synchronous_standby_names = '${names}'`);
  await primary.query('select pg_reload_conf()');
  if (names !== '')
    await until(
      async () => (await primary.query(`select 1 from pg_stat_replication where sync_state = 'sync'`)).length > 0,
      'the standby to be synchronous',
    );
}

/** The primary crashes; the address leads to the standby, which takes no writes for a while. */
async function failOver(standby: OwnServer): Promise<void> {
  const primary = harbour.server;
  await primary.stop('immediate');
  gone.push(primary);
  harbour.server = standby;
  harbour.proxy.lead(standby.port);
  harbour.proxy.cutAll();
  await sleep(500 + random.below(1_500));
  expect(await standby.query('select pg_is_in_recovery() as standby')).toEqual([{ standby: true }]);
  await standby.query('select pg_promote()');
  await synchronous(standby, '');
}

test(
  'to a synchronous standby: nothing committed is lost, what was under way is loaded there',
  { timeout: 60_000 + ROUNDS * 60_000 },
  async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const standby = await standbyOf(harbour.server);
      await synchronous(harbour.server, 'second');
      harbour.arrive();
      await harbour.inLoad();
      await failOver(standby);
      await harbour.settled();
    }
    await harbour.balances();
    await harbour.ledgerBalances();
    tell('PostgreSQL', 'failover to a synchronous standby', ROUNDS, { files: harbour.files, rows: harbour.rows });
  },
);

test(
  'to a standby that lacks the last commits: the daemon notices that receipts are gone, and loads those files again',
  { timeout: 60_000 + ROUNDS * 60_000 },
  async () => {
    let lost = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const standby = await standbyOf(harbour.server);
      await standby.stop('immediate');
      harbour.arrive(2_000);
      await harbour.settled();
      // It comes back cut off from the primary, as of a while ago.
      await harbour.server.stop('immediate');
      await standby.start();
      gone.push(harbour.server);
      harbour.server = standby;
      harbour.proxy.lead(standby.port);
      harbour.proxy.cutAll();
      lost += await harbour.missing();
      await standby.query('select pg_promote()');
      await harbour.settled();
    }
    expect(lost).toBeGreaterThan(0);
    await harbour.balances();
    tell('PostgreSQL', 'failover to a standby that lacks commits', ROUNDS, {
      commits_lost_by_the_database: lost,
      files: harbour.files,
      rows: harbour.rows,
    });
    await harbour.land();
  },
);
