import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { csv, put, reportOf, until, type Listed } from '../e2e/support.js';
import { withConnection } from '../../src/postgres/connect/connect.js';
import { startEmbedded } from '../../src/postgres/embedded/start.js';
import { start, workspace, type Ended, type Workspace } from '../support/cli.js';
import { startFakeS3, type FakeS3 } from '../support/fake-s3.js';
import { startSshd, type Sshd } from '../servers/sshd.js';
import { tell } from './support/counts.js';
import { startDaemon } from './support/daemon.js';
import { freePort, ownServer, type OwnServer } from './support/own-server.js';

/**
 * Canaries: secrets and cells of a kind that stands nowhere else, through a daemon at its most talkative and every
 * command, well and ill. They may be nowhere but where cells belong: the staging table, quarantine, and the one example
 * a group of errors has.
 */
const SECRETS = {
  database: 'canary-db-Zq81',
  sftpPassword: 'canary-sftp-Yw72',
  sftpPassphrase: 'canary-phrase-Xv63',
  s3Secret: 'canary-s3-Wu54',
  token: 'canary-token-Vt45',
  wrong: 'canary-wrong-Us36',
} as const;
const CELL = 'canarycellRr27';
const ENV = {
  DB_PASSWORD: SECRETS.database,
  SFTP_PASSWORD: SECRETS.sftpPassword,
  SFTP_PHRASE: SECRETS.sftpPassphrase,
  S3_SECRET: SECRETS.s3Secret,
  HTTP_TOKEN: SECRETS.token,
};
/** With the private keys, which are made when the server starts. */
let env: NodeJS.ProcessEnv;
const umask = [0o000, 0o077] as const;

let server: OwnServer;
let sshd: Sshd;
let s3: FakeS3;
let ws: Workspace;
let url: string;
/** All that came out: what, and its text. */
const said = new Map<string, string>();

function keep(name: string, { stdout, stderr }: Pick<Ended, 'stdout' | 'stderr'>): void {
  said.set(`${name} stdout`, stdout);
  said.set(`${name} stderr`, stderr);
}

