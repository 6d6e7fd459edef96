import { oneLine } from '../../base/text/terminal-text.js';
import type { Heading, Output } from './output.js';
import { terminalWidth } from './streams.js';

/** A column that gives way when a table is too wide. */
export interface FitHeading extends Heading {
  /** Which end of its cells is kept when they are cut; omitted = they are never cut: a number must be whole. */
  readonly keep?: 'start' | 'end';
}

/** Blanks between two columns. */
const GAP = 2;
/** Characters that a cut cell keeps at least. */
const LEAST = 8;

/**
 * The cells of a table cut so that it is at most `width` wide: the widest of the columns that may be cut gives way
 * first. null = the others alone are too wide.
 */
export function fitted(
  headings: readonly FitHeading[],
  rows: readonly (readonly string[])[],
  width: number,
): readonly (readonly string[])[] | null {
  const shown = rows.map((row) => row.map((cell) => oneLine(cell)));
  const widths = headings.map(({ title }, i) => Math.max(title.length, ...shown.map((row) => row[i]?.length ?? 0)));
  const whole = (): number => widths.reduce((a, b) => a + b, GAP * (widths.length - 1));
  while (whole() > width) {
    const yielding = headings.flatMap(({ keep, title }, i) =>
      keep !== undefined && widths[i]! > Math.max(title.length, LEAST) ? [i] : [],
    );
    const widest = yielding.sort((a, b) => widths[b]! - widths[a]!)[0];
    if (widest === undefined) return null;
    widths[widest] = widths[widest]! - 1;
  }
  return shown.map((row) => row.map((cell, i) => cut(cell, widths[i]!, headings[i]?.keep)));
}

function cut(text: string, width: number, keep: FitHeading['keep']): string {
  if (text.length <= width || keep === undefined) return text;
  return keep === 'start' ? `${text.slice(0, width - 1)}…` : `…${text.slice(text.length - width + 1)}`;
}

/** A table as wide as the terminal at most; whole where stdout is none, because there a program may read it. */
export function fitTable(out: Output, headings: readonly FitHeading[], rows: readonly (readonly string[])[]): void {
  const width = terminalWidth();
  out.table(headings, width === null ? rows : (fitted(headings, rows, width) ?? rows));
}
