import { shapeOf } from '../evidence/date-shapes.js';

const NUMBER = /^\s*[-+]?[\d.,\u00a0']*\d[\d.,]*(?:[eE][-+]?\d+)?\s*%?\s*$/;
/** A uuid, or JSON. */
const CODE = /^(?:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\{.*\}|\[.*\])$/is;
const WORDS = /^(?:true|false|yes|no|y|n|null|\\N|nan)$/i;
/** What names of columns are made of. */
const NAME =
  /^[\p{L}_#"'($@*\[%&][\p{L}\p{M}\p{N}\s_\-./\\()[\]#%$&?:*+'"<>=|,!@\u2122\u00b0\u00b2\u00b3\u20ac\u00a3]*$/u;
const LONGEST_NAME = 120;
/** Records that the first one is compared with. */
export const HEADER_SAMPLE = 500;

type Kind = 'number' | 'moment' | 'word' | 'code' | 'text';

export function kindOf(cell: string): Kind | null {
  const text = cell.trim();
  if (text === '') return null;
  if (NUMBER.test(text)) return 'number';
  if (WORDS.test(text)) return 'word';
  if (CODE.test(text)) return 'code';
  return shapeOf(text) === null ? 'text' : 'moment';
}

/** Whether the first record names the columns, and how sure that is. */
export interface HeaderVerdict {
  readonly header: boolean;
  /** For people; null = there is no doubt. */
  readonly doubt: string | null;
}

const sure = (header: boolean): HeaderVerdict => ({ header, doubt: null });

/**
 * `rows`: the first records of the file, all of one width. A header names: its cells are no numbers and no dates, most
 * of them are filled, and they differ from what stands below.
 */
export function judgeHeader(rows: readonly (readonly string[])[]): HeaderVerdict {
  const [first, ...body] = rows;
  if (first === undefined) return sure(true);
  const run = isRun(first) && !body.some(isRun);
  const isName = first.map((cell, column) => {
    if (run && kindOf(cell) === 'number') return true;
    return isPeriodName(
      cell,
      body.map((row) => row[column] ?? ''),
    );
  });
  const kinds = first.map((cell, column) => (isName[column] === true ? 'text' : kindOf(cell)));
  const values = kinds.filter((kind) => kind === 'number' || kind === 'moment').length;
  if (values > 0)
    return values * 4 > first.length || values > 3
      ? sure(false)
      : columnsSay(first, kinds, body) > 0
        ? { header: true, doubt: 'the first record is taken for the header, though numbers stand in it' }
        : sure(false);
  const filled = first.filter((cell) => cell.trim() !== '').length;
  if (filled < first.length * 0.6 && first.length > 2) return sure(false);
  if (new Set(first.map((cell) => cell.trim())).size < first.length * 0.6) return sure(false);
  if (body.length === 0) return { header: true, doubt: 'there is only one record: taken for the header' };
  const evidence = columnsSay(first, kinds, body);
  if (isName.includes(true) && evidence > 0)
    return {
      header: true,
      doubt: run
        ? 'the numbers of the first record count on, as those below do not: taken for names of columns'
        : `${JSON.stringify(first[isName.indexOf(true)])} is taken for the name of a column, as what stands below it is of another kind`,
    };
  if (evidence > 0) return sure(true);
  if (evidence < 0)
    return {
      header: false,
      doubt: 'the first record looks like the others: no header. If it is one, set header: true',
    };
  const named = first.every((cell) => cell.trim() === '' || (cell.length <= LONGEST_NAME && NAME.test(cell.trim())));
  return {
    header: named,
    doubt: named
      ? 'all columns are text, so nothing proves that the first record is the header'
      : 'the first record does not look like names: no header',
  };
}

/** `id,1,2,3`: texts, and three and more numbers that count. */
function isRun(row: readonly string[]): boolean {
  const numbers = row.filter((cell) => kindOf(cell) === 'number').map(Number);
  return (
    numbers.length >= 3 &&
    numbers.length < row.length &&
    numbers.every((number, index) => index === 0 || number === numbers[index - 1]! + 1)
  );
}

/** A year, a month or a day, as it may name a column. */
const PERIOD = /^(?:19|20)\d\d(?:[-/.]?(?:0[1-9]|1[0-2])(?:[-/.]?(?:0[1-9]|[12]\d|3[01]))?)?$/;
/** What stands where there is no value. */
const NOTHING = /^(?:n\/?a|null|none|nan|-+|\.+|\?|\\N)$/i;

/** `state,2022,2023`: years and days over values of another kind are names. */
function isPeriodName(cell: string, below: readonly string[]): boolean {
  const text = cell.trim();
  const isPeriod = (one: string): boolean => PERIOD.test(one) || shapeOf(one)?.holds === 'date';
  if (!isPeriod(text)) return false;
  const values = below.map((one) => one.trim()).filter((one) => one !== '' && !NOTHING.test(one));
  return values.length > 0 && values.filter(isPeriod).length <= values.length * 0.1;
}

/**
 * Above 0: columns whose values are of a kind that the first record's cell is not. Below 0: its cells stand among the
 * values below.
 */
function columnsSay(
  first: readonly string[],
  kinds: readonly (Kind | null)[],
  body: readonly (readonly string[])[],
): number {
  let evidence = 0;
  for (const [column, cell] of first.entries()) {
    if (cell.trim() === '') continue;
    const below = body.map((row) => row[column] ?? '').filter((text) => text.trim() !== '');
    if (below.length === 0) continue;
    // A column may be called n, or no.
    const found = kinds[column] ?? null;
    const kind = found === 'word' && below.some((text) => kindOf(text) !== 'word') ? 'text' : found;
    const same = below.filter((text) => kindOf(text) === kind).length;
    if (kind === 'text' && (same <= below.length * 0.1 || kindOf(cell) !== 'text')) evidence += 1;
    else if (kind === 'text' && oneLength(below) && below.length >= 3 && cell.length !== below[0]?.length)
      evidence += 0.5;
    else if (below.includes(cell)) evidence -= 1;
  }
  return evidence;
}

const oneLength = (texts: readonly string[]): boolean => texts.every((text) => text.length === texts[0]?.length);
