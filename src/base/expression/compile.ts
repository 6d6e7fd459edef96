import type { AST } from '@eslint-community/regexpp';
import { charSet, wordSet, type CharFlags, type CharSet } from './char-set.js';
import * as step from './program.js';

/** Steps beyond which an expression is too large: counts such as {1,5000} are written out. */
const MOST_STEPS = 100_000;

/** An expression that this engine cannot run; the message says why. */
export class Uncompilable extends Error {}

interface Flags extends CharFlags {
  /** Whether it must be known where groups stand: else their steps are left out. */
  readonly groups: boolean;
}

/** Throws Uncompilable. */
export function compile(pattern: AST.Pattern, flags: Flags): step.Program {
  const compiler = new Compiler(flags, hasReference(pattern));
  compiler.whole(pattern);
  return compiler.program();
}

/** Numbers of the groups by their names. */
export function namedGroups(pattern: AST.Pattern): ReadonlyMap<string, readonly number[]> {
  const names = new Map<string, number[]>();
  let number = 0;
  visitGroups(pattern.alternatives, ({ name }) => {
    number++;
    if (name !== null) names.set(name, [...(names.get(name) ?? []), number]);
  });
  return names;
}

class Compiler {
  readonly #flags: Flags;
  readonly #keepsGroups: boolean;
  readonly #op: number[] = [];
  readonly #a: number[] = [];
  readonly #b: number[] = [];
  readonly #negated = new Set<number>();
  readonly #sets: CharSet[] = [];
  readonly #setNumbers = new Map<CharSet, number>();
  readonly #references: { groups: number[]; back: boolean }[] = [];
  readonly #numberOf = new Map<AST.CapturingGroup, number>();
  /** Groups whose inside is being written. */
  readonly #within = new Set<AST.CapturingGroup>();

  constructor(flags: Flags, hasReferences: boolean) {
    this.#flags = flags;
    this.#keepsGroups = flags.groups || hasReferences;
  }

