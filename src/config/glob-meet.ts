import { LAST, type Glob, type Token } from './globs.js';

/** States of one search beyond which the answer is "may meet" instead of a long wait. */
const MAX_STATES = 20_000;

/** True when some text meets all of `must` and none of `never`; also when finding out would take too long. `never` must be exact globs. */
export function someTextMeets(must: readonly Glob[], never: readonly Glob[]): boolean {
  const globs = [...must, ...never];
  const samples = sampleCharacters(globs);
  const start = globs.map((glob) => new Set(glob.alternatives.flatMap((tokens, a) => settle(tokens, a, 0))));
  const seen = new Set<string>();
  const queue = [start];
  for (const states of queue) {
    const accepts = states.map((set, g) => [...set].some((state) => positionOf(state) === globs[g]!.alternatives[alternativeOf(state)]!.length));
    if (accepts.every((accept, g) => accept === g < must.length)) return true;
    for (const sample of samples) {
      const next = states.map((set, g) => new Set([...set].flatMap((state) => step(globs[g]!, state, sample))));
      if (next.some((set, g) => g < must.length && set.size === 0)) continue;
      const identity = next.map((set) => [...set].sort((a, b) => a - b).join(',')).join(';');
      if (seen.has(identity)) continue;
      seen.add(identity);
      if (seen.size > MAX_STATES) return true;
      queue.push(next);
    }
  }
  return false;
}

const STRIDE = 100_000;
const alternativeOf = (state: number): number => Math.floor(state / STRIDE);
const positionOf = (state: number): number => state % STRIDE;

/** The position and those behind it that are reached without a character. */
function settle(tokens: readonly Token[], alternative: number, position: number): readonly number[] {
  const states = [alternative * STRIDE + position];
  for (let i = position; tokens[i]?.many === true; i++) states.push(alternative * STRIDE + i + 1);
  return states;
}

function step(glob: Glob, state: number, char: number): readonly number[] {
  const alternative = alternativeOf(state);
  const tokens = glob.alternatives[alternative]!;
  const token = tokens[positionOf(state)];
  if (token?.ranges.some(([from, to]) => char >= from && char <= to) !== true) return [];
  return settle(tokens, alternative, positionOf(state) + (token.many ? 0 : 1));
}

/** One character of each kind that the globs tell apart: the first of every interval between the ends of their sets. */
function sampleCharacters(globs: readonly Glob[]): readonly number[] {
  const starts = new Set<number>([0]);
  for (const glob of globs) {
    for (const token of glob.alternatives.flat()) {
      for (const [from, to] of token.ranges) {
        starts.add(from);
        if (to < LAST) starts.add(to + 1);
      }
    }
  }
  return [...starts];
}
