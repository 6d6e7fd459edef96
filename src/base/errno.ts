/** The code of a failed call of the system or of Node (`ENOENT`, `ERR_TLS_...`); empty when the error has none. */
export const errnoOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';

/** True when the error has one of these codes. */
export const hasCode = (error: unknown, ...codes: readonly string[]): boolean => codes.includes(errnoOf(error));