  whole(pattern: AST.Pattern): void {
    // Numbers are given in the order of the opening brackets, before any step is written: a reference may stand first.
    visitGroups(pattern.alternatives, (group) => this.#numberOf.set(group, this.#numberOf.size + 1));
    this.#alternatives(pattern.alternatives, false);
    this.#emit(step.MATCH);
  }

  program(): step.Program {
    const splitOf = new Int32Array(this.#op.length);
    let splits = 0;
    this.#op.forEach((op, pc) => {
      if (op === step.SPLIT) splitOf[pc] = splits++;
    });
    const negated = new Uint8Array(this.#op.length);
    for (const pc of this.#negated) negated[pc] = 1;
    return {
      op: Uint8Array.from(this.#op),
      a: Int32Array.from(this.#a),
      b: Int32Array.from(this.#b),
      splits,
      splitOf,
      sets: this.#sets,
      references: this.#references,
      slots: this.#keepsGroups ? 2 * (this.#numberOf.size + 1) : 2,
      unicode: this.#flags.unicode,
      ignoreCase: this.#flags.ignoreCase,
      words: wordSet(this.#flags),
      negated,
    };
  }

  #emit(op: number, a = 0, b = 0): number {
    if (this.#op.length >= MOST_STEPS)
      throw new Uncompilable(`is too large: its counts come to more than ${MOST_STEPS} steps`);
    this.#a.push(a);
    this.#b.push(b);
    return this.#op.push(op) - 1;
  }

  get #here(): number {
    return this.#op.length;
  }

  /** `back`: within a look behind, where everything is read from its end. */
  #alternatives(alternatives: readonly AST.Alternative[], back: boolean): void {
    const ends: number[] = [];
    alternatives.forEach((alternative, i) => {
      const split = i < alternatives.length - 1 ? this.#emit(step.SPLIT, this.#here + 1) : -1;
      const elements = back ? [...alternative.elements].reverse() : alternative.elements;
      for (const element of elements) this.#element(element, back);
      if (split < 0) return;
      ends.push(this.#emit(step.JUMP));
      this.#b[split] = this.#here;
    });
    for (const end of ends) this.#a[end] = this.#here;
  }

  #element(element: AST.Element, back: boolean): void {
    switch (element.type) {
      case 'Character':
      case 'CharacterSet':
      case 'CharacterClass':
        this.#emit(back ? step.CHAR_BACK : step.CHAR, this.#setNumber(charSet(element, this.#flags)));
        return;
      case 'Group':
        if (element.modifiers !== null)
          throw new Uncompilable('changes its flags within itself, which is not supported');
        this.#alternatives(element.alternatives, back);
        return;
      case 'CapturingGroup':
        this.#group(element, back);
        return;
      case 'Quantifier':
        this.#quantifier(element, back);
        return;
      case 'Assertion':
        this.#assertion(element);
        return;
      case 'Backreference': {
        // Within its own group nothing can have been taken yet: Node leaves it out.
        if (!Array.isArray(element.resolved) && this.#within.has(element.resolved)) return;
        const groups = [element.resolved].flat().map((group) => this.#numberOf.get(group) ?? 0);
        this.#emit(step.BACK_REFERENCE, this.#references.push({ groups, back }) - 1);
        return;
      }
      case 'ExpressionCharacterClass':
        throw new Uncompilable('has a class of the v flag, which is not supported');
    }
  }

  #group(group: AST.CapturingGroup, back: boolean): void {
    const slot = 2 * (this.#numberOf.get(group) ?? 0);
    if (this.#keepsGroups) this.#emit(step.SAVE, back ? slot + 1 : slot);
    this.#within.add(group);
    this.#alternatives(group.alternatives, back);
    this.#within.delete(group);
    if (this.#keepsGroups) this.#emit(step.SAVE, back ? slot : slot + 1);
  }

  #quantifier({ min, max, greedy, element }: AST.Quantifier, back: boolean): void {
    if (max === 0) return;
    const slots = this.#keepsGroups ? this.#slotsWithin(element) : null;
    const round = (counts: boolean): void => {
      if (slots !== null) this.#emit(step.RESET, slots.from, slots.to);
      if (counts) this.#emit(step.BEGIN);
      this.#element(element, back);
      if (counts) this.#emit(step.CHECK);
    };
    for (let i = 0; i < min; i++) round(false);
    const counts = mayBeEmpty(element);
    const splits: number[] = [];
    const optional = (): void => {
      splits.push(this.#emit(step.SPLIT));
      round(counts);
    };
    if (max === Infinity) {
      optional();
      this.#emit(step.JUMP, splits[0]);
    } else for (let i = min; i < max; i++) optional();
    for (const split of splits) {
      this.#a[split] = greedy ? split + 1 : this.#here;
      this.#b[split] = greedy ? this.#here : split + 1;
    }
  }

  #assertion(assertion: AST.Assertion): void {
    switch (assertion.kind) {
      case 'start':
        this.#emit(step.AT_START);
        return;
      case 'end':
        this.#emit(step.AT_END);
        return;
      case 'word':
        this.#emit(step.WORD_EDGE, assertion.negate ? 1 : 0);
        return;
      case 'lookahead':
      case 'lookbehind': {
        const look = this.#emit(step.LOOK);
        if (assertion.negate) this.#negated.add(look);
        this.#a[look] = this.#here;
        this.#alternatives(assertion.alternatives, assertion.kind === 'lookbehind');
        this.#emit(step.MATCH);
        this.#b[look] = this.#here;
      }
    }
  }

  #setNumber(set: CharSet): number {
    let number = this.#setNumbers.get(set);
    if (number === undefined) {
      number = this.#sets.push(set) - 1;
      this.#setNumbers.set(set, number);
    }
    return number;
  }

  #slotsWithin(element: AST.Element): { readonly from: number; readonly to: number } | null {
    const numbers: number[] = [];
    visitGroups([element], (group) => numbers.push(this.#numberOf.get(group) ?? 0));
    return numbers.length === 0 ? null : { from: 2 * Math.min(...numbers), to: 2 * Math.max(...numbers) + 1 };
  }
}

type Inner = AST.Alternative | AST.Element;

/** What stands directly within. */
function within(node: Inner): readonly Inner[] {
  switch (node.type) {
    case 'Alternative':
      return node.elements;
    case 'Group':
    case 'CapturingGroup':
      return node.alternatives;
    case 'Quantifier':
      return [node.element];
    case 'Assertion':
      return node.kind === 'lookahead' || node.kind === 'lookbehind' ? node.alternatives : [];
    default:
      return [];
  }
}

function visitGroups(nodes: readonly Inner[], visit: (group: AST.CapturingGroup) => void): void {
  for (const node of nodes) {
    if (node.type === 'CapturingGroup') visit(node);
    visitGroups(within(node), visit);
  }
}

const hasReference = (pattern: AST.Pattern): boolean => pattern.alternatives.some(refers);
const refers = (node: Inner): boolean => node.type === 'Backreference' || within(node).some(refers);

/** True when it may take no character. */
function mayBeEmpty(element: Inner): boolean {
  switch (element.type) {
    case 'Character':
    case 'CharacterSet':
    case 'CharacterClass':
      return false;
    case 'Quantifier':
      return element.min === 0 || mayBeEmpty(element.element);
    case 'Group':
    case 'CapturingGroup':
      return element.alternatives.some((alternative) => alternative.elements.every(mayBeEmpty));
    default:
      return true;
  }
}
