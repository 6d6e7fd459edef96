import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { configJsonSchema } from '../../src/config/json-schema.js';
import { loadConfig } from '../../src/config/load-config.js';
import { configReference } from '../../src/config/reference.js';
import { isSchema, type JsonSchema } from '../../src/config/schema/schema-keys.js';
import { local } from '../../src/sources/local/index.js';
import { PARTS, REGISTERED, REMOTE } from './support.js';

const ROOT = path.resolve(import.meta.dirname, '../..');
const at = (file: string): string => path.join(ROOT, file);
const schema = configJsonSchema(REGISTERED);

const below = (one: JsonSchema): readonly JsonSchema[] =>
  [
    ...(one.anyOf ?? []),
    ...(one.oneOf ?? []),
    ...Object.values(one.properties ?? {}),
    one.items,
    one.additionalProperties,
  ]
    .flatMap((x) => (Array.isArray(x) ? x : [x]))
    .filter(isSchema);
const every = (one: JsonSchema): readonly JsonSchema[] => [one, ...below(one).flatMap(every)];
/** `feeds.NAME.limits.bad_rows` ... */
const keys = (one: JsonSchema, name = ''): readonly string[] => [
  ...new Set([
    ...[...(one.anyOf ?? []), ...(one.oneOf ?? [])].filter(isSchema).flatMap((branch) => keys(branch, name)),
    ...Object.entries(one.properties ?? {}).flatMap(([key, value]) => [
      `${name}${key}`,
      ...(isSchema(value) ? keys(value, `${name}${key}.`) : []),
    ]),
    ...[one.additionalProperties].filter(isSchema).flatMap((value) => keys(value, `${name}NAME.`)),
    ...(isSchema(one.items) ? keys(one.items, `${name.replace(/\.$/, '')}[].`) : []),
  ]),
];

// Made anew by `npx vitest run --config test/vitest.config.ts test/config/generated.test.ts -u`.
describe('files made from the schema are up to date', () => {
  test('config/tallyman.schema.json', async () => {
    await expect(`${JSON.stringify(schema, null, 2)}\n`).toMatchFileSnapshot(at('config/tallyman.schema.json'));
  });

  test('docs/reference/config.md', async () => {
    await expect(configReference(REGISTERED)).toMatchFileSnapshot(at('docs/reference/config.md'));
  });
});

describe('the JSON Schema', () => {
  test('says what every key means', () => {
    const silent = every(schema).flatMap((one) =>
      Object.entries(one.properties ?? {})
        .filter(([, value]) => isSchema(value) && value.description === undefined)
        .map(([key]) => key),
    );
    expect(silent).toEqual([]);
  });

  test('refuses unknown keys everywhere', () => {
    const open = every(schema).filter((one) => one.properties !== undefined && one.additionalProperties !== false);
    expect(open.map((one) => Object.keys(one.properties ?? {}))).toEqual([]);
  });

  test("brings a part's keys with the part", () => {
    const [onlyLocal, withRemote] = [[], [REMOTE]].map((more) =>
      configJsonSchema({ ...PARTS, sources: [local, ...more] }),
    );
    expect(keys(withRemote!).filter((key) => !keys(onlyLocal!).includes(key))).toEqual([
      'connections.NAME.host',
      'connections.NAME.port',
      'connections.NAME.password',
      'connections.NAME.password.env',
      'connections.NAME.password.file',
      'connections.NAME.known_hosts',
      'defaults.source.connection',
      'feeds.NAME.source.connection',
    ]);
  });
});

describe('the reference page', () => {
  test('has every key of the schema, and no other', () => {
    const page = readFileSync(at('docs/reference/config.md'), 'utf8');
    const named = [...page.matchAll(/^\| `([a-zA-Z0-9_.[\]]+)` \|/gm)]
      .map((match) => match[1]!)
      .filter((key) => !/^[A-Z_]+$/.test(key));
    const wanted = keys(schema).filter((key) => !key.startsWith('defaults.'));
    expect([...named].sort()).toEqual([...wanted].sort());
  });
});

describe('config/tallyman.example.yaml', () => {
  const text = readFileSync(at('config/tallyman.example.yaml'), 'utf8');

  test('is right', () => {
    const { config } = loadConfig({
      path: at('config/tallyman.example.yaml'),
      cwd: ROOT,
      env: { PGPASSWORD: 'x', TALLYMAN_TOKEN: 'y', ACME_PASSWORD: 'z' },
      parts: REGISTERED,
    });
    expect([config.feeds.map((f) => f.name), config.warnings]).toEqual([['deliveries', 'events', 'orders'], []]);
  });

  test('has every key, set or in a comment', () => {
    const missing = keys(schema)
      .map((key) => key.split('.').at(-1)!.replace('[]', ''))
      .filter((key) => key !== 'NAME' && !new RegExp(`(^|[\\s{,#-])${key}:`, 'm').test(text));
    // `file` is a way to write a secret, told in the first lines.
    expect([...new Set(missing)]).toEqual([]);
  });

  test('names the schema for editors', () => {
    expect(text.split('\n')[0]).toBe('# yaml-language-server: $schema=./tallyman.schema.json');
  });
});
