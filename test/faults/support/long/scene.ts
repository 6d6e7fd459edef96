import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startS3 } from '../../../servers/s3.js';
import { freePort, startSshd } from '../../../servers/sshd.js';
import { tallyman, type Ended, type Workspace } from '../../../support/cli.js';
import { startProxy } from '../../../support/tcp-proxy.js';
import type { Chance } from '../chance.js';
import { startDaemon, type Daemon } from '../daemon.js';
import { ownServer } from '../own-server.js';
import { writeConfig } from './config.js';
import { startRefuser, type Scene } from './faults.js';

const HOOK = path.join(import.meta.dirname, 'probe-hook.mjs');

export interface LongScene extends Scene {
  readonly dir: string;
  readonly dataDir: string;
  readonly probe: string;
  readonly httpPort: number;
  readonly s3: Awaited<ReturnType<typeof startS3>>;
  readonly ws: Pick<Workspace, 'dir' | 'config' | 'run' | 'json'>;
  /** The process that runs; null = it is being started. */
  daemon(): { readonly pid: number; readonly life: number } | null;
  sail(): Promise<void>;
  /** SIGTERM; returns how it ended. */
  land(): Promise<Ended>;
  /** All that the daemons said. */
  log(): string;
  close(): Promise<void>;
}

/** PostgreSQL, sshd and S3 of its own, proxies before two of them, a folder, and a daemon that is not yet started. */
export async function openScene(chance: Chance): Promise<LongScene> {
  const dir = mkdtempSync(path.join(tmpdir(), 'tallyman-long-'));
  mkdirSync(path.join(dir, 'drop'));
  const server = await ownServer();
  const sshd = await startSshd();
  const s3 = await startS3();
  const refuser = await startRefuser();
  const lakePort = Number(new URL(s3.endpoint).port);
  const database = await startProxy('127.0.0.1', server.port);
  const lake = await startProxy('127.0.0.1', lakePort);
  const httpPort = await freePort();
  await server.query(
    'create role ingest login; grant create on database postgres to ingest; create schema staging authorization ingest',
  );
  const config = path.join(dir, 'tallyman.yaml');
  const probe = path.join(dir, 'probe.json');
  const env = { SFTP_PASSWORD: sshd.password, S3_SECRET: s3.secretAccessKey, TALLYMAN_LONG_PROBE: probe };
  const ends = {
    databaseUrl: `postgresql://ingest@127.0.0.1:${database.port}/postgres`,
    httpPort,
    sshd,
    sftpPort: sshd.port,
    s3,
    s3Port: lake.port,
  };
  const write = (poll: string): Promise<void> => writeConfig(config, ends, poll);
  await write('4s');

  const run = (...args: string[]): Promise<Ended> => tallyman([...args, '-c', config], { cwd: dir, env });
  const daemons: Daemon[] = [];
  let current: Daemon | null = null;
  const sail = async (): Promise<void> => {
    const daemon = startDaemon(['run', '-c', config], { cwd: dir, env, node: ['--import', HOOK] });
    daemons.push(daemon);
    await daemon.said('"watching"');
    current = daemon;
  };
  const scene: LongScene = {
    dir,
    dataDir: path.join(dir, 'data'),
    probe,
    httpPort,
    server,
    database,
    sshd,
    s3,
    lake,
    lakePort,
    refuserPort: refuser.port,
    chance,
    ws: {
      dir,
      config,
      run,
      async json(...args) {
        const { stdout, stderr } = await run(...args, '--json');
        if (stdout === '') throw new Error(`${args.join(' ')} said nothing: ${stderr}`);
        return JSON.parse(stdout) as unknown;
      },
    },
    writeConfig: write,
    daemon: () => (current === null ? null : { pid: current.pid, life: daemons.length }),
    reload() {
      current?.child.kill('SIGHUP');
    },
    sail,
    async kill() {
      const dying = current;
      current = null;
      dying?.child.kill('SIGKILL');
      await dying?.ended;
      await sleep(chance.below(2_000));
      await sail();
    },
    async land() {
      const last = current;
      if (last === null) throw new Error('no daemon runs');
      current = null;
      last.child.kill('SIGTERM');
      return await last.ended;
    },
    log: () => daemons.map((daemon) => daemon.output()).join(''),
    async close() {
      for (const daemon of daemons) {
        if (daemon.child.exitCode === null && daemon.child.signalCode === null) daemon.child.kill('SIGKILL');
        await daemon.ended;
      }
      await Promise.all([database.close(), lake.close(), refuser.close()]);
      await s3.close();
      await sshd.close();
      await server.remove();
      rmSync(dir, { recursive: true, force: true });
    },
  };
  return scene;
}
