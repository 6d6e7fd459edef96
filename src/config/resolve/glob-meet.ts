import { LAST, type Glob, type Token } from './globs.js';

/** States of one search beyond which the answer is "may meet" instead of a long wait. */
const MAX_STATES = 20_000;

/** A place in a glob: alternative * STRIDE + position of the token that comes next. */
type Spot = number;
const STRIDE = 100_000;
const alternativeOf = (spot: Spot): number => Math.floor(spot / STRIDE);
const positionOf = (spot: Spot): number => spot % STRIDE;

/**
 * One spot for each glob that must be met (some way through it is enough), all spots for each that must not be (no way
 * through it may end). Following single spots keeps the number of states a product of lengths; sets of spots for `must`
 * too would be exponential (minutes for `*_f7_[0-9][0-9]*`).
 */
interface State {
  readonly must: readonly Spot[];
  readonly never: readonly (readonly Spot[])[];
}

/**
 * True when some text meets all of `must` and none of `never`; also when finding out would take too long. `never` must
 * be exact globs.
 */
export function someTextMeets(must: readonly Glob[], never: readonly Glob[]): boolean {
  const avoided = [...new Set(never)];
  // Most pairs of patterns share no text at all, which shows a hundred times sooner without following what must not be
  // met.
  return search(must, []) && (avoided.length === 0 || search(must, avoided));
}

function search(must: readonly Glob[], never: readonly Glob[]): boolean {
  const samples = sampleCharacters([...must, ...never]);
  const avoided = never.map((glob) => startsOf(glob));
  const stack: State[] = choices(must.map(startsOf)).map((spots) => ({ must: spots, never: avoided }));
  const seen = new Set<string>(stack.map(identityOf));
  // Depth first: the last choices pushed go forward in every glob, and most searches end after about as many steps as
  // the pattern is long.
  for (let state = stack.pop(); state !== undefined; state = stack.pop()) {
    if (accepts(state, must, never)) return true;
    for (const sample of samples) {
      for (const next of after(state, sample, must, never)) {
        const identity = identityOf(next);
        if (seen.has(identity)) continue;
        seen.add(identity);
        if (seen.size > MAX_STATES) return true;
        stack.push(next);
      }
    }
  }
  return false;
}

const identityOf = (state: State): string =>
  `${state.must.join(',')};${state.never.map((spots) => spots.join(',')).join(';')}`;

const startsOf = (glob: Glob): readonly Spot[] => glob.alternatives.flatMap((tokens, a) => settle(tokens, a, 0));

const atEnd = (glob: Glob, spot: Spot): boolean => positionOf(spot) === glob.alternatives[alternativeOf(spot)]!.length;

const accepts = (state: State, must: readonly Glob[], never: readonly Glob[]): boolean =>
  state.must.every((spot, g) => atEnd(must[g]!, spot)) &&
  !state.never.some((spots, g) => spots.some((spot) => atEnd(never[g]!, spot)));

function after(state: State, sample: number, must: readonly Glob[], never: readonly Glob[]): readonly State[] {
  const moves: (readonly Spot[])[] = [];
  for (let g = 0; g < must.length; g++) {
    const next = step(must[g]!, state.must[g]!, sample);
    if (next.length === 0) return [];
    moves.push(next);
  }
  const avoided = state.never.map((spots, g) =>
    spots.length === 0
      ? spots
      : [...new Set(spots.flatMap((spot) => step(never[g]!, spot, sample)))].sort((a, b) => a - b),
  );
  return choices(moves).map((spots) => ({ must: spots, never: avoided }));
}

/** One of each list, in every combination. */
const choices = (lists: readonly (readonly Spot[])[]): readonly (readonly Spot[])[] =>
  lists.reduce<readonly (readonly Spot[])[]>(
    (all, list) => all.flatMap((one) => list.map((spot) => [...one, spot])),
    [[]],
  );

/** The spot and those behind it that are reached without a character. */
function settle(tokens: readonly Token[], alternative: number, position: number): readonly Spot[] {
  const spots = [alternative * STRIDE + position];
  for (let i = position; tokens[i]?.many === true; i++) spots.push(alternative * STRIDE + i + 1);
  return spots;
}

function step(glob: Glob, spot: Spot, char: number): readonly Spot[] {
  const alternative = alternativeOf(spot);
  const tokens = glob.alternatives[alternative]!;
  const token = tokens[positionOf(spot)];
  if (token?.ranges.some(([from, to]) => char >= from && char <= to) !== true) return [];
  const next = positionOf(spot) + (token.many ? 0 : 1);
  return tokens[next]?.many === true ? settle(tokens, alternative, next) : [alternative * STRIDE + next];
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
