import { describe, expect, test } from 'vitest';
import { ddl } from '../../src/operations/ddl.js';
import { parse } from '../config/support.js';

describe('ddl', () => {
  const config = parse(`version: 1
database: { embedded: true }
feeds:
  one: { source: { type: local, dir: a, pattern: '*' }, format: { type: csv }, target: { table: both } }
  two: { source: { type: local, dir: b, pattern: '*' }, format: { type: csv }, target: { table: both } }
`);
  const feed = (name: string): (typeof config.feeds)[number] => config.feeds.find((one) => one.name === name)!;

  test('is the control schema and each table once', () => {
    expect(ddl({ config, feed }, null).items.map(({ name }) => name)).toEqual(['tallyman', 'staging.both']);
  });

  test('of one feed is its table alone', () => {
    expect(ddl({ config, feed }, 'two').items.map(({ name }) => name)).toEqual(['staging.both']);
  });
});
