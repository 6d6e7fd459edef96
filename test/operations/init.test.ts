import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { init } from '../../src/operations/init.js';
import { codeOf } from './support.js';

describe('init', () => {
  let dir = '';
  beforeEach(() => (dir = mkdtempSync(path.join(tmpdir(), 'tallyman-init-'))));
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  test('tells what it wrote, and refuses a folder that has a config', async () => {
    const { items } = init(dir);
    expect(items[0]).toBe(path.join(dir, 'tallyman.yaml'));
    expect(items).toHaveLength(2);
    writeFileSync(items[0]!, 'mine');
    expect(await codeOf(Promise.resolve().then(() => init(dir)))).toBe('USAGE');
    expect(readFileSync(items[0]!, 'utf8')).toBe('mine');
  });

  test('leaves a sample that is there as it is', () => {
    const [config, sample] = init(dir).items;
    rmSync(config!);
    writeFileSync(sample!, 'mine');
    expect(init(dir).items).toEqual([config]);
    expect(readFileSync(sample!, 'utf8')).toBe('mine');
  });
});
