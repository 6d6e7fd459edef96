import { closeSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makePrivateFolder, openPrivately } from '../../base/host/private-file.js';
import { TallymanError } from '../../core/errors.js';
import { isAlive, uniqueIdentity } from './process-identity.js';

/** A stop takes at most a minute (server.ts); two may follow one another. */
const STOP_WAIT_MS = 3 * 60_000;

/**
 * Which processes use the server of one data_dir: a file each in `users/`, named by process. Whoever goes last stops
 * it. No lock is needed:
 *
 * - one who comes writes its user file, then waits while anybody alive is stopping
 * - one who goes removes its user file, says in `stopping/` that it is about to stop, then looks who is there
 *
 * Each writes before it looks, so of two at the same moment at least one sees the other; if both do, the server stays.
 */
export class EmbeddedUsers {
  readonly #users: string;
  readonly #stopping: string;
  readonly #name: string;

  constructor(home: string) {
    this.#users = path.join(home, 'users');
    this.#stopping = path.join(home, 'stopping');
    for (const dir of [this.#users, this.#stopping]) makePrivateFolder(dir);
    this.#name = uniqueIdentity();
  }

  /** Registers this process and waits until nobody is about to stop the server. */
  async join(): Promise<void> {
    closeSync(openPrivately(path.join(this.#users, this.#name)));
    const end = performance.now() + STOP_WAIT_MS;
    while (living(this.#stopping).length > 0) {
      if (performance.now() > end)
        throw new TallymanError(
          'EMBEDDED_FAILED',
          'Another tallyman has been stopping the embedded PostgreSQL for minutes.',
        );
      await sleep(20);
    }
  }

  /** Signs off, and stops the server when nobody else is there. */
  async leave(stop: () => Promise<void>): Promise<void> {
    const sign = path.join(this.#stopping, this.#name);
    closeSync(openPrivately(sign));
    try {
      rmSync(path.join(this.#users, this.#name), { force: true });
      if (living(this.#users).length === 0) await stop();
    } finally {
      rmSync(sign, { force: true });
    }
  }
}

/** Names of processes that live; what the dead left behind is removed. */
function living(dir: string): readonly string[] {
  return readdirSync(dir).filter((name) => {
    if (isAlive(name)) return true;
    rmSync(path.join(dir, name), { force: true });
    return false;
  });
}
