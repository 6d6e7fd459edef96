import { count } from '../../base/text/readable-numbers.js';
import { visibleText } from '../../base/text/visible-text.js';
import { indented, oneLine } from '../../base/text/terminal-text.js';
import type { CellError } from '../../core/batch.js';
import { reasonOf } from '../../core/reason.js';
import type { QuarantineGroupItem, QuarantineItem } from '../../operations/quarantine.js';

import type { FitHeading } from './fit.js';

export const GROUP_HEADINGS: readonly FitHeading[] = [
  { title: 'file', align: 'right' },
  { title: 'feed', keep: 'start' },
  { title: 'path', keep: 'end' },
  { title: 'rows', align: 'right' },
  { title: 'column' },
  { title: 'class' },
  { title: 'first row', align: 'right' },
  { title: 'line', align: 'right' },
  { title: 'example', keep: 'start' },
  { title: 'reason', keep: 'start' },
];

export const groupRow = (item: QuarantineGroupItem): readonly string[] => [
  item.file_id === null ? `load:${item.load_id}` : String(item.file_id),
  item.feed,
  item.path,
  count(item.rows),
  item.column ?? '-',
  item.class,
  count(item.first_row),
  count(item.first_line),
  (item.example ?? '-').slice(0, 40),
  item.message,
];

/** Bytes of a record, and characters of a value, that are shown to people. */
const SHOWN_RAW = 200;
const SHOWN_VALUE = 100;

/** A refused row: one line a fault, then the beginning of the record. */
export function rowText(item: QuarantineItem): string {
  const member = item.member === undefined ? '' : `${oneLine(item.member)} `;
  const faults = item.errors.map(
    (error) => `row ${item.row}, ${member}line ${item.line ?? '-'}: ${oneLine(reasonOf(error))}${shownValue(error)}`,
  );
  return [...faults, `    ${indented(startOf(item), '    ')}`].join('\n');
}

function startOf(item: QuarantineItem): string {
  const bytes = item.raw_base64 === undefined ? Buffer.from(item.raw) : Buffer.from(item.raw_base64, 'base64');
  const start = visibleText(bytes, 0, Math.min(SHOWN_RAW, bytes.length), Infinity);
  return `${start}${(item.raw_length ?? bytes.length) > SHOWN_RAW ? ' …' : ''}`;
}

/** The value on one line. */
function shownValue({ value }: CellError): string {
  if (value === null) return '';
  const short = value.length > SHOWN_VALUE ? `${value.slice(0, SHOWN_VALUE)} …` : value;
  return `: "${oneLine(short)}"`;
}
