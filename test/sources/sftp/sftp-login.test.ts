import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TallymanError } from '../../../src/core/errors.js';
import { Secret } from '../../../src/core/secret.js';
import { fingerprint, parseHostKey, readKnownHosts } from '../../../src/sources/sftp/host-key.js';
import { SFTP_LIMITS } from '../../../src/sources/sftp/connection.js';
import { connectionOptions } from '../../../src/sources/sftp/options.js';
import { listAll } from '../../contract/source-suite.js';
import { startSshd, type Sshd } from '../../servers/sshd.js';
import { connectionTo, sftpHarness, type SftpHarness } from './sftp-harness.js';

let sshd: Sshd;
let store: SftpHarness;
let scratch: string;
beforeAll(async () => {
  // All of it on stderr, at a level at which it names each try to log in.
  sshd = await startSshd();
  scratch = mkdtempSync(path.join(os.tmpdir(), 'tallyman-keys-'));
  store = await sftpHarness(sshd, await connectionTo(sshd));
  await store.put('a.csv', 'x');
}, 300_000);
afterAll(async () => {
  await sshd.close();
  await rm(scratch, { recursive: true, force: true });
});

/** Lists once with this connection; undefined takes a key of the usual one away. */
async function listed(change: Readonly<Record<string, unknown>>, limits = SFTP_LIMITS): Promise<string[]> {
  const harness = await sftpHarness(sshd, await connectionTo(sshd, change), limits);
  await harness.put('a.csv', 'x');
  const source = harness.source();
  try {
    return (await listAll(source)).paths;
  } finally {
    await source.close();
    await harness.close();
  }
}

function keygen(name: string, ...args: string[]): string {
  const file = path.join(scratch, name);
  execFileSync('ssh-keygen', ['-q', '-f', file, ...args]);
  writeFileSync(path.join(sshd.dir, 'authorized_keys'), readFileSync(`${file}.pub`), { flag: 'a' });
  return readFileSync(file, 'utf8');
}

describe('logging in', () => {
  test('with a password', async () => {
    expect(await listed({})).toEqual(['a.csv']);
  });

  test.each([
    ['ed25519', ['-t', 'ed25519', '-N', '']],
    ['ecdsa', ['-t', 'ecdsa', '-N', '']],
    ['rsa', ['-t', 'rsa', '-b', '2048', '-N', '']],
  ])('with a private key of kind %s', async (kind, args) => {
    const key = keygen(`plain-${kind}`, ...args);
    expect(await listed({ password: undefined, private_key: new Secret(key) })).toEqual(['a.csv']);
  });

  test('with a private key under a passphrase', async () => {
    expect(
      await listed({
        password: undefined,
        private_key: new Secret(sshd.lockedKey),
        passphrase: new Secret(sshd.passphrase),
      }),
    ).toEqual(['a.csv']);
  });

  test('with an agent', async () => {
    const socket = path.join(scratch, 'agent.sock');
    const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: ['ignore', 'pipe', 'ignore'] });
    try {
      await new Promise((resolve) => agent.stdout.once('data', resolve));
      keygen('of-agent', '-t', 'ed25519', '-N', '');
      execFileSync('ssh-add', ['-q', path.join(scratch, 'of-agent')], {
        env: { ...process.env, SSH_AUTH_SOCK: socket },
        stdio: 'ignore',
      });
      expect(await listed({ password: undefined, agent: socket })).toEqual(['a.csv']);
    } finally {
      agent.kill();
    }
  });

  test('a wrong passphrase is told of without asking the server', async () => {
    const wrong = listed({
      password: undefined,
      private_key: new Secret(sshd.lockedKey),
      passphrase: new Secret('wrong'),
    });
    await expect(wrong).rejects.toMatchObject({
      code: 'SOURCE_UNREACHABLE',
      message: expect.stringContaining('privateKey') as string,
    });
  });

  test('a secret that is not set is told of after the host key was proven', async () => {
    const unset = Secret.unset(() => new TallymanError('CONFIG_INVALID', 'the variable GONE is unset'));
    await expect(listed({ password: unset })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    await expect(listed({ password: unset, host_key: 'ask' })).rejects.toMatchObject({
      code: 'HOST_KEY_MISMATCH',
      fix: expect.stringContaining(`host_key: "${await sshd.hostKey()}"`) as string,
    });
  });

  test('a refused password is SOURCE_UNREACHABLE with the user and without the password', async () => {
    await expect(listed({ password: new Secret('canary-wrong') })).rejects.toMatchObject({
      code: 'SOURCE_UNREACHABLE',
      message: expect.stringMatching(/login of ingest was refused/) as string,
    });
    await expect(listed({ password: new Secret('canary-wrong') })).rejects.not.toMatchObject({
      message: expect.stringContaining('canary') as string,
    });
  });

  test('after a refusal the server is left alone for a while, whoever asks', async () => {
    const connection = await connectionTo(sshd, { password: new Secret('wrong') });
    const harness = await sftpHarness(sshd, connection);
    const sources = [harness.source(), harness.source()];
    const before = await tries();
    for (let i = 0; i < 5; i++)
      for (const source of sources) await expect(listAll(source)).rejects.toMatchObject({ code: 'SOURCE_UNREACHABLE' });
    expect((await tries()) - before).toBe(1);
    await Promise.all(sources.map((source) => source.close()));
  });
});

