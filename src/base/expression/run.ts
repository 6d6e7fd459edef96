import { has, type CharSet } from './char-set.js';
import * as step from './program.js';
import type { Program } from './program.js';

/** The whole thing would take more steps, or more memory, than its bound. */
export const TOO_LONG = -2;
const NONE = -1;

/** Steps for each character, and characters that are given on top, so that short texts have room too. */
const STEPS_A_CHARACTER = 64;
const CHARACTERS_MORE = 1_000;
/** Bits of memory of what was tried: 64 MiB. */
const MOST_BITS = 2 ** 29;

/**
 * Follows a program as Node's own engine does, the first way first, with two differences: a place in the program that
 * has been tried at a place of the text is not tried again, since it would fail again; and the steps are counted. The
 * first makes nearly every expression take time in proportion to its text; the second ends the others (references back
 * to a group, and looks ahead in which much is tried).
 */
export class Run {
  readonly #program: Program;
  readonly #remembers: boolean;
  /** 2 where it matters whether the round has taken something, else 1. */
  readonly #roundsCount: number;
  /** Both ends of each group; -1 = it took no part. */
  readonly slots: Int32Array;
  #text = '';
  #steps = 0;
  #most = 0;
  /** One bit for each split, each place, and whether the round has taken something. */
  #tried = new Uint32Array(64);
  /** Bits set within looks, to be taken back when one succeeds: what led there is no failure. */
  readonly #set: number[] = [];
  #depth = 0;
  /** Ways not taken yet, three numbers each: step, place, taken; or -1 - slot and what it held. */
  #stack = new Int32Array(3 * 64);
  #top = 0;

  constructor(program: Program) {
    this.#program = program;
    this.slots = new Int32Array(program.slots);
    this.#remembers = program.references.length === 0;
    this.#roundsCount = program.op.includes(step.CHECK) ? 2 : 1;
  }

