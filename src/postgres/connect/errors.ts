import { messageOf, TallymanError, type ErrorCode } from '../../core/errors.js';
import type { Reach } from '../../core/database.js';
import { errnoOf } from '../../base/errno.js';

/**
 * Whose fault an error from PostgreSQL is:
 * - `row`       a row's (classes 22 and 23, P0 raised by a trigger, 54000 "row is too big")
 * - `bug`       ours: what we sent is not COPY
 * - `transient` nobody's: locks, deadlocks, disk, connections, shutdown, read-only. Rolled back, tried again
 * - `misfit`    the table's: columns, kinds, names (class 42 and what COPY cannot do)
 * - `rights`    a missing GRANT
 * - `login`     user, password, database, TLS demanded by the server
 * - `lost`      the connection is gone: the end of what was sent is unknown
 * - `refused`   anything else: rolled back, an attempt is used
 */
export type DatabaseFault = 'row' | 'bug' | 'transient' | 'misfit' | 'rights' | 'login' | 'lost' | 'refused';

/** An error as the server sent it. `code` is the SQLSTATE. */
export interface ServerError extends Error {
  readonly code: string;
  readonly severity?: string | undefined;
  readonly detail?: string | undefined;
  readonly where?: string | undefined;
  readonly schema?: string | undefined;
  readonly table?: string | undefined;
  readonly column?: string | undefined;
  readonly constraint?: string | undefined;
  /** Name of the function in the server that raised it. */
  readonly routine?: string | undefined;
}

/** True for an ErrorResponse of the server (five-character SQLSTATE and a length), false for socket and TLS errors. */
export function isServerError(error: unknown): error is ServerError {
  return (
    error instanceof Error &&
    'code' in error &&
    typeof error.code === 'string' &&
    /^[0-9A-Z]{5}$/.test(error.code) &&
    'severity' in error
  );
}

/**
 * Raised on purpose by a function in PL/pgSQL, under whatever SQLSTATE its author chose: the code says nothing about
 * the server then.
 */
export const isRaised = (error: ServerError): boolean => error.routine === 'exec_stmt_raise';

/** SQLSTATEs after which the server ends the session, whatever language its severity is in. */
const ENDS_SESSION = /^(57P0[1-5]|08...|25P0[34])$/;

/**
 * A pooler speaks for PostgreSQL: it has one code, that of a broken protocol, for all that is the matter (server away,
 * no connection free, a wait that was too long), and no function of the server raised it.
 */
const isPooler = (error: ServerError): boolean => error.code === '08P01' && error.routine === undefined;

/** pgbouncer under pool_mode = statement: there are no transactions, so there is nothing that could be loaded. */
const isStatementPooling = (error: unknown): boolean =>
  isServerError(error) && isPooler(error) && /statement pooling/i.test(error.message);

/** Our own bug, although the class says row: 22P03 bad binary, 22P04 bad COPY format, 08P01 protocol violation. */
const OURS = new Set(['22P03', '22P04', '08P01']);

/**
 * What only the function in the server that raised it tells, whatever language the message is in:
 * - a table that lacks a replica identity is under a publication: its owner has to act
 * - no transaction numbers are left (54000, like a row that is too big)
 */
const BY_ROUTINE: Readonly<Record<string, DatabaseFault>> = {
  CheckCmdReplicaIdentity: 'misfit',
  GetNewTransactionId: 'transient',
  GetNewMultiXactId: 'transient',
};

/** How far a `transient` error reaches; what is not named here is the whole database's (disk, memory, shutdown). */
const REACH: readonly (readonly [RegExp, Reach])[] = [
  // Locks: not available in time, deadlock, in use.
  [/^(55P03|40P01|55006)$/, 'table'],
  // Raised by what hangs on the table (a trigger, its missing library, a policy that cancels): for this file alone, or
  // for all.
  [/^(40|55|57014|58P01|58P02)/, 'file'],
];

const RULES: readonly (readonly [RegExp, DatabaseFault])[] = [
  [/^(22|23|P0)/, 'row'],
  // "row is too big", "index row size exceeds": the values of one row. 54011 (too many columns) is not.
  [/^54000$/, 'row'],
  [/^(40|53|55|57|58)/, 'transient'],
  [/^25006$/, 'transient'],
  [/^(42|3F|0A|54011)/, 'misfit'],
];

