import * as z from 'zod';
import type { PartRegistry } from './schema/part-section.js';
import { secret, text } from './schema/scalars.js';
import { toJsonSchema, type JsonSchema } from './schema/schema-keys.js';
import { columnSchema } from './schema/schema-column.js';
import { feedSchema, sourceSchema } from './schema/schema-feed.js';
import { daemonSchema, databaseSchema, rootShape, SECTIONS } from './schema/schema.js';

type Properties = Record<string, JsonSchema | boolean>;

/**
 * The JSON Schema of tallyman.yaml, from the same definitions that check it: editors complete and explain with it
 * (`tallyman config schema`).
 */
export function configJsonSchema(parts: PartRegistry): JsonSchema {
  const format = alternatives(
    parts.formats.map((f) => withType(f.type, toJsonSchema(f.options))),
    SECTIONS.format,
  );
  const source = alternatives(
    parts.sources.map((s) => withType(s.type, merged(toJsonSchema(sourceSchema), toJsonSchema(s.options)))),
    SECTIONS.source,
  );
  const columns: JsonSchema = {
    description: SECTIONS.columns,
    anyOf: [
      { type: 'array', minItems: 1, items: plain(toJsonSchema(columnSchema)) },
      { const: 'text' },
      { type: 'null' },
    ],
  };
  const feed = plain(toJsonSchema(feedSchema));
  const feedOf = (required: boolean): JsonSchema => {
    const own = required ? { source, format } : { source: loosely(source), format: loosely(format) };
    return {
      ...feed,
      properties: { ...own, columns, ...feed.properties },
      ...(required ? { required: ['source', 'format'] } : {}),
    };
  };
  const root = plain(toJsonSchema(z.strictObject(rootShape)));
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'tallyman.yaml',
    ...root,
    properties: {
      ...root.properties,
      database: { ...plain(toJsonSchema(databaseSchema)), description: SECTIONS.database },
      daemon: { ...plain(toJsonSchema(daemonSchema)), description: SECTIONS.daemon },
      connections: orNothing(named(connectionSchema(parts), SECTIONS.connections)),
      defaults: orNothing({ ...feedOf(false), description: SECTIONS.defaults }),
      feeds: orNothing(named(feedOf(true), SECTIONS.feeds)),
    },
    required: ['database'],
  };
}

const TYPE_MEANING = 'Which kind it is; each kind has keys of its own.';

/** The `$schema` of each piece says what the whole says. */
function plain(schema: JsonSchema): JsonSchema {
  const copy = { ...schema };
  delete copy.$schema;
  return copy;
}

const named = (each: JsonSchema, description: string): JsonSchema => ({
  type: 'object',
  description,
  additionalProperties: each,
});

/** A section whose entries are all commented out is as good as absent. */
function orNothing(schema: JsonSchema): JsonSchema {
  const { description, ...rest } = schema;
  return { ...(description === undefined ? {} : { description }), anyOf: [rest, { type: 'null' }] };
}

const merged = (a: JsonSchema, b: JsonSchema): JsonSchema => ({
  ...a,
  properties: { ...b.properties, ...a.properties },
  required: [...(b.required ?? []), ...(a.required ?? [])],
});

function withType(type: string, schema: JsonSchema): JsonSchema {
  const { required = [], properties = {}, ...rest } = plain(schema);
  return {
    ...rest,
    type: 'object',
    properties: { type: { const: type, description: TYPE_MEANING }, ...properties },
    required: ['type', ...required],
    additionalProperties: false,
  };
}

const alternatives = (schemas: readonly JsonSchema[], description: string): JsonSchema => {
  const [only, ...others] = schemas;
  return only !== undefined && others.length === 0 ? { ...only, description } : { description, oneOf: [...schemas] };
};

/** For `defaults`: the same keys, none required, of any type. */
function loosely(schema: JsonSchema): JsonSchema {
  const branches = schema.oneOf?.filter((one) => typeof one === 'object') ?? [schema];
  const types = branches
    .map((branch) => branch.properties?.['type'])
    .flatMap((type) => (typeof type === 'object' && type.const !== undefined ? [type.const] : []));
  const properties: Properties = Object.fromEntries(
    branches.flatMap((branch) => Object.entries(branch.properties ?? {})),
  );
  return {
    type: 'object',
    ...(schema.description === undefined ? {} : { description: schema.description }),
    properties: { ...properties, type: { enum: types, description: TYPE_MEANING } },
    additionalProperties: false,
  };
}

function connectionSchema(parts: PartRegistry): JsonSchema {
  const able = parts.sources.flatMap((source) =>
    source.connection === undefined ? [] : [{ type: source.type, ...source.connection }],
  );
  const secretSchema = plain(toJsonSchema(secret()));
  const schemas = able.map((one) => {
    const schema = toJsonSchema(one.options);
    const properties: Properties = { ...schema.properties };
    for (const key of one.secretOptions) {
      const own = properties[key];
      properties[key] = {
        ...secretSchema,
        ...(typeof own === 'object' && own.description !== undefined ? { description: own.description } : {}),
      };
    }
    return withType(one.type, { ...schema, properties });
  });
  // No source that is built in needs a connection: any entry is an error then, which `check` says.
  return schemas.length === 0
    ? {
        type: 'object',
        properties: { type: { ...plain(toJsonSchema(text())), description: TYPE_MEANING } },
        required: ['type'],
      }
    : alternatives(schemas, 'A server.');
}
