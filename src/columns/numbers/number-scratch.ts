/** Grows to the longest cell, at most max_record. One a worker: codecs are never re-entered. */
let scratch = Buffer.allocUnsafe(256);

/** The plain form of the last number that was rewritten; good until the next one. */
export const plainNumber = (): Buffer => scratch;

/** The same, with room for `length` bytes. What it held is gone. */
export function fitScratch(length: number): Buffer {
  if (length > scratch.length) scratch = Buffer.allocUnsafe(2 * length);
  return scratch;
}
