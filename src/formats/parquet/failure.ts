import { messageOf, TallymanError } from '../../core/errors.js';
import { encrypted } from './footer.js';
import type { Failure } from './frames.js';

/** What went wrong in the reading process, for its parent. What DuckDB says of a file is said in its words without the parts that only mean something to it. */
export function failureOf(error: unknown): Failure {
  if (error instanceof TallymanError) {
    const code = error.code === 'FILE_CORRUPT' || error.code === 'FORMAT_MISMATCH' || error.code === 'DISK_FULL' ? error.code : 'LOAD_FAILED';
    return { code, message: error.message, fix: error.fix };
  }
  const message = messageOf(error);
  if (/encrypt/i.test(message)) return failureOf(encrypted());
  if (isSystemError(error)) return { code: error.code === 'ENOSPC' || error.code === 'EDQUOT' ? 'DISK_FULL' : 'LOAD_FAILED', message, fix: null };
  if (/out of memory|failed to allocate|memory limit/i.test(message)) {
    return { code: 'LOAD_FAILED', message: `Reading the Parquet file takes more memory than the reader may have: ${plainWords(message)}`, fix: 'Ask the supplier for smaller row groups and pages, or for shorter values.' };
  }
  if (/^(INTERNAL|Permission) Error/.test(message) || !/^[A-Z][A-Za-z ]+ Error: /.test(message)) return { code: 'LOAD_FAILED', message: `The Parquet reader failed: ${plainWords(message)}`, fix: null };
  return { code: 'FILE_CORRUPT', message: `The Parquet file cannot be read: ${plainWords(message)}`, fix: null };
}

const isSystemError = (error: unknown): error is Error & { readonly code: string } => error instanceof Error && 'code' in error && typeof error.code === 'string' && /^E[A-Z]+$/.test(error.code);

/** The first line, without the kind of error in front and the statement behind; the path is a private copy's and helps nobody. */
export function plainWords(message: string): string {
  const first = message.split('\n')[0] ?? '';
  const words = first
    .replace(/^[A-Z][A-Za-z ]* Error: /, '')
    .replace(/(?:of |in |read |for |open )?(?:the )?file ['"][^'"]*['"]:?\s*/gi, '')
    .replace(/['"]\/[^'"]*['"]:?\s*/g, '')
    .trim();
  return words === '' ? 'the reason is not known.' : words.slice(0, 500);
}
