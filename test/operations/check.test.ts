import { expect, test } from 'vitest';
import { ConfigError } from '../../src/config/problems/problem.js';
import { TallymanError } from '../../src/core/errors.js';
import { check } from '../../src/operations/check.js';
import { codeOf, feedsOf } from './support.js';

type Parts = ReturnType<Parameters<typeof check>[0]>;

const partsOf = (change: Partial<Parts> = {}): Parts => ({
  config: { ...feedsOf('a', 'b').config, warnings: [], unsetSecrets: [], written: new Map() },
  dataDir: '/nowhere',
  ledger: () => {
    throw new Error('there is no ledger yet');
  },
  receipts: () => Promise.reject(new TallymanError('DATABASE_UNREACHABLE', 'no answer')),
  database: () => Promise.reject(new Error('not asked')),
  source: (feed) => ({
    probe: () => Promise.resolve(feed.name === 'a' ? ['may not delete'] : []),
    close: () => Promise.resolve(),
  }),
  ...change,
});

test('mistakes of the config are the answer; what else goes wrong while it is read is thrown', async () => {
  const problem = {
    file: 't.yaml',
    line: 1,
    column: 2,
    key: 'feeds',
    code: 'BAD_VALUE',
    message: 'm',
    hint: '',
  } as const;
  const mistaken = (): never => {
    throw new ConfigError([problem], []);
  };
  expect(await check(mistaken, { connect: true })).toEqual({ ok: false, problems: [problem] });
  const missing = (): never => {
    throw new TallymanError('CONFIG_MISSING', 'none');
  };
  expect(await codeOf(check(missing, { connect: false }))).toBe('CONFIG_MISSING');
});

test('without connect nothing is reached', async () => {
  expect(await check(() => partsOf(), { connect: false })).toMatchObject({ ok: true, problems: [], warnings: [] });
});

test('with connect every finding is told, a failure stops none of the others', async () => {
  const source = (): never => {
    throw new Error('broken');
  };
  const keysOf = async (parts: Parts): Promise<readonly string[]> =>
    (await check(() => parts, { connect: true })).problems.map(({ key, code, message }) => `${key} ${code} ${message}`);
  expect(await keysOf(partsOf())).toEqual([
    'feeds.a.source SOURCE_UNREACHABLE may not delete',
    'database DATABASE_UNREACHABLE no answer',
  ]);
  expect(await keysOf(partsOf({ source }))).toEqual([
    'feeds.a.source INTERNAL broken',
    'feeds.b.source INTERNAL broken',
    'database DATABASE_UNREACHABLE no answer',
  ]);
});
