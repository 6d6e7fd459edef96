export const SESSION_ATTRS = ['any', 'read-write', 'read-only', 'primary', 'standby', 'prefer-standby'] as const;
export type SessionAttrs = (typeof SESSION_ATTRS)[number];

/** How to reach PostgreSQL: plain data, so that it can be posted to a worker thread. Holds secrets: never log it. */
export interface DatabaseSpec {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string | null;
  readonly database: string;
  /** libpq's meanings. */
  readonly sslmode: 'disable' | 'allow' | 'prefer' | 'require' | 'verify-ca' | 'verify-full';
  /** PEM texts. */
  readonly tls: { readonly ca: string | null; readonly cert: string | null; readonly key: string | null };
  /** Several hosts: those behind the first, tried in turn. Omitted = there is one. */
  readonly others?: readonly { readonly host: string; readonly port: number }[];
  /** libpq's target_session_attrs: which of the hosts will do. Omitted = any. */
  readonly sessionAttrs?: SessionAttrs;
  /** libpq's channel_binding. Omitted = not asked for. */
  readonly channelBinding?: 'disable' | 'prefer' | 'require';
  readonly applicationName: string;
  readonly connectTimeoutMs: number;
  /** How many sessions the program may have at once, for messages. Omitted = not known. */
  readonly sessions?: number;
  /**
   * Other libpq `options`-like run-time settings from the URL are refused, not passed: pgbouncer refuses start-up
   * parameters.
   */
  readonly controlSchema: string;
}

/**
 * How far trouble outside the files reaches, for errors with blame `pause`:
 *
 * - `database` nothing can be loaded
 * - `table`    one feed cannot be loaded now: somebody holds a lock on what it needs
 * - `file`     not known: the database works, and refuses this load in a way that time may mend, or not
 */
export type Reach = 'database' | 'table' | 'file';
