import { messageOf, TallymanError } from '../core/errors.js';
import type { LoadJob } from '../core/load.js';

/** A check that the feed asks for and that would not be made must not pass for one that was. Throws CONTRACT_MISFIT: the feed stops. */
export function refuseUnbuilt({ feed }: LoadJob): void {
  const asked = [...((feed.control?.trailer ?? null) === null ? [] : ['control.trailer']), ...(Object.keys(feed.control?.totals ?? {}).length === 0 ? [] : ['control.totals'])];
  if (asked.length > 0) throw new TallymanError('CONTRACT_MISFIT', `${asked.join(' and ')} cannot be checked by this version`, { fix: `Take ${asked.join(' and ')} out of the feed.` });
}

/**
 * How many records the file is said to hold: by its manifest, else by the format itself (a Parquet footer); null = unsaid. Throws CONTROL_MISSING when the
 * feed asks for a manifest's word and it is not there.
 */
export function declaredRows(job: LoadJob, formatSays: number | null): number | null {
  const key = job.feed.control?.manifest?.rows ?? null;
  if (key === null) return formatSays;
  const value = manifestValue(job, key);
  const rows = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
  if (typeof rows !== 'number' || !Number.isSafeInteger(rows)) throw new TallymanError('CONTROL_MISSING', `the manifest says no number of rows under ${JSON.stringify(key)}`);
  return rows - (job.feed.control?.rowsOffset ?? 0);
}

/** Holds the sender's word against the file. Throws DECLARED_ROWS_MISMATCH, CHECKSUM_MISMATCH, CONTROL_MISSING. */
export function checkControl(job: LoadJob, declared: number | null, read: number, sha256: string): void {
  if (declared !== null && declared !== read) throw new TallymanError('DECLARED_ROWS_MISMATCH', `${declared} rows are declared, ${read} were read`);
  const key = job.feed.control?.manifest?.sha256 ?? null;
  if (key === null) return;
  const value = manifestValue(job, key);
  if (typeof value !== 'string') throw new TallymanError('CONTROL_MISSING', `the manifest says no sha256 under ${JSON.stringify(key)}`);
  if (value.trim().toLowerCase() !== sha256) throw new TallymanError('CHECKSUM_MISMATCH', `the manifest says sha256 ${value.trim().slice(0, 64)}, the file has ${sha256}`);
}

/** The value under a key, or under a path of keys joined by dots; undefined = not there. */
function manifestValue(job: LoadJob, key: string): unknown {
  if (job.manifest === null) throw new TallymanError('CONTROL_MISSING', 'the manifest is not there');
  let value: unknown;
  try {
    value = JSON.parse(job.manifest);
  } catch (error) {
    throw new TallymanError('CONTROL_MISSING', `the manifest is not JSON: ${messageOf(error)}`);
  }
  if (isObject(value) && Object.hasOwn(value, key)) return value[key];
  for (const part of key.split('.')) {
    if (!isObject(value) || !Object.hasOwn(value, part)) return undefined;
    value = value[part];
  }
  return value;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
