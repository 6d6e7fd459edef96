import { Secret } from '../core/secret.js';
import type { Config } from './config.js';
import { maskUrls } from './mask.js';

/** Are both the same to the program? Secrets are compared by their text. */
export function isSame(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (a instanceof Secret || b instanceof Secret)
    return a instanceof Secret && b instanceof Secret && textOf(a) === textOf(b);
  if (a instanceof RegExp || b instanceof RegExp)
    return a instanceof RegExp && b instanceof RegExp && a.source === b.source && a.flags === b.flags;
  if (a instanceof Map || b instanceof Map) return a instanceof Map && b instanceof Map && isSame([...a], [...b]);
  if (a instanceof Set || b instanceof Set) return a instanceof Set && b instanceof Set && isSame([...a], [...b]);
  const [left, right] = [Object.entries(a), new Map(Object.entries(b))];
  return left.length === right.size && left.every(([key, value]) => right.has(key) && isSame(value, right.get(key)));
}

/** null = it is not there yet. */
const textOf = (secret: Secret): string | null => (secret.isSet ? secret.reveal() : null);

/**
 * Keys of the config in which the two differ and which a process keeps as long as it lives, as the file writes them.
 * What may change under a running daemon: feeds, connections, secrets of database and HTTP, drain_timeout, log.level.
 */
export function fixedChanges(old: Config, now: Config): readonly string[] {
  const fixed = [fixedPart(old), fixedPart(now)] as const;
  return Object.keys({ ...fixed[0], ...fixed[1] }).filter((key) => !isSame(fixed[0][key], fixed[1][key]));
}

/** Of Config: what may change, and what fixedPart names itself. */
const CHANGEABLE = [
  'dataDir',
  'landing',
  'database',
  'daemon',
  'feeds',
  'connections',
  'warnings',
  'secrets',
  'unsetSecrets',
  'written',
];

function fixedPart(config: Config): Readonly<Record<string, unknown>> {
  const { dataDir, landing, database, daemon } = config;
  // Named so that a key that comes later is fixed until somebody says otherwise.
  const rest = Object.entries(config).filter(([key]) => !CHANGEABLE.includes(key));
  const { http, log } = daemon;
  return {
    ...Object.fromEntries<unknown>(rest),
    data_dir: dataDir,
    landing,
    // Another password is the same database; so is another certificate.
    'database.url': database.url === null ? null : maskUrls(database.url.reveal()),
    'database.embedded': database.embedded,
    'database.control_schema': database.controlSchema,
    'daemon.concurrency': daemon.concurrency,
    'daemon.http': http === false ? false : [http.host, http.port],
    'daemon.log.format': log.format,
  };
}
