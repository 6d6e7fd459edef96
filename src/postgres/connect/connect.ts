import pg from 'pg';
import type { DatabaseSpec } from '../../core/database.js';
import { databaseError, endsSession, isServerError } from './errors.js';
import { quoteIdentifier } from './identifiers.js';
import type { Row } from './result-rows.js';
import { firstThatFits } from './hosts.js';
import { encryptionAttempts, worthNextAttempt, type Encryption } from './tls.js';
import { serverEncoding, type ServerEncoding } from './server-encoding.js';
import { setTypeParsers } from './type-parsers.js';
import { errnoOf } from '../../base/errno.js';

/**
 * A query without an answer for this long: the connection is given up. Half an hour: a full count of a large table
 * takes minutes.
 */
const ANSWER_TIMEOUT_MS = 30 * 60_000;
/** A polite goodbye may hang on a dead peer. */
const CLOSE_TIMEOUT_MS = 2_000;
/** First TCP keepalive probe; the system then tries ten times a second apart. */
const KEEPALIVE_MS = 30_000;

export interface QueryResult {
  readonly rows: readonly Row[];
  /** INSERT, COMMIT, ROLLBACK ...: COMMIT in an aborted transaction is answered with ROLLBACK. */
  readonly command: string;
  /** Rows changed or given; 0 where the server tells none. */
  readonly rowCount: number;
}

export interface QueryOptions {
  /**
   * Milliseconds to wait for the answer before the connection is given up (it is then `lost`). Default half an hour; 0
   * = no end.
   */
  readonly timeoutMs?: number;
}

/** One session with PostgreSQL. */
export interface Connection {
  /** The driver's client, for COPY streams. */
  readonly client: pg.Client;
  /** Process id of the backend; behind pgbouncer a made-up number. */
  readonly backendPid: number;
  /** What the database can hold; null = every character. */
  readonly encoding: ServerEncoding | null;
  /** performance.now() when a statement was last sent; COPY is none of them. */
  readonly askedAt: number;
  /** True while nothing is asked and no COPY is under way. */
  readonly idle: boolean;
  /**
   * True once the session has ended or is about to (FATAL, socket gone, closed, an answer that never came). It never
   * comes back.
   */
  readonly lost: boolean;
  /** Runs one statement. Throws what the driver throws: see classify() and databaseError(). */
  query(text: string, values?: readonly unknown[], options?: QueryOptions): Promise<QueryResult>;
  /** Runs several statements separated by semicolons in one round trip, without values. One result a statement. */
  queryAll(text: string, options?: QueryOptions): Promise<readonly QueryResult[]>;
  /** Says goodbye, at most 2 s, then hangs up. Never throws. */
  close(): Promise<void>;
  /** Hangs up at once: the backend rolls back. */
  destroy(): void;
}

/**
 * Connects, with TLS as sslmode says. `name` is added to the application name ("tallyman load"). Throws
 * DATABASE_UNREACHABLE, DATABASE_LOGIN or DATABASE_BUSY.
 */
export async function connect(spec: DatabaseSpec, name?: string): Promise<Connection> {
  return spec.others === undefined && spec.sessionAttrs === undefined
    ? await connectOne(spec, name)
    : await firstThatFits(spec, (one) => connectOne(one, name));
}

async function connectOne(spec: DatabaseSpec, name: string | undefined): Promise<Connection> {
  const attempts = encryptionAttempts(spec);
  let first: unknown;
  for (const [i, encryption] of attempts.entries()) {
    try {
      return await open(spec, name, encryption);
    } catch (error) {
      first ??= error;
      if (i + 1 < attempts.length && worthNextAttempt(error, encryption)) continue;
      // Of two refusals the later one is about the way that the server does take.
      throw databaseError(error, `connecting to ${where(spec)}`, connectFix(error, spec));
    }
  }
  throw databaseError(first, `connecting to ${where(spec)}`, connectFix(first, spec));
}

