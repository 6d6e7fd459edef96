import { symlink } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ReadySpec } from '../../src/core/feed/source.js';
import type { SeenFile } from '../../src/core/file.js';
import type { Source } from '../../src/core/source.js';
import { ready } from '../../src/intake/ready.js';
import { listAll } from '../contract/source-suite.js';
import { localHarness, type LocalHarness } from '../sources/local/local-harness.js';

const MARKER: ReadySpec = { kind: 'marker', template: '{name}.done' };
const MANIFEST: ReadySpec = { kind: 'manifest', template: '{stem}.manifest.json' };
const SHARED: ReadySpec = { kind: 'marker', template: '_SUCCESS' };

let store: LocalHarness;
let source: Source;
let data: SeenFile;

beforeEach(async () => {
  store = await localHarness();
  source = store.source();
  await store.put('a.csv', 'id\n1\n');
  data = (await listAll(source)).files[0]!;
});
afterEach(() => store.close());

describe('ready: always', () => {
  test('every settled file is ready', async () => {
    expect(await ready({ ready: { kind: 'always' } }, source, data, null)).toEqual({
      ready: true,
      reason: '',
      marker: null,
      companions: [],
      manifest: null,
    });
  });
});

describe('ready: marker', () => {
  test('without its marker a file waits, with the reason', async () => {
    expect(await ready({ ready: MARKER }, source, data, null)).toMatchObject({
      ready: false,
      reason: 'its marker a.csv.done is not there',
    });
  });

  test('with its marker it is ready, and the marker goes along', async () => {
    await store.put('a.csv.done', '');
    const { version } = (await source.statMarker('a.csv.done'))!;
    expect(await ready({ ready: MARKER }, source, data, null)).toEqual({
      ready: true,
      reason: '',
      marker: version,
      companions: ['a.csv.done'],
      manifest: null,
    });
  });

  test('for a changed path the marker must itself have changed', async () => {
    await store.put('a.csv.done', '');
    const first = await ready({ ready: MARKER }, source, data, null);
    expect(await ready({ ready: MARKER }, source, data, first.marker)).toMatchObject({
      ready: false,
      reason: 'it has changed, but its marker a.csv.done has not',
    });
    await store.overwrite('a.csv.done', '');
    expect(await ready({ ready: MARKER }, source, data, first.marker)).toMatchObject({ ready: true });
  });

  test('a marker of a fixed name releases its folder and stays there', async () => {
    await store.put('_SUCCESS', '');
    expect(await ready({ ready: SHARED }, source, data, null)).toMatchObject({ ready: true, companions: [] });
  });

  test('a marker in another folder releases nothing', async () => {
    await store.put('in/_SUCCESS', '');
    expect(await ready({ ready: SHARED }, source, data, null)).toMatchObject({ ready: false });
  });

  test('a symbolic link is no marker', async () => {
    await symlink('a.csv', store.at('a.csv.done'));
    expect(await ready({ ready: MARKER }, source, data, null)).toMatchObject({
      ready: false,
      reason: 'a.csv.done: a symbolic link',
    });
  });

  test('a source that cannot be reached is no missing marker', async () => {
    await store.hideRoot();
    await expect(ready({ ready: MARKER }, source, data, null)).rejects.toMatchObject({ code: 'SOURCE_UNREACHABLE' });
    await store.showRoot();
  });
});

describe('ready: manifest', () => {
  test('a whole manifest makes ready and comes with its text', async () => {
    await store.put('a.manifest.json', '\uFEFF{"rowCount":1}');
    expect(await ready({ ready: MANIFEST }, source, data, null)).toMatchObject({
      ready: true,
      manifest: '{"rowCount":1}',
      companions: ['a.manifest.json'],
    });
  });

  test.each(['', '{"rowCount":', 'x'.repeat(1024 * 1024 + 1)])(
    'a manifest that is not whole JSON is waited for',
    async (text) => {
      await store.put('a.manifest.json', text);
      const readiness = await ready({ ready: MANIFEST }, source, data, null);
      expect(readiness.ready).toBe(false);
      expect(readiness.reason).toMatch(/^its manifest a\.manifest\.json cannot be used yet: /);
    },
  );
});

