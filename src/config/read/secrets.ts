import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { messageOf, TallymanError } from '../../core/errors.js';
import { Secret } from '../../core/secret.js';
import { readVariable, unsetVariable, type Env } from './interpolate.js';
import { problemLine, type Problem } from '../problems/problem.js';
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
  /** `check --connect`: what would prove a server may be missing. */
  readonly asks?: boolean;
}

/**
 * The secret that stands at `at` below `node`. One that cannot be had now is reported as unset: only what needs it
 * fails, with the same words.
 */
export function readSecret(input: SecretInput, node: ConfigNode, at: Path, around: Surroundings): Secret {
  const { problems } = around;
  if (typeof input === 'string') {
    const written = nodeAt(node, at);
    if (written?.kind === 'scalar' && written.broken) return unset(problems.unset(node, at, 'ENV_UNSET', '', ''));
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
    return unset(problems.unset(node, [...at, 'env'], 'ENV_UNSET', unsetVariable(input.env).message, 'Set it.'));
  }
  const full = path.resolve(around.base, input.file);
  const again = (): string | null => {
    const now = secretFile(full);
    return now instanceof Error ? null : now;
  };
  const value = secretFile(full);
  if (!(value instanceof Error)) return keep(value, around, again);
  const secret = unset(problems.unset(node, [...at, 'file'], 'SECRET_UNREADABLE', value.message), again);
  around.secrets.push(secret);
  return secret;
}

/** The text of a secret's file without its final newline, or why it cannot be had. */
function secretFile(full: string): string | Error {
  const text = textFile(full);
  if (text instanceof Error) return text;
  return text.replace(/\r?\n$/, '') || new Error(`${full} is empty.`);
}

function keep(text: string, around: Surroundings, again: (() => string | null) | null = null): Secret {
  const secret = new Secret(text, again);
  around.secrets.push(secret);
  return secret;
}

const unset = (problem: Problem, again: (() => string | null) | null = null): Secret =>
  Secret.unset(
    () =>
      new TallymanError('CONFIG_INVALID', problemLine(problem), {
        fix: 'Set it for this command too: what needs no secret works without it.',
      }),
    again,
  );

/**
 * A small text file named in the config; null after a mistake, which is reported. Never waits: pipes and devices are
 * refused.
 */
export function readTextFile(file: string, node: ConfigNode, at: Path, around: Surroundings): string | null {
  const text = textFile(path.resolve(around.base, file));
  if (!(text instanceof Error)) return text;
  around.problems.at(node, at, 'SECRET_UNREADABLE', text.message);
  return null;
}

function textFile(full: string): string | Error {
  try {
    const stats = statSync(full);
    if (!stats.isFile()) throw new Error('not a regular file');
    if (stats.size > MAX_FILE) throw new Error('larger than 1 MiB');
    return readFileSync(full, 'utf8');
  } catch (error) {
    return new Error(`${full} cannot be read: ${messageOf(error).replace(/, (stat|open) '.*'$/, '')}.`);
  }
}
