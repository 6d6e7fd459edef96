import { overlap } from './char-set.js';
import * as step from './program.js';
import type { Program } from './program.js';

/** How an engine that goes back and tries again (Node's) fares with an expression. */
export interface Cost {
  /**
   * The longest text that costs it a bounded number of steps whatever stands in it; Infinity = any
   * text, in proportion to its length.
   */
  readonly harmlessTo: number;
  /** The steps may double with each character. */
  readonly explodes: boolean;
}

/** Steps that a text may cost Node's engine: half a millisecond. */
const MOST_STEPS = 400_000;
/** Steps a character that still count as "in proportion". */
const MOST_A_CHARACTER = 2_000;
/** Ways that are looked through at most; more = taken for explosive. */
const MOST_LOOKED_AT = 2_000_000;

/** At most `factor` * n ** `power` steps for a text of n characters. */
interface Bound {
  readonly factor: number;
  readonly power: number;
}

const plus = (a: Bound, b: Bound): Bound => ({ factor: a.factor + b.factor, power: Math.max(a.power, b.power) });
const times = (a: Bound): Bound => ({ factor: a.factor, power: a.power + 1 });
const ONE: Bound = { factor: 1, power: 0 };

/**
 * Proves a bound, or does not: never too low. Two characters that may follow one another at the same place and are both
 * possible make two ways; ways that part within a loop and may meet in it again double with every round; else each loop
 * multiplies by the length of the text, or does not where one character tells whether it goes on.
 */
export function costOf(program: Program): Cost {
  try {
    const bound = new Costs(program).whole();
    return { harmlessTo: harmlessTo(bound), explodes: false };
  } catch (error) {
    if (!(error instanceof Explosive)) throw error;
    return { harmlessTo: 0, explodes: true };
  }
}

function harmlessTo({ factor, power }: Bound): number {
  if (factor <= (power === 0 ? MOST_STEPS : power === 1 ? MOST_A_CHARACTER : 0)) return Infinity;
  // A text of n characters has n + 1 places.
  return Math.max(0, Math.floor((MOST_STEPS / factor) ** (1 / Math.max(1, power))) - 1);
}

class Explosive extends Error {}

/** What may come next from a step on, before a character is taken. */
interface Next {
  /** Steps that take a character, one for each way. */
  readonly takes: readonly number[];
  /** For getting there, looks included. */
  readonly cost: Bound;
}

class Costs {
  readonly #program: Program;
  /** Of each step the outermost endless loop that it is in: its first step; -1 = none. */
  readonly #loopOf: Int32Array;
  readonly #boundOf = new Map<number, Bound>();
  readonly #insideOf = new Map<number, readonly number[]>();
  #lookedAt = 0;

  constructor(program: Program) {
    this.#program = program;
    this.#loopOf = loops(program);
    for (let pc = 0; pc < program.op.length; pc++) {
      const loop = this.#loopOf[pc]!;
      if (loop < 0 || !takesCharacter(program.op[pc]!)) continue;
      this.#insideOf.set(loop, [...(this.#insideOf.get(loop) ?? []), pc]);
    }
  }

  whole(): Bound {
    const bound = this.#from(0);
    return this.#program.op[0] === step.AT_START ? bound : times(bound);
  }

