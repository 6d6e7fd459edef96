import path from 'node:path';
import type { United } from '../evidence/unite.js';
import type { NullPlan, Table } from '../sample/table.js';

/** `format:` of a proposed feed, put together key by key. */
class FormatDraft {
  readonly format: Record<string, unknown>;
  /** Comments at its keys, by `format.KEY`. */
  readonly comments: Record<string, string> = {};
  /** What is doubtful and belongs to no key. */
  readonly notes: string[] = [];

  constructor(first: Table) {
    this.format = { type: first.format, ...first.options };
  }

  say(key: string, text: string): void {
    const said = this.comments[`format.${key}`];
    this.comments[`format.${key}`] = said === undefined ? text : `${said}; ${text}`;
  }

  set(key: string, value: unknown, why: string): void {
    this.format[key] = value;
    this.say(key, why);
  }
}

/** Keys that cannot be found out file by file. */
const MUST_AGREE = [
  'header',
  'quote',
  'escape',
  'quotes',
  'quote_blanks',
  'escape_unquoted',
  'excel_text',
  'comment',
  'repeated_header',
  'skip_lines',
  'root',
] as const;

/** What the files have in common as `format:`; `first` is the first of them. */
export function draftFormat(united: United, nulls: NullPlan, first: Table): FormatDraft {
  const draft = new FormatDraft(first);
  for (const doubt of first.doubts) {
    const [, key, text] = /^([a-z_]+): (.*)$/s.exec(doubt) ?? [];
    if (key !== undefined && text !== undefined && key in draft.format) draft.say(key, text);
    else draft.notes.push(doubt);
  }
  tellDifferences(united, first, draft);
  if (nulls.words.length > 0) draft.set('nulls', ['', ...nulls.words], nullsComment(united, nulls));
  if (nulls.quoted) draft.set('nulls_quoted', true, 'some of them stand in quotes');
  const rows = united.counts.reduce((sum, one) => sum + one.rows, 0);
  // Footers are no rows with too few cells.
  const short = united.counts.reduce((sum, one) => sum + Math.max(0, one.short - one.behind), 0);
  if (first.format === 'csv' && short > 1 && short > (rows + short) * 0.05)
    draft.set('short_rows', 'fill_null', `${short} records have too few cells`);
  const long = united.counts.reduce((sum, one) => sum + one.long, 0);
  if (first.format === 'csv' && long > 1 && long > (rows + long) * 0.05)
    draft.set('long_rows', 'rescue', `${long} records have more cells than columns: the surplus goes into _rescued`);
  return draft;
}

/** Files of one feed that differ: what can be found out file by file is left to auto. */
function tellDifferences({ tables }: United, first: Table, draft: FormatDraft): void {
  for (const key of ['delimiter', 'encoding'] as const) {
    const values = new Set(tables.map((table) => table.options[key] ?? (key === 'encoding' ? 'utf-8' : undefined)));
    if (values.size <= 1) continue;
    const shown = [...values].map((value) => JSON.stringify(value)).join(', ');
    draft.set(key, 'auto', `differs from file to file: ${shown}${key === 'encoding' ? notByAuto(values) : ''}`);
  }
  for (const key of MUST_AGREE) {
    const other = tables.find((table) => JSON.stringify(table.options[key]) !== JSON.stringify(first.options[key]));
    if (other === undefined) continue;
    const value = JSON.stringify(other.options[key] ?? null);
    draft.notes.push(`${key} differs: ${value} in ${path.basename(other.sample.path)}. It may belong to another feed`);
  }
}

/** What `encoding: auto` would read as windows-1252. */
function notByAuto(values: ReadonlySet<unknown>): string {
  const others = [...values].filter((value) => !/^(utf-|windows-1252$)/.test(String(value)));
  return others.length === 0
    ? ''
    : `. auto takes Unicode and windows-1252 only: files in ${others.join(', ')} need a feed of their own`;
}

function nullsComment({ columns }: United, { words }: NullPlan): string {
  const texts = columns.filter(
    ({ profile, type }) => profile.values > 0 && words.some((word) => profile.words.has(word)) && type === null,
  );
  const listed = texts.slice(0, 5).map(({ name, profile }) => {
    const counts = words.filter((word) => profile.words.has(word));
    return `${name} (${counts.map((word) => `${profile.words.get(word)?.count ?? 0} ${word}`).join(', ')})`;
  });
  return `words for "no value"; they are NULL in every column${texts.length === 0 ? '' : `: ${listed.join(', ')}`}`;
}
