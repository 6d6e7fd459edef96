import { messageOf, TallymanError, type ErrorCode } from '../../core/errors.js';
import type { S3Bucket } from './client.js';

/** What a failed request says of itself. */
interface Refusal {
  /** HTTP status; null = no answer came. */
  readonly status: number | null;
  /**
   * S3's word for it (NoSuchKey, SlowDown ...), or the system's (ECONNRESET). An answer to HEAD has none but its
   * status.
   */
  readonly code: string;
}

const LOGIN = new Set([
  'InvalidAccessKeyId',
  'SignatureDoesNotMatch',
  'ExpiredToken',
  'ExpiredTokenException',
  'InvalidToken',
  'TokenRefreshRequired',
  'CredentialsProviderError',
  'TokenProviderError',
  'InvalidClientTokenId',
  'UnrecognizedClientException',
  'AccountProblem',
  'NotSignedUp',
  'InvalidSecurity',
]);
const CLOCK = new Set(['RequestTimeTooSkewed', 'RequestExpired', 'InvalidSignatureException']);
const REGION = new Set([
  'PermanentRedirect',
  'AuthorizationHeaderMalformed',
  'IllegalLocationConstraintException',
  'TemporaryRedirect',
]);
/** Node's words for certificates; each stays until somebody acts. */
const UNTRUSTED = new Set([
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'CERT_UNTRUSTED',
]);
const LASTING: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED:
    'The certificate of the store has expired, or the clock of this host is wrong: ask its operator for a new one.',
  CERT_NOT_YET_VALID: 'The certificate of the store is not valid yet, or the clock of this host is wrong.',
  CERT_REVOKED: 'The certificate of the store was revoked: ask its operator.',
  ERR_TLS_CERT_ALTNAME_INVALID:
    'The certificate of the store is for other names: correct endpoint, or set force_path_style: true.',
  ERR_SSL_WRONG_VERSION_NUMBER:
    'It speaks no TLS there: correct the port of endpoint, or write http:// where the store has no TLS.',
  EPROTO: 'It speaks no TLS there: correct the port of endpoint, or write http:// where the store has no TLS.',
};
const STAYS = 'It does not go away by itself.';
const READ_AGAIN = 'A { file } is read again by itself; the config and variables at the next start or reload.';
const PASSING = new Set([
  'SlowDown',
  'ServiceUnavailable',
  'InternalError',
  'RequestTimeout',
  'Throttling',
  'ThrottlingException',
  'TooManyRequests',
  'RequestLimitExceeded',
  'BandwidthLimitExceeded',
  'OperationAborted',
]);

export function refusalOf(error: unknown): Refusal {
  if (!(error instanceof Error)) return { status: null, code: '' };
  const metadata: unknown = '$metadata' in error ? error.$metadata : undefined;
  const status =
    typeof metadata === 'object' &&
    metadata !== null &&
    'httpStatusCode' in metadata &&
    typeof metadata.httpStatusCode === 'number'
      ? metadata.httpStatusCode
      : null;
  const code =
    'Code' in error && typeof error.Code === 'string'
      ? error.Code
      : 'code' in error && typeof error.code === 'string'
        ? error.code
        : error.name;
  return { status, code };
}

export const hasStatus = (error: unknown, ...statuses: readonly number[]): boolean =>
  statuses.includes(refusalOf(error).status ?? 0);
export const hasCode = (error: unknown, ...codes: readonly string[]): boolean => codes.includes(refusalOf(error).code);

/** Makes a request without its conditions where a store refuses headers that it does not know. */
export async function unlessUnknown(conditional: () => Promise<unknown>, plain: () => Promise<unknown>): Promise<void> {
  try {
    await conditional();
  } catch (error) {
    if (!hasStatus(error, 501)) throw error;
    await plain();
  }
}

/** True for what has nothing to do with one object: login, region, throttling, the server's own trouble, the line. */
function isOfTheStore({ status, code }: Refusal): boolean {
  return (
    status === null ||
    status === 429 ||
    status >= 500 ||
    status === 301 ||
    status === 307 ||
    code === 'NoSuchBucket' ||
    [LOGIN, CLOCK, REGION, PASSING].some((codes) => codes.has(code))
  );
}

