import type { ColumnSpec } from '../../core/feed/columns.js';
import type { FormatType } from '../../core/format.js';
import { columnNames } from '../../formats/names.js';
import { noCounts, once, readCells } from './cells.js';
import { plainColumn } from '../../columns/plain-column.js';
import { judgeHeader } from './header.js';
import type { Table } from './table.js';
import type { SampledText } from './text.js';

/** Lines that are looked at for the columns' places. */
const LOOK = 5_000;
const LEAST_LINES = 3;
/** Characters of a line below which equal lengths are chance. */
const LEAST_LENGTH = 8;
/** Lines of the usual length among all: an editor may have cut the blanks off a few. */
const EQUAL = 0.9;

/** A place in the line, from 0. */
interface Place {
  readonly start: number;
  readonly width: number;
}

/**
 * Lines of one length with columns of blanks between what stands in all of them; null = nothing convincing. Only for
 * text in which no delimiter was found.
 */
export function openFixedTable(fixed: FormatType, text: SampledText): Table | null {
  const lines = linesOf(text);
  const places = placesOf(lines);
  if (places === null) return null;
  const cells = lines.slice(0, 500).map((line) =>
    places.map(({ start, width }) =>
      line
        .slice(start, start + width)
        .join('')
        .trim(),
    ),
  );
  const verdict = judgeHeader(cells);
  const names = columnNames(
    verdict.header ? (cells[0] ?? []) : places.map((_, index) => `column_${index + 1}`),
    'snake',
  );
  const short = lines.filter((line) => line.length < (places.at(-1)?.start ?? 0) + 1).length;
  const { label, doubt } = text.encoding;
  const options = {
    ...(verdict.header ? { header: true } : {}),
    ...(short === 0 ? {} : { short_rows: 'fill_null' }),
    ...(label === 'utf-8' ? {} : { encoding: label }),
  };
  const contract = places.map(({ start, width }, index): ColumnSpec => ({
    ...plainColumn(names[index]!, names[index]!, 'text'),
    start: start + 1,
    width,
  }));
  return {
    sample: text.sample,
    format: fixed.type,
    options,
    columns: places.map(({ start, width }, index) => ({ name: names[index]!, type: null, start: start + 1, width })),
    dataLine: null,
    described: [
      `fixed width, lines of ${lines[0]?.length ?? 0} characters`,
      `encoding ${label}`,
      verdict.header ? 'with a header' : 'no header',
    ],
    doubts: [
      'start and width are guessed by the blanks that all lines of the sample have in common: hold them against the description of the file',
      ...(verdict.doubt === null ? [] : [`header: ${verdict.doubt}`]),
      ...(doubt === null ? [] : [`encoding: ${doubt}`]),
    ],
    read: async (visitor, nulls) => {
      const counts = noCounts();
      // The sample is UTF-8 by now.
      const plain = {
        ...options,
        encoding: 'utf-8',
        ...(nulls.words.length === 0 ? {} : { nulls: ['', ...nulls.words] }),
      };
      await readCells(
        await fixed.open({ bytes: once(text.head), path: null, contract }, fixed.options.parse(plain)),
        visitor,
        { skipRows: 0, whole: text.whole },
        counts,
      );
      return counts;
    },
  };
}

/** Lines as lists of characters: places count these. */
function linesOf({ head, whole }: SampledText): readonly (readonly string[])[] {
  const lines = head.toString('utf8').split(/\r\n|\r|\n/);
  if (!whole) lines.pop();
  return lines
    .filter((line) => line !== '')
    .slice(0, LOOK)
    .map((line) => Array.from(line));
}

function placesOf(lines: readonly (readonly string[])[]): readonly Place[] | null {
  const length = lines.reduce((most, line) => Math.max(most, line.length), 0);
  if (
    lines.length < LEAST_LINES ||
    length < LEAST_LENGTH ||
    lines.filter((line) => line.length === length).length < lines.length * EQUAL
  )
    return null;
  const filled = Array.from({ length }, (_, at) => lines.some((line) => line[at] !== undefined && line[at] !== ' '));
  const starts = filled.flatMap((here, at) => (here && filled[at - 1] !== true ? [at] : []));
  if (starts.length < 2) return null;
  return starts.map((start, index) => ({ start, width: (starts[index + 1] ?? length) - start }));
}
