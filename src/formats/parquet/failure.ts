import { errnoOf } from '../../base/errno.js';
import { messageOf, TallymanError } from '../../core/errors.js';
import { encrypted } from './footer.js';
import type { Failure } from './frames.js';

/**
 * What went wrong in the reading process, for its parent. What DuckDB says of a file is said in its words without the
 * parts that only mean something to it.
 */
export function failureOf(error: unknown): Failure {
  if (error instanceof TallymanError)
    return { code: isPassedOn(error.code) ? error.code : 'LOAD_FAILED', message: error.message, fix: error.fix };
  const message = messageOf(error);
  if (/encrypt/i.test(message)) return failureOf(encrypted());
  if (isSystemError(error))
    return {
      code: error.code === 'ENOSPC' || error.code === 'EDQUOT' ? 'DISK_FULL' : 'LOAD_FAILED',
      message,
      fix: null,
    };
  const tooLarge = asksForMoreThanAll(message);
  if (tooLarge !== null) {
    return {
      code: 'EXPANSION_LIMIT',
      message: `The Parquet file asks for ${tooLarge.wanted} of memory at once, the reader may have ${tooLarge.limit}: a length in it is wrong, or one page is that large.`,
      fix: "Compare sha256 with the supplier's; ask for smaller row groups and pages.",
    };
  }
  if (/out of memory|failed to allocate|memory limit/i.test(message)) {
    return {
      code: 'LOAD_FAILED',
      message: `Reading the Parquet file takes more memory than the reader may have: ${plainWords(message)}`,
      fix: 'Ask the supplier for smaller row groups and pages, or for shorter values.',
    };
  }
  if (/^(INTERNAL|Permission) Error/.test(message) || !/^[A-Z][A-Za-z ]+ Error: /.test(message))
    return { code: 'LOAD_FAILED', message: `The Parquet reader failed: ${plainWords(message)}`, fix: null };
  return { code: 'FILE_CORRUPT', message: `The Parquet file cannot be read: ${plainWords(message)}`, fix: null };
}

const PASSED_ON = ['FILE_CORRUPT', 'FORMAT_MISMATCH', 'DISK_FULL', 'NOT_INSTALLED'] as const;
const isPassedOn = (code: string): code is (typeof PASSED_ON)[number] => PASSED_ON.some((one) => one === code);

const BYTES: Readonly<Record<string, number>> = {
  bytes: 1,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
  PiB: 2 ** 50,
};
const SIZE = '([\\d.]+ (bytes|[KMGTP]iB))';
/** As DuckDB says it: "failed to allocate data of size 2.0 GiB (68.1 KiB/1.0 GiB used)". */
const ALLOCATION = new RegExp(`failed to (?:allocate|pin) \\w+ of size ${SIZE} \\(${SIZE}/${SIZE} used\\)`);

/**
 * One piece that is larger than all the reader may have, however little it holds: trying again would not help, and it
 * is the file that says so. null = it is not that.
 */
function asksForMoreThanAll(message: string): { readonly wanted: string; readonly limit: string } | null {
  const [, wanted = '', wantedUnit = '', , , limit = '', limitUnit = ''] = ALLOCATION.exec(message) ?? [];
  const bytes = (text: string, unit: string): number => Number.parseFloat(text) * (BYTES[unit] ?? Number.NaN);
  return bytes(wanted, wantedUnit) > bytes(limit, limitUnit) ? { wanted, limit } : null;
}

const isSystemError = (error: unknown): error is Error & { readonly code: string } => /^E[A-Z]+$/.test(errnoOf(error));

/**
 * The first line, without the kind of error in front and the statement behind; the path is a private copy's and helps
 * nobody.
 */
export function plainWords(message: string): string {
  const first = message.split('\n')[0] ?? '';
  const words = first
    .replace(/^[A-Z][A-Za-z ]* Error: /, '')
    .replace(/(?:of |in |read |for |open )?(?:the )?file ['"][^'"]*['"]:?\s*/gi, '')
    .replace(/['"]\/[^'"]*['"]:?\s*/g, '')
    .trim();
  return words === '' ? 'the reason is not known.' : words.slice(0, 500);
}
