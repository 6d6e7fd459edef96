import { expect, test } from 'vitest';
import { fixedChanges, isSame } from '../../src/config/changes.js';
import { Secret } from '../../src/core/secret.js';
import { parse } from './support.js';

test('configs are compared by what they mean to the program', () => {
  const deep = (password: string): unknown => ({
    a: [1, null, { b: new Map([['k', new Set([/x/g])]]) }],
    password: new Secret(password),
  });
  expect(isSame(deep('a'), deep('a'))).toBe(true);
  expect(isSame(deep('a'), deep('b'))).toBe(false);
  for (const [a, b] of [
    [{ a: 1 }, { a: 1, b: undefined }],
    [[1], [1, 2]],
    [/x/, /x/i],
    [null, {}],
    [new Secret('x'), 'x'],
    [new Map([['a', 1]]), new Map([['a', 2]])],
  ])
    expect([a, b, isSame(a, b)]).toEqual([a, b, false]);
});

const config = (more: string, url = 'postgresql://u:one@h/d') =>
  parse(`version: 1
database: { url: "${url}" }
feeds:
  a: { source: { type: local, dir: a, pattern: '*' }, format: { type: csv } }
${more}`);

test('another password is no change that a process could not take; another server is', () => {
  const old = config('');
  expect(fixedChanges(old, config('', 'postgresql://u:two@h/d'))).toEqual([]);
  expect(fixedChanges(old, config('', 'postgresql://u:one@other/d'))).toEqual(['database.url']);
  expect(
    fixedChanges(old, config('daemon: { drain_timeout: 1s, log: { level: debug }, http: { token: long-enough } }')),
  ).toEqual([]);
  expect(fixedChanges(old, config('daemon: { http: false, concurrency: 9 }\ndata_dir: other'))).toEqual([
    'data_dir',
    'daemon.concurrency',
    'daemon.http',
  ]);
});
