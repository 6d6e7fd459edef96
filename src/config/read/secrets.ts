import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { messageOf } from '../../core/errors.js';
import { Secret } from '../../core/secret.js';
import { readVariable, unsetVariable, type Env } from './interpolate.js';
import type { Problems } from '../problems/problem-list.js';
import type { SecretInput } from '../schema/scalars.js';
import { nodeAt, type ConfigNode, type Path } from './tree.js';

/** Far above any key or certificate chain; far below anything that would hurt. */
const MAX_FILE = 1_048_576;

/** Everything that turning written values into used ones needs from outside. */
export interface Surroundings {
  readonly env: Env;
  /** Folder of the config file: relative paths start here. */
  readonly base: string;
  readonly problems: Problems;
  /** Every secret that was read, for masking. */
  readonly secrets: Secret[];
}

/** The secret that stands at `at` below `node`; null after a mistake, which is reported. */
export function readSecret(input: SecretInput, node: ConfigNode, at: Path, around: Surroundings): Secret | null {
  const { problems } = around;
  if (typeof input === 'string') {
    const written = nodeAt(node, at);
    if (written?.kind === 'scalar' && !written.filled) {
      problems.warn(
        node,
        at,
        'SECRET_IN_CONFIG',
        'a secret stands here as text.',
        'Write { env: NAME }, { file: path } or ${NAME}.',
      );
    }
    return keep(input, around);
  }
  if ('env' in input) {
    const value = readVariable(around.env, input.env);
    if (value !== null) return keep(value, around);
    problems.at(node, [...at, 'env'], 'ENV_UNSET', unsetVariable(input.env).message, 'Set it.');
    return null;
  }
  const text = readTextFile(input.file, node, [...at, 'file'], around);
  if (text === null) return null;
  const value = text.replace(/\r?\n$/, '');
  if (value !== '') return keep(value, around);
  problems.at(node, [...at, 'file'], 'SECRET_UNREADABLE', `${path.resolve(around.base, input.file)} is empty.`);
  return null;
}

function keep(text: string, around: Surroundings): Secret {
  const secret = new Secret(text);
  around.secrets.push(secret);
  return secret;
}

/**
 * A small text file named in the config; null after a mistake, which is reported. Never waits: pipes and devices are
 * refused.
 */
export function readTextFile(file: string, node: ConfigNode, at: Path, around: Surroundings): string | null {
  const full = path.resolve(around.base, file);
  try {
    const stats = statSync(full);
    if (!stats.isFile()) throw new Error('not a regular file');
    if (stats.size > MAX_FILE) throw new Error('larger than 1 MiB');
    return readFileSync(full, 'utf8');
  } catch (error) {
    around.problems.at(
      node,
      at,
      'SECRET_UNREADABLE',
      `${full} cannot be read: ${messageOf(error).replace(/, (stat|open) '.*'$/, '')}.`,
    );
    return null;
  }
}
