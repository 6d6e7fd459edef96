import { existsSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { DatabaseSpec } from '../../src/core/database.js';
import type { TargetSpec } from '../../src/core/feed/target.js';
import { withConnection } from '../../src/postgres/connect/connect.js';
import { startEmbedded, type Embedded } from '../../src/postgres/embedded/start.js';
import { openReceipts } from '../../src/postgres/control/receipts.js';
import { resolveLoad } from '../../src/postgres/control/resolve.js';
import { ensureStaging } from '../../src/postgres/staging/staging-table.js';
import { TallymanError } from '../../src/core/errors.js';

/**
 * After a failover the URL may for a while lead to a standby: it lacks the latest commits and takes no writes. A real
 * one, which nobody feeds.
 */
let dataDir: string;
let standby: Embedded;
let spec: DatabaseSpec;
const log = { info: () => undefined };

beforeAll(async () => {
  const roomy = existsSync('/dev/shm') && statfsSync('/dev/shm').bavail * statfsSync('/dev/shm').bsize > 2 ** 30;
  dataDir = mkdtempSync(path.join(roomy ? '/dev/shm' : tmpdir(), 'tallyman-sb-'));
  const primary = await startEmbedded(dataDir, log);
  const receipts = openReceipts(primary.spec);
  await receipts.prepare();
  await receipts.close();
  await primary.release();
  writeFileSync(path.join(dataDir, 'postgres/data/standby.signal'), '');
  standby = await startEmbedded(dataDir, log);
  ({ spec } = standby);
});
afterAll(async () => {
  await standby.release();
  rmSync(dataDir, { recursive: true, force: true });
});

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'no error',
    (error: unknown) => (error instanceof TallymanError ? error.code : String(error)),
  );

describe('on a standby', () => {
  test('a load whose end is unknown stays unknown: its receipt may not have arrived', async () => {
    expect(await codeOf(resolveLoad(spec, crypto.randomUUID()))).toBe('DATABASE_BUSY');
  });

  test('a staging table that is not there is no misfit, only not to be made now', async () => {
    const target: TargetSpec = { schema: 'staging', table: 't', mode: 'append', create: true, loadIndex: 'none' };
    expect(await codeOf(withConnection(spec, (connection) => ensureStaging(connection, target, [])))).toBe(
      'DATABASE_BUSY',
    );
  });

  test('receipts can be read, and not be changed', async () => {
    const receipts = openReceipts(spec);
    expect(await receipts.after(0, 10)).toEqual([]);
    expect(await codeOf(receipts.clear([1]))).toBe('DATABASE_BUSY');
    await receipts.close();
  });
});
