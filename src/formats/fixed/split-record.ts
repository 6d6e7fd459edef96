import type { SplitRecord } from '../split-cells.js';

/** Takes a line apart at the places that the receipt names. null when it tells of no fixed width. */
export function fixedSplitter(
  told: Readonly<Record<string, unknown>>,
  columns: readonly string[],
): ((raw: Buffer) => SplitRecord | null) | null {
  const starts = numbersOf(told['starts']);
  const widths = numbersOf(told['widths']);
  if (told['format'] !== 'fixed') return null;
  const places = columns.map((name) => ({ from: (starts.get(name) ?? 1) - 1, width: widths.get(name) ?? 0 }));
  return (raw) => {
    const characters = Array.from(raw.toString('utf8'));
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

const numbersOf = (value: unknown): ReadonlyMap<string, number> =>
  new Map(
    typeof value === 'object' && value !== null
      ? Object.entries(value).flatMap(([name, one]: [string, unknown]) =>
          typeof one === 'number' ? [[name, one] as const] : [],
        )
      : [],
  );
