import { kindOf } from './header.js';

/** A header of two records: what `header` has to be, and the names that it gives. */
export interface HeaderRows {
  readonly key: 2 | { readonly rows: 2; readonly names: 1 };
  readonly names: readonly string[];
  readonly doubt: string;
}

/** `(kg)`, `[m/s]`, `%`, `EUR` ... */
const UNIT = /^(?:[([].{1,20}[)\]]|[%‰°€$£#µμ]\S{0,4}|\p{L}{1,4}[²³]?(?:[/·*^]\p{L}{1,4}[²³\d]?)*)$/u;

/**
 * Does the record below the names belong to the header? It does where columns hold numbers or times and it holds texts
 * above them: units, or the second half of the names. `rows`: names, that record, and data.
 */
export function headerRowsOf(rows: readonly (readonly string[])[]): HeaderRows | null {
  const [first, second, ...body] = rows;
  if (first === undefined || second === undefined || body.length < 2 || second.length !== first.length) return null;
  const typed = first.flatMap((_, column) => {
    const below = body.map((row) => row[column] ?? '').filter((cell) => cell.trim() !== '');
    const values = below.filter((cell) => ['number', 'moment'].includes(kindOf(cell) ?? '')).length;
    return below.length > 1 && values >= below.length * 0.95 ? [column] : [];
  });
  const above = typed.map((column) => second[column]?.trim() ?? '');
  if (above.some((cell) => cell !== '' && kindOf(cell) !== 'text' && !UNIT.test(cell))) return null;
  const words = above.filter((cell) => cell !== '' && !/^(?:n\/?a|none|null|nan|unknown)$/i.test(cell)).length;
  const others = second.filter((cell, column) => !typed.includes(column) && cell.trim() !== '');
  const units = others.every((cell) => UNIT.test(cell.trim())) && above.every((cell) => cell === '' || UNIT.test(cell));
  // One word above one column of numbers may stand for a value that is not known.
  if (words === 0 || (words < 2 && !units)) return null;
  const joined = first.map((cell, column) =>
    [cell.trim(), second[column]!.trim()].filter((part) => part !== '').join(' '),
  );
  const named = (names: readonly string[]): boolean =>
    names.every((name) => name.trim() !== '') && new Set(names).size === names.length;
  const shown = JSON.stringify(second.join(',').slice(0, 40));
  return named(first) || !named(joined)
    ? {
        key: { rows: 2, names: 1 },
        names: first,
        doubt: `the second record (${shown}) belongs to the header; header: 2 joins it to the names`,
      }
    : { key: 2, names: joined, doubt: `the first two records name the columns together (${shown} is the second)` };
}
