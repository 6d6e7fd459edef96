import type { FeedSpec } from '../core/feed/feed.js';
import type { Secret } from '../core/secret.js';
import type { Problem } from './problems/problem.js';

/**
 * The whole config as the program uses it: every default filled in, paths absolute, durations in milliseconds, secrets
 * wrapped.
 */
export interface Config {
  readonly version: 1;
  /** Absolute. */
  readonly dataDir: string;
  /** What this host is called in receipts; a local path is one of this host. */
  readonly host: string;
  /** Local copies of remote files: most bytes (null = the disk's), and how long one is kept after its end. */
  readonly landing: { readonly maxBytes: number | null; readonly keepMs: number };
  readonly database: DatabaseConfig;
  readonly daemon: DaemonConfig;
  /** In the order of the file. */
  readonly feeds: readonly FeedSpec[];
  readonly connections: ReadonlyMap<string, ConnectionConfig>;
  /** Nothing stops for these: `check` reports them. */
  readonly warnings: readonly Problem[];
  /** Secrets that cannot be had now: `check` warns of them, and what needs one fails. */
  readonly unsetSecrets: readonly Problem[];
  /** Every secret's text, for maskSecrets. Never print it. */
  readonly secrets: readonly Secret[];
  /** Keys of parts as the file writes them, for `config print`: a part's schema may give other names than it takes. */
  readonly written: ReadonlyMap<string, WrittenFeed>;
}

export interface DatabaseConfig {
  /** null when embedded. A Secret because a password may stand in it. */
  readonly url: Secret | null;
  readonly embedded: boolean;
  readonly password: Secret | null;
  /** PEM texts. */
  readonly tls: { readonly ca: string | null; readonly cert: string | null; readonly key: Secret | null };
  /** Schema of staging tables whose feed names none. */
  readonly stagingSchema: string;
  readonly controlSchema: string;
}

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

export interface DaemonConfig {
  /** Files loaded at once, 1 to 64. */
  readonly concurrency: number;
  readonly drainTimeoutMs: number;
  readonly http: false | { readonly host: string; readonly port: number; readonly token: Secret | null };
  readonly log: { readonly level: (typeof LOG_LEVELS)[number]; readonly format: 'auto' | 'pretty' | 'json' };
}

/** One entry of `connections:`, as its source type's own schema gave it; secrets are Secret. */
export interface ConnectionConfig {
  readonly type: string;
  readonly options: Readonly<Record<string, unknown>>;
}

export interface WrittenFeed {
  readonly source: Readonly<Record<string, unknown>>;
  readonly format: Readonly<Record<string, unknown>>;
  readonly patterns: readonly string[];
}
