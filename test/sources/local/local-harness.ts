import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { SourceSpec } from '../../../src/core/feed/source.js';
import type { Source } from '../../../src/core/source.js';
import { local } from '../../../src/sources/local/index.js';
import { decodeName } from '../../../src/sources/common/path-name.js';
import type { SourceHarness } from '../../contract/source-suite.js';

export const plainSpec: SourceSpec = {
  type: 'local',
  options: {},
  patterns: ['*.csv'],
  ignoreCase: false,
  recursive: false,
  ignore: [],
  pollMs: 60_000,
  settleMs: 0,
  ready: { kind: 'always' },
};

export interface LocalHarness extends SourceHarness {
  readonly dir: string;
  /** Absolute bytes of a path. */
  readonly at: (path: string) => Buffer;
}

/** A fresh folder under the system's temporary one. */
export async function localHarness(): Promise<LocalHarness> {
  const base = await mkdtemp(path.join(os.tmpdir(), 'tallyman-source-'));
  const dir = path.join(base, 'drop');
  await mkdir(dir);
  const at = (name: string): Buffer => Buffer.concat([Buffer.from(`${dir}/`), decodeName(name)]);
  const put = async (name: string, content: string | Buffer): Promise<void> => {
    if (name.includes('/')) await mkdir(at(name.slice(0, name.lastIndexOf('/'))), { recursive: true });
    await writeFile(at(name), content);
  };
  return {
    dir,
    at,
    source: (spec = {}): Source => local.open({ ...plainSpec, ...spec }, { dir }),
    put,
    overwrite: async (name, content) => {
      await writeFile(at(`${name}.upload`), content);
      await rename(at(`${name}.upload`), at(name));
    },
    remove: (name) => rm(at(name)),
    read: async (name) => await readFile(at(name), 'utf8').catch(() => null),
    hideRoot: () => rename(dir, `${dir}.hidden`),
    showRoot: () => rename(`${dir}.hidden`, dir),
    // In the form that encodeName gives: %FF is a byte that is not UTF-8.
    hostileNames: [
      'with space.csv',
      'line\nbreak.csv',
      'tab\t"quotes"\'.csv',
      '..csv',
      '..\\..\\up.csv',
      '-rf.csv',
      '$(touch x);`ls`.csv',
      '*.csv',
      '[a-z]{1,2}.csv',
      '100%.csv',
      'a%20b.csv',
      'name%FF.csv',
      'name%25FF.csv',
      '%E2%82 half a euro.csv',
      'ä-\u202Eright.csv',
      'a\u0308-decomposed.csv',
      'emoji-😀.csv',
      '__proto__',
      `${'x'.repeat(251)}.csv`,
      `${'é'.repeat(125)}x.csv`,
    ],
    close: () => rm(base, { recursive: true, force: true }),
  };
}