/** A request about the bucket failed: SOURCE_UNREACHABLE, whatever it was. */
export function storeError(at: S3Bucket, error: unknown): TallymanError {
  if (error instanceof TallymanError) return error;
  if (LOGIN.has(refusalOf(error).code)) at.loginRefused();
  const fix = fixOf(at, refusalOf(error));
  return new TallymanError('SOURCE_UNREACHABLE', `${at.name}: ${describe(at, error)}`, {
    cause: trimmed(at, error),
    ...(fix === null ? {} : { fix }),
  });
}

/** The login is right and may not list there: another prefix of the bucket may be open to it. */
export function deniedError(at: S3Bucket, error: unknown): TallymanError {
  const known = storeError(at, error);
  return new TallymanError('FOLDER_UNREADABLE', known.message, { cause: known.cause, fix: known.fix });
}

/**
 * A request about one object failed: gone, another, or `other` when it is refused for this object alone; the store's
 * trouble stays the store's.
 */
export function objectError(
  at: S3Bucket,
  key: string,
  error: unknown,
  other: { readonly code: ErrorCode; readonly right: string },
): TallymanError {
  if (error instanceof TallymanError) return error;
  const refusal = refusalOf(error);
  if (isOfTheStore(refusal)) return storeError(at, error);
  const options = { cause: trimmed(at, error) };
  if (refusal.status === 404) return new TallymanError('FILE_VANISHED', `${key}: gone`, options);
  if (refusal.status === 412 || refusal.status === 409)
    return new TallymanError('FILE_CHANGED', `${key}: another version stands there`, options);
  const message = `${key}: ${describe(at, error)}`;
  if (refusal.code === 'InvalidObjectState')
    return new TallymanError(other.code, message, {
      ...options,
      fix: 'The object is archived: restore it, or move it to another storage class.',
    });
  if (refusal.status === 403 || refusal.status === 401)
    return new TallymanError(other.code, message, {
      ...options,
      fix: `Give the key that tallyman uses the right ${other.right} on this object.`,
    });
  return new TallymanError(other.code, message, options);
}

function fixOf(at: S3Bucket, { status, code }: Refusal): string | null {
  if (UNTRUSTED.has(code))
    return `Nobody here knows who signed the certificate: name it with ca (a PEM file) of the connection. ${STAYS}`;
  const lasting = Object.hasOwn(LASTING, code) ? LASTING[code] : undefined;
  if (lasting !== undefined) return `${lasting} ${STAYS}`;
  if (code === 'NoSuchBucket') return `There is no bucket ${at.bucket}: correct bucket, endpoint or force_path_style.`;
  if (code.startsWith('Expired') || code === 'TokenRefreshRequired')
    return [
      'The keys have expired: give new ones (access_key_id, secret_access_key, session_token), or renew the login of',
      `the AWS chain. ${READ_AGAIN}`,
    ].join(' ');
  if (LOGIN.has(code))
    return [
      'Correct access_key_id and secret_access_key of the connection, or what the AWS default chain finds (environment,',
      `profile, role). ${READ_AGAIN}`,
    ].join(' ');
  if (CLOCK.has(code))
    return 'The clock of this host and that of the store differ by more than 15 minutes: set it right.';
  if (REGION.has(code) || status === 301) return 'The bucket is in another region: correct region of the connection.';
  if (status === 403 || status === 401)
    return 'Give the key that tallyman uses the right s3:ListBucket on the bucket and s3:GetObject on its objects.';
  return null;
}

/** Status, code and the server's own words, without secrets. */
function describe(at: S3Bucket, error: unknown): string {
  const { status, code } = refusalOf(error);
  const said = at.masked(messageOf(error)).trim();
  const word = ['', 'Error', 'Unknown', 'UnknownError'].includes(code) ? '' : code;
  const words = said === 'UnknownError' || said === '' || said === word ? [word] : [word, said];
  const text = words.filter((one) => one !== '').join(': ');
  return status === null ? text || 'no answer' : `HTTP ${status}${text === '' ? '' : ` ${text}`}`;
}

/** The SDK's errors carry request and answer, signed headers and all: only name and text go on. */
function trimmed(at: S3Bucket, error: unknown): Error {
  const plain = new Error(describe(at, error));
  plain.name = error instanceof Error ? error.name : 'Error';
  return plain;
}
