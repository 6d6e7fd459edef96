import { existsSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { TallymanError } from '../../src/core/errors.js';
import { DAEMON } from '../../src/core/ledger/workers.js';
import { acquireClaimLock, acquireLock, isClaimHeld, lockWorkers } from '../../src/ledger/sqlite/lock.js';
import { compileLedger, runScript, until } from './compiled.js';
import { temporaryDir } from './support.js';

const HOLD = `
import { acquireLock, acquireClaimLock } from './ledger/sqlite/lock.js';
const [dir, claim] = process.argv.slice(2);
if (claim === undefined) acquireLock(dir); else acquireClaimLock(dir, claim);
console.log('held');
setInterval(() => globalThis.gc?.(), 10);
`;

const TAKE_TURNS = `
import { openSync, closeSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { acquireClaimLock, isClaimHeld } from './ledger/sqlite/lock.js';
const [dir] = process.argv.slice(2);
for (let turn = 0; turn < 60; turn++) {
  let lock = null;
  while (lock === null) {
    try {
      lock = acquireClaimLock(dir, 'load-1');
    } catch (error) {
      if (error.code !== 'ALREADY_RUNNING') throw error;
    }
  }
  try { closeSync(openSync(dir + '/inside', 'wx')); } catch { console.log('two hold it'); }
  await sleep(1);
  rmSync(dir + '/inside', { force: true });
  lock.release();
}
console.log('done');
`;

function refusal(take: () => unknown): TallymanError | null {
  try {
    take();
    return null;
  } catch (error) {
    if (error instanceof TallymanError) return error;
    throw error;
  }
}

describe('the lock on a data_dir', () => {
  it('a second process gets ALREADY_RUNNING (exit 11) with the pid of the first', async () => {
    const dir = temporaryDir();
    const { child, lines, ended } = runScript(compileLedger(), HOLD, [dir]);
    await until(() => lines.length > 0);
    const error = refusal(() => acquireLock(dir));
    expect(error).toMatchObject({ code: 'ALREADY_RUNNING', exit: 11 });
    expect(error?.message).toContain(`pid ${child.pid}`);
    child.kill('SIGKILL');
    await ended;
  });

  it('frees itself when its holder is killed', async () => {
    const dir = temporaryDir();
    const { child, lines, ended } = runScript(compileLedger(), HOLD, [dir]);
    await until(() => lines.length > 0);
    child.kill('SIGKILL');
    await ended;
    const lock = acquireLock(dir);
    lock.release();
  });

  it('is refused twice in one process too, and the first goes on holding it', () => {
    const dir = temporaryDir();
    const lock = acquireLock(dir);
    expect(refusal(() => acquireLock(dir))?.code).toBe('ALREADY_RUNNING');
    expect(refusal(() => acquireLock(dir))?.code).toBe('ALREADY_RUNNING');
    lock.release();
    lock.release();
    const next = acquireLock(dir);
    expect(refusal(() => acquireLock(dir))?.code).toBe('ALREADY_RUNNING');
    next.release();
  });

  it('makes files that only we can read, in a folder that only we can read', () => {
    const dir = path.join(temporaryDir(), 'data');
    const lock = acquireLock(dir);
    const modes = [dir, path.join(dir, 'tallyman.lock'), path.join(dir, 'tallyman.pid')].map(
      (file) => statSync(file).mode & 0o777,
    );
    expect(modes).toEqual([0o700, 0o600, 0o600]);
    lock.release();
    expect(existsSync(path.join(dir, 'tallyman.pid'))).toBe(false);
  });

  it('a data_dir that is no folder is told', () => {
    const file = path.join(temporaryDir(), 'file');
    writeFileSync(file, '');
    expect(refusal(() => acquireLock(file))?.code).toBe('LEDGER_UNUSABLE');
  });

  it('a lock file that is no lock is told', () => {
    const dir = temporaryDir();
    writeFileSync(
      path.join(dir, 'tallyman.lock'),
      'this is no SQLite file, and long enough to be looked at by it: '.repeat(40),
    );
    expect(refusal(() => acquireLock(dir))?.code).toBe('LEDGER_UNUSABLE');
  });
});

describe('workers', () => {
  it('of one name take turns, however fast they follow each other: never two at once', async () => {
    const dir = temporaryDir();
    const all = [1, 2, 3, 4, 5, 6].map(() => runScript(compileLedger(), TAKE_TURNS, [dir]));
    await Promise.all(all.map(({ ended }) => ended));
    expect(all.map(({ lines }) => lines.join())).toEqual(Array(6).fill('done'));
  });

  it('live as long as they hold their locks, and asking frees none', async () => {
    const dir = temporaryDir();
    const workers = lockWorkers(dir);
    expect([await workers.lives(DAEMON), await workers.lives('load-1')]).toEqual([false, false]);
    const locks = [acquireLock(dir), acquireClaimLock(dir, 'load-1')];
    for (let i = 0; i < 2; i++)
      expect([await workers.lives(DAEMON), await workers.lives('load-1')]).toEqual([true, true]);
    for (const lock of locks) lock.release();
    expect([await workers.lives(DAEMON), await workers.lives('load-1')]).toEqual([false, false]);
  });
});

describe('a claim', () => {
  it('is held as long as its process lives', async () => {
    const dir = temporaryDir();
    const { child, lines, ended } = runScript(compileLedger(), HOLD, [dir, 'load-1']);
    await until(() => lines.length > 0);
    expect(isClaimHeld(dir, 'load-1')).toBe(true);
    expect(isClaimHeld(dir, 'load-2')).toBe(false);
    expect(refusal(() => acquireLock(dir))).toBeNull();
    child.kill('SIGKILL');
    await ended;
    expect(isClaimHeld(dir, 'load-1')).toBe(false);
  });

  it('is held by this process too until it is released', () => {
    const dir = temporaryDir();
    const claim = acquireClaimLock(dir, 'load-1');
    expect([isClaimHeld(dir, 'load-1'), isClaimHeld(dir, 'load-1')]).toEqual([true, true]);
    claim.release();
    expect(isClaimHeld(dir, 'load-1')).toBe(false);
  });

  it.each(['../tallyman', '', 'a/b', '.hidden'])('cannot be named "%s"', (name) => {
    expect(refusal(() => acquireClaimLock(temporaryDir(), name))?.code).toBe('USAGE');
  });
});
