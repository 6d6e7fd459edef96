import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { messageOf, TallymanError } from '../core/errors.js';
import type { FeedSpec } from '../core/feed/feed.js';
import type { Config } from './config.js';
import { readVariable, type Env } from './read/interpolate.js';
import type { PartRegistry } from './schema/part-section.js';
import { ConfigError, type Problem } from './problems/problem.js';
import { Problems } from './problems/problem-list.js';
import { readYaml } from './read/read-yaml.js';
import { resolve } from './resolve/resolve.js';

export interface LoadConfigOptions {
  /** `-c`; else $TALLYMAN_CONFIG, else ./tallyman.yaml. */
  readonly path?: string | undefined;
  readonly env: Env;
  readonly cwd: string;
  readonly parts: PartRegistry;
  /** See ParseOptions. */
  readonly needsSecrets?: boolean;
  readonly asks?: boolean;
}

export const CONFIG_NAME = 'tallyman.yaml';

/** 4 MiB: a thousand feeds of a hundred columns. Anything larger is another file. */
const MAX_BYTES = 4 * 1_048_576;

/**
 * Finds, reads and checks the config. `file` is its absolute path. Throws CONFIG_MISSING when there is none, and
 * ConfigError (CONFIG_INVALID) with every mistake at once. Problems name the file as it was asked for.
 */
export function loadConfig(options: LoadConfigOptions): { readonly config: Config; readonly file: string } {
  const shown = options.path ?? readVariable(options.env, 'TALLYMAN_CONFIG') ?? CONFIG_NAME;
  const file = path.resolve(options.cwd, shown);
  const config = parseConfig(readConfigFile(file, shown), { ...options, shown, base: path.dirname(file) });
  return { config, file };
}

export interface ParseOptions {
  /** Name of the file in problems. */
  readonly shown: string;
  /** Folder that relative paths start from. */
  readonly base: string;
  readonly env: Env;
  readonly parts: PartRegistry;
  /** False: a secret that cannot be had is no mistake yet; `requireSecrets` makes it one for who needs it. */
  readonly needsSecrets?: boolean;
  /** `check --connect`: servers whose key is not pinned are asked for it, instead of a mistake. */
  readonly asks?: boolean;
}

/** The same for text at hand. Throws ConfigError. */
export function parseConfig(text: string, options: ParseOptions): Config {
  const problems = new Problems(options.shown);
  const tree = readYaml(text, options.env, problems);
  problems.ignoreMissing = !tree.whole;
  let config: Config | null = null;
  if (tree.root !== null)
    config = resolve(tree.root, options.parts, {
      env: options.env,
      base: options.base,
      problems,
      secrets: [],
      asks: options.asks === true,
    });
  else if (problems.count === 0)
    problems.add({ line: 1, column: 1 }, [], 'MISSING_KEY', 'the config is empty.', 'Make one with `tallyman init`.');
  if (options.needsSecrets !== false && problems.unsetSecrets.length > 0)
    throw new ConfigError(inOrder([...problems.errors, ...problems.unsetSecrets]), problems.warnings);
  if (config === null || problems.count > 0) throw new ConfigError(problems.errors, problems.warnings);
  return config;
}

/**
 * Throws ConfigError when a secret is not there that work on these feeds needs: the database's, the feeds' own and
 * those of their connections. `http`: also the token of the daemon.
 */
export function requireSecrets(
  config: Config,
  needs: { readonly feeds: readonly FeedSpec[]; readonly http: boolean },
): void {
  const connections = needs.feeds.flatMap(({ source }) => {
    const { connection } = source.options;
    return typeof connection === 'string' ? [`connections.${connection}.`] : [];
  });
  const own = needs.feeds.map(({ name }) => `feeds.${name}.`);
  const prefixes = ['database.', 'defaults.', ...(needs.http ? ['daemon.'] : []), ...connections, ...own];
  const missing = config.unsetSecrets.filter(({ key }) => prefixes.some((prefix) => key.startsWith(prefix)));
  if (missing.length > 0) throw new ConfigError(missing, config.warnings);
}

const inOrder = (problems: readonly Problem[]): readonly Problem[] =>
  [...problems].sort((a, b) => a.line - b.line || a.column - b.column);

function readConfigFile(file: string, shown: string): string {
  try {
    const stats = statSync(file);
    if (!stats.isFile()) throw new Error('not a file');
    if (stats.size > MAX_BYTES) throw new Error(`larger than ${MAX_BYTES} bytes`);
    const bytes = readFileSync(file);
    // A lone byte that is no UTF-8 would become U+FFFD, and a path with it another path.
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    const why = error instanceof TypeError ? 'not UTF-8' : messageOf(error).replace(/, (stat|open) '.*'$/, '');
    throw new TallymanError('CONFIG_MISSING', `the config ${shown} cannot be read: ${why}`, { cause: error });
  }
}