/** Connects, works, closes; hangs up instead when the work threw, so that no open transaction stays behind. */
export async function withConnection<T>(
  spec: DatabaseSpec,
  work: (connection: Connection) => Promise<T>,
  name?: string,
): Promise<T> {
  const connection = await connect(spec, name);
  try {
    const result = await work(connection);
    await connection.close();
    return result;
  } finally {
    connection.destroy();
  }
}

/** The encoding of a database that cannot hold every character; null = it can. Throws what `connect` throws. */
export const databaseEncoding = (spec: DatabaseSpec): Promise<string | null> =>
  withConnection(spec, (connection) => Promise.resolve(connection.encoding?.name ?? null));

/** `user@host:port/database`, for messages. */
export function where(spec: DatabaseSpec): string {
  const host = spec.host.includes(':') ? `[${spec.host}]` : spec.host;
  return `${spec.user}@${host}:${spec.port}/${spec.database}`;
}

/**
 * The driver would add PGOPTIONS, PGREPLICATION and time-outs of the environment to the start-up message; pgbouncer
 * refuses what it does not know.
 */
class PlainClient extends pg.Client {
  readonly #startup: Readonly<Record<string, string>>;

  constructor(config: pg.ClientConfig, startup: Readonly<Record<string, string>>) {
    super(config);
    this.#startup = startup;
  }

  getStartupConf(): Readonly<Record<string, string>> {
    return this.#startup;
  }
}

async function open(spec: DatabaseSpec, name: string | undefined, encryption: Encryption): Promise<Connection> {
  const applicationName = name === undefined ? spec.applicationName : `${spec.applicationName} ${name}`;
  const client = new PlainClient(
    {
      host: spec.host,
      port: spec.port,
      user: spec.user,
      database: spec.database,
      ...(spec.password === null ? {} : { password: spec.password }),
      ssl: encryption,
      sslnegotiation: 'postgres',
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEPALIVE_MS,
      connectionTimeoutMillis: spec.connectTimeoutMs,
      enableChannelBinding: spec.channelBinding === 'prefer' || spec.channelBinding === 'require',
    },
    // pgbouncer knows this one. Without it a database in LATIN1 would take our UTF-8 for LATIN1.
    { user: spec.user, database: spec.database, application_name: applicationName, client_encoding: 'UTF8' },
  );
  const session = new Session(client);
  const bound = spec.channelBinding === 'require' ? bindingOf(client, encryption) : null;
  try {
    await client.connect();
    if (bound?.() === false) throw new Error(UNBOUND);
  } catch (error) {
    session.destroy();
    throw error;
  }
  setTypeParsers(client);
  return session;
}

const UNBOUND =
  'channel_binding=require, and the server does not bind the login to the encrypted line (SCRAM-SHA-256-PLUS)';

/**
 * The driver binds where the server offers it, and goes on without where it does not: then the line is cut before
 * anything of the password is sent. Tells afterwards whether it was bound.
 */
function bindingOf(client: pg.Client, encryption: Encryption): () => boolean {
  let bound = false;
  const refuse = (): void => void client.connection.stream.destroy(new Error(UNBOUND));
  client.connection.on('authenticationSASL', (message: { readonly mechanisms?: readonly string[] }) => {
    bound = encryption !== false && message.mechanisms?.includes('SCRAM-SHA-256-PLUS') === true;
    if (!bound) refuse();
  });
  client.connection.on('authenticationCleartextPassword', refuse);
  client.connection.on('authenticationMD5Password', refuse);
  return () => bound;
}

class Session implements Connection {
  readonly client: pg.Client;
  encoding: ServerEncoding | null = null;
  askedAt = performance.now();
  #lost = false;

  constructor(client: pg.Client) {
    this.client = client;
    client.connection.on('parameterStatus', (status: unknown) => {
      const [name, value] = isStatus(status) ? [status.parameterName, status.parameterValue] : ['', ''];
      if (name === 'server_encoding') this.encoding = serverEncoding(value);
    });
    // Without a listener a killed backend would end the process. Queries under way get the error themselves.
    client.on('error', () => {
      this.#lost = true;
    });
    client.on('end', () => {
      this.#lost = true;
    });
  }