beforeAll(async () => {
  [server, sshd, s3] = await Promise.all([
    ownServer({ settings: { password_encryption: 'scram-sha-256' } }),
    startSshd(),
    startFakeS3(),
  ]);
  const rules = path.join(server.dir, 'data', 'pg_hba.conf');
  await server.query(
    `create role canary login password '${SECRETS.database}'; grant create on database postgres to canary; create schema staging authorization canary`,
  );
  // What only PostgreSQL refuses, in the ways in which it quotes the row: DETAIL of a CHECK, a unique key, a domain, a
  // trigger's own words.
  await server.query(`create domain staging.word as text check (value not like '%domain%');
    create table staging.refused (_load_id bigint not null, _row bigint not null, id integer unique, v text check (v not like '%check%'), w staging.word);
    create function staging.complain() returns trigger language plpgsql as $$ begin if new.v like '%trigger%' then raise exception 'I do not like %', new.v using detail = new.v; end if; return new; end $$;
    create trigger complain before insert on staging.refused for each row execute function staging.complain();
    alter table staging.refused owner to canary; alter domain staging.word owner to canary`);
  writeFileSync(rules, `host all canary 127.0.0.1/32 scram-sha-256\n${readFileSync(rules, 'utf8')}`);
  await server.query('select pg_reload_conf()');

  const port = await freePort();
  const columns = [
    { name: 'id', type: 'integer' },
    { name: 'v', type: 'text', max_length: 60 },
    { name: 'w', type: 'text' },
  ];
  env = { ...process.env, ...ENV, SFTP_KEY: sshd.key, SFTP_LOCKED_KEY: sshd.lockedKey };
  const connections = {
    // A key that is taken, and one whose passphrase is another.
    byKey: {
      type: 'sftp',
      host: sshd.host,
      port: sshd.port,
      user: sshd.user,
      private_key: { env: 'SFTP_KEY' },
      host_key: await sshd.hostKey(),
    },
    byLockedKey: {
      type: 'sftp',
      host: sshd.host,
      port: sshd.port,
      user: sshd.user,
      private_key: { env: 'SFTP_LOCKED_KEY' },
      passphrase: { env: 'SFTP_PHRASE' },
      host_key: await sshd.hostKey(),
    },
    // The right host, and secrets that it does not take: its refusals are what is to be looked at.
    byPassword: {
      type: 'sftp',
      host: sshd.host,
      port: sshd.port,
      user: sshd.user,
      password: { env: 'SFTP_PASSWORD' },
      host_key: await sshd.hostKey(),
    },
    lake: {
      type: 's3',
      endpoint: s3.endpoint,
      region: 'eu-west-1',
      force_path_style: true,
      access_key_id: 'someone',
      secret_access_key: { env: 'S3_SECRET' },
    },
  };
  const limits = { bad_ratio: 1 };
  ws = workspace(
    `postgresql://canary@127.0.0.1:${server.port}/postgres`,
    {
      cells: { columns, limits },
      refused: { columns: columns.map((one) => ({ name: one.name, type: one.type })), limits },
      sftp: { source: { type: 'sftp', connection: 'byPassword', dir: 'upload' } },
      sftp_key: { source: { type: 'sftp', connection: 'byKey', dir: 'upload' } },
      sftp_locked_key: { source: { type: 'sftp', connection: 'byLockedKey', dir: 'upload' } },
    },
    { connections },
  );
  const config = JSON.parse(readFileSync(ws.config, 'utf8')) as { database: object; daemon: object; feeds: object };
  const lake = { source: { type: 's3', connection: 'lake', bucket: 'b', prefix: 'p/' }, format: { type: 'csv' } };
  const full = {
    ...config,
    feeds: { ...config.feeds, lake },
    database: { ...config.database, password: { env: 'DB_PASSWORD' } },
    daemon: {
      log: { level: 'trace', format: 'json' },
      http: { listen: `127.0.0.1:${port}`, token: { env: 'HTTP_TOKEN' } },
    },
  };
  writeFileSync(ws.config, JSON.stringify(full));
  url = `http://127.0.0.1:${port}`;

  const line = (id: string, v: string, w = 'w'): string => `${id},${v},${w}`;
  put(
    ws,
    'cells',
    'c.csv',
    [
      'id,v,w',
      line('1', 'good'),
      line(`${CELL}x`, 'no number'),
      line('2', `${CELL}${'y'.repeat(80)}`),
      line('3', `"${CELL}`),
      `${CELL},`,
      '',
    ].join('\n'),
  );
  put(
    ws,
    'refused',
    'r.csv',
    [
      'id,v,w',
      line('1', 'good'),
      line('2', `${CELL} check`),
      line('1', `${CELL} twice`),
      line('3', `${CELL} trigger`),
      line('4', 'v', `${CELL} domain`),
      '',
    ].join('\n'),
  );

  const daemon = start(['run', '-v', '-c', ws.config], { cwd: ws.dir, env });
  const loads = async (count: number): Promise<void> => {
    try {
      await until(
        async () => (await server.query(`select 1 from tallyman.loads`).catch(() => [])).length === count,
        `${count} loads`,
        60,
      );
    } catch (error) {
      throw new Error(daemon.output(), { cause: error });
    }
  };
  await loads(2);
  said.set('process list', processList(daemon.child.pid ?? 0));
  // A load in which the connection breaks, and one that cannot be made.
  await server.query(`select pg_terminate_backend(pid) from pg_stat_activity where usename = 'canary'`);
  put(ws, 'cells', 'd.csv', `id,v,w\n${line(`${CELL}z`, 'v')}\n`);
  await loads(3);
  for (const [name, headers] of [
    ['right', { authorization: `Bearer ${SECRETS.token}` }],
    ['wrong', { authorization: `Bearer ${SECRETS.wrong}` }],
    ['no', {}],
  ] as const) {
    for (const where of ['/metrics', '/livez', '/readyz', '/api/v1/files', '/api/v1/status', '/']) {
      const answer = await fetch(`${url}${where}`, { headers });
      said.set(`http ${name} token ${where}`, `${answer.status} ${await answer.text()}`);
    }
  }
  const commands = [
    ['status'],
    ['files', '--limit', '0'],
    ['check', '--connect'],
    ['check', '--connect', '--json'],
    ['config', 'print'],
    ['config', 'print', '--json'],
    ['ledger', 'verify'],
    ['ddl'],
  ];
  for (const command of commands)
    keep(command.join(' '), await start([...command, '-v', '-c', ws.config], { cwd: ws.dir, env }).ended);
  // Secrets that are wrong, and a config that is.
  keep(
    'check, wrong password',
    await start(['check', '--connect', '-v', '-c', ws.config], {
      cwd: ws.dir,
      env: { ...env, DB_PASSWORD: SECRETS.wrong },
    }).ended,
  );
  const broken = path.join(ws.dir, 'broken.yaml');
  writeFileSync(
    broken,
    JSON.stringify({
      ...full,
      database: { url: `postgresql://u:${SECRETS.wrong}@127.0.0.1:x/y?sslmode=perhaps` },
      connections: { a: { ...connections.byPassword, password: SECRETS.wrong, passphrase: 1, host_key: 'ssh-rsa !!' } },
    }),
  );
  keep('check, broken config', await start(['check', '-c', broken], { cwd: ws.dir, env }).ended);
  daemon.child.kill('SIGTERM');
  keep('daemon', await daemon.ended);
  put(ws, 'cells', 'e.csv', `id,v,w\n${line(`${CELL}u`, 'v')}\n`);
  keep('run --once', await start(['run', '--once', '-v', '-c', ws.config], { cwd: ws.dir, env }).ended);
}, 300_000);
afterAll(async () => {
  await Promise.all([server.remove(), sshd.close(), s3.close()]);
  ws.remove();
});

