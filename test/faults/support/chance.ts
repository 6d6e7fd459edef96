import process from 'node:process';
import { FULL } from './report.js';

/** How often each fault is tried; `npm run test:faults` does more. */
export const ROUNDS = Number(process.env['TALLYMAN_FAULT_ROUNDS'] ?? (FULL ? '10' : '1'));

/** Says which seed repeats this run: TALLYMAN_FAULT_SEED=N. */
export const SEED = Number(process.env['TALLYMAN_FAULT_SEED'] ?? Math.trunc(Math.random() * 2 ** 31));

export interface Chance {
  /** 0 up to, not with, 1. */
  next(): number;
  /** A whole number below `limit`. */
  below(limit: number): number;
  pick<T>(items: readonly T[]): T;
}

/** mulberry32: small, good enough, the same everywhere. */
export function chance(seed: number = SEED): Chance {
  let state = seed | 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
  const below = (limit: number): number => Math.floor(next() * limit);
  return {
    next,
    below,
    pick: (items) => {
      const item = items[below(items.length)];
      if (item === undefined) throw new Error('nothing to pick from');
      return item;
    },
  };
}
