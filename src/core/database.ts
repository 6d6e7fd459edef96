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
  readonly applicationName: string;
  readonly connectTimeoutMs: number;
  /**
   * Other libpq `options`-like run-time settings from the URL are refused, not passed: pgbouncer refuses start-up
   * parameters.
   */
  readonly controlSchema: string;
}