  /** Where the first match begins, NONE (-1) or TOO_LONG; its groups are in `slots`. */
  search(text: string): number {
    const program = this.#program;
    const words = this.#remembers ? Math.ceil((program.splits * this.#roundsCount * (text.length + 1)) / 32) : 0;
    if (words > MOST_BITS / 32) return TOO_LONG;
    if (this.#remembers) {
      if (this.#tried.length < words) this.#tried = new Uint32Array(words);
      else this.#tried.fill(0, 0, words);
    }
    this.#text = text;
    this.#steps = 0;
    this.#most = (text.length + CHARACTERS_MORE) * Math.max(STEPS_A_CHARACTER, 2 * program.splits);
    this.#top = 0;
    const anchored = program.op[0] === step.AT_START;
    for (let start = 0; start <= text.length; start++) {
      this.slots.fill(-1);
      const end = this.#follow(0, start);
      if (end === TOO_LONG) return this.#forget(TOO_LONG);
      if (end !== NONE) {
        this.slots[0] = start;
        this.slots[1] = end;
        return this.#forget(start);
      }
      if (anchored) break;
    }
    return this.#forget(NONE);
  }

  /** Keeps nothing large of a single long cell. */
  #forget(result: number): number {
    this.#text = '';
    this.#set.length = 0;
    this.#depth = 0;
    if (this.#tried.length > 65_536) this.#tried = new Uint32Array(64);
    if (this.#stack.length > 300_000) this.#stack = new Int32Array(3 * 64);
    return result;
  }

  /** The place behind what the steps from `pc` on take; NONE or TOO_LONG. */
  #follow(from: number, start: number): number {
    const { op, a, b, sets, unicode } = this.#program;
    const text = this.#text;
    const base = this.#top;
    let pc = from;
    let at = start;
    let taken = 1;
    if (++this.#steps > this.#most) return TOO_LONG;
    for (;;) {
      let ok = true;
      switch (op[pc]) {
        case step.CHAR: {
          if (at >= text.length) ok = false;
          else {
            let code = text.charCodeAt(at);
            let width = 1;
            if (unicode && this.#isHigh(at) && this.#isLow(at + 1)) {
              code = text.codePointAt(at)!;
              width = 2;
            }
            const set = sets[a[pc]!]!;
            ok = code < 128 ? set.ascii[code] === 1 : has(set, code) && !(unicode && this.#isWithinPair(at));
            at += width;
            taken = 1;
            pc++;
          }
          break;
        }
        case step.CHAR_BACK:
          at = this.#before(sets[a[pc]!]!, at);
          ok = at !== NONE;
          taken = 1;
          pc++;
          break;
        case step.SPLIT:
          if (++this.#steps > this.#most) return TOO_LONG;
          ok = this.#isNew(pc, at, taken);
          if (ok) {
            this.#push(b[pc]!, at, taken);
            pc = a[pc]!;
          }
          break;
        case step.JUMP:
          pc = a[pc]!;
          break;
        case step.MATCH:
          this.#settle(base);
          return at;
        case step.BEGIN:
        case step.CHECK:
          ok = op[pc] === step.BEGIN || taken === 1;
          if (op[pc] === step.BEGIN) taken = 0;
          pc++;
          break;
        default: {
          const to = this.#other(pc, at);
          if (to === TOO_LONG) return TOO_LONG;
          ok = to !== NONE;
          if (to !== at) taken = 1;
          at = to;
          pc = op[pc] === step.LOOK ? b[pc]! : pc + 1;
        }
      }
      if (ok) continue;
      if (!this.#undo(base)) return NONE;
      pc = this.#stack[this.#top]!;
      at = this.#stack[this.#top + 1]!;
      taken = this.#stack[this.#top + 2]!;
    }
  }

  /** The place before the character that ends here, when it is of the set; else NONE. */
  #before(set: CharSet, at: number): number {
    const { unicode } = this.#program;
    const width = unicode && this.#isWithinPair(at - 1) ? 2 : 1;
    const from = at - width;
    if (from < 0 || (unicode && this.#isWithinPair(at))) return NONE;
    return has(set, width === 2 ? this.#text.codePointAt(from)! : this.#text.charCodeAt(from)) ? from : NONE;
  }

  /** The place behind a step that takes no character, or what a group took; NONE or TOO_LONG. */
  #other(pc: number, at: number): number {
    const { op, a, b, negated } = this.#program;
    switch (op[pc]) {
      case step.SAVE:
        this.#keep(a[pc]!, at);
        return at;
      case step.RESET:
        for (let slot = a[pc]!; slot <= b[pc]!; slot++) this.#keep(slot, -1);
        return at;
      case step.LOOK: {
        const found = this.#look(pc, at);
        return found === TOO_LONG ? TOO_LONG : (found !== NONE) !== (negated[pc] === 1) ? at : NONE;
      }
      case step.BACK_REFERENCE:
        return this.#again(a[pc]!, at);
      default:
        return this.#stands(op[pc]!, a[pc]!, at) ? at : NONE;
    }
  }

  /** Takes back what was kept since the last way not taken, and takes that way off the stack; false = there is none. */
  #undo(base: number): boolean {
    while (this.#top > base) {
      this.#top -= 3;
      const first = this.#stack[this.#top]!;
      if (first >= 0) return true;
      this.slots[-1 - first] = this.#stack[this.#top + 1]!;
    }
    return false;
  }

  /** A match is there: above `base` only what groups held before is kept, for those who go back behind it. */
  #settle(base: number): void {
    let to = base;
    for (let at = base; at < this.#top; at += 3) {
      if (this.#stack[at]! >= 0) continue;
      this.#stack.copyWithin(to, at, at + 3);
      to += 3;
    }
    this.#top = to;
  }

  #look(pc: number, at: number): number {
    const base = this.#top;
    const tried = this.#set.length;
    this.#depth++;
    const found = this.#follow(this.#program.a[pc]!, at);
    this.#depth--;
    if (found === TOO_LONG) return TOO_LONG;
    if (found !== NONE) for (const bit of this.#set.splice(tried)) this.#tried[bit >>> 5]! &= ~(1 << (bit & 31));
    // What must not be there has no groups, found or not.
    if (found !== NONE && this.#program.negated[pc] === 1) while (this.#undo(base));
    return found;
  }

  #isNew(pc: number, at: number, taken: number): boolean {
    if (!this.#remembers) return true;
    const bit =
      (this.#program.splitOf[pc]! * this.#roundsCount + (this.#roundsCount - 1) * taken) * (this.#text.length + 1) + at;
    const word = bit >>> 5;
    const mask = 1 << (bit & 31);
    if ((this.#tried[word]! & mask) !== 0) return false;
    this.#tried[word]! |= mask;
    if (this.#depth > 0) this.#set.push(bit);
    return true;
  }

  #keep(slot: number, value: number): void {
    this.#push(-1 - slot, this.slots[slot]!, 0);
    this.slots[slot] = value;
  }

  #push(first: number, second: number, third: number): void {
    if (this.#top + 3 > this.#stack.length) {
      const larger = new Int32Array(2 * this.#stack.length);
      larger.set(this.#stack);
      this.#stack = larger;
    }
    this.#stack[this.#top] = first;
    this.#stack[this.#top + 1] = second;
    this.#stack[this.#top + 2] = third;
    this.#top += 3;
  }

  /** What a group took stands here once more; with `u` Node never lets that end between the halves of a character. */
  #again(reference: number, at: number): number {
    const to = this.#repeated(reference, at);
    return to >= 0 && this.#program.unicode && this.#isWithinPair(to) ? NONE : to;
  }

  /** The place behind what a group took, taken once more here. A group that took no part takes nothing. */
  #repeated(reference: number, at: number): number {
    const { groups, back } = this.#program.references[reference]!;
    const group = groups.find((one) => this.slots[2 * one]! >= 0 && this.slots[2 * one + 1]! >= 0);
    if (group === undefined) return at;
    const said = this.#text.slice(this.slots[2 * group], this.slots[2 * group + 1]);
    this.#steps += said.length >>> 3;
    if (this.#steps > this.#most) return TOO_LONG;
    const from = back ? at - said.length : at;
    if (from < 0 || from + said.length > this.#text.length) return NONE;
    const here = this.#text.slice(from, from + said.length);
    const same = here === said || (this.#program.ignoreCase && isAlike(here, said, this.#program.unicode));
    return same ? (back ? from : at + said.length) : NONE;
  }

  #stands(op: number, negated: number, at: number): boolean {
    if (op === step.AT_START) return at === 0;
    if (op === step.AT_END) return at === this.#text.length;
    return (this.#isWord(at - 1) !== this.#isWord(at)) !== (negated === 1);
  }

  #isWord(at: number): boolean {
    return at >= 0 && at < this.#text.length && has(this.#program.words, this.#text.charCodeAt(at));
  }

  /** Node looks for a match between the halves of a character too, where only what takes nothing can be found. */
  #isWithinPair(at: number): boolean {
    return this.#isLow(at) && this.#isHigh(at - 1);
  }

  #isHigh(at: number): boolean {
    return (this.#text.charCodeAt(at) & 0xfc00) === 0xd800;
  }

  #isLow(at: number): boolean {
    return (this.#text.charCodeAt(at) & 0xfc00) === 0xdc00;
  }
}

/** Equal but for case, letter by letter, as Node sees it: with `u` it takes more letters for equal than without. */
function isAlike(one: string, other: string, unicode: boolean): boolean {
  const [ours, theirs] = unicode ? [Array.from(one), Array.from(other)] : [one.split(''), other.split('')];
  return ours.length === theirs.length && ours.every((letter, i) => isSameLetter(letter, theirs[i]!, unicode));
}

/** Pairs of letters that were asked for; there are few in any text. */
const asked = new Map<string, boolean>();
const MOST_ASKED = 10_000;

function isSameLetter(one: string, other: string, unicode: boolean): boolean {
  if (one === other) return true;
  const key = `${unicode ? 'u' : ' '}${one}${other}`;
  let same = asked.get(key);
  if (same === undefined) {
    const hex = one.codePointAt(0)!.toString(16);
    same = new RegExp(unicode ? `^\\u{${hex}}$` : `^\\u${hex.padStart(4, '0')}$`, unicode ? 'iu' : 'i').test(other);
    if (asked.size >= MOST_ASKED) asked.clear();
    asked.set(key, same);
  }
  return same;
}
