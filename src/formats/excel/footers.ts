import { writtenExpression } from '../../base/expression/expression.js';
import type { SheetRow } from './sheet-rows.js';

/** Rows at the end of a sheet that can be footers: so many are held back. */
const MOST_ROWS = 100;

/** A row, and whether it is one of the footers at the end of the sheet. */
export type MarkedRow = SheetRow & { readonly footer?: true };

/**
 * Marks rows at the end whose filled cells, joined by tabs, match one of the expressions. Those that match are held
 * back until it is known whether the sheet ends behind them.
 */
export async function* withFooters(
  rows: AsyncIterable<SheetRow>,
  patterns: readonly string[],
): AsyncGenerator<MarkedRow, void, undefined> {
  const expressions = patterns.map((pattern) => writtenExpression(pattern));
  let held: SheetRow[] = [];
  for await (const row of rows) {
    const text = row.cells.map((cell) => cell.text).join('\t');
    if (expressions.some((expression) => expression.test(text) === true)) {
      held.push(row);
      if (held.length > MOST_ROWS) yield held.shift()!;
    } else {
      yield* held;
      held = [];
      yield row;
    }
  }
  for (const row of held) yield { ...row, footer: true };
}
