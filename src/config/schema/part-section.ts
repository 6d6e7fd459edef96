import type { Decoder } from '../../core/decoder.js';
import type { FormatType } from '../../core/format.js';
import type { SourceType } from '../../core/source.js';
import { suggestion } from '../../base/text/nearest.js';
import type { Problems } from '../problems/problem-list.js';
import { optionKeys, toJsonSchema } from './schema-keys.js';
import { parseKeys, parseNode, type Parsed, type Shape } from './validate.js';
import { text } from './scalars.js';
import { toPlain, type MapNode } from '../read/tree.js';
import type { z } from 'zod';

/**
 * The parts whose option schemas the config is checked against: registry.ts in the program. A new part brings its keys
 * with it.
 */
export interface PartRegistry {
  readonly sources: readonly SourceType[];
  readonly formats: readonly FormatType[];
  readonly decoders: readonly Decoder[];
  /**
   * What is wrong with a database URL, null when nothing is: postgres/connect/url.ts knows. Never holds the password.
   */
  readonly urlProblem?: (url: string) => string | null;
}

/** A section that names a part by `type`: keys common to all types, and the keys of this one. */
export interface PartSection<S extends Shape, T> {
  readonly common: Parsed<S>;
  /** undefined when the type is missing or unknown. */
  readonly part: T | undefined;
  /** What the part's schema gave; undefined after a mistake. */
  readonly options: Readonly<Record<string, unknown>> | undefined;
  /** The part's own keys as written, those omitted with their defaults. */
  readonly written: Readonly<Record<string, unknown>>;
}

interface Kind<T> {
  /** `source`, `format`, `connection`: for messages. */
  readonly word: string;
  readonly types: readonly T[];
  readonly schemaOf: (part: T) => z.ZodType<Record<string, unknown>>;
  /** Last touch on the written keys before the schema sees them: absolute paths, secrets read. */
  readonly prepare?: (
    part: T,
    plain: Readonly<Record<string, unknown>>,
    node: MapNode,
  ) => Readonly<Record<string, unknown>>;
}

export function parsePart<S extends Shape, T extends { readonly type: string }>(
  shape: S,
  kind: Kind<T>,
  node: MapNode,
  problems: Problems,
): PartSection<S, T> {
  const part = findPart(kind, node, problems);
  // Without a type nobody can say which keys are right.
  const own =
    part === undefined ? [...node.entries.keys()].filter((key) => !(key in shape)) : optionKeys(kind.schemaOf(part));
  const common = parseKeys(shape, node, problems, ['type', ...own]);
  if (part === undefined) return { common, part, options: undefined, written: {} };
  const ownNode: MapNode = { ...node, entries: new Map([...node.entries].filter(([key]) => own.includes(key))) };
  const plain = toPlain(ownNode);
  const written: Readonly<Record<string, unknown>> = isRecord(plain) ? plain : {};
  const options = parseNode(
    kind.schemaOf(part),
    ownNode,
    problems,
    kind.prepare === undefined ? written : kind.prepare(part, written, ownNode),
  );
  return { common, part, options, written: { ...defaultsOf(kind.schemaOf(part)), ...written } };
}

/**
 * A default that a schema gives behind its own transform (milliseconds for a duration) is not as one would write it,
 * and is left out.
 */
const defaultsOf = (schema: z.ZodType): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    Object.entries(toJsonSchema(schema).properties ?? {}).flatMap(([key, one]) =>
      typeof one === 'object' && one.default !== undefined && (one.type !== 'string' || typeof one.default === 'string')
        ? [[key, one.default]]
        : [],
    ),
  );

function findPart<T extends { readonly type: string }>(
  kind: Kind<T>,
  node: MapNode,
  problems: Problems,
): T | undefined {
  const type = node.entries.get('type');
  const name = type === undefined ? undefined : parseNode(text(), type, problems);
  if (type === undefined)
    problems.at(
      node,
      ['type'],
      'MISSING_KEY',
      'is required.',
      kind.types.length === 0 ? '' : `One of ${kind.types.map((t) => t.type).join(', ')}.`,
    );
  if (name === undefined) return undefined;
  const part = kind.types.find((one) => one.type === name);
  if (part === undefined)
    problems.at(
      node,
      ['type'],
      'UNKNOWN_NAME',
      `there is no ${kind.word} of type ${name}.`,
      suggestion(
        name,
        kind.types.map((t) => t.type),
        'There are',
      ),
    );
  return part;
}

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