describe('control.checksum', () => {
  const SHA = 'a'.repeat(64);
  const SIDECAR = { ready: { kind: 'always' }, checksum: '{name}.sha256' } as const;
  const SUMS = { ready: { kind: 'always' }, checksum: 'SHA256SUMS' } as const;

  test('without its checksum file a file waits, with the reason', async () => {
    expect(await ready(SIDECAR, source, data, null)).toMatchObject({
      ready: false,
      reason: 'its checksum file a.csv.sha256 is not there',
    });
  });

  test('a half-written one is waited for', async () => {
    await store.put('a.csv.sha256', SHA.slice(0, 40));
    expect(await ready(SIDECAR, source, data, null)).toMatchObject({
      ready: false,
      reason: 'its checksum file a.csv.sha256 cannot be used yet: it holds no sha256 checksum',
    });
  });

  test('with it the file is ready, and it goes along; for a changed path it must itself have changed', async () => {
    await store.put('a.csv.sha256', `${SHA}  a.csv\n`);
    const first = await ready(SIDECAR, source, data, null);
    expect(first).toMatchObject({ ready: true, companions: ['a.csv.sha256'] });
    expect(await ready(SIDECAR, source, data, first.marker)).toMatchObject({
      ready: false,
      reason: 'it has changed, but its checksum file a.csv.sha256 has not',
    });
  });

  test('one for the whole folder releases those that it names, stays, and their lines must have changed', async () => {
    await store.put('SHA256SUMS', `${'b'.repeat(64)}  b.csv\n`);
    expect(await ready(SUMS, source, data, null)).toMatchObject({
      ready: false,
      reason: 'its checksum file SHA256SUMS cannot be used yet: it has no line for a.csv',
    });
    await store.overwrite('SHA256SUMS', `${'b'.repeat(64)}  b.csv\n${SHA}  a.csv\n`);
    const first = await ready(SUMS, source, data, null);
    expect(first).toMatchObject({ ready: true, companions: [] });
    await store.overwrite('SHA256SUMS', `${SHA}  a.csv\n`);
    expect(await ready(SUMS, source, data, first.marker)).toMatchObject({
      ready: false,
      reason: 'it has changed, but its checksum in SHA256SUMS has not',
    });
    await store.overwrite('SHA256SUMS', `${'c'.repeat(64)}  a.csv\n`);
    expect(await ready(SUMS, source, data, first.marker)).toMatchObject({ ready: true });
  });

  test('beside a marker both are waited for, go along, and must have changed', async () => {
    const both = { ready: MARKER, checksum: '{name}.sha256' };
    await store.put('a.csv.sha256', SHA);
    expect(await ready(both, source, data, null)).toMatchObject({
      ready: false,
      reason: 'its marker a.csv.done is not there',
    });
    await store.put('a.csv.done', '');
    const first = await ready(both, source, data, null);
    expect(first).toMatchObject({ ready: true, companions: ['a.csv.done', 'a.csv.sha256'] });
    await store.overwrite('a.csv.done', '');
    expect(await ready(both, source, data, first.marker)).toMatchObject({
      ready: false,
      reason: 'it has changed, but its checksum file a.csv.sha256 has not',
    });
    await store.overwrite('a.csv.sha256', SHA);
    expect(await ready(both, source, data, first.marker)).toMatchObject({ ready: true });
  });

  test('key=value and CSV manifests count as whole ones', async () => {
    await store.put('a.manifest.json', 'rows=1\n');
    expect(await ready({ ready: MANIFEST }, source, data, null)).toMatchObject({ ready: true, manifest: 'rows=1\n' });
    await store.overwrite('a.manifest.json', 'nothing');
    expect(await ready({ ready: MANIFEST }, source, data, null)).toMatchObject({
      ready: false,
      reason: expect.stringContaining('cannot be used yet') as string,
    });
  });
});