function processList(pid: number): string {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1')
    .split(' ')
    .filter((text) => text !== '');
  return [String(pid), ...children].map((one) => readFileSync(`/proc/${one}/cmdline`, 'latin1')).join('\n');
}

/** Where a text was found. */
const places = (texts: ReadonlyMap<string, string>, canary: string): readonly string[] =>
  [...texts].filter(([, text]) => text.includes(canary)).map(([name]) => name);

function filesUnder(dir: string): readonly string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));
}

describe('secrets', () => {
  test('the run was what it should be: rows refused in every way, sources refused, much said', async () => {
    const { items } = JSON.parse(
      (await start(['files', '--json', '--limit', '0', '-c', ws.config], { cwd: ws.dir, env }).ended).stdout,
    ) as Listed;
    expect(reportOf({ reports: items, stderr: '' }, 'refused', 'r.csv')).toMatchObject({
      state: 'loaded',
      rows: { read: 5, loaded: 1, quarantined: 4 },
    });
    expect(reportOf({ reports: items, stderr: '' }, 'cells', 'c.csv')).toMatchObject({
      state: 'loaded',
      rows: { read: 5, loaded: 1, quarantined: 4 },
    });
    expect(said.get('daemon stderr')).toContain('SOURCE_UNREACHABLE');
    expect(said.get('check, wrong password stdout')).toContain('DATABASE_LOGIN');
    expect((said.get('daemon stderr') ?? '').length).toBeGreaterThan(1_000);
  });
  test.each(Object.entries(SECRETS))(
    '%s stands in no log, output, metric, HTTP answer or process list',
    (_, secret) => {
      expect(places(said, secret)).toEqual([]);
      expect(places(said, Buffer.from(secret).toString('base64'))).toEqual([]);
    },
  );
  test.each(Object.entries(SECRETS))('%s stands in no file under data_dir', (_, secret) => {
    expect(filesUnder(path.join(ws.dir, 'data')).filter((file) => readFileSync(file).includes(secret))).toEqual([]);
  });
  test('no line of a private key stands in any of these, nor in a file under data_dir', () => {
    const lines = [sshd.key, sshd.lockedKey].flatMap((key) =>
      key.split('\n').filter((line) => line.length > 40 && !line.startsWith('-----')),
    );
    expect(lines.length).toBeGreaterThan(4);
    for (const line of lines) {
      expect(places(said, line)).toEqual([]);
      expect(filesUnder(path.join(ws.dir, 'data')).filter((file) => readFileSync(file).includes(line))).toEqual([]);
    }
  });
  test(
    'a crash leaves no core file, whatever the limit it was started with; where one is asked for it holds no memory',
    { timeout: 120_000 },
    async (context) => {
      const pattern = readFileSync('/proc/sys/kernel/core_pattern', 'latin1').trim();
      if (!/^core(\.%p)?$/.test(pattern)) return context.skip(`core files go to ${pattern} here`);
      const cores = async (askFor: boolean): Promise<readonly Buffer[]> => {
        const daemon = startDaemon(['run', '-c', ws.config], {
          cwd: ws.dir,
          env,
          through: ['prlimit', '--core=unlimited'],
        });
        await daemon.said('"watching"');
        if (askFor) spawnSync('prlimit', ['--pid', String(daemon.pid), '--core=unlimited']);
        process.kill(daemon.pid, 'SIGSEGV');
        expect(await daemon.ended).toMatchObject({ signal: 'SIGSEGV' });
        return readdirSync(ws.dir)
          .filter((name) => name.startsWith('core'))
          .map((name) => readFileSync(path.join(ws.dir, name)));
      };
      expect(await cores(false)).toEqual([]);
      // Without coredump_filter it has 50 MB and more.
      expect(
        (await cores(true)).map((core) => [core.subarray(0, 4).toString('latin1'), core.length < 2 ** 20]),
      ).toEqual([['\x7fELF', true]]);
    },
  );
  test('no secret is in the database', async () => {
    for (const table of ['loads', 'quarantine', 'meta']) {
      for (const secret of Object.values(SECRETS))
        expect(
          await server.query(`select 1 from tallyman.${table} t where t::text like '%' || $1 || '%'`, [secret]),
        ).toEqual([]);
    }
  });
});

