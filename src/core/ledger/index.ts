import type { Arrivals } from './arrivals.js';
import type { PlannedActions } from './outbox.js';
import type { Queue } from './queue.js';
import type { Reading } from './reading.js';
import type { ReceiptBook } from './receipt-book.js';
import type { Requests } from './requests.js';
import type { Surroundings } from './surroundings.js';

/**
 * The work queue and the operator's memory: every version ever seen and what became of it. It never forgets by itself.
 *
 * Asynchronous although SQLite is not: writes of one turn of the event loop share a transaction (one fsync), and a
 * shared ledger in another store can stand behind the same contract. Every method that changes something is durable
 * when its promise resolves; when it is rejected with DISK_FULL or LEDGER_UNUSABLE the change may or may not be there
 * (as after a crash): read the entry again. WRONG_STATE = nothing changed. UNKNOWN_FILE where an ID does not exist.
 * Times are ISO 8601 UTC. Nothing outside ledger/ knows SQL of the ledger.
 */
export interface Ledger extends Surroundings, Arrivals, Queue, Requests, ReceiptBook, PlannedActions, Reading {
  close(): Promise<void>;
}
