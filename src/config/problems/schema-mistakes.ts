import type { z } from 'zod';
import type { ProblemCode } from './problem.js';
import type { Path } from '../read/tree.js';
import { didYouMean, suggestion } from '../../base/text/nearest.js';

/** One mistake as the schema sees it, in our words. `path` is below the value that was checked. */
export interface Mistake {
  readonly path: Path;
  readonly code: ProblemCode;
  readonly message: string;
  readonly hint: string;
}

/** What the issue's place knows: the value there and the keys that may stand there. */
export interface Surroundings {
  readonly valueAt: (path: Path) => unknown;
  readonly keysAt: (path: Path) => readonly string[];
}

type Issue = z.core.$ZodIssue;

const KINDS: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping',
  record: 'a mapping',
  null: 'null',
};

const pathOf = (path: readonly PropertyKey[]): Path =>
  path.map((part) => (typeof part === 'number' ? part : String(part)));
const shown = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));
const listed = (values: readonly unknown[]): string => values.map(shown).join(', ');

export function kindOf(value: unknown): string {
  if (value === null) return 'nothing (null)';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'string') return 'text';
  return KINDS[typeof value] ?? typeof value;
}

/** Messages of a schema that are sentences of ours begin where zod's own would begin with "Invalid". */
const ownMessage = (issue: Issue): string | null =>
  /^(Invalid|Too|Unrecognized|String|Number)\b/.test(issue.message) ? null : `${issue.message}.`;

export function mistakesOf(issue: Issue, around: Surroundings, below: Path = []): readonly Mistake[] {
  const path = [...below, ...pathOf(issue.path)];
  const value = around.valueAt(path);
  const one = (code: ProblemCode, message: string, hint = ''): readonly Mistake[] => [
    { path, code, message: ownMessage(issue) ?? message, hint },
  ];
  if (
    value === undefined &&
    (issue.code === 'invalid_type' || issue.code === 'invalid_value' || issue.code === 'invalid_union')
  )
    return [{ path, code: 'MISSING_KEY', message: 'is required.', hint: '' }];
  switch (issue.code) {
    case 'invalid_type':
      return one(
        'WRONG_TYPE',
        `must be ${KINDS[issue.expected] ?? issue.expected}, not ${kindOf(value)}.`,
        typeHint(issue.expected, value),
      );
    case 'unrecognized_keys':
      return issue.keys.map((key) => unknownKey([...path, key], around.keysAt(path)));
    case 'invalid_value':
      return one(
        'BAD_VALUE',
        `${shown(value)} is not one of ${listed(issue.values)}.`,
        didYouMean(String(value), issue.values.map(String)),
      );
    case 'too_small':
      return one('BAD_VALUE', `must be at least ${String(issue.minimum)}.`);
    case 'too_big':
      return one('BAD_VALUE', `must be at most ${String(issue.maximum)}.`);
    case 'invalid_union':
      return unionMistakes(issue, around, path);
    case 'invalid_format':
    case 'not_multiple_of':
    case 'invalid_key':
    case 'invalid_element':
    case 'custom':
      return one('BAD_VALUE', 'cannot be used.');
  }
}

export function unknownKey(path: Path, known: readonly string[], reserved: ReadonlySet<string> = new Set()): Mistake {
  const key = String(path.at(-1));
  if (reserved.has(key))
    return { path, code: 'UNKNOWN_KEY', message: 'is reserved and not built yet.', hint: 'Take it out.' };
  return { path, code: 'UNKNOWN_KEY', message: 'is no key here.', hint: suggestion(key, known, 'Keys here') };
}

/**
 * Of the alternatives, the one that was meant: the branch of the value's own kind, and there the one whose own keys are
 * right.
 */
function unionMistakes(
  issue: Extract<Issue, { code: 'invalid_union' }>,
  around: Surroundings,
  path: Path,
): readonly Mistake[] {
  const value = around.valueAt(path);
  const isWord = typeof value !== 'object' || value === null;
  const meant = issue.errors.filter(
    (issues) =>
      !issues.some(
        (i) => i.path.length === 0 && (i.code === 'invalid_type' || (i.code === 'invalid_value' && !isWord)),
      ),
  );
  const words = isWord
    ? meant.flatMap((issues) =>
        issues.flatMap((i) => (i.path.length === 0 && i.code === 'invalid_value' ? i.values : [])),
      )
    : [];
  if (words.length > 0) {
    const orMapping = meant.length < issue.errors.length ? ', nor a mapping' : '';
    return [
      {
        path,
        code: 'BAD_VALUE',
        message: `${shown(value)} is not one of ${listed(words)}${orMapping}.`,
        hint: didYouMean(String(value), words.map(String)),
      },
    ];
  }
  const structured = meant.filter((issues) => issues.every((i) => i.path.length > 0 || i.code !== 'unrecognized_keys'));
  const [first, ...others] = structured.length > 0 ? structured : meant;
  if (first !== undefined && others.length === 0) return first.flatMap((inner) => mistakesOf(inner, around, path));
  if (meant.length === 0) {
    const kinds = [
      ...new Set(
        issue.errors.flatMap((issues) =>
          issues.flatMap((i) => (i.code === 'invalid_type' ? [KINDS[i.expected] ?? i.expected] : [])),
        ),
      ),
    ];
    return [
      {
        path,
        code: 'WRONG_TYPE',
        message: `must be ${kinds.join(' or ')}, not ${kindOf(value)}.`,
        hint: typeHint(kinds.includes('text') ? 'string' : '', value),
      },
    ];
  }
  // A mapping with the wrong key, or with two of the keys of which only one may stand.
  const keys = around.keysAt(path);
  if (!isWord) {
    const unknown = Object.keys(value).filter((key) => !keys.includes(key));
    if (unknown.length > 0) return unknown.map((key) => unknownKey([...path, key], keys));
    return [{ path, code: 'BAD_VALUE', message: `must hold exactly one of ${keys.join(', ')}.`, hint: '' }];
  }
  return meant[0]!.flatMap((inner) => mistakesOf(inner, around, path));
}

function typeHint(expected: string, value: unknown): string {
  if (expected === 'string' && value === null) return 'For the text null, write "null".';
  if (expected === 'string' && (typeof value === 'number' || typeof value === 'boolean'))
    return `Write it in quotes: "${String(value)}".`;
  if (expected === 'boolean' && typeof value === 'string' && /^(yes|no|on|off)$/i.test(value))
    return `Write ${/^(yes|on)$/i.test(value) ? 'true' : 'false'}.`;
  if (expected === 'number' && typeof value === 'string' && value !== '' && Number.isFinite(Number(value)))
    return 'Write it without quotes.';
  return '';
}
