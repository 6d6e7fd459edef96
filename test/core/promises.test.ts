import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { ERRORS } from '../../src/core/errors.js';

/**
 * A text that says what to do may say that the program goes on by itself only where it does, and where a test shows it.
 */
const ROOT = path.resolve(import.meta.dirname, '../..');
const PROMISE =
  /goes on by itself|again without end|(is|are) (tried|taken|landed) again|Nothing is lost|[Nn]othing to do/;

/** What recovers without a person, and the test in which it does. */
const RECOVERS: Readonly<Record<string, string>> = {
  AFTER_ACTION_FAILED: 'test/flow/outbox.test.ts',
  FILE_CHANGED: 'test/load/changing-file.test.ts',
  FILE_VANISHED: 'test/e2e/failures.test.ts',
  SOURCE_UNREACHABLE: 'test/daemon/feed-watcher.test.ts',
  LANDING_FULL: 'test/intake/land.test.ts',
  DATABASE_UNREACHABLE: 'test/e2e/database-away.test.ts',
  DATABASE_BUSY: 'test/faults/postgres.test.ts',
  WORKER_UNUSABLE: 'test/faults/machine-clock.test.ts',
  DISK_FULL: 'test/faults/machine-disk.test.ts',
};

/** Other texts of the program that promise something, by file, and the test that shows it. */
const PLACES: Readonly<Record<string, string>> = {
  'operations/load-named.ts': 'test/e2e/load.test.ts',
  'sources/s3/errors.ts': 'test/sources/s3/s3-faults.test.ts',
  'sources/sftp/login.ts': 'test/sources/sftp/sftp-login.test.ts',
  'sources/sftp/move.ts': 'test/flow/outbox.test.ts',
  'ledger/sqlite/store/sqlite-errors.ts': 'test/ledger/store.test.ts',
};

test('an error that promises to go on by itself does, and so does every one that says it waits', () => {
  const promising = Object.entries(ERRORS).filter(([, { fix }]) => PROMISE.test(fix));
  expect(promising.map(([code]) => code).filter((code) => RECOVERS[code] === undefined)).toEqual([]);
  for (const code of Object.keys(RECOVERS)) expect([code, Object.hasOwn(ERRORS, code)]).toEqual([code, true]);
  // What a person must put right promises nothing.
  const wrong = promising.filter(([, { blame }]) => blame === 'file' || blame === 'feed' || blame === 'command');
  expect(wrong.map(([code]) => code)).toEqual([]);
});

test('so does every other text of the program', () => {
  const found = readdirSync(path.join(ROOT, 'src'), { recursive: true, encoding: 'utf8' }).filter(
    (file) =>
      file.endsWith('.ts') &&
      file !== 'core/errors.ts' &&
      // A value of `fix`, on its line or the next.
      [
        ...readFileSync(path.join(ROOT, 'src', file), 'utf8').matchAll(/(?:fix:|return|mistake\()\s*(['`"])(.*?)\1/g),
      ].some(([, , text = '']) => PROMISE.test(text)),
  );
  expect(found.filter((file) => PLACES[file] === undefined)).toEqual([]);
});

test('the tests that show it are there', () => {
  const missing = [...Object.values(RECOVERS), ...Object.values(PLACES)].filter(
    (file) => !existsSync(path.join(ROOT, file)),
  );
  expect(missing).toEqual([]);
});