describe('a login of several steps', () => {
  /** The same server, its login and its keys, with a rule of its own. */
  async function listedUnder(methods: string, change: Readonly<Record<string, unknown>>): Promise<string[]> {
    const strict = await startSshd([
      'UsePAM yes',
      'KbdInteractiveAuthentication yes',
      `AuthenticationMethods ${methods}`,
    ]);
    const harness = await sftpHarness(
      strict,
      await connectionTo(strict, { private_key: new Secret(strict.key), ...change }),
    );
    const source = harness.source();
    try {
      await harness.put('a.csv', 'x');
      return (await listAll(source)).paths;
    } finally {
      await source.close();
      await strict.close();
    }
  }

  test.each([
    'publickey,password',
    'password,publickey',
    'keyboard-interactive,publickey',
    'publickey,keyboard-interactive',
    'publickey,password password,publickey',
  ])('%s', async (methods) => {
    if (sshd.kind === 'openssh') expect(await listedUnder(methods, {})).toEqual(['a.csv']);
  });

  test('what the connection does not have for the second step is named', async () => {
    if (sshd.kind !== 'openssh') return;
    await expect(listedUnder('password,publickey', { private_key: undefined })).rejects.toMatchObject({
      code: 'SOURCE_UNREACHABLE',
      message: expect.stringContaining(
        'the server took password, and then asks for publickey, which the connection does not have',
      ) as string,
    });
  });
});

describe('a server that knows other algorithms', () => {
  async function at(lines: readonly string[], work: (server: Sshd) => Promise<void>): Promise<void> {
    const server = await startSshd(lines);
    try {
      if (server.kind === 'openssh') await work(server);
    } finally {
      await server.close();
    }
  }
  async function listedAt(server: Sshd, change: Readonly<Record<string, unknown>>): Promise<string[]> {
    const harness = await sftpHarness(server, await connectionTo(server, change));
    const source = harness.source();
    try {
      await harness.put('a.csv', 'x');
      return (await listAll(source)).paths;
    } finally {
      await source.close();
    }
  }

  test.each([
    ['key exchange', 'KexAlgorithms diffie-hellman-group14-sha1', 'kex', 'diffie-hellman-group14-sha1'],
    ['cipher', 'Ciphers aes256-cbc', 'cipher', 'aes256-cbc'],
  ])('no %s in common: what each offers, and the key that allows it', async (what, line, key, name) => {
    await at([line], async (server) => {
      await expect(listedAt(server, {})).rejects.toMatchObject({
        code: 'SOURCE_UNREACHABLE',
        message: expect.stringContaining(`no ${what} in common. The server offers ${name};`) as string,
        fix: expect.stringContaining(`algorithms: { ${key}: ["+${name}"] }`) as string,
      });
      expect(await listedAt(server, { algorithms: { [key]: `+${name}` } })).toEqual(['a.csv']);
      expect(await listedAt(server, { algorithms: { [key]: [name] } })).toEqual(['a.csv']);
    });
  });

  test('no kind of host key in common', async () => {
    await at([], async (server) => {
      await expect(listedAt(server, { algorithms: { host_key: 'rsa-sha2-512' } })).rejects.toMatchObject({
        message: expect.stringMatching(
          /no kind of host key in common. The server offers ssh-ed25519; tallyman rsa-sha2-512/,
        ) as string,
        fix: expect.stringContaining('does not go away by itself') as string,
      });
    });
  });
});

/** Refused passwords that sshd has told of. */
const tries = async (): Promise<number> => (await sshd.log()).split('Failed password').length - 1;

