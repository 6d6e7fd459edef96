import { compileColumn } from '../../src/columns/column.js';
import { pgTypeNamed } from '../../src/columns/type-name.js';
import type { ColumnSpec } from '../../src/core/feed/columns.js';
import { noCounts, once, readCells } from '../../src/infer/sample/cells.js';
import type { FeedDraft } from '../../src/infer/draft/draft.js';
import { FORMATS } from '../../src/registry.js';
import type { Case } from './guess-tables.js';
import type { Form } from './guess-forms.js';
import { asConfigured, inferFiles, put } from './support.js';

/** Rows as the feed's codecs hand them to PostgreSQL: its text of a typed value, the text itself else; null = NULL. */
export interface Loaded {
  readonly columns: readonly ColumnSpec[];
  readonly rows: readonly (readonly (string | null)[])[];
  readonly refused: number;
}

export async function loadedBy(draft: FeedDraft, bytes: Buffer): Promise<Loaded> {
  const feed = asConfigured(draft);
  const format = FORMATS.find(({ type }) => type === feed.format.type);
  const specs = feed.columns;
  if (format === undefined || specs === null) throw new RangeError('a feed without columns');
  const reader = await format.open({ bytes: once(bytes), path: null, contract: specs }, feed.format.options);
  const compiled = specs.map((spec) => {
    const type = pgTypeNamed(spec.type);
    if (type === null) throw new RangeError(`${spec.type} is no type`);
    return compileColumn(spec, type, 'UTC', 'binary');
  });
  const rows: (string | null)[][] = [];
  const out = { buf: Buffer.alloc(65_536), pos: 0 };
  const { cellOf, fileColumns } = reader.layout;
  let row: (string | null)[] = [];
  const cell = (column: number, bytesOf: Buffer | null, start: number, end: number): void => {
    if (column === 0) row = Array.from(specs, () => null);
    for (const [index, from] of cellOf.entries()) {
      if (from !== column || bytesOf === null) continue;
      const one = compiled[index]!;
      out.pos = 0;
      const code = one.encode(bytesOf, start, end, out);
      const text = bytesOf.toString('utf8', start, end);
      if (code > 0) row[index] = `refused: ${text}`;
      else if (code === 0 && one.spec.type === 'text') row[index] = text;
      else if (code === 0) {
        out.pos = 0;
        one.codec.encodeText(bytesOf, start, end, out);
        row[index] = out.buf.toString('utf8', 0, out.pos);
      }
    }
    if (column === fileColumns.length - 1) rows.push(row);
  };
  const counts = noCounts();
  await readCells(
    reader,
    {
      cell: (column, from, start, end) => cell(column, from, start, end),
      absent: (column) => cell(column, null, 0, 0),
    },
    { skipRows: 0, whole: true },
    counts,
  );
  return { columns: specs, rows, refused: counts.short + counts.long + counts.faults };
}

/** All that the feed says in comments. */
export const commentsOf = (draft: FeedDraft): string => [...Object.values(draft.comments), ...draft.notes].join('\n');

/** What is wrong with the guess, and not said. Empty = it is right, or its doubt is told. */
export async function faultsOf(one: Case): Promise<readonly string[]> {
  const draft = await inferFiles([put('guess.csv', one.text)]);
  const faults: string[] = [];
  const said = commentsOf(draft);
  for (const told of one.around.told) if (!told.test(said)) faults.push(`does not say ${String(told)}`);
  // Without a header two delimiters may do equally well.
  if (said.includes(`delimiter: ${JSON.stringify(one.dialect.delimiter)} would make columns as well`)) return faults;
  const { columns, rows, refused } = await loadedBy(draft, Buffer.from(one.text));
  if (rows.length !== one.rows) faults.push(`${rows.length} rows, not ${one.rows}`);
  if (refused !== (one.around.refused ?? 0)) faults.push(`${refused} records are refused`);
  if (columns.length !== one.columns.length) return [...faults, `${columns.length} columns`];
  if (one.around.headless !== true && columns.map(({ name }) => name).join() !== one.names.join())
    faults.push(`columns ${columns.map(({ name }) => name).join()}`);
  for (const [index, form] of one.columns.entries()) {
    const draftOf = draft.columns[index]!;
    const wrong = rows.findIndex((row, at) => !isRight(row[index] ?? null, form, at, columns[index]!.type));
    if (wrong === -1) continue;
    // Which of two readings is right cannot be known: then the other one has to be named.
    if (
      form.doubtful !== undefined &&
      draftOf.doubts.some((doubt) => doubt.includes(`every value also fits ${form.doubtful}`))
    )
      continue;
    faults.push(
      `${columns[index]!.name} ${columns[index]!.type}: ${JSON.stringify(form.cell(wrong)[0])} becomes ${JSON.stringify(rows[wrong]?.[index])}`,
    );
  }
  return faults;
}

function isRight(value: string | null, form: Form, row: number, type: string): boolean {
  const [, wanted] = form.cell(row);
  if (form.means === 'text')
    return wanted === '' ? value === null || value === '' : type === 'text' && value === wanted;
  if (typeof wanted === 'number' && Number.isNaN(wanted)) return value === null;
  if (value === null) return false;
  switch (form.means) {
    case 'number':
      return type !== 'text' && Number(value) === wanted;
    case 'flag':
      return type === 'boolean' && value.startsWith('t') === wanted;
    case 'clock':
      return type === 'time' && Date.parse(`1970-01-01T${value}Z`) === wanted;
    case 'moment':
      return /^(?:date|timestamp)/.test(type) && Date.parse(isoOf(value)) === wanted;
  }
}

/** PostgreSQL's text of a moment as JavaScript reads it: offsets without seconds, UTC where there is none. */
const isoOf = (text: string): string => {
  const iso = text.replace(' ', 'T').replace(/([+-]\d\d:\d\d):\d\d$/, '$1');
  return /T.*(?:Z|[+-]\d\d:\d\d)$/.test(iso) || !iso.includes('T') ? iso : `${iso}Z`;
};
