import path from 'node:path';
import type { ColumnDraft, FeedDraft } from './draft.js';
import { draftFormat } from './draft-format.js';
import { feedNameOf, patternOf } from './file-name.js';
import type { Guess } from '../evidence/column-guess.js';
import { enumeration, isUnique } from '../evidence/guess.js';
import type { Proven } from '../evidence/prove.js';
import type { ReadCounts } from '../sample/cells.js';
import type { NullPlan, Table } from '../sample/table.js';
import type { United, UnitedColumn } from '../evidence/unite.js';

/** Columns of a contract that are printed; a table holds 1,598 beside the lineage. */
const MOST_COLUMNS = 1_500;

export interface Found {
  readonly files: readonly string[];
  readonly united: United;
  readonly guesses: readonly Guess[];
  readonly proven: readonly Proven[];
  readonly nulls: NullPlan;
  readonly name: string | null;
  readonly base: string;
}

/** Puts what was found together as one feed of the config, with a comment at everything that is doubtful. */
export function draftFeed(found: Found): FeedDraft {
  const { united, files } = found;
  const [first] = united.tables;
  if (first === undefined) throw new RangeError('a feed is drafted from at least one file');
  const { source, sourceNotes } = sourceOf(found);
  const twins = twinsOf(united.columns);
  const all = united.columns.map((column, index) => columnOf(column, found, index, twins));
  const columns = all.slice(0, MOST_COLUMNS);
  const { format, comments, notes: formatNotes } = draftFormat(found.united, found.nulls, first);
  const missing = united.columns.filter((column) => column.files < united.tables.length);
  const keys: Record<string, unknown> = { on_changed: 'replace' };
  const keyComments: Record<string, string> = {};
  if (all.length > columns.length) {
    keys['on_unknown_column'] = 'rescue';
    keyComments['on_unknown_column'] =
      `${all.length} columns; a table holds 1,598. The first ${columns.length} are here, the rest goes into _rescued`;
  }
  if (missing.length > 0) {
    keys['on_missing_column'] = 'fill_null';
    keyComments['on_missing_column'] = `not in all files: ${missing
      .slice(0, 10)
      .map(({ name }) => name)
      .join(', ')}`;
  }
  const tail = tailNotes(found, first);
  const head = headOf(found);
  const notes = [
    ...head,
    ...Object.entries({ ...comments, ...keyComments }).map(([key, text]) => `${key}: ${text}`),
    ...formatNotes,
    ...sourceNotes,
    ...columns.flatMap(({ name, doubts }) => doubts.map((doubt) => `${name}: ${doubt}`)),
    ...tail,
  ];
  return {
    name: found.name ?? feedNameOf(files[0] ?? ''),
    head,
    source,
    format,
    formatNotes,
    keys,
    columns,
    comments: {
      ...comments,
      ...keyComments,
      on_changed: 'new content under a known path takes the place of its earlier rows; load keeps both',
      ...(sourceNotes.length === 0 ? {} : { 'source.pattern': sourceNotes.join('; ') }),
    },
    tail,
    notes,
  };
}

function sourceOf({ files, base }: Found): {
  readonly source: Readonly<Record<string, unknown>>;
  readonly sourceNotes: readonly string[];
} {
  const [first = ''] = files;
  const folder = path.dirname(path.resolve(first));
  // Named absolutely: written so. Else relative to where the config stands.
  const dir = path.isAbsolute(first) ? folder : path.relative(base, folder) || '.';
  const { pattern } = patternOf(files.map((file) => path.basename(file)));
  const notes: string[] = [];
  if (files.some((file) => path.dirname(path.resolve(file)) !== folder))
    notes.push('the files stand in more than one folder: this is the first one');
  if (!/[*?%]/.test(pattern))
    notes.push('this one name; say here how the names of further files differ (orders_%Y%m%d*.csv)');
  return { source: { type: 'local', dir, pattern }, sourceNotes: notes };
}

function headOf({ united, files }: Found): string[] {
  return united.tables.slice(0, 20).map((table, index) => {
    const counts = united.counts[index];
    const { sample } = table;
    const packed =
      sample.compression === 'none'
        ? []
        : [
            `${sample.compression}${sample.members.length > 1 ? ` with ${sample.members.length} members, of which the first was read` : ''}`,
          ];
    const rows =
      counts === undefined
        ? []
        : [
            `${counts.rows} record${counts.rows === 1 ? '' : 's'}${sample.whole || table.columns.every(({ type }) => type !== null) ? '' : ' in the sample'}`,
          ];
    return `${path.basename(files[index] ?? sample.path)}: ${[...table.described, ...packed, ...rows].join(', ')}`;
  });
}

/** Header names that stand more than once. */
function twinsOf(columns: readonly UnitedColumn[]): ReadonlySet<string | null> {
  const seen = new Set<string | null>();
  return new Set(columns.flatMap(({ source }) => (seen.size === seen.add(source).size ? [source] : [])));
}

