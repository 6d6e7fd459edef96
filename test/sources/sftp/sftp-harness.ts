import { mkdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { SourceSpec } from '../../../src/core/feed/source.js';
import type { Source } from '../../../src/core/source.js';
import { Secret } from '../../../src/core/secret.js';
import { decodeName } from '../../../src/sources/common/path-name.js';
import { SFTP_LIMITS, type SftpLimits } from '../../../src/sources/sftp/connection.js';
import { connectionOptions } from '../../../src/sources/sftp/options.js';
import { openSftp } from '../../../src/sources/sftp/index.js';
import type { SourceHarness } from '../../contract/source-suite.js';
import type { Sshd } from '../../servers/sshd.js';
import { plainSpec } from '../local/local-harness.js';

/** An entry of `connections:` as config/ hands it over. */
export async function connectionTo(
  sshd: Sshd,
  change: Readonly<Record<string, unknown>> = {},
): Promise<Readonly<Record<string, unknown>>> {
  const { host, port, user } = sshd;
  return connectionOptions.parse({
    host,
    port,
    user,
    password: new Secret(sshd.password),
    host_key: await sshd.hostKey(),
    ...change,
  });
}

export interface SftpHarness extends SourceHarness {
  /** Folder on this host behind the source's `dir`. */
  readonly folder: string;
  readonly dir: string;
  readonly source: (spec?: Partial<SourceSpec>, options?: { readonly follow?: boolean }) => Source;
}

let folders = 0;

/**
 * A fresh folder on the server. Overwriting moves the mtime on, as it does when a second has gone by: version 3 of the
 * protocol knows no finer times.
 */
export async function sftpHarness(
  sshd: Sshd,
  connection: Readonly<Record<string, unknown>>,
  limits: SftpLimits = SFTP_LIMITS,
): Promise<SftpHarness> {
  const name = `drop${++folders}`;
  const folder = path.join(sshd.upload, name);
  await mkdir(folder);
  await sshd.give(folder);
  const at = (file: string): Buffer => Buffer.concat([Buffer.from(`${folder}/`), decodeName(file)]);
  const dir = `upload/${name}`;
  let later = 10;
  return {
    folder,
    dir,
    source: (spec = {}, options = {}) =>
      openSftp(
        { ...plainSpec, type: 'sftp', settleMs: 10_000, ...spec },
        { connection: 'acme', dir, follow: options.follow ?? false },
        connection,
        limits,
      ),
    put: async (file, content) => {
      const parts = file.split('/').slice(0, -1);
      for (let depth = 1; depth <= parts.length; depth++) {
        const step = at(parts.slice(0, depth).join('/'));
        await mkdir(step, { recursive: true });
        await sshd.give(step);
      }
      await writeFile(at(file), content);
      await sshd.give(at(file));
    },
    overwrite: async (file, content) => {
      const { mtime } = await stat(at(file));
      await writeFile(at(`${file}.upload`), content);
      await sshd.give(at(`${file}.upload`));
      const next = new Date(mtime.getTime() + 1_000 * later++);
      await utimes(at(`${file}.upload`), next, next);
      await rename(at(`${file}.upload`), at(file));
    },
    remove: (file) => rm(at(file)),
    read: async (file) => await readFile(at(file), 'utf8').catch(() => null),
    hideRoot: () => rename(folder, `${folder}.hidden`),
    showRoot: () => rename(`${folder}.hidden`, folder),
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
      'name%25FF.csv',
      'ä-\u202Eright.csv',
      'a\u0308-decomposed.csv',
      'emoji-😀.csv',
      '__proto__',
      `${'x'.repeat(251)}.csv`,
      `${'é'.repeat(125)}x.csv`,
    ],
    close: () => rm(folder, { recursive: true, force: true }),
  };
}