/**
 * What a server says FATAL to at the door, where nothing was sent yet that could be lost. 57P03: starting up or
 * shutting down; 53300: no connection free.
 */
const AT_THE_DOOR: readonly (readonly [RegExp, DatabaseFault])[] = [
  [/^(28|3D)/, 'login'],
  [/^42501$/, 'rights'],
  [/^(57P03|53300)$/, 'transient'],
];

/**
 * Whose fault it is; see DatabaseFault. Anything that no server sent is `lost`, but for an error of our own
 * (`refused`).
 */
export function classify(error: unknown): DatabaseFault {
  if (error instanceof TallymanError) return FAULT_OF_CODE[error.code] ?? 'refused';
  if (!isServerError(error)) return isConnectionLoss(error) ? 'lost' : 'refused';
  if (isPooler(error)) return 'lost';
  if (OURS.has(error.code)) return 'bug';
  const byRoutine = BY_ROUTINE[error.routine ?? ''];
  if (byRoutine !== undefined) return byRoutine;
  const refusal = AT_THE_DOOR.find(([pattern]) => pattern.test(error.code))?.[1];
  if (refusal !== undefined) return refusal;
  if (endsSession(error)) return 'lost';
  if (isStandby(error)) return 'transient';
  return RULES.find(([pattern]) => pattern.test(error.code))?.[1] ?? 'refused';
}

/**
 * BEGIN READ WRITE on a standby: "cannot set transaction read-write mode during recovery" has the SQLSTATE of a missing
 * feature, and is told in the server's language. The hook that checks a setting raises it; nothing else of ours fails
 * there.
 */
function isStandby(error: ServerError): boolean {
  return error.code === '0A000' && error.routine === 'call_bool_check_hook';
}

/** True when the session is over: FATAL, PANIC, or the socket is gone. */
export function endsSession(error: unknown): boolean {
  if (!isServerError(error)) return isConnectionLoss(error);
  if (isRaised(error)) return false;
  return error.severity === 'FATAL' || error.severity === 'PANIC' || ENDS_SESSION.test(error.code);
}

const FAULT_OF_CODE: Partial<Record<ErrorCode, DatabaseFault>> = {
  DATABASE_UNREACHABLE: 'lost',
  DATABASE_BUSY: 'transient',
  POOL_MODE: 'lost',
  DATABASE_LOGIN: 'login',
  DATABASE_RIGHTS: 'rights',
  CONTRACT_MISFIT: 'misfit',
};

const CODE_OF_FAULT: Readonly<Record<DatabaseFault, ErrorCode>> = {
  row: 'DATABASE_REFUSED',
  bug: 'INTERNAL',
  transient: 'DATABASE_BUSY',
  misfit: 'CONTRACT_MISFIT',
  rights: 'DATABASE_RIGHTS',
  login: 'DATABASE_LOGIN',
  lost: 'DATABASE_UNREACHABLE',
  refused: 'DATABASE_REFUSED',
};

/**
 * The error as people read it, with what was being done in front: "creating staging.orders: permission denied ...".
 * DETAIL and CONTEXT never get in: they quote rows. `fix` is what to do when this place knows better than the table of
 * errors, `shown` what to say in place of publicMessage.
 */
export function databaseError(error: unknown, doing?: string, fix?: string, shown?: string): TallymanError {
  if (error instanceof TallymanError) return error;
  const code = isStatementPooling(error) ? 'POOL_MODE' : CODE_OF_FAULT[classify(error)];
  const prefix = doing === undefined ? '' : `${doing}: `;
  const advice = fix ?? adviceFor(error);
  return new TallymanError(code, `${prefix}${shown ?? publicMessage(error)}`, {
    cause: withoutValues(error),
    reach: code === 'DATABASE_BUSY' ? reachOf(error) : 'database',
    ...(advice === undefined ? {} : { fix: advice }),
  });
}

const reachOf = (error: unknown): Reach =>
  isServerError(error) && !endsSession(error)
    ? (REACH.find(([pattern]) => pattern.test(error.code))?.[1] ?? 'database')
    : 'database';

