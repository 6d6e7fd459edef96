import type { SplitRecord } from '../split-cells.js';
import { byteWidths } from './byte-widths.js';

/** Takes a line apart at the places that the receipt names. null when it names no fixed width. */
export function fixedSplitter(
  told: Readonly<Record<string, unknown>>,
  columns: readonly string[],
): ((raw: Buffer) => SplitRecord | null) | null {
  const starts = numbersOf(told['starts']);
  const widths = numbersOf(told['widths']);
  if (told['format'] !== 'fixed') return null;
  const places = columns.map((name) => ({ from: (starts.get(name) ?? 1) - 1, width: widths.get(name) ?? 0 }));
  const encoding = told['encoding'];
  const widthOf = told['unit'] === 'bytes' && typeof encoding === 'string' ? widthIn(encoding) : () => 1;
  // A character of several bytes is followed by nothing for each byte more.
  const units = (text: string): readonly string[] =>
    Array.from(text).flatMap((character) => [character, ...new Array<string>(widthOf(character) - 1).fill('')]);
  return (raw) => {
    const characters = units(raw.toString('utf8'));
    const cells = places.map(({ from, width }) =>
      Buffer.from(
        characters
          .slice(from, from + width)
          .join('')
          .trim(),
      ),
    );
    return { cells, found: places.filter(({ from }) => from < characters.length).length };
  };
}

function widthIn(encoding: string): (character: string) => number {
  const widthOf = byteWidths(encoding);
  return (character) =>
    widthOf === null ? Buffer.byteLength(character) : Math.max(1, widthOf(character.codePointAt(0) ?? 0));
}

const numbersOf = (value: unknown): ReadonlyMap<string, number> =>
  new Map(
    typeof value === 'object' && value !== null
      ? Object.entries(value).flatMap(([name, one]: [string, unknown]) =>
          typeof one === 'number' ? [[name, one] as const] : [],
        )
      : [],
  );