  get lost(): boolean {
    return this.#lost;
  }

  get idle(): boolean {
    return !this.#lost && Reflect.get(this.client, 'readyForQuery') === true;
  }

  get backendPid(): number {
    const pid: unknown = Reflect.get(this.client, 'processID');
    return typeof pid === 'number' ? pid : 0;
  }

  async query(text: string, values?: readonly unknown[], options?: QueryOptions): Promise<QueryResult> {
    const result: unknown = await this.#ask(
      () =>
        this.client.query(
          this.#sql(text),
          values?.map((value) => this.#value(value)),
        ),
      options,
    );
    return toResult(Array.isArray(result) ? result.at(-1) : result);
  }

  async queryAll(text: string, options?: QueryOptions): Promise<readonly QueryResult[]> {
    const result: unknown = await this.#ask(() => this.client.query(this.#sql(text)), options);
    return Array.isArray(result) ? result.map(toResult) : [toResult(result)];
  }

  async close(): Promise<void> {
    if (!this.#lost) {
      this.#lost = true;
      await Promise.race([this.client.end(), after(CLOSE_TIMEOUT_MS)]).catch(() => undefined);
    }
    this.destroy();
  }

  destroy(): void {
    this.#lost = true;
    this.client.connection.stream.destroy();
  }

  #sql(text: string): string {
    return this.encoding === null ? text : this.encoding.fitSql(text);
  }

  #value(value: unknown): unknown {
    if (this.encoding === null) return value;
    if (Array.isArray(value)) return value.map((item) => this.#value(item));
    return typeof value === 'string' ? this.encoding.fit(value) : value;
  }

  async #ask(send: () => Promise<unknown>, options: QueryOptions | undefined): Promise<unknown> {
    this.askedAt = performance.now();
    const timeoutMs = options?.timeoutMs ?? ANSWER_TIMEOUT_MS;
    const timer =
      timeoutMs === 0
        ? null
        : setTimeout(
            () => this.client.connection.stream.destroy(new Error(`no answer within ${timeoutMs / 1000} s`)),
            timeoutMs,
          );
    try {
      return await send();
    } catch (error) {
      if (endsSession(error)) this.#lost = true;
      throw error;
    } finally {
      if (timer !== null) clearTimeout(timer);
    }
  }
}

const isStatus = (value: unknown): value is { readonly parameterName: string; readonly parameterValue: string } =>
  typeof value === 'object' &&
  value !== null &&
  typeof Reflect.get(value, 'parameterName') === 'string' &&
  typeof Reflect.get(value, 'parameterValue') === 'string';

function toResult(result: unknown): QueryResult {
  if (result instanceof pg.Result)
    return { rows: result.rows, command: result.command, rowCount: result.rowCount ?? 0 };
  throw new TypeError('the driver gave no result');
}

function after(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}

function connectFix(error: unknown, spec: DatabaseSpec): string | undefined {
  if (isServerError(error) && (error.code === '53300' || /max_client_conn|max_user_connections/.test(error.message)))
    return (
      `It goes on by itself when one is free. tallyman needs ${sessionsOf(spec)}, ` +
      `and one for each command beside it: raise the limit (ALTER ROLE ${quoteIdentifier(spec.user)} CONNECTION LIMIT, max_connections, the pooler's ` +
      `max_client_conn), or lower daemon.concurrency.`
    );
  if (/CERT|UNABLE_TO_|ALTNAME/.test(errnoOf(error)))
    return "The server's certificate was not accepted: set database.tls.ca to the CA that signed it, and use the host name that it was made for.";
  return undefined;
}

const sessionsOf = ({ sessions }: DatabaseSpec): string =>
  sessions === undefined
    ? 'a session for each load at a time and two more'
    : `${sessions} sessions (daemon.concurrency and two more)`;
