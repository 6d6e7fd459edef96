import { readFile } from 'node:fs/promises';
import type { Client, ServerHostKeyAlgorithm, SFTPWrapper } from 'ssh2';
import { messageOf, TallymanError } from '../../core/errors.js';
import { algorithmsOf } from './algorithms.js';
import { Credentials } from './credentials.js';
import { unreachable } from './errors.js';
import { Heard, whileHeard } from './heard.js';
import { disagreement } from './handshake.js';
import {
  fingerprint,
  hostKeyOf,
  isSameKey,
  parseHostKey,
  pinLine,
  readKnownHosts,
  type HostKey,
  type KnownKeys,
} from './host-key.js';
import { serverName, type SftpServer } from './options.js';
import { quietClient } from './ssh-client.js';
import { wideSocket } from './wide-socket.js';

export interface Login {
  readonly ssh: Client;
  readonly sftp: SFTPWrapper;
  /** Kept up to date with what the line brings. */
  readonly heard: Heard;
}

/**
 * How a login came out. `refused`: the server was there and said no to the credentials, so that trying on may lock the
 * account.
 */
export type LoginResult =
  ({ readonly ok: true } & Login) | { readonly ok: false; readonly error: TallymanError; readonly refused: boolean };

export interface LoginLimits {
  /** While it connects and logs in, or opens a channel, not one byte for this long is the end of it, milliseconds. */
  readonly connectMs: number;
  /** From the first packet to the open SFTP channel at most, milliseconds. */
  readonly loginMs: number;
  /** How often the server is asked for a sign of life, milliseconds. */
  readonly keepaliveMs: number;
}

/**
 * One try to connect, to prove the server's key, and to log in. Nothing secret is sent to a server whose key is not the
 * pinned one.
 */
export async function login(server: SftpServer, limits: LoginLimits): Promise<LoginResult> {
  const name = serverName(server);
  const failed = (error: TallymanError, refused = false): LoginResult => ({ ok: false, error, refused });
  const seen: { raw: Error | null; mismatch: TallymanError | null } = { raw: null, mismatch: null };
  const nothing = (): void => undefined;
  // What it would write to the console is in `seen` and in the rejected promise.
  const client = quietClient(name);
  client.client.on('error', (error) => {
    seen.raw ??= error;
  });
  const credentials = new Credentials(server);
  let known: KnownKeys;
  try {
    known = await pinnedKeys(server);
  } catch (error) {
    return failed(unreachable(name, error));
  }
  // Requests are small packets: with Nagle's algorithm each waits for an acknowledgement. 300 MB from OpenSSH took 2.4
  // s with it, 1.9 s without (75 % of it idle before).
  const heard = new Heard();
  const line = wideSocket({ host: server.host, port: server.port, noDelay: true }, () => {
    heard.lineAt = performance.now();
  });
  // The client reports its errors; until it listens, and when it is done, they must not count as unhandled.
  line.on('error', nothing);
  line.setMaxListeners(0);
  try {
    const connecting = client.connect({
      sock: line,
      host: server.host,
      port: server.port,
      username: server.user,
      // The package counts these from the first packet, and answers to keepalives without regard to the bytes that
      // come in between. How long a line may be silent is for `whileHeard` and the connection.
      readyTimeout: 0,
      keepaliveInterval: limits.keepaliveMs,
      keepaliveCountMax: Infinity,
      // Also given here because a key that cannot be read is only reported here; the handler below would pass it over
      // in silence.
      ...(server.private_key?.isSet !== true ? {} : { privateKey: server.private_key.reveal() }),
      ...(server.passphrase?.isSet !== true ? {} : { passphrase: server.passphrase.reveal() }),
      algorithms: algorithmsOf(server.algorithms, keyAlgorithms(known.keys)),
      hostVerifier: (blob: Buffer): boolean => {
        seen.mismatch = hostKeyProblem(server, known, blob);
        return seen.mismatch === null;
      },
      authHandler: credentials.offer,
    });
    const sftp = await whileHeard(
      connecting,
      { silentMs: limits.connectMs, totalMs: limits.loginMs },
      () => heard.lineAt,
      (why) => new Error(why),
    );
    return { ok: true, ssh: client.client, sftp, heard };
  } catch (error) {
    client.client.destroy();
    // Not yet the client's when it refuses the options.
    line.destroy();
    if (seen.mismatch !== null) return failed(seen.mismatch);
    const raw = credentials.unset ?? seen.raw ?? error;
    if (raw instanceof Error && 'level' in raw && raw.level === 'client-authentication')
      return failed(loginRefused(server, credentials, raw), true);
    return failed((await disagreement(server, raw)) ?? unreachable(name, raw));
  }
}

