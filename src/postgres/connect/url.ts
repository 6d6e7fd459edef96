import { readFileSync } from 'node:fs';
import path from 'node:path';
import { homeFolder, userName } from '../../base/host/home-folder.js';
import process from 'node:process';
import { messageOf, TallymanError } from '../../core/errors.js';
import { SESSION_ATTRS, type DatabaseSpec } from '../../core/database.js';
import { passwordFromFile } from './password-file.js';

/** PEM texts of the config; they win over files named in the URL. */
export interface TlsTexts {
  readonly ca: string | null;
  readonly cert: string | null;
  readonly key: string | null;
}

export const NO_TLS_TEXTS: TlsTexts = { ca: null, cert: null, key: null };

const BINDINGS = ['disable', 'prefer', 'require'] as const;
const SSL_MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const;
const PARAMETERS = [
  'host',
  'port',
  'user',
  'password',
  'dbname',
  'sslmode',
  'sslrootcert',
  'sslcert',
  'sslkey',
  'target_session_attrs',
  'channel_binding',
  'connect_timeout',
  'application_name',
] as const;
type Parameter = (typeof PARAMETERS)[number];

/** libpq's default is to wait for ever; a daemon has to notice. */
const CONNECT_TIMEOUT_S = 10;

/**
 * Reads a libpq connection URI (`postgresql://` or `postgres://`), percent-decoded, parts that are missing filled in
 * from PGHOST, PGPORT, PGUSER, PGPASSWORD, PGDATABASE, PGSSLMODE, PGSSLROOTCERT, PGSSLCERT, PGSSLKEY,
 * PGCONNECT_TIMEOUT, PGAPPNAME, PGTARGETSESSIONATTRS, PGCHANNELBINDING and the password file, then libpq's defaults. A
 * host that begins with `/` is the folder of a Unix socket. Of several hosts, which libpq tries in turn, one that takes
 * writes is meant unless target_session_attrs says otherwise: every load writes. `password` (from the config) wins.
 * Throws CONFIG_INVALID; no message holds the password.
 */
export function parseDatabaseUrl(
  url: string,
  password: string | null,
  tls: TlsTexts = NO_TLS_TEXTS,
  env: NodeJS.ProcessEnv = process.env,
): DatabaseSpec {
  const parts = splitUrl(url);
  const get = (name: Parameter, variable: string): string | null =>
    emptyToNull(parts.get(name)) ?? emptyToNull(env[variable]);
  const user = get('user', 'PGUSER') ?? userName();
  if (user === null)
    throw invalid('it names no user, and the one that runs this has no name: write postgresql://USER@HOST/DATABASE');
  const [first, ...others] = placesOf(get('host', 'PGHOST') ?? 'localhost', get('port', 'PGPORT') ?? '5432');
  const attrs = get('target_session_attrs', 'PGTARGETSESSIONATTRS');
  const sessionAttrs = SESSION_ATTRS.find((one) => one === (attrs ?? (others.length > 0 ? 'read-write' : 'any')));
  if (sessionAttrs === undefined) throw invalid(`target_session_attrs is one of ${SESSION_ATTRS.join(', ')}`);
  const binding = get('channel_binding', 'PGCHANNELBINDING');
  const channelBinding = BINDINGS.find((one) => one === binding);
  if (binding !== null && channelBinding === undefined)
    throw invalid(`channel_binding is one of ${BINDINGS.join(', ')}`);
  const at = {
    ...first!,
    user,
    database: get('dbname', 'PGDATABASE') ?? user,
  };
  const sslmode = SSL_MODES.find((mode) => mode === (get('sslmode', 'PGSSLMODE') ?? 'prefer'));
  if (sslmode === undefined) throw invalid(`sslmode is one of ${SSL_MODES.join(', ')}`);
  const rootCert = get('sslrootcert', 'PGSSLROOTCERT');
  return {
    ...at,
    password:
      password ?? emptyToNull(parts.get('password')) ?? emptyToNull(env['PGPASSWORD']) ?? passwordFromFile(at, env),
    sslmode,
    tls: {
      // "system": the certificates that Node trusts.
      ca: tls.ca ?? (rootCert === 'system' ? null : (pem('sslrootcert', rootCert) ?? defaultRootCert(sslmode))),
      cert: tls.cert ?? pem('sslcert', get('sslcert', 'PGSSLCERT')),
      key: tls.key ?? pem('sslkey', get('sslkey', 'PGSSLKEY')),
    },
    ...(others.length === 0 ? {} : { others }),
    ...(sessionAttrs === 'any' ? {} : { sessionAttrs }),
    ...(channelBinding === undefined ? {} : { channelBinding }),
    applicationName: get('application_name', 'PGAPPNAME') ?? 'tallyman',
    connectTimeoutMs: connectTimeoutMs(get('connect_timeout', 'PGCONNECT_TIMEOUT')),
    controlSchema: 'tallyman',
  };
}

