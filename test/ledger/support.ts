import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach } from 'vitest';
import type { Ledger } from '../../src/core/ledger/index.js';
import { openLedger, type LedgerOptions } from '../../src/ledger/sqlite/sqlite-ledger.js';

export * from '../contract/ledger-suite/support.js';

const cleanups: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

/** In memory where that can be had: what is tested here is not the disk, and 300 ledgers are made. */
const BASE = inMemory('/dev/shm') ? '/dev/shm' : tmpdir();

function inMemory(dir: string): boolean {
  try {
    accessSync(dir, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

export function temporaryDir(): string {
  const dir = mkdtempSync(path.join(BASE, 'tallyman-ledger-'));
  cleanups.push(() => {
    rmSync(dir, { recursive: true, force: true });
  });
  return dir;
}

/** A ledger in a folder of its own, closed and removed after the test. */
export function newLedger(options: LedgerOptions = {}): Ledger {
  return ledgerIn(temporaryDir(), options);
}

export function ledgerIn(dir: string, options: LedgerOptions = {}): Ledger {
  const ledger = openLedger(dir, options);
  cleanups.push(() => ledger.close());
  return ledger;
}
