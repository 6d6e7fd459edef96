import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { expect, test } from 'vitest';
import { TallymanError } from '../../src/core/errors.js';
import { openDataDir } from '../../src/ledger/sqlite/store/data-dir.js';
import { acquireClaimLock, acquireLock } from '../../src/ledger/sqlite/lock.js';
import { openLedger } from '../../src/ledger/sqlite/sqlite-ledger.js';
import { temporaryDir } from './support.js';

const mode = (file: string): string => (statSync(file).mode & 0o777).toString(8);
function refusal(open: () => unknown): string {
  try {
    open();
    return 'nothing';
  } catch (error) {
    return error instanceof TallymanError ? `${error.code}: ${error.message}` : String(error);
  }
}

test('a data_dir that is missing is made with what stands above it, for its owner alone', () => {
  const dir = path.join(temporaryDir(), 'a', 'b');
  openDataDir(dir);
  expect([mode(dir), mode(path.dirname(dir))]).toEqual(['700', '700']);
});

test('a data_dir that stood open to others is put right with all that is in it', async () => {
  const dir = temporaryDir();
  const ledger = openLedger(dir);
  acquireLock(dir).release();
  mkdirSync(path.join(dir, 'landing'), { mode: 0o777 });
  writeFileSync(path.join(dir, 'landing', 'copy'), '');
  const names = ['.', 'ledger.db', 'ledger.db-wal', 'tallyman.lock', 'instance-id', 'landing', 'landing/copy'];
  for (const name of names) chmodSync(path.join(dir, name), name === '.' || name === 'landing' ? 0o777 : 0o666);
  openDataDir(dir);
  expect(names.map((name) => mode(path.join(dir, name)))).toEqual(['700', '600', '600', '600', '600', '700', '600']);
  // Also a file that was opened to others later.
  chmodSync(path.join(dir, 'ledger.db'), 0o644);
  openDataDir(dir);
  expect(mode(path.join(dir, 'ledger.db'))).toBe('600');
  await ledger.close();
});

test.each(['tallyman.pid', 'tallyman.lock', 'ledger.db', 'ledger.db-wal', 'instance-id'])(
  'nothing is written through a planted link: %s',
  (name) => {
    const dir = temporaryDir();
    const victim = path.join(temporaryDir(), 'victim');
    for (const content of ['precious', null]) {
      if (content !== null) writeFileSync(victim, content);
      const planted = path.join(content === null ? temporaryDir() : dir, name);
      symlinkSync(content === null ? `${victim}-missing` : victim, planted);
      const found = refusal(() => openDataDir(path.dirname(planted)));
      expect(found).toBe(`LEDGER_UNUSABLE: ${planted} is a symbolic link: nothing is written through it.`);
      refusal(() => acquireLock(path.dirname(planted)).release());
    }
    expect([readFileSync(victim, 'utf8'), existsSync(`${victim}-missing`)]).toEqual(['precious', false]);
  },
);

test('nor in a folder of it that leads elsewhere', () => {
  const dir = temporaryDir();
  const elsewhere = temporaryDir();
  symlinkSync(elsewhere, path.join(dir, 'claims'));
  expect(refusal(() => acquireClaimLock(dir, 'a'))).toMatch(/^LEDGER_UNUSABLE: .*claims.* symbolic link/);
  expect(existsSync(path.join(elsewhere, 'a.lock'))).toBe(false);
});

test('a data_dir itself may be a link', () => {
  const dir = temporaryDir();
  const link = path.join(temporaryDir(), 'link');
  symlinkSync(dir, link);
  chmodSync(dir, 0o755);
  openDataDir(link);
  expect(mode(dir)).toBe('700');
});

test.skipIf(process.getuid?.() !== 0)("another user's, or root's that everybody may write to, is refused", () => {
  const dir = temporaryDir();
  chmodSync(path.dirname(dir), 0o755);
  const as = (uid: number, open: () => unknown): string => {
    process.seteuid!(uid);
    const real = process.getuid;
    process.getuid = () => uid;
    try {
      return refusal(open);
    } finally {
      process.getuid = real!;
      process.seteuid!(0);
    }
  };
  chownSync(dir, 1_234, 1_234);
  expect(as(4_321, () => openDataDir(dir))).toBe(
    `LEDGER_UNUSABLE: data_dir ${dir} belongs to user 1234, and this is user 4321.`,
  );
  chownSync(dir, 0, 0);
  chmodSync(dir, 0o777);
  expect(as(4_321, () => openDataDir(dir))).toBe(
    `LEDGER_UNUSABLE: data_dir ${dir} is root's and everybody may write to it.`,
  );
  // The volume of a container: of root, for the group.
  chmodSync(dir, 0o2775);
  expect(as(4_321, () => openDataDir(dir))).toBe('nothing');
});
