import { messageOf, TallymanError } from '../../core/errors.js';
import type { Connection } from '../../postgres/connect/connect.js';
import { databaseError, endsSession } from '../../postgres/connect/errors.js';
import { AnswersDiffer, type Answer, type Script } from '../../postgres/connect/script.js';
import { isReceiptConflict } from '../../postgres/control/receipt-conflict.js';

/** COMMIT was sent and its answer did not come: only the receipt can tell (docs/architecture.md#recovery). */
export class OutcomeUnknown extends Error {
  override readonly name = 'OutcomeUnknown';
}

/** Another load holds a live receipt for this content. */
export class LostRace extends Error {
  override readonly name = 'LostRace';
}

/**
 * Sends the last statements of a transaction, the INSERT of its receipts among them, together with COMMIT: one round
 * trip, and PostgreSQL stops at the first error. Returns `answer`, that of the receipts. Throws LostRace,
 * OutcomeUnknown, or the error with which it was rolled back.
 */
export async function commit<T>(
  connection: Connection,
  script: Script,
  answer: Answer<T>,
  onCommit: () => void,
): Promise<T> {
  const end = script.add('COMMIT', (_, command) => command);
  onCommit();
  try {
    await script.run(connection);
  } catch (error) {
    if (isReceiptConflict(error)) throw new LostRace(error.constraint);
    if (connection.lost || endsSession(error) || error instanceof AnswersDiffer)
      throw new OutcomeUnknown(databaseError(error, 'waiting for the answer to COMMIT').message, { cause: error });
    throw error;
  }
  // In a transaction that was aborted COMMIT is answered with ROLLBACK, without an error.
  if (end() !== 'COMMIT')
    throw new TallymanError('LOAD_FAILED', `COMMIT was answered with ${end()}: nothing was loaded`);
  return afterCommit(answer);
}

/** A fault in what is read once COMMIT was answered is not the load's: its receipt tells. Throws OutcomeUnknown. */
export function afterCommit<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new OutcomeUnknown(messageOf(error), { cause: error });
  }
}

/**
 * Leaves the transaction, whatever state it is in. Never throws: a session that cannot is hung up, and its backend
 * rolls back.
 */
export async function rollback(connection: Connection): Promise<void> {
  if (connection.lost) return;
  try {
    await connection.query('ROLLBACK', undefined, { timeoutMs: ROLLBACK_MS });
  } catch {
    connection.destroy();
  }
}

/** A backend that is busy undoing a large COPY answers at once all the same: the rows are only marked. Milliseconds. */
const ROLLBACK_MS = 30_000;