/** `h1,h2` and `5432` or `5432,5433`: each host with its port, as libpq pairs them. */
function placesOf(hosts: string, ports: string): readonly { readonly host: string; readonly port: number }[] {
  const names = hosts.split(',').map((host) => host || 'localhost');
  const numbers = ports.split(',').map((port) => whole('port', port || '5432', 1, 65_535));
  if (numbers.length !== 1 && numbers.length !== names.length)
    throw invalid(
      `there are ${names.length} hosts and ${numbers.length} ports: give one port for all, or one for each`,
    );
  return names.map((host, i) => ({ host, port: numbers[i] ?? numbers[0]! }));
}

/**
 * `scheme://[user[:password]@][host][:port][/dbname][?name=value...]`, every part percent-decoded. By hand: WHATWG URLs
 * have no `?host=/dir` without a host.
 */
function splitUrl(url: string): Map<Parameter, string> {
  const match = /^postgres(?:ql)?:\/\/(?:([^@/?#]*)@)?([^/?#]*)(?:\/([^?#]*))?(?:\?([^#]*))?$/.exec(url);
  if (match === null)
    throw invalid(
      'it has the form postgresql://user@host:port/database?sslmode=verify-full (a password, and @ : / ? # in names, percent-encoded)',
    );
  const [, login, authority = '', database, query] = match;
  const parts = new Map<Parameter, string>();
  if (login !== undefined) {
    const colon = login.indexOf(':');
    parts.set('user', decode(colon < 0 ? login : login.slice(0, colon)));
    if (colon >= 0) parts.set('password', decode(login.slice(colon + 1)));
  }
  // What stands there may be the rest of a password.
  if (authority.includes('@')) throw invalid('an @ in the user name or password is written %40');
  const places = authority.split(',').map((one) => /^(?:\[([^\]]*)\]|([^:]*))(?::([^:]*))?$/.exec(one));
  if (places.includes(null)) throw invalid('an IPv6 address stands in brackets: [::1]:5432');
  const ports = places.map((place) => decode(place?.[3] ?? ''));
  parts.set('host', places.map((place) => decode(place?.[1] ?? place?.[2] ?? '')).join(','));
  parts.set('port', ports.every((port) => port === '') ? '' : ports.join(','));
  parts.set('dbname', decode(database ?? ''));
  for (const [name, value] of queryPairs(query ?? '')) parts.set(name, value);
  return parts;
}

function* queryPairs(query: string): Generator<readonly [Parameter, string]> {
  for (const pair of query.split('&')) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const name = decode(equals < 0 ? pair : pair.slice(0, equals));
    // libpq takes JDBC's spelling too.
    if (name === 'ssl' && pair.slice(equals + 1) === 'true') yield ['sslmode', 'require'];
    else yield [known(name), decode(equals < 0 ? '' : pair.slice(equals + 1))];
  }
}

function known(name: string): Parameter {
  const found = PARAMETERS.find((parameter) => parameter === name);
  if (found === undefined)
    throw invalid(
      `the parameter ${JSON.stringify(name)} is not known here; known are ${PARAMETERS.join(', ')}. Settings of the session belong to the role: ALTER ROLE ... SET ...`,
    );
  return found;
}

function decode(text: string): string {
  let decoded: string;
  try {
    decoded = decodeURIComponent(text);
  } catch {
    // The text may be the password: it is not shown.
    throw invalid('a % begins a percent-encoded byte (%40 for @, %25 for %)');
  }
  if (decoded.includes('\0')) throw invalid('it holds a NUL (%00)');
  return decoded;
}

function connectTimeoutMs(seconds: string | null): number {
  const value = seconds === null ? CONNECT_TIMEOUT_S : whole('connect_timeout', seconds, -1, 86_400);
  // libpq: 0 or less waits for ever. Not here: an hour is as good.
  return value <= 0 ? 3_600_000 : value * 1000;
}

function whole(name: string, text: string, min: number, max: number): number {
  const value = /^-?\d{1,9}$/.test(text.trim()) ? Number(text) : NaN;
  if (!(value >= min && value <= max)) throw invalid(`${name} is a whole number from ${min} to ${max}`);
  return value;
}

/** ~/.postgresql/root.crt, which libpq takes for verify-ca and verify-full when no CA is named. */
function defaultRootCert(sslmode: DatabaseSpec['sslmode']): string | null {
  const home = homeFolder();
  if (home === null || !sslmode.startsWith('verify-')) return null;
  try {
    return readFileSync(path.join(home, '.postgresql', 'root.crt'), 'utf8');
  } catch {
    // Not there: Node's own list of CAs is used.
    return null;
  }
}

function pem(name: string, file: string | null): string | null {
  if (file === null) return null;
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw invalid(`${name}: ${messageOf(error)}`);
  }
}

function emptyToNull(text: string | undefined): string | null {
  return text === undefined || text === '' ? null : text;
}

function invalid(what: string): TallymanError {
  return new TallymanError('CONFIG_INVALID', `database.url: ${what}`, { fix: 'Correct database.url.' });
}
