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

function kindOf(cell: string): Kind | null {
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
  const kinds = first.map(kindOf);
  const years = areYears(first);
  const values = kinds.filter((kind) => kind === 'number' || kind === 'moment').length;
  if (years) return sure(true);
  if (values > 0)
    return values * 4 > first.length || values > 3
      ? sure(false)
      : columnsSay(first, body) > 0
        ? { header: true, doubt: 'the first record is taken for the header, though numbers stand in it' }
        : sure(false);
  const filled = first.filter((cell) => cell.trim() !== '').length;
  if (filled < first.length * 0.6 && first.length > 2) return sure(false);
  if (new Set(first.map((cell) => cell.trim())).size < first.length * 0.6) return sure(false);
  if (body.length === 0) return { header: true, doubt: 'there is only one record: taken for the header' };
  const evidence = columnsSay(first, body);
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

/** `country,1990,1991,...` */
function areYears(first: readonly string[]): boolean {
  const numbers = first.filter((cell) => kindOf(cell) === 'number').map((cell) => cell.trim());
  return (
    numbers.length >= 2 &&
    numbers.every((text) => /^(?:19|20)\d\d$/.test(text)) &&
    new Set(numbers).size === numbers.length &&
    numbers.length < first.length
  );
}

/**
 * Above 0: columns whose values are of a kind that the first record's cell is not. Below 0: its cells stand among the
 * values below.
 */
function columnsSay(first: readonly string[], body: readonly (readonly string[])[]): number {
  let evidence = 0;
  for (const [column, cell] of first.entries()) {
    if (cell.trim() === '') continue;
    const below = body.map((row) => row[column] ?? '').filter((text) => text.trim() !== '');
    if (below.length === 0) continue;
    // A column may be called n, or no.
    const kind = kindOf(cell) === 'word' && below.some((text) => kindOf(text) !== 'word') ? 'text' : kindOf(cell);
    const same = below.filter((text) => kindOf(text) === kind).length;
    if (kind === 'text' && same <= below.length * 0.1) evidence += 1;
    else if (kind === 'text' && oneLength(below) && below.length >= 3 && cell.length !== below[0]?.length)
      evidence += 0.5;
    else if (below.includes(cell)) evidence -= 1;
  }
  return evidence;
}

const oneLength = (texts: readonly string[]): boolean => texts.every((text) => text.length === texts[0]?.length);
