import { Secret } from '../../core/secret.js';
import type { Config, DaemonConfig, DatabaseConfig } from '../config.js';
import { daemonShape, databaseShape, type DaemonInput } from '../schema/schema.js';
import type { PartRegistry } from '../schema/part-section.js';
import type { SecretInput } from '../schema/scalars.js';
import { readSecret, readTextFile, type Surroundings } from '../read/secrets.js';
import { nodeAt, type ConfigNode, type MapNode } from '../read/tree.js';
import { isMap, parseKeys, type Parsed } from '../schema/validate.js';

/** `database:`; null after a mistake. */
export function resolveDatabase(
  node: ConfigNode,
  root: MapNode,
  parts: PartRegistry,
  around: Surroundings,
): DatabaseConfig | null {
  const { problems } = around;
  const before = problems.count;
  if (!root.entries.has('database')) {
    problems.at(
      root,
      ['database'],
      'DATABASE_CHOICE',
      'there is no database.',
      'Give database.url, or database.embedded: true.',
    );
    return null;
  }
  if (!isMap(node, problems)) return null;
  const keys = parseKeys(databaseShape, node, problems);
  checkChoice(keys, node, around);
  const url = keys.url === undefined ? null : readUrl(keys.url, node, around);
  if (url?.isSet === true) checkUrl(url, node, parts, around);
  const password = keys.password === undefined ? null : readSecret(keys.password, node, ['password'], around);
  const pem = (key: 'ca' | 'cert' | 'key'): string | null => {
    const file = keys.tls?.[key];
    if (file === undefined) return null;
    const text = readTextFile(file, node, ['tls', key], around);
    if (text !== null && !text.includes('-----BEGIN '))
      problems.at(node, ['tls', key], 'BAD_VALUE', `${file} holds no PEM (-----BEGIN ...).`);
    return text;
  };
  const [ca, cert, key] = [pem('ca'), pem('cert'), pem('key')];
  const secretKey = key === null ? null : new Secret(key);
  if (secretKey !== null) around.secrets.push(secretKey);
  if ((keys.tls?.cert === undefined) !== (keys.tls?.key === undefined))
    problems.at(node, ['tls'], 'CONFLICT', 'cert and key belong together.');
  const { embedded, staging_schema: stagingSchema, control_schema: controlSchema } = keys;
  if (stagingSchema !== undefined && stagingSchema === controlSchema)
    problems.at(node, ['staging_schema'], 'CONFLICT', 'staging_schema and control_schema are the same.');
  if (problems.count > before || embedded === undefined || stagingSchema === undefined || controlSchema === undefined)
    return null;
  return { url, embedded, password, tls: { ca, cert, key: secretKey }, stagingSchema, controlSchema };
}

function checkChoice(keys: Parsed<typeof databaseShape>, node: MapNode, { problems }: Surroundings): void {
  const written = node.entries.has('url');
  if (written && keys.embedded === true)
    problems.at(node, ['embedded'], 'DATABASE_CHOICE', 'there are both url and embedded.', 'Keep one of them.');
  if (!written && keys.embedded === false)
    problems.at(node, ['url'], 'DATABASE_CHOICE', 'there is neither url nor embedded: true.', 'Give one of them.');
  for (const key of ['password', 'tls'] as const) {
    if (keys.embedded === true && node.entries.has(key))
      problems.warn(node, [key], 'NO_EFFECT', `the embedded database takes no ${key}.`);
  }
}

/**
 * A URL is no secret by itself: written as text it is fine, and masking all of it would blank every message about the
 * host.
 */
function readUrl(input: SecretInput, node: MapNode, around: Surroundings): Secret {
  const written = nodeAt(node, ['url']);
  const isBroken = written?.kind === 'scalar' && written.broken;
  return typeof input === 'string' && !isBroken
    ? new Secret(input)
    : readSecret(input, node, ['url'], { ...around, secrets: [] });
}

/** A password in the URL is a secret of its own. */
function checkUrl(url: Secret, node: MapNode, parts: PartRegistry, around: Surroundings): void {
  const text = url.reveal();
  const mistake = /^postgres(ql)?:\/\//.test(text)
    ? (parts.urlProblem?.(text) ?? null)
    : 'must begin with postgresql:// (a URL as libpq takes it).';
  if (mistake !== null) around.problems.at(node, ['url'], 'BAD_VALUE', mistake);
  const written = /^[a-z]+:\/\/[^:@/?#]*:([^@/?#]+)@/.exec(text)?.[1] ?? /[?&]password=([^&]+)/.exec(text)?.[1];
  if (written === undefined) return;
  around.secrets.push(new Secret(written), new Secret(decoded(written)));
  const value = node.entries.get('url');
  if (value?.kind === 'scalar' && !value.filled) {
    around.problems.warn(
      node,
      ['url'],
      'SECRET_IN_CONFIG',
      'a password stands in the URL as text.',
      'Write password: { env: NAME }, or ${NAME} in its place.',
    );
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (error instanceof URIError) return text;
    throw error;
  }
}

/** `daemon:`; null after a mistake. */
export function resolveDaemon(node: MapNode, around: Surroundings): DaemonConfig | null {
  const before = around.problems.count;
  const keys = parseKeys(daemonShape, node, around.problems);
  const http = keys.http === undefined ? false : resolveHttp(keys.http, node, around);
  const { concurrency, drain_timeout: drainTimeoutMs, log } = keys;
  if (around.problems.count > before || concurrency === undefined || drainTimeoutMs === undefined || log === undefined)
    return null;
  return { concurrency, drainTimeoutMs, http, log };
}

function resolveHttp(input: DaemonInput['http'], node: MapNode, around: Surroundings): Config['daemon']['http'] {
  if (input === false) return false;
  const match = /^(\[[0-9a-fA-F:.]+\]|[^:\s[\]]+):(\d{1,5})$/.exec(input.listen);
  const port = Number(match?.[2]);
  if (match === null || port > 65_535) {
    around.problems.at(
      node,
      ['http', 'listen'],
      'BAD_VALUE',
      `${input.listen} is no HOST:PORT.`,
      'Write for example 127.0.0.1:8321, or [::1]:8321.',
    );
    return false;
  }
  const host = match[1]!.replace(/^\[|\]$/g, '');
  const token = input.token === undefined ? null : readSecret(input.token, node, ['http', 'token'], around);
  if (input.token === undefined && !/^(127\.\d+\.\d+\.\d+|::1|localhost)$/.test(host)) {
    around.problems.at(
      node,
      ['http', 'token'],
      'HTTP_TOKEN',
      `${host} is not loopback: a token is needed.`,
      'token: { env: TALLYMAN_TOKEN }, or listen on 127.0.0.1.',
    );
  }
  return { host, port, token };
}
