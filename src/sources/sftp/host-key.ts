import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

/** A server's public key as `host_key` and known_hosts write it. */
export interface HostKey {
  /** `ssh-ed25519`, `ecdsa-sha2-nistp256`, `ssh-rsa` ... */
  readonly algorithm: string;
  /** The key as it goes over the wire. */
  readonly blob: Buffer;
}

const ALGORITHMS: ReadonlySet<string> = new Set([
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'ssh-rsa',
]);

/** `ssh-ed25519 AAAA... [comment]`; null when it is no such line, or its two halves name different algorithms. */
export function parseHostKey(line: string): HostKey | null {
  const match = /^\s*([a-z0-9-]+)\s+([A-Za-z0-9+/]+={0,2})(?:\s.*)?$/.exec(line);
  if (match === null) return null;
  const key = hostKeyOf(Buffer.from(match[2]!, 'base64'));
  return key !== null && key.algorithm === match[1] && ALGORITHMS.has(key.algorithm) ? key : null;
}

/** The key that a server shows: its first field names the algorithm (RFC 4253, 6.6). null = garbage. */
export function hostKeyOf(blob: Buffer): HostKey | null {
  if (blob.length < 4) return null;
  const length = blob.readUInt32BE(0);
  if (length === 0 || length > 64 || blob.length <= 4 + length) return null;
  return { algorithm: blob.toString('latin1', 4, 4 + length), blob };
}

/** `SHA256:...`, as ssh and ssh-keygen -l print it. */
export const fingerprint = (key: HostKey): string =>
  `SHA256:${createHash('sha256').update(key.blob).digest('base64').replace(/=+$/, '')}`;

/** The line to pin. */
export const pinLine = (key: HostKey): string => `${key.algorithm} ${key.blob.toString('base64')}`;

export const isSameKey = (a: HostKey, b: HostKey): boolean =>
  a.blob.length === b.blob.length && timingSafeEqual(a.blob, b.blob);

/** What a known_hosts file says of one server. */
export interface KnownKeys {
  readonly keys: readonly HostKey[];
  /** `@revoked`: never accepted, whatever else stands there. */
  readonly revoked: readonly HostKey[];
}

/**
 * Reads a known_hosts file (sshd(8)): plain, wildcard, `[host]:port` and hashed names. `@cert-authority` lines are
 * passed over: host certificates are not spoken.
 */
export function readKnownHosts(text: string, host: string, port: number): KnownKeys {
  const name = port === 22 ? host.toLowerCase() : `[${host.toLowerCase()}]:${port}`;
  const keys: HostKey[] = [];
  const revoked: HostKey[] = [];
  for (const line of text.split(/\r?\n/)) {
    const match = /^\s*(?:(@[a-z-]+)\s+)?([^\s#@]\S*)\s+(\S+\s+\S+)/.exec(line);
    if (match === null) continue;
    const [, marker, names, rest] = match;
    const key = parseHostKey(rest!);
    if (key === null || !isNamed(names!, name)) continue;
    if (marker === '@revoked') revoked.push(key);
    else if (marker === undefined) keys.push(key);
  }
  return { keys, revoked };
}

function isNamed(names: string, name: string): boolean {
  const hashed = /^\|1\|([^|]+)\|([^|]+)$/.exec(names);
  if (hashed !== null) {
    // HashKnownHosts: HMAC-SHA1 of the name under a salt of its own.
    const wanted = Buffer.from(hashed[2]!, 'base64');
    const found = createHmac('sha1', Buffer.from(hashed[1]!, 'base64')).update(name).digest();
    return wanted.length === found.length && timingSafeEqual(wanted, found);
  }
  let named = false;
  for (const pattern of names.toLowerCase().split(',')) {
    if (pattern.startsWith('!')) {
      if (wildcard(pattern.slice(1)).test(name)) return false;
    } else if (wildcard(pattern).test(name)) named = true;
  }
  return named;
}

const wildcard = (pattern: string): RegExp =>
  new RegExp(
    `^${pattern
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.')}$`,
  );