describe('the host key', () => {
  test('one of several pinned ones is enough', async () => {
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', path.join(scratch, 'other-host')]);
    const other = readFileSync(path.join(scratch, 'other-host.pub'), 'utf8').trim();
    expect(await listed({ host_key: [other, await sshd.hostKey()] })).toEqual(['a.csv']);
  });

  test('another one is HOST_KEY_MISMATCH with both fingerprints and the line to pin, and no login is sent', async () => {
    const other = readFileSync(path.join(scratch, 'other-host.pub'), 'utf8').trim();
    const own = await sshd.hostKey();
    const before = (await sshd.log()).length;
    const thrown = await listed({ host_key: other }).catch((error: unknown) => error);
    expect(thrown).toMatchObject({ code: 'HOST_KEY_MISMATCH', blame: 'feed', exit: 5 });
    const { message, fix } = thrown as { message: string; fix: string };
    for (const key of [own, other]) expect(message).toContain(fingerprint(parseHostKey(key)!));
    expect(fix).toContain(`host_key: "${own}"`);
    expect((await sshd.log()).slice(before)).not.toMatch(/password|publickey|for ingest/);
  });

  test.each([
    ['plain', (line: string, port: number) => `# a comment\n\n[127.0.0.1]:${port} ${line}\n`],
    ['wildcard', (line: string, port: number) => `!other,[127.0.0.*]:${port} ${line} somebody@there\n`],
  ])('known_hosts: a %s name', async (_kind, text) => {
    const file = path.join(scratch, 'known_hosts');
    writeFileSync(file, text(await sshd.hostKey(), sshd.port));
    expect(await listed({ host_key: undefined, known_hosts: file })).toEqual(['a.csv']);
  });

  test('known_hosts: hashed names', async () => {
    const file = path.join(scratch, 'known_hosts_hashed');
    writeFileSync(file, `[127.0.0.1]:${sshd.port} ${await sshd.hostKey()}\n`);
    execFileSync('ssh-keygen', ['-q', '-H', '-f', file], { stdio: 'ignore' });
    expect(readFileSync(file, 'utf8')).toMatch(/^\|1\|/);
    expect(await listed({ host_key: undefined, known_hosts: file })).toEqual(['a.csv']);
  });

  test('known_hosts without the server: unknown, with the fingerprint; probe prints the line to paste', async () => {
    const file = path.join(scratch, 'known_hosts_empty');
    writeFileSync(file, `elsewhere.example ${await sshd.hostKey()}\n`);
    const harness = await sftpHarness(sshd, await connectionTo(sshd, { host_key: undefined, known_hosts: file }));
    const source = harness.source();
    await expect(listAll(source)).rejects.toMatchObject({
      code: 'HOST_KEY_MISMATCH',
      message: expect.stringContaining('unknown') as string,
    });
    expect(await source.probe({ delete: false, move: false, tag: false })).toEqual([
      expect.stringContaining(`host_key: "${await sshd.hostKey()}"`),
    ]);
    await source.close();
  });

  test('@revoked is refused although the key is there, too', async () => {
    const key = await sshd.hostKey();
    const known = readKnownHosts(`[h]:2022 ${key}\n@revoked * ${key}\n@cert-authority * ${key}\n`, 'H', 2022);
    expect([known.keys.length, known.revoked.length]).toEqual([1, 1]);
    const file = path.join(scratch, 'known_hosts_revoked');
    writeFileSync(file, `[127.0.0.1]:${sshd.port} ${key}\n@revoked * ${key}\n`);
    await expect(listed({ host_key: undefined, known_hosts: file })).rejects.toMatchObject({
      code: 'HOST_KEY_MISMATCH',
      message: expect.stringContaining('@revoked') as string,
    });
  });

  test('a known_hosts file that cannot be read is no permission', async () => {
    await expect(listed({ host_key: undefined, known_hosts: path.join(scratch, 'nowhere') })).rejects.toMatchObject({
      code: 'HOST_KEY_MISMATCH',
    });
  });
});

describe('connections: of type sftp', () => {
  const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKnDxBR9QQ0QnS8m3fo8UyPjPXz0kX1bPzjqYmyqVCMk';
  const base = { host: 'h', user: 'u', password: new Secret('p'), host_key: KEY };
  const problems = (value: unknown): string[] =>
    connectionOptions.safeParse(value).error?.issues.map((issue) => `${issue.path.join('.')} ${issue.code}`) ?? [];

  test('takes what the specification shows', () => {
    expect(problems(base)).toEqual([]);
    expect(problems({ ...base, host_key: [KEY, KEY] })).toEqual([]);
    expect(
      problems({
        host: 'h',
        port: 2222,
        user: 'u',
        private_key: new Secret('k'),
        passphrase: new Secret('p'),
        known_hosts: '/k',
      }),
    ).toEqual([]);
  });

  test.each([
    ['neither host_key nor known_hosts', { host_key: undefined }, 'host_key custom'],
    ['both', { known_hosts: '/k' }, 'known_hosts custom'],
    ['nothing to log in with', { password: undefined }, 'password custom'],
    ['a passphrase without a key', { passphrase: new Secret('p') }, 'passphrase custom'],
    ['an algorithm that nobody knows', { algorithms: { kex: 'rot13' } }, 'algorithms.kex custom'],
    ['lists that add and do not', { algorithms: { mac: ['+hmac-md5', 'hmac-sha1'] } }, 'algorithms.mac custom'],
    ['an unknown key', { hostkey: KEY }, ' unrecognized_keys'],
    ['a port past 65535', { port: 70_000 }, 'port too_big'],
  ])('refuses %s', (_what, change, problem) => {
    expect(problems({ ...base, ...change })).toEqual([problem]);
  });

  test.each(['AAAA', 'SHA256:abc', 'ssh-ed25519 AAAA', `ssh-rsa ${KEY.split(' ')[1]!}`, 'any', ''])(
    'refuses %j as a host key',
    (line) => {
      expect(problems({ ...base, host_key: line })).not.toEqual([]);
    },
  );
});
