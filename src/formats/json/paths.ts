/** One step into a value: a key of an object or an index (from 0) of an array. */
export type Step = string | number;

const PATH = /^(?:[^.[\]]+|\[\d{1,9}\])(?:\.[^.[\]]+|\[\d{1,9}\])*$/;
const STEPS = /[^.[\]]+|\[\d+\]/g;

/** `items[0].id` as steps; null when the text is no path (then it can only be a key as it stands). */
export function parsePath(text: string): readonly Step[] | null {
  if (!PATH.test(text)) return null;
  return (text.match(STEPS) ?? []).map((step) => (step.startsWith('[') ? Number(step.slice(1, -1)) : step));
}
