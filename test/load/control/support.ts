import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { ControlSpec } from '../../../src/core/feed/control.js';
import type { FeedSpec } from '../../../src/core/feed/feed.js';
import type { LoadJob, LoadResult } from '../../../src/core/load.js';
import { checkFile } from '../../../src/load/dry-run.js';
import { DECODERS, FORMATS } from '../../../src/registry.js';
import { versionOf } from '../../../src/sources/local/version.js';
import { feedOf } from '../support.js';

export const dir = mkdtempSync(path.join(tmpdir(), 'tallyman-control-'));
export const removeDir = (): void => rmSync(dir, { recursive: true });

export const controlOf = (change: Partial<ControlSpec>): ControlSpec => ({
  header: null,
  trailer: null,
  rowsOffset: 0,
  manifest: null,
  metadata: null,
  checksum: null,
  totals: {},
  ...change,
});

/** `load --dry-run`: the same reader and checks as a load, without a database. */
export async function check(
  content: string | Buffer,
  feed: Partial<FeedSpec>,
  change: Partial<LoadJob> = {},
  name = 'a.csv',
): Promise<LoadResult> {
  const file = path.join(dir, name);
  writeFileSync(file, content);
  const stats = statSync(file, { bigint: true });
  const job: LoadJob = {
    loadKey: '00000000-0000-4000-8000-000000000000',
    instanceId: 'here',
    host: 'a host',
    fileId: 1,
    feed: feedOf(feed),
    database: {
      host: '127.0.0.1',
      port: 1,
      user: 'x',
      password: null,
      database: 'x',
      sslmode: 'disable',
      tls: { ca: null, cert: null, key: null },
      applicationName: 'x',
      connectTimeoutMs: 1,
      controlSchema: 'tallyman',
    },
    workDir: path.join(dir, 'work'),
    file: {
      path: name,
      uri: `file://${file}`,
      localPath: file,
      localPathHex: null,
      size: Number(stats.size),
      mtimeUs: null,
      version: versionOf(stats),
      inPlace: true,
      sha256: null,
    },
    manifest: null,
    generation: 1,
    duplicateAllowed: false,
    replaces: { loadIds: [], path: false, feed: false },
    ...change,
  };
  return await checkFile(job, {
    formats: FORMATS,
    decoders: DECODERS,
    onProgress: () => undefined,
    signal: new AbortController().signal,
  });
}