describe('cells', () => {
  test('stand in no log, message, metric, HTTP answer or table for people', () => {
    expect(places(said, CELL)).toEqual([]);
  });
  test('a report has one as the example of a group, and nowhere else', async () => {
    const { items } = JSON.parse(
      (await start(['files', '--json', '--limit', '0', '-c', ws.config], { cwd: ws.dir, env }).ended).stdout,
    ) as Listed;
    expect(
      items.flatMap((item) => item.errors).filter(({ example }) => example?.includes(CELL) === true).length,
    ).toBeGreaterThan(0);
    // What a trigger says in its own words is its author's choice: it is kept as the reason.
    const without = items.map((item) => ({
      ...item,
      errors: item.errors.map((group) => ({
        ...group,
        example: null,
        message: group.message.replace(`I do not like ${CELL} trigger`, ''),
      })),
    }));
    expect(JSON.stringify(without)).not.toContain(CELL);
  });
  test('of what PostgreSQL refused, the value is in quarantine and the message quotes it only in the words of a trigger', async () => {
    const messages = await server.query(
      `select e ->> 'message' as message from tallyman.quarantine, jsonb_array_elements(errors) e`,
    );
    expect(messages.length).toBeGreaterThanOrEqual(8);
    expect(messages.filter(({ message }) => String(message).includes(CELL))).toEqual([
      { message: `I do not like ${CELL} trigger` },
    ]);
  });
});

