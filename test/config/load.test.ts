import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load-config.js';
import { PARTS, withFolder } from './support.js';

const GOOD =
  'database: { embedded: true }\nfeeds: { a: { source: { type: local, dir: drop }, format: { type: csv } } }\n';
const load = (cwd: string, given?: string, env: Record<string, string> = {}) =>
  loadConfig({ path: given, cwd, env, parts: PARTS });
const thrown = (work: () => unknown): unknown => {
  try {
    return work();
  } catch (error) {
    return error;
  }
};

describe('finding the config', () => {
  test('-c, then $TALLYMAN_CONFIG, then ./tallyman.yaml', async () => {
    await withFolder({ 'tallyman.yaml': GOOD, 'env.yaml': GOOD, 'c.yaml': GOOD }, (cwd) => {
      const name = (given?: string, env = {}) => path.basename(load(cwd, given, env).file);
      expect([
        name('c.yaml', { TALLYMAN_CONFIG: 'env.yaml' }),
        name(undefined, { TALLYMAN_CONFIG: 'env.yaml' }),
        name(undefined, { TALLYMAN_CONFIG: '' }),
        name(),
      ]).toEqual(['c.yaml', 'env.yaml', 'tallyman.yaml', 'tallyman.yaml']);
    });
  });

  test('none is CONFIG_MISSING, exit 78, with the name that was looked for', async () => {
    await withFolder({}, (cwd) => {
      expect(thrown(() => load(cwd))).toEqual(
        expect.objectContaining({
          code: 'CONFIG_MISSING',
          exit: 78,
          message: 'the config tallyman.yaml cannot be read: ENOENT: no such file or directory',
        }),
      );
      expect(thrown(() => load(cwd, '.'))).toEqual(
        expect.objectContaining({ code: 'CONFIG_MISSING', message: 'the config . cannot be read: not a file' }),
      );
    });
  });

  test('bytes that are not UTF-8 are told, not replaced', async () => {
    await withFolder({ 'tallyman.yaml': Buffer.from([0x61, 0xff]) }, (cwd) => {
      expect(thrown(() => load(cwd))).toEqual(
        expect.objectContaining({ message: 'the config tallyman.yaml cannot be read: not UTF-8' }),
      );
    });
  });

  test('a BOM is passed over', async () => {
    await withFolder({ 'tallyman.yaml': `\uFEFF${GOOD}` }, (cwd) => {
      expect(load(cwd).config.feeds.length).toBe(1);
    });
  });

  test('relative paths start at the config file, not at the working directory', async () => {
    await withFolder({}, (cwd) => {
      mkdirSync(path.join(cwd, 'etc'));
      writeFileSync(path.join(cwd, 'etc/t.yaml'), GOOD);
      const { config, file } = load(cwd, 'etc/t.yaml');
      expect([file, config.dataDir, config.feeds[0]?.source.options['dir']]).toEqual(
        ['etc/t.yaml', 'etc/tallyman-data', 'etc/drop'].map((p) => path.join(cwd, p)),
      );
    });
  });

  test('problems name the file as it was asked for', async () => {
    await withFolder({ 't.yaml': 'x: 1' }, (cwd) => {
      expect(thrown(() => load(cwd, './t.yaml'))).toEqual(
        expect.objectContaining({
          code: 'CONFIG_INVALID',
          problems: expect.arrayContaining([expect.objectContaining({ file: './t.yaml', key: 'x' })]) as unknown,
        }),
      );
    });
  });
});

describe('the database URL', () => {
  test('what postgres/ finds wrong with it stands at its place', async () => {
    await withFolder({ 'tallyman.yaml': 'database: { url: "postgresql://h/d?nope=1" }\nfeeds: {}\n' }, (cwd) => {
      const parts = { ...PARTS, urlProblem: () => 'has an unknown parameter nope.' };
      expect(thrown(() => loadConfig({ cwd, env: {}, parts }))).toEqual(
        expect.objectContaining({ message: 'tallyman.yaml:1:18 database.url: has an unknown parameter nope.' }),
      );
    });
  });
});
