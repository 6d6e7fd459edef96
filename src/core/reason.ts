import type { CellError } from './batch.js';

/** `amount: constraint-error (min): less than 0`. `label` turns the fault's column into what the reader calls it. */
export function reasonOf(error: CellError, label: (column: string) => string = (column) => column): string {
  const column = error.column === null ? '' : `${label(error.column)}: `;
  const rule = error.rule === null ? '' : ` (${error.rule})`;
  return `${column}${error.class}${rule}: ${error.message}`;
}