function columnOf(column: UnitedColumn, found: Found, index: number, twins: ReadonlySet<string | null>): ColumnDraft {
  const { profile, name, source, position } = column;
  const guess = found.guesses[index]!;
  const { min, max, ...proven } = found.proven[index]!;
  const table = found.united.tables[0];
  const byName = table?.options['header'] !== false;
  const usable = source !== null && source.trim() !== '' && !source.includes('\0') && !twins.has(source);
  const from =
    column.start !== null
      ? null
      : !byName
        ? positionFrom(name, position)
        : table?.dataLine === undefined
          ? null
          : usable || source === null
            ? source === name || source === null
              ? null
              : source
            : position;
  const typed = column.type !== null;
  const nothing = proven.nulls;
  const unique = typed ? null : isUnique(profile, guess, found.nulls.words);
  const rows = found.united.counts.reduce((sum, counts) => sum + counts.rows, 0);
  const facts: Record<string, unknown> = {};
  if (!typed && rows > 0 && profile.values > 0) {
    if (nothing === 0 && column.files === found.united.tables.length) facts['required'] = true;
    if (unique === true && profile.values > 1) facts['unique'] = true;
    const values = enumeration(profile, found.nulls.words);
    if (guess.type === 'text' && values !== null) facts['enum'] = values;
    else if (guess.type === 'text') facts['max_length'] = profile.longest;
    else if (min !== null && max !== null && guess.type !== 'boolean')
      Object.assign(facts, { min: bound(min), max: bound(max) });
  }
  return {
    name,
    from,
    start: column.start,
    width: column.width,
    guess,
    doubts: [...guess.doubts, ...afterthoughts(name, guess, min, max, profile.values)],
    facts,
    nullable: nothing > 0,
    unique,
    min,
    max,
    values: profile.values,
    nulls: nothing,
    examples: profile.examples,
  };
}

/** A number as it is written: bounds keep every digit. */
const bound = (text: string): unknown =>
  /^-?(?:0|[1-9]\d{0,14})(?:\.\d*[1-9])?$/.test(text) && text.length < 16 ? Number(text) : text;

/** `column_3` is taken by its name, other names by their place in the list. */
const positionFrom = (name: string, position: number): number | null =>
  /^column_\d+$/.test(name) && name !== `column_${position}` ? position : null;

const TIME_NAME = /time|date|epoch|stamp|(^|_)ts($|_)|_at$|created|updated|modified/i;

/** What numbers may be when their name speaks of time. */
function afterthoughts(
  name: string,
  { type }: Guess,
  min: string | null,
  max: string | null,
  values: number,
): string[] {
  if (
    (type !== 'bigint' && type !== 'integer') ||
    min === null ||
    max === null ||
    values === 0 ||
    !TIME_NAME.test(name)
  )
    return [];
  const [least, most] = [Number(min), Number(max)];
  const within = (unit: number): boolean => least >= 631_152_000 * unit && most <= 4_102_444_800 * unit;
  if (within(1)) return ['seconds since 1970? Then type: timestamptz, format: epoch_s'];
  if (within(1_000)) return ['milliseconds since 1970? Then type: timestamptz, format: epoch_ms'];
  if (within(1_000_000)) return ['microseconds since 1970? Then type: timestamptz, format: epoch_us'];
  if (within(1_000_000_000)) return ['nanoseconds since 1970? Then type: timestamptz, format: epoch_ns'];
  return least >= 20_000 && most <= 80_000 ? ['days as Excel counts them? Then type: date, format: excel_serial'] : [];
}

function tailNotes({ united }: Found, first: Table): string[] {
  const notes: string[] = [];
  for (const [index, counts] of united.counts.entries()) {
    const bad = counts.short + counts.long + counts.faults;
    const name = path.basename(united.tables[index]?.sample.path ?? '');
    if (bad > 0 && counts.firstBad !== null)
      notes.push(
        `${name}: ${bad} record${bad === 1 ? '' : 's'} of the sample would go to quarantine; the first on line ${counts.firstBad.line}: ${counts.firstBad.message}`,
      );
  }
  const index = united.counts.findIndex(({ trailer }) => trailer !== null);
  const trailer = united.counts[index]?.trailer;
  if (first.format === 'csv' && trailer !== null && trailer !== undefined)
    notes.push(...trailerNote(trailer, united.counts[index]!));
  const total = united.counts.find(({ trailer: found, last }) => found === null && TOTAL.test(last));
  if (first.format === 'csv' && total !== undefined && first.options['footer'] === undefined)
    notes.push(
      `the last record looks like a total and no data: ${JSON.stringify(total.last)}. Taken out by control.trailer, the columns may have narrower types`,
    );
  return notes;
}

const TOTAL = /^["']?(?:grand |sub)?(?:total|totals|sum|summe|gesamt|totaal|totale)\b/i;

/** A last record of another width: perhaps what the sender says about the file. */
function trailerNote(trailer: string, { rows, behind }: ReadCounts): string[] {
  const lead = /^[^\d,;|\t]*/.exec(trailer)?.[0] ?? '';
  const escaped = lead.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
  // The parts of a date, a time or a fraction ("Generated 2024-01-05") are no count of records.
  const whole = /(?<!\d[-/.:]?)\d+(?![-/.:]?\d)/g;
  const number = [...trailer.matchAll(whole)].find(([digits]) => Math.abs(Number(digits) - rows) <= 2);
  const more = behind > 1 ? `${behind} records at the end have` : 'the last record has';
  const said = `${more} another form${behind > 1 ? ', the last is' : ''}: ${JSON.stringify(trailer)}`;
  if (number === undefined || escaped === '')
    return [`${said}. If it is a trailer, say so: control: { trailer: "^..." }`];
  const between = trailer
    .slice(lead.length, number.index)
    .replace(/\d+/g, '\u0000')
    .replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
    .replaceAll('\u0000', '\\d+');
  const offset = Number(number[0]) - rows;
  return [
    `${said}. It tells the number of records: control: { trailer: ${JSON.stringify(`^${escaped}${between}(?<rows>\\d+)`)}${offset === 0 ? '' : `, rows_offset: ${offset}`} }`,
  ];
}
