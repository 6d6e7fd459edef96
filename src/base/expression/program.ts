import type { CharSet } from './char-set.js';

/** Steps of a compiled expression. They are followed one by one; only SPLIT has two ways on. */
export const CHAR = 0; // a: which of `sets`
export const CHAR_BACK = 1; // the same for the character before (within a look behind)
export const SPLIT = 2; // a: first way, b: second way
export const JUMP = 3; // a: where to
export const SAVE = 4; // a: which slot keeps the place
export const RESET = 5; // a, b: slots from, to are emptied (groups of a new round)
export const BEGIN = 6; // a round that may take nothing
export const CHECK = 7; // ends the way when the round took nothing
export const AT_START = 8;
export const AT_END = 9;
export const WORD_EDGE = 10; // a: 1 = there must be none
export const LOOK = 11; // a: what is looked for stands behind this step, b: where it goes on
export const BACK_REFERENCE = 12; // a: which of `references`
export const MATCH = 13;

export interface Program {
  readonly op: Uint8Array;
  readonly a: Int32Array;
  readonly b: Int32Array;
  /** Of a SPLIT: its number, for the memory of what was tried. */
  readonly splits: number;
  readonly splitOf: Int32Array;
  readonly sets: readonly CharSet[];
  readonly references: readonly { readonly groups: readonly number[]; readonly back: boolean }[];
  /** Slots for two ends of each group, the whole match first. */
  readonly slots: number;
  readonly unicode: boolean;
  readonly ignoreCase: boolean;
  readonly words: CharSet;
  /** A LOOK's own sign: 1 = what it looks for must not be there. */
  readonly negated: Uint8Array;
}