const loginRefused = (server: SftpServer, { missing }: Credentials, raw: Error): TallymanError =>
  new TallymanError(
    'SOURCE_UNREACHABLE',
    `${serverName(server)}: the login of ${server.user} was refused (${missing ?? messageOf(raw)})`,
    {
      cause: raw,
      fix: [
        'Correct user, password, private_key or passphrase of the connection, or ask the operator of the server.',
        'It is tried again, ever more seldom, so that the account is not locked; at once when a { file } holds another',
        'secret. What stands in the config or in a variable is read at the next start or reload.',
      ].join(' '),
    },
  );

async function pinnedKeys(server: SftpServer): Promise<KnownKeys> {
  if (server.known_hosts === undefined)
    return { keys: (server.host_key ?? []).flatMap((line) => parseHostKey(line) ?? []), revoked: [] };
  try {
    return readKnownHosts(await readFile(server.known_hosts, 'utf8'), server.host, server.port);
  } catch (error) {
    throw new TallymanError(
      'HOST_KEY_MISMATCH',
      `${serverName(server)}: its key cannot be checked, ${messageOf(error)}`,
      { cause: error, fix: 'Correct known_hosts, or pin the key with host_key.' },
    );
  }
}

/**
 * Kinds of keys that are pinned first: a server with several shows the first one that both sides speak. The others
 * stay, so that a wrong key can be shown.
 */
function keyAlgorithms(keys: readonly HostKey[]): ServerHostKeyAlgorithm[] {
  const rsa: readonly ServerHostKeyAlgorithm[] = ['rsa-sha2-512', 'rsa-sha2-256', 'ssh-rsa'];
  const all: readonly ServerHostKeyAlgorithm[] = [
    'ssh-ed25519',
    'ecdsa-sha2-nistp256',
    'ecdsa-sha2-nistp384',
    'ecdsa-sha2-nistp521',
    ...rsa,
  ];
  const isPinned = (one: ServerHostKeyAlgorithm): boolean =>
    keys.some((key) => key.algorithm === (rsa.includes(one) ? 'ssh-rsa' : one));
  return [...all.filter(isPinned), ...all.filter((one) => !isPinned(one))];
}

/** null when the server showed a pinned key. */
function hostKeyProblem(server: SftpServer, known: KnownKeys, blob: Buffer): TallymanError | null {
  const shown = hostKeyOf(blob);
  if (
    shown !== null &&
    !known.revoked.some((key) => isSameKey(key, shown)) &&
    known.keys.some((key) => isSameKey(key, shown))
  )
    return null;
  const at = serverName(server);
  const where = server.known_hosts ?? 'host_key';
  const print = (key: HostKey): string => `${key.algorithm} ${fingerprint(key)}`;
  if (shown === null)
    return new TallymanError('HOST_KEY_MISMATCH', `${at}: it showed no host key that can be read; no login was sent`);
  const pin = `host_key: "${pinLine(shown)}"`;
  if (known.revoked.some((key) => isSameKey(key, shown))) {
    return new TallymanError(
      'HOST_KEY_MISMATCH',
      `${at}: it showed ${print(shown)}, which ${where} has as @revoked; no login was sent`,
    );
  }
  if (known.keys.length === 0) {
    return new TallymanError(
      'HOST_KEY_MISMATCH',
      `${at}: its host key is unknown. It showed ${print(shown)}; ${where} has none for it. No login was sent`,
      {
        fix: `Ask the operator of the server for the fingerprint. If it is this one, pin it: ${pin}`,
      },
    );
  }
  return new TallymanError(
    'HOST_KEY_MISMATCH',
    `${at}: its host key is another one. It showed ${print(shown)}; ${where} has ${known.keys.map(print).join(', ')}. No login was sent`,
    {
      fix: `Somebody else may be answering: ask the operator of the server. If the key was exchanged, pin the new one: ${pin}`,
    },
  );
}