/** What to do where the code alone does not say it. */
function adviceFor(error: unknown): string | undefined {
  if (!isServerError(error)) return undefined;
  if (error.routine === 'CheckCmdReplicaIdentity')
    return (
      'A publication publishes deletes of this table: ALTER TABLE (the table of the message) REPLICA ' +
      'IDENTITY FULL, as its owner, or give it a primary key.'
    );
  // The table of errors promises an ALTER or a GRANT, and here nobody knows which.
  if (classify(error) === 'rights')
    return 'Give the role the right that the message names; docs/reference/database-rights.md lists all that it needs.';
  if (classify(error) === 'misfit') return 'Correct the table or the feed as the message says.';
  return undefined;
}

/**
 * The same for statements of ours in which no row's values stand (DDL): what a rule of the database says about them (an
 * event trigger) is shown, and is no row's fault but a person's decision.
 */
export function definitionError(error: unknown, doing: string, fix?: string): TallymanError {
  if (error instanceof TallymanError || !isServerError(error) || !error.code.startsWith('P0'))
    return databaseError(error, doing, fix);
  const message = `${doing}: PostgreSQL: ${error.message} (SQLSTATE ${error.code})`;
  return new TallymanError('CONTRACT_MISFIT', message, {
    fix:
      'A rule of the database (an event trigger) does not let the statement through: let its owner run it, or ' +
      'except this role.',
  });
}

/**
 * What may stand in a log. The primary message of an error may quote a value: "invalid input syntax for type integer:
 * ...", a text that a trigger raised. Of those only the code and the names are reported, and where in a function of the
 * database it was.
 */
export function publicMessage(error: unknown): string {
  if (!isServerError(error)) return messageOf(error);
  if (quotesRows(error)) return guardedMessage(error);
  const speaker = isPooler(error) ? 'the pooler in front of PostgreSQL' : 'PostgreSQL';
  return `${speaker}: ${error.message} (SQLSTATE ${error.code})`;
}

/** The same without the server's own words. */
export function guardedMessage(error: ServerError): string {
  const where = [
    error.table === undefined ? null : `table ${error.table}`,
    error.column === undefined ? null : `column ${error.column}`,
    functionOf(error),
  ].filter((part) => part !== null);
  return `PostgreSQL refused a value (SQLSTATE ${error.code}${where.length === 0 ? '' : `, ${where.join(', ')}`})`;
}

/**
 * True when the primary message may hold what stands in a row: class 22 and P0, class 23 that names neither constraint
 * nor column (a trigger raised it), whatever a function raises, and what went wrong within COPY or a function (it has a
 * CONTEXT), but for the troubles of the server itself.
 */
export function quotesRows(error: ServerError): boolean {
  if (isRaised(error)) return true;
  if (error.code.startsWith('23')) return error.constraint === undefined && error.column === undefined;
  if (/^(22|P0)/.test(error.code)) return true;
  return (error.where ?? '') !== '' && !/^(08|25|40|53|54|57|58|55P03)/.test(error.code);
}

/** "PL/pgSQL function f() line 3 at RAISE": names and numbers, never a value. */
function functionOf(error: ServerError): string | null {
  return /^PL\/pgSQL\P{Cc}* \d+ \P{Cc}*$/mu.exec(error.where ?? '')?.[0] ?? null;
}

/** Loggers print causes: one without the fields that quote rows. */
function withoutValues(error: unknown): unknown {
  if (!isServerError(error)) return error;
  return new Error(publicMessage(error));
}

const LOSS_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EHOSTDOWN',
  'ENETDOWN',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EADDRNOTAVAIL',
  'ENOENT',
  'EACCES',
  'EPROTO',
  'EMFILE',
  'ENFILE',
]);
const LOSS_MESSAGES =
  /^(Connection terminated|timeout expired|Client has encountered a connection error|Client was closed|The server does not support SSL|There was an error establishing an SSL|no answer within)/;

function isConnectionLoss(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof AggregateError) return error.errors.some(isConnectionLoss);
  const code = errnoOf(error);
  return (
    LOSS_CODES.has(code) ||
    code.startsWith('ERR_TLS') ||
    code.startsWith('ERR_SSL') ||
    CERTIFICATE.test(code) ||
    LOSS_MESSAGES.test(error.message)
  );
}

/** OpenSSL's verdicts on a certificate, as Node names them. */
const CERTIFICATE = /^(CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|HOSTNAME_MISMATCH|INVALID_PURPOSE|INVALID_CA)/;
