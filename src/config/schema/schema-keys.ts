import * as z from 'zod';
import type { Path } from '../read/tree.js';

/** A JSON Schema as far as it is looked into here. */
export type JsonSchema = z.core.JSONSchema.JSONSchema;

/** What people write (io: input). Values that JSON Schema cannot say (a Secret made by config/) stay open. */
export function toJsonSchema(schema: z.ZodType): JsonSchema {
  const known = made.get(schema);
  if (known !== undefined) return known;
  const json = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  made.set(schema, json);
  return json;
}

/**
 * A part's schema is asked for its keys in every feed: 1,000 feeds would make it 3,000 times, at about a millisecond
 * each.
 */
const made = new WeakMap<z.ZodType, JsonSchema>();

const isSchema = (value: unknown): value is JsonSchema =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const alternatives = (schema: JsonSchema): readonly JsonSchema[] => {
  const inner = [...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.allOf ?? [])].filter(isSchema);
  return inner.length === 0 ? [schema] : [schema, ...inner.flatMap(alternatives)];
};

/** Names of the keys that may stand at `path`, over all alternatives there. */
export function keysAt(schema: JsonSchema, path: Path): readonly string[] {
  let here = alternatives(schema);
  for (const part of path) {
    here = here.flatMap((one) => {
      const next = typeof part === 'number' ? one.items : (one.properties?.[part] ?? one.additionalProperties);
      return isSchema(next) ? alternatives(next) : [];
    });
  }
  return [...new Set(here.flatMap((one) => Object.keys(one.properties ?? {})))];
}

/** Keys of a part's own options, of whatever build its schema is (a transform behind it or not). */
export const optionKeys = (schema: z.ZodType): readonly string[] => Object.keys(toJsonSchema(schema).properties ?? {});

export { isSchema };
