/**
 * The pause before try number `attempt` + 1, milliseconds: doubles from `baseMs` to `maxMs`, and a random part of its
 * upper half is taken off, so that a hundred files that failed together do not come back together.
 *
 * `attempt` counts failures, from 1; anything less is taken as 1. Returns a whole number between half of the full pause
 * and the full pause.
 */
export function backoff(
  attempt: number,
  limits: { readonly baseMs: number; readonly maxMs: number },
  random: () => number = Math.random,
): number {
  // 2 ** 30 times any base is past every limit in use; without the cap the power becomes Infinity, and 0 * Infinity is
  // NaN.
  const doublings = Math.min(Math.max(0, attempt - 1), 30);
  const full = Math.min(limits.maxMs, limits.baseMs * 2 ** doublings);
  return Math.ceil(full / 2 + (full / 2) * random());
}
