/** A source of whole numbers below a limit, made from a seed. */
export function random(seed: number): (limit: number) => number;
/** One to four changes of `bytes`; pieces come from `other`. */
export function mutate(bytes: Buffer, other: Buffer, below: (limit: number) => number): Buffer;
