import { TallymanError } from '../../core/errors.js';

/**
 * Every kind of mistake that a config can hold, with its meaning. `check --json` prints the code;
 * docs/reference/config.md lists them.
 */
export const PROBLEMS = {
  YAML_SYNTAX: 'The text is not YAML 1.2.',
  DUPLICATE_KEY: 'A key stands twice in the same place.',
  UNKNOWN_KEY: 'There is no such key here.',
  MISSING_KEY: 'A required key is not there.',
  WRONG_TYPE: 'The value is of another kind (text, number, list ...).',
  BAD_VALUE: 'The value is of the right kind but cannot be used.',
  UNKNOWN_NAME: 'The value names something that is not there: a part, a connection, a column, a column type.',
  ENV_UNSET: 'A variable is unset or empty and has no default.',
  SECRET_UNREADABLE: 'The file that holds a secret or certificate cannot be read.',
  DATABASE_CHOICE: 'Exactly one of database.url and database.embedded is needed.',
  HTTP_TOKEN: 'HTTP on an address other than loopback needs a token.',
  RESERVED_COLUMN: '_load_id and _row are written by tallyman itself.',
  DUPLICATE_COLUMN: 'Two columns have one name.',
  COLUMN_RULE: 'A bound, default, list or format does not fit the type of its column.',
  CONFLICT: 'Two keys contradict each other.',
  FEEDS_OVERLAP: 'A file can belong to two feeds, and one of them does more than leave it.',
  // warnings: `check` reports them, nothing stops
  CASE_ONLY: 'Warning: two feeds, columns or patterns differ by case only.',
  FIXED_NAME: 'Warning: a pattern that can meet only one name, and on_changed is unset.',
  NEVER_MATCHES: 'Warning: a pattern that cannot meet any file.',
  SLOW_EXPRESSION: 'Warning: a regular expression with so many ways through a text that trying them may take for ever.',
  SECRET_IN_CONFIG: 'Warning: a secret stands in the config file as text.',
  NO_EFFECT: 'Warning: a key that changes nothing where it stands.',
  DATABASE_ENCODING: 'Warning (`check --connect`): the database cannot hold every character.',
} as const;

export type ProblemCode = keyof typeof PROBLEMS;

/** One mistake and its place, as `check` reports it. Lines and columns count from 1. */
export interface Problem {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** Where in the config: `feeds.orders.columns[2].type`. Empty for the whole file. */
  readonly key: string;
  readonly code: ProblemCode;
  readonly message: string;
  /** What to do; empty when the message says it all. */
  readonly hint: string;
}

/** All mistakes of a config at once. */
export class ConfigError extends TallymanError {
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];

  constructor(problems: readonly Problem[], warnings: readonly Problem[]) {
    super('CONFIG_INVALID', problems.map(problemLine).join('\n'));
    this.problems = problems;
    this.warnings = warnings;
  }
}

/** `tallyman.yaml:12:5 feeds.orders.source.pol: unknown key. Did you mean poll?` */
export function problemLine(problem: Problem): string {
  const key = problem.key === '' ? '' : ` ${problem.key}:`;
  const hint = problem.hint === '' ? '' : ` ${problem.hint}`;
  const place = problem.file === '' ? '' : `${problem.file}:${problem.line}:${problem.column}`;
  return `${place}${key} ${problem.message}${hint}`.trimStart();
}