  /** All that stands behind `pc` (a look's body too): in the order of the steps, so that no recursion goes deep. */
  #from(pc: number): Bound {
    // Steps lead forward, but for the ends of loops: those behind are settled first.
    for (let at = this.#program.op.length - 1; at >= pc; at--)
      if (takesCharacter(this.#program.op[at]!) && this.#loopOf[at]! < 0) this.#boundAt(at);
      else if (this.#loopOf[at] === at) this.#boundAt(this.#insideOf.get(at)?.[0] ?? -1);
    return this.#ways(this.#next(pc, 1));
  }

  #ways({ takes, cost }: Next): Bound {
    const bounds = takes.map((pc) => this.#boundAt(pc));
    if (this.#apart(takes)) return plus(cost, highest(bounds));
    return bounds.reduce(plus, cost);
  }

  /** Of a step that takes a character, and all behind it. */
  #boundAt(pc: number): Bound {
    if (pc < 0) return ONE;
    const loop = this.#loopOf[pc]!;
    const key = loop < 0 ? pc : -1 - loop;
    const known = this.#boundOf.get(key);
    if (known !== undefined) return known;
    const bound = loop < 0 ? plus(ONE, this.#ways(this.#next(pc + 1, 1))) : this.#loop(loop);
    this.#boundOf.set(key, bound);
    return bound;
  }

  #loop(loop: number): Bound {
    const out = new Set<number>();
    let round: Bound = ONE;
    let decided = true;
    for (const pc of this.#insideOf.get(loop) ?? []) {
      if (this.#program.op[pc] === step.BACK_REFERENCE) throw new Explosive();
      const { takes, cost } = this.#next(pc + 1, 1);
      const inside = takes.filter((to) => this.#loopOf[to] === loop);
      if (!this.#apart(inside)) throw new Explosive();
      round = { factor: Math.max(round.factor, cost.factor + 1), power: Math.max(round.power, cost.power) };
      for (const to of takes) if (this.#loopOf[to] !== loop) out.add(to);
      decided &&= this.#apart(takes);
    }
    const bounds = [...out].map((pc) => this.#boundAt(pc));
    return decided ? plus(times(round), highest(bounds)) : times(bounds.reduce(plus, round));
  }

  /** True when no character is taken by two of them. */
  #apart(takes: readonly number[]): boolean {
    const { op, a, sets } = this.#program;
    for (let i = 0; i < takes.length; i++) {
      for (let j = i + 1; j < takes.length; j++) {
        this.#look();
        const [one, other] = [takes[i]!, takes[j]!];
        if (op[one] === step.BACK_REFERENCE || op[other] === step.BACK_REFERENCE) return false;
        if (one === other || overlap(sets[a[one]!]!, sets[a[other]!]!)) return false;
      }
    }
    return true;
  }

  #look(): void {
    if (++this.#lookedAt > MOST_LOOKED_AT) throw new Explosive();
  }

  /** As the engine goes, without taking a character. A way that is met twice leads to all behind it twice. */
  #next(from: number, takenBefore: number): Next {
    const { op, a, b } = this.#program;
    const takes: number[] = [];
    const seen = new Set<number>();
    const ways: [pc: number, taken: number][] = [[from, takenBefore]];
    let cost: Bound = ONE;
    for (let way = ways.pop(); way !== undefined; way = ways.pop()) {
      let [pc, taken] = way;
      for (;;) {
        this.#look();
        if (takesCharacter(op[pc]!)) {
          takes.push(pc);
          if (op[pc] !== step.BACK_REFERENCE) break;
          cost = plus(cost, { factor: 1, power: 1 });
        } else if (op[pc] === step.MATCH || (op[pc] === step.CHECK && taken === 0)) break;
        else if (op[pc] === step.SPLIT) {
          const place = 2 * pc + taken;
          // Met again: what it leads to is there twice.
          if (seen.has(place)) {
            takes.push(...this.#again(pc, taken));
            break;
          }
          seen.add(place);
          cost = plus(cost, ONE);
          ways.push([b[pc]!, taken]);
          pc = a[pc]!;
          continue;
        } else if (op[pc] === step.JUMP) {
          pc = a[pc]!;
          continue;
        } else if (op[pc] === step.LOOK) {
          cost = plus(cost, this.#ways(this.#next(a[pc]!, 1)));
          pc = b[pc]!;
          continue;
        } else if (op[pc] === step.BEGIN) taken = 0;
        pc++;
      }
    }
    return { takes, cost };
  }

  /** What a split that was met before leads to. */
  #again(from: number, takenBefore: number): readonly number[] {
    const { op, a, b } = this.#program;
    const found: number[] = [];
    const seen = new Set<number>();
    const ways: [pc: number, taken: number][] = [[from, takenBefore]];
    for (let way = ways.pop(); way !== undefined; way = ways.pop()) {
      const [pc, taken] = way;
      this.#look();
      if (seen.has(2 * pc + taken)) continue;
      seen.add(2 * pc + taken);
      if (takesCharacter(op[pc]!)) {
        found.push(pc);
        if (op[pc] === step.BACK_REFERENCE) ways.push([pc + 1, taken]);
      } else if (op[pc] === step.SPLIT) ways.push([b[pc]!, taken], [a[pc]!, taken]);
      else if (op[pc] === step.JUMP) ways.push([a[pc]!, taken]);
      else if (op[pc] === step.LOOK) ways.push([b[pc]!, taken]);
      else if (op[pc] === step.BEGIN) ways.push([pc + 1, 0]);
      else if (op[pc] !== step.MATCH && (op[pc] !== step.CHECK || taken === 1)) ways.push([pc + 1, taken]);
    }
    return found;
  }
}

const takesCharacter = (op: number): boolean => op === step.CHAR || op === step.CHAR_BACK || op === step.BACK_REFERENCE;

const highest = (bounds: readonly Bound[]): Bound => ({
  factor: bounds.reduce((most, { factor }) => Math.max(most, factor), 1),
  power: bounds.reduce((most, { power }) => Math.max(most, power), 0),
});

/**
 * An endless loop is a jump back to its split; those within it belong to it. What a look looks for is apart from the
 * loop around the look: it has a beginning and an end of its own.
 */
function loops(program: Program): Int32Array {
  const loopOf = new Int32Array(program.op.length);
  mark(program, loopOf, 0, program.op.length);
  return loopOf;
}

function mark(program: Program, loopOf: Int32Array, from: number, to: number): void {
  const { op, a, b } = program;
  loopOf.fill(-1, from, to);
  for (let pc = to - 1; pc >= from; pc--) {
    const start = a[pc]!;
    if (op[pc] === step.JUMP && start <= pc && start >= from && loopOf[pc]! < 0) loopOf.fill(start, start, pc + 1);
  }
  for (let pc = from; pc < to; pc++) {
    if (op[pc] !== step.LOOK) continue;
    mark(program, loopOf, a[pc]!, b[pc]!);
    pc = b[pc]! - 1;
  }
}
