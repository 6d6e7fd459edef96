import * as z from 'zod';
import { duration } from '../../config/schema/scalars.js';
import { MAX_PREFIXES, prefixCount, prefixProblem } from './prefix.js';

const DAY_MS = 86_400_000;

/** Keys under `source:` that all object stores have: which part of the bucket is listed. */
export const prefixOptions = () => ({
  prefix: z
    .string()
    .default('')
    .describe(
      'Only keys that begin so. Date letters stand for the days (and hours) of lookback, in UTC: `in/%Y/%m/%d/`.',
    ),
  lookback: duration({ max: 400 * DAY_MS })
    .default(2 * DAY_MS)
    .describe('How far back the prefixes of earlier days are listed too, when prefix has date letters.'),
});

export interface PrefixOptions {
  readonly prefix: string;
  /** Milliseconds. */
  readonly lookback: number;
}

/** For superRefine of the options that hold them. */
export function checkPrefix({ prefix, lookback }: PrefixOptions, context: z.RefinementCtx): void {
  const issue = (path: string, message: string): void => context.addIssue({ code: 'custom', path: [path], message });
  const mistake = prefixProblem(prefix);
  if (mistake !== null) issue('prefix', mistake);
  else if (prefixCount(prefix, lookback) > MAX_PREFIXES)
    issue('lookback', `makes more than ${MAX_PREFIXES} prefixes of ${prefix}, and each costs a listing at every poll`);
}
