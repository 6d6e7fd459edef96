import type Database from 'better-sqlite3';
import { TallymanError } from '../../../core/errors.js';
import { add } from './additions.js';
import { SCHEMA_1 } from './schema-1.js';
import { SCHEMA_2 } from './schema-2.js';

/** Number n stands at index n - 1. A migration that was released is never edited: the next one corrects it. */
const MIGRATIONS: readonly string[] = [SCHEMA_1, SCHEMA_2];

/**
 * Brings the file to the newest version, each step in a transaction of its own. Two processes may start at once: the
 * version is read again under the lock.
 */
export function migrate(db: Database.Database): void {
  const version = (): number => Number(db.pragma('user_version', { simple: true }));
  if (version() > MIGRATIONS.length) {
    throw new TallymanError(
      'LEDGER_UNUSABLE',
      `The ledger ${db.name} was made by a newer tallyman (version ${version()}, this one knows ${MIGRATIONS.length}).`,
      {
        fix: 'Use the newer tallyman, or another data_dir.',
      },
    );
  }
  for (let next = version(); next < MIGRATIONS.length; next = version()) {
    db.transaction(() => {
      if (version() !== next) return;
      db.exec(MIGRATIONS[next]!);
      db.pragma(`user_version = ${next + 1}`);
    }).immediate();
  }
  add(db);
}
