/** Name of the worker that serves the feeds of a data_dir: `run`. Every other worker is one `load` command. */
export const DAEMON = 'daemon';

/**
 * Who works on entries. Under one data_dir a worker is a process that holds a lock, and lives as long as it holds it;
 * a store that several hosts share can keep a row that each of them renews.
 */
export interface Workers {
  /** Does it live? True for the one that asks. A worker that never was does not live. */
  lives(worker: string): Promise<boolean>;
}

/** An entry in the hands of one worker. */
export interface Lease {
  readonly worker: string;
  /** Which attempt at the entry it is for: a lease of an earlier attempt is void. */
  readonly attempt: number;
  /** When it runs out unless it is renewed; null = not by the clock: it lasts as long as the worker lives. */
  readonly until: string | null;
}

/** The process that serves the feeds of a data_dir. null = it did not say, or could not be asked. */
export interface Holder {
  readonly pid: number | null;
  /** ISO 8601. */
  readonly since: string | null;
  readonly version: string | null;
}
