import { messageOf, TallymanError } from '../../core/errors.js';

/** Status codes of SFTP version 3 (draft-ietf-secsh-filexfer-02, 7). Servers use FAILURE for nearly everything. */
export const STATUS = {
  EOF: 1,
  NO_SUCH_FILE: 2,
  PERMISSION_DENIED: 3,
  FAILURE: 4,
  BAD_MESSAGE: 5,
  NO_CONNECTION: 6,
  CONNECTION_LOST: 7,
  UNSUPPORTED: 8,
} as const;

/** The server's own answer, not a fault of the connection. */
export class SftpStatus extends Error {
  override readonly name = 'SftpStatus';
  readonly code: number;

  constructor(code: number, message: string, cause: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

export const hasStatus = (error: unknown, ...codes: readonly number[]): boolean =>
  error instanceof SftpStatus && codes.includes(error.code);

/** What a request was answered with: a status of the protocol, else the connection's trouble. */
export function answerError(error: unknown, server: string): SftpStatus | TallymanError {
  if (error instanceof TallymanError || error instanceof SftpStatus) return error;
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (typeof code === 'number' && code > 0 && code !== STATUS.NO_CONNECTION && code !== STATUS.CONNECTION_LOST)
    return new SftpStatus(code, messageOf(error), error);
  return unreachable(server, error);
}

export const unreachable = (server: string, error: unknown, fix?: string): TallymanError =>
  error instanceof TallymanError
    ? error
    : new TallymanError('SOURCE_UNREACHABLE', `${server}: ${messageOf(error)}`, {
        cause: error,
        ...(fix === undefined ? {} : { fix }),
      });

/** What went wrong with one file, by whose fault it is. */
export function fileError(path: string, error: unknown): TallymanError {
  if (error instanceof TallymanError) return error;
  if (hasStatus(error, STATUS.NO_SUCH_FILE))
    return new TallymanError('FILE_VANISHED', `${path}: gone`, { cause: error });
  const fix = hasStatus(error, STATUS.PERMISSION_DENIED)
    ? { fix: 'Ask the operator of the server to give the login the right to read it.' }
    : {};
  return new TallymanError('FILE_UNREADABLE', `${path}: ${messageOf(error)}`, { cause: error, ...fix });
}
