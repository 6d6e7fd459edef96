import type { z } from 'zod';
import { kindOf, mistakesOf, unknownKey } from '../problems/schema-mistakes.js';
import type { Problems } from '../problems/problem-list.js';
import { keysAt, toJsonSchema } from './schema-keys.js';
import { RESERVED_KEYS } from './schema.js';
import { nodeAt, textsOf, toPlain, type ConfigNode, type MapNode, type Path } from '../read/tree.js';

export type Shape = Readonly<Record<string, z.ZodType>>;
/** What was right; a key with a mistake is absent. */
export type Parsed<S extends Shape> = { [K in keyof S]?: z.output<S[K]> };

/** Checks one value; mistakes go to `problems`, and undefined comes back. */
export function parseNode<T>(
  schema: z.ZodType<T>,
  node: ConfigNode,
  problems: Problems,
  plain: unknown = toPlain(node),
): T | undefined {
  const first = schema.safeParse(plain);
  const result = first.success ? first : schema.safeParse(retyped(plain, node, first.error));
  if (result.success) return result.data;
  const keys = toJsonSchema(schema);
  const around = { valueAt: (path: Path) => valueAt(plain, path), keysAt: (path: Path) => keysAt(keys, path) };
  for (const mistake of result.error.issues.flatMap((issue) => mistakesOf(issue, around))) {
    problems.at(node, mistake.path, mistake.code, mistake.message, mistake.hint);
  }
  return undefined;
}

/**
 * Checks a mapping key by key, so that a mistake in one key hides none in another and what is right can be used for
 * further checks. `others` are keys that the caller looks at itself; `asText` those whose scalars are texts of values
 * (toPlain).
 */
export function parseKeys<S extends Shape>(
  shape: S,
  node: ConfigNode,
  problems: Problems,
  others: readonly string[] = [],
  asText: ReadonlySet<string> = new Set(),
): Parsed<S> {
  const parsed: Record<string, unknown> = {};
  if (!isMap(node, problems)) return {};
  const known = [...Object.keys(shape), ...others];
  for (const key of node.entries.keys()) {
    if (known.includes(key)) continue;
    const mistake = unknownKey([key], known, RESERVED_KEYS);
    problems.at(node, mistake.path, mistake.code, mistake.message, mistake.hint);
  }
  for (const [key, schema] of Object.entries(shape)) {
    const value = parseKey(schema, key, node, problems, asText);
    if (value !== undefined) parsed[key] = value;
  }
  // Each value is its own key's schema's output, which a Record cannot say.
  return parsed as Parsed<S>;
}

function parseKey<T>(
  schema: z.ZodType<T>,
  key: string,
  node: MapNode,
  problems: Problems,
  asText: ReadonlySet<string>,
): T | undefined {
  const value = node.entries.get(key);
  if (value !== undefined) return parseNode(schema, value, problems, asText.has(key) ? textsOf(value) : toPlain(value));
  const absent = schema.safeParse(undefined);
  if (absent.success) return absent.data;
  problems.at(node, [key], 'MISSING_KEY', 'is required.');
  return undefined;
}

/** True for a mapping; anything else is reported. */
export function isMap(node: ConfigNode, problems: Problems): node is MapNode {
  if (node.kind === 'map') return true;
  problems.at(node, [], 'WRONG_TYPE', `must be a mapping, not ${kindOf(toPlain(node))}.`);
  return false;
}

/**
 * `port: ${PORT}` is text until a number is asked for: then it is read as YAML would have read it. Quoted text stays
 * text.
 */
function retyped(plain: unknown, node: ConfigNode, error: z.ZodError): unknown {
  let value = plain;
  for (const issue of error.issues) {
    if (issue.code !== 'invalid_type') continue;
    const path = issue.path.map((part) => (typeof part === 'number' ? part : String(part)));
    const found = nodeAt(node, path);
    if (found?.kind !== 'scalar' || !found.filled || !found.bare) continue;
    const number = /^[-+]?(\d+\.?\d*|\.\d+)$/.test(found.text) ? Number(found.text) : null;
    if ((issue.expected === 'number' || issue.expected === 'int') && number !== null)
      value = withValue(value, path, number);
    else if (issue.expected === 'boolean' && /^(true|false)$/i.test(found.text))
      value = withValue(value, path, found.text.toLowerCase() === 'true');
  }
  return value;
}

function withValue(plain: unknown, path: Path, value: unknown): unknown {
  const [part, ...rest] = path;
  if (part === undefined) return value;
  if (Array.isArray(plain)) return plain.map((item: unknown, i) => (i === part ? withValue(item, rest, value) : item));
  if (typeof plain !== 'object' || plain === null) return plain;
  return Object.fromEntries(
    Object.entries(plain).map(([key, item]: [string, unknown]) => [
      key,
      key === part ? withValue(item, rest, value) : item,
    ]),
  );
}

function valueAt(plain: unknown, path: Path): unknown {
  let here: unknown = plain;
  for (const part of path) {
    if (typeof here !== 'object' || here === null) return undefined;
    here = Object.entries(here).find(([key]) => key === String(part))?.[1];
  }
  return here;
}