test('the log of the embedded server does not quote rows either', { timeout: 120_000 }, async () => {
  const own = workspace('unused', {
    refused: {
      columns: [
        { name: 'id', type: 'integer' },
        { name: 'v', type: 'text' },
      ],
      limits: { bad_ratio: 1 },
    },
  });
  writeFileSync(own.config, readFileSync(own.config, 'utf8').replace('"url": "unused"', '"embedded": true'));
  put(own, 'refused', 'a.csv', csv('1,good'));
  expect((await own.once()).reports).toMatchObject([{ state: 'loaded' }]);
  // The operator adds a rule; the next file's rows break it.
  const embedded = await startEmbedded(path.join(own.dir, 'data'), { info: () => undefined });
  await withConnection(embedded.spec, (connection) =>
    connection.query(`alter table staging.refused add check (v not like '%check%')`),
  );
  put(own, 'refused', 'b.csv', csv(`2,${CELL} check`, '3,good'));
  expect((await own.once()).reports).toMatchObject([{ state: 'loaded', rows: { loaded: 1, quarantined: 1 } }]);
  await embedded.release();
  const log = readFileSync(path.join(own.dir, 'data/postgres/server.log'), 'utf8');
  expect(log).not.toContain(CELL);
  own.remove();
});

describe('rights of files', () => {
  test.each(umask)('under umask %o every file is 0600 and every folder 0700', { timeout: 60_000 }, async (mask) => {
    const own = workspace(`postgresql://postgres@127.0.0.1:${server.port}/postgres`, {
      [`umask${mask}`]: {
        columns: [
          { name: 'id', type: 'integer' },
          { name: 'v', type: 'text' },
        ],
        limits: { bad_ratio: 1 },
      },
    });
    const before = process.umask(mask);
    try {
      put(own, `umask${mask}`, 'a.csv', csv('1,a', 'x,b'));
      const round = await own.once();
      const id = String(round.reports[0]?.file_id);
      for (const format of ['csv', 'jsonl', 'html'])
        expect(
          (await own.run('quarantine', 'export', id, '--format', format, '-o', path.join(own.dir, `out.${format}`)))
            .code,
        ).toBe(0);
    } finally {
      process.umask(before);
    }
    const data = path.join(own.dir, 'data');
    const wrong = [
      data,
      ...readdirSync(data, { recursive: true, encoding: 'utf8' }).map((name) => path.join(data, name)),
      ...['csv', 'jsonl', 'html'].map((format) => path.join(own.dir, `out.${format}`)),
    ]
      .map((file) => ({ file: path.relative(own.dir, file), stats: statSync(file) }))
      .map(({ file, stats }) => ({
        file,
        mode: (stats.mode & 0o777).toString(8),
        right: stats.isDirectory() ? '700' : '600',
      }))
      .filter(({ mode, right }) => mode !== right);
    expect(wrong).toEqual([]);
    own.remove();
  });
});

describe('HTTP', () => {
  test('off loopback without a token is no config', async () => {
    const own = workspace('postgresql://u@127.0.0.1:1/x', { f: {} });
    writeFileSync(
      own.config,
      readFileSync(own.config, 'utf8').replace('"http": false', '"http": { "listen": "0.0.0.0:0" }'),
    );
    const ended = await own.run('check');
    expect([ended.code, ended.stdout]).toEqual([78, expect.stringContaining('token')]);
    own.remove();
  });
  test('a wrong or missing token gets no metrics; liveness asks for none', () => {
    expect(said.get('http right token /metrics')).toMatch(/^200 /);
    for (const name of ['wrong', 'no']) {
      expect(said.get(`http ${name} token /metrics`)).toMatch(/^401 /);
      expect(said.get(`http ${name} token /livez`)).toMatch(/^200 /);
      expect(said.get(`http ${name} token /api/v1/files`)).toMatch(/^40[14] /);
    }
  });
});

test('the canaries were really there: ten refused rows hold them', async () => {
  expect(
    await server.query(
      `select count(*)::int as n from tallyman.quarantine where position('${CELL}'::bytea in raw) > 0`,
    ),
  ).toEqual([{ n: 10 }]);
  tell(
    'Secrets and rights',
    'outputs, answers and files in which secrets and cells were looked for',
    said.size + filesUnder(path.join(ws.dir, 'data')).length,
  );
});
