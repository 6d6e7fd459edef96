import { configJsonSchema } from './json-schema.js';
import type { PartRegistry } from './schema/part-section.js';
import { PROBLEMS } from './problems/problem.js';
import { isSchema, type JsonSchema } from './schema/schema-keys.js';

/** docs/reference/config.md: every key, from the schema's own descriptions, so that page and program cannot differ. */
export function configReference(parts: PartRegistry): string {
  const rows = keysBelow(configJsonSchema(parts), '');
  const problems = Object.entries(PROBLEMS).map(([code, meaning]) => `| \`${code}\` | ${meaning} |`);
  return [
    '# tallyman.yaml, key by key',
    '',
    'Generated from the schema that checks the config (`npx vitest run --config test/vitest.config.ts test/config/generated.test.ts -u` writes it anew). An example with every key, commented: `config/tallyman.example.yaml`.',
    '',
    'Durations are `500ms`, `30s`, `5m`, `2h`, `7d`; sizes `64KiB`, `1MiB`, `10MB`. `${NAME}`, `${NAME:-default}` and `${NAME:?message}` are filled in inside values; `$${` is a',
    'literal. A secret is `{ env: NAME }`, `{ file: path }` or `${NAME}`. Relative paths start at the config file. `defaults` takes every key of a feed and is merged into each feed key',
    'by key: mappings merge, lists and scalars of the feed replace; `{ marker }` / `{ manifest }` and `{ move }` / `{ tag }` replace each other; `source` and `format` of another `type`',
    'take only the keys common to all types.',
    '',
    '| key | value | default | meaning |',
    '|---|---|---|---|',
    ...rows.map((row) => `| \`${row.key}\` | ${row.value} | ${row.fallback} | ${row.meaning} |`),
    '',
    '## What can be wrong with it',
    '',
    'Every mistake is reported at once, with file, line and column; exit code 78. Warnings stop nothing.',
    '',
    '| code | meaning |',
    '|---|---|',
    ...problems,
    '',
  ].join('\n');
}

interface Row {
  readonly key: string;
  readonly value: string;
  readonly fallback: string;
  readonly meaning: string;
}

/** `defaults` is reported once, not with all keys of a feed again. */
const FOLDED: ReadonlySet<string> = new Set(['defaults']);

function keysBelow(schema: JsonSchema, at: string): readonly Row[] {
  const mappings = branches(schema).filter((branch) => branch.properties !== undefined);
  // A key of one alternative only (`{ env }` or `{ file }`) is not required.
  const isRequired = (key: string): boolean => mappings.every((branch) => branch.required?.includes(key) === true);
  const entries = mappings.flatMap((branch) =>
    Object.entries(branch.properties ?? {}).flatMap(([key, one]) =>
      isSchema(one) ? [{ key, one, required: isRequired(key) }] : [],
    ),
  );
  const own = entries.flatMap(({ key, one, required }, i): readonly Row[] => {
    const name = at === '' ? key : `${at}.${key}`;
    const same = entries.filter((entry) => entry.key === key);
    // A key that several types have is reported once, with all that it may hold.
    if (entries.findIndex((entry) => entry.key === key) < i) return [];
    const row: Row = {
      key: name,
      value: [...new Set(same.map((entry) => valueOf(entry.one)))].join(' or '),
      fallback: required ? '*required*' : one.default === undefined ? '' : `\`${JSON.stringify(one.default)}\``,
      meaning: cell(one.description ?? ''),
    };
    return FOLDED.has(key) ? [row] : [row, ...keysBelow(one, name)];
  });
  const named = branches(schema).flatMap((branch) =>
    isSchema(branch.additionalProperties) ? keysBelow(branch.additionalProperties, `${at}.NAME`) : [],
  );
  const items = branches(schema).flatMap((branch) =>
    isSchema(branch.items) && !Array.isArray(branch.items) ? keysBelow(branch.items, `${at}[]`) : [],
  );
  return [...own, ...named, ...items];
}

const branches = (schema: JsonSchema): readonly JsonSchema[] => [
  schema,
  ...[...(schema.anyOf ?? []), ...(schema.oneOf ?? [])].filter(isSchema).flatMap(branches),
];

/** `load`, `replace`, a number, a list of texts ... */
function valueOf(schema: JsonSchema): string {
  const inner = [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])].filter(isSchema);
  if (inner.length > 0) return [...new Set(inner.map(valueOf))].join(' or ');
  if (schema.enum !== undefined) return schema.enum.map((one) => `\`${String(one)}\``).join(', ');
  if (schema.const !== undefined) return `\`${String(schema.const)}\``;
  if (schema.type === 'array') return `list of ${isSchema(schema.items) ? valueOf(schema.items) : 'values'}`;
  if (schema.type === 'string')
    return schema.pattern === undefined
      ? 'text'
      : schema.pattern.includes('ms|s|m')
        ? 'duration'
        : schema.pattern.includes('[Bb]')
          ? 'size'
          : 'text';
  const kinds: Readonly<Record<string, string>> = {
    integer: 'whole number',
    number: 'number',
    boolean: '`true`, `false`',
    object: 'mapping',
    null: '`null`',
  };
  return typeof schema.type === 'string' ? (kinds[schema.type] ?? 'value') : 'value';
}

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
