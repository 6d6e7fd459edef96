import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FileReport } from '../../../../src/core/report.js';
import type { Sshd } from '../../../servers/sshd.js';
import type { Workspace } from '../../../support/cli.js';
import type { TcpProxy } from '../../../support/tcp-proxy.js';
import type { Chance } from '../chance.js';
import type { OwnServer } from '../own-server.js';

export interface Scene {
  readonly ws: Pick<Workspace, 'config' | 'run' | 'json'>;
  readonly server: OwnServer;
  /** In front of PostgreSQL. */
  readonly database: TcpProxy;
  readonly sshd: Sshd;
  /** In front of S3. */
  readonly lake: TcpProxy;
  readonly lakePort: number;
  /** Answers 503 to everything. */
  readonly refuserPort: number;
  readonly chance: Chance;
  /** SIGHUP to the daemon. */
  readonly reload: () => void;
  readonly writeConfig: (poll: string) => Promise<void>;
  /** SIGKILL to the daemon, and its next life. */
  readonly kill: () => Promise<void>;
}

/** Feeds whose loaded files stay somewhere. */
const REPROCESSED = ['plain', 'lines', 'far', 'versions'];

/** What is done at random moments. Each ends with all as it should be again. */
export const FAULTS: Readonly<Record<string, (scene: Scene) => Promise<void>>> = {
  'backend terminated': async ({ server }) => {
    await server.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where usename = 'ingest' order by (state = 'idle'), random() limit 1`,
    );
  },
  'PostgreSQL restarted (immediate)': async ({ server, chance }) => {
    await server.stop('immediate');
    await sleep(200 + chance.below(5_000));
    await server.start();
  },
  'database connections cut': async ({ database }) => {
    database.cutAll();
    await Promise.resolve();
  },
  'answer to COMMIT lost': async ({ database, chance }) => {
    database.faults.swallowAnswerTo = 'COMMIT';
    await sleep(500 + chance.below(2_500));
    database.faults.swallowAnswerTo = null;
  },
  'database stalled, then cut': async ({ database, chance }) => {
    database.faults.stalled = true;
    await sleep(1_000 + chance.below(6_000));
    // What came meanwhile is lost: these connections are of no use any more.
    database.cutAll();
    database.faults.stalled = false;
  },
  'sshd killed': async ({ sshd, chance }) => {
    await sshd.kill();
    await sleep(500 + chance.below(6_000));
    await sshd.start();
  },
  'S3 answers 503': async ({ lake, lakePort, refuserPort, chance }) => {
    lake.lead(refuserPort);
    lake.cutAll();
    await sleep(2_000 + chance.below(8_000));
    lake.lead(lakePort);
    lake.cutAll();
  },
  'S3 connections cut': async ({ lake }) => {
    lake.cutAll();
    await Promise.resolve();
  },
  SIGHUP: async ({ reload, writeConfig, chance }) => {
    await writeConfig(`${2 + chance.below(5)}s`);
    reload();
  },
  'SIGHUP with a broken config': async ({ ws, reload, writeConfig }) => {
    writeFileSync(ws.config, 'version: 1\nfeeds: [');
    reload();
    await sleep(1_500);
    await writeConfig('4s');
    reload();
  },
  reprocess: async ({ ws, chance }) => {
    const { items } = (await ws.json(
      'files',
      '--feed',
      chance.pick(REPROCESSED),
      '--state',
      'loaded',
      '--limit',
      '50',
    )) as { readonly items: readonly FileReport[] };
    if (items.length === 0) return;
    // 1: the bytes are gone or others by now, and it says so. Nothing else may come of it.
    const { code, stderr } = await ws.run(
      'reprocess',
      String(chance.pick(items).file_id),
      '--reason',
      'long run',
      '--yes',
    );
    if (code !== 0 && code !== 1) throw new Error(`reprocess ended with ${code}: ${stderr}`);
  },
};

export const KILL = 'SIGKILL of the daemon';

/** When something was done, in seconds. */
export interface Mark {
  readonly t: number;
  readonly fault: string;
}

export interface Plan {
  /** Of the arrivals, in seconds. */
  readonly seconds: number;
  /** Between two faults, in seconds: at least, at most. */
  readonly between: readonly [number, number];
  /** When the daemon is killed, in seconds. */
  readonly kills: readonly number[];
}

/** A few kills in the middle, so that there are long lives before and after. */
export function planOf(minutes: number): Plan {
  const seconds = minutes * 60;
  const kills = [0.42, 0.48, 0.55].map((part) => part * seconds);
  return { seconds, between: minutes < 5 ? [seconds / 40, seconds / 15] : [20, 60], kills };
}

/** Faults one after the other until the time is over; each kind has its turn before one comes again. */
export async function makeFaults(scene: Scene, plan: Plan, now: () => number, marks: Mark[]): Promise<void> {
  const kills = [...plan.kills];
  let bag: string[] = [];
  for (let next = plan.between[0]; ;) {
    const kill = kills[0] ?? Infinity;
    const at = Math.min(next, kill);
    // The last moments are left alone: a fault would end after the arrivals.
    if (at > plan.seconds * 0.97) return;
    while (now() < at) await sleep(Math.min(500, Math.max(1, (at - now()) * 1_000)));
    if (at === kill) {
      kills.shift();
      marks.push({ t: now(), fault: KILL });
      await scene.kill();
      continue;
    }
    if (bag.length === 0) bag = Object.keys(FAULTS);
    const fault = scene.chance.pick(bag);
    bag = bag.filter((name) => name !== fault);
    marks.push({ t: now(), fault });
    await FAULTS[fault]!(scene);
    next = now() + plan.between[0] + scene.chance.next() * (plan.between[1] - plan.between[0]);
  }
}

/** A server that is overloaded, as S3 says it. */
export async function startRefuser(): Promise<{ readonly port: number; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    request.resume();
    request.on('error', () => response.destroy());
    response.writeHead(503, { 'content-type': 'application/xml', connection: 'close' });
    response.end(
      request.method === 'HEAD'
        ? ''
        : '<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>',
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
