import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { SeenFile } from '../../src/core/file.js';
import type { Source } from '../../src/core/source.js';
import { readBeside } from '../../src/intake/beside.js';
import { listAll } from '../contract/source-suite.js';
import { controlOf } from '../load/control/support.js';
import { feedOf } from '../load/support.js';
import { localHarness, type LocalHarness } from '../sources/local/local-harness.js';

const SHA = 'a'.repeat(64);

let store: LocalHarness;
let source: Source;
let file: SeenFile;

beforeEach(async () => {
  store = await localHarness();
  source = store.source();
  await store.put('a.csv', 'id\n1\n');
  file = (await listAll(source)).files[0]!;
});
afterEach(() => store.close());

const plain = feedOf();
const manifest = {
  source: { ...plain.source, ready: { kind: 'manifest', template: '{stem}.json' } },
  control: controlOf({ manifest: { rows: 'rows', digests: [] } }),
} as const;
const checksum = {
  source: { ...plain.source, checksum: '{name}.sha256' },
  control: controlOf({ checksum: '{name}.sha256' }),
};
const here = (
  movedTo: string | null = null,
): { readonly file: SeenFile; readonly movedTo: SeenFile | null; readonly suffix: string } => ({
  file,
  movedTo: movedTo === null ? null : { ...file, path: movedTo },
  suffix: '7',
});

describe('what stands beside a file', () => {
  test('is read when control asks for it', async () => {
    await store.put('a.json', '{"rows":1}');
    await store.put('a.csv.sha256', `${SHA}  a.csv`);
    expect(await readBeside(manifest, source, here())).toEqual({
      manifest: '{"rows":1}',
      said: { checksum: null, metadata: null },
    });
    expect(await readBeside(checksum, source, here())).toEqual({
      manifest: null,
      said: { checksum: { algorithm: 'sha256', digest: SHA, path: 'a.csv.sha256' }, metadata: null },
    });
    expect(await readBeside({ ...manifest, control: null }, source, here())).toMatchObject({ manifest: null });
  });

  test('and is not there, says nothing', async () => {
    expect(await readBeside(manifest, source, here())).toMatchObject({ manifest: null });
    expect(await readBeside(checksum, source, here())).toMatchObject({ said: { checksum: null } });
    expect(
      await readBeside(
        { source: plain.source, control: controlOf({ metadata: { rows: 'rows', digests: [] } }) },
        source,
        here(),
      ),
    ).toMatchObject({ said: { metadata: null } });
  });

  test('has gone along with a file that was moved, under its own name or the suffixed one', async () => {
    await store.put('done/a.json', '{"rows":1}');
    expect(await readBeside(manifest, source, here('done/a.csv'))).toMatchObject({ manifest: '{"rows":1}' });
    await store.put('done/a-7.json', '{"rows":2}');
    expect(await readBeside(manifest, source, here('done/a-7.csv'))).toMatchObject({ manifest: '{"rows":2}' });
  });

  test('of a source that cannot be reached stops the feed, not the file', async () => {
    await store.hideRoot();
    await expect(readBeside(checksum, source, here())).rejects.toMatchObject({ code: 'SOURCE_UNREACHABLE' });
    await store.showRoot();
  });
});
